"""Somebody who has been through everything: a row in every table of people, with a word of theirs in every text."""

from collections.abc import Mapping
from datetime import date, timedelta
from itertools import count
from typing import Any

from sqlalchemy import JSON, Column, Enum, LargeBinary, String, Table, insert, select
from sqlalchemy.orm import Session

from portal.accounts.models import Account
from portal.billing.models import EntryKind
from portal.infra.orm import Base, Cents
from portal.infra.outbox import MailState
from portal.privacy.map import PEOPLES
from portal.rules.money import Money
from portal.rules.orders import OrderState
from tests.world import NOW

WORD = "Zwqxj"
"""In all that they have typed, and nowhere else."""

OVER = date(2026, 6, 1)
SAID: Mapping[str, Mapping[str, Any]] = {
    "voucher": {"amount": Money(100)},
    "subscription": {"last_day": OVER},
    "shop_order": {"state": OrderState.DELIVERED},
    "mail": {"state": MailState.SENT},
    "point_closing": {"substitute_id": 2},
    "invoice": {"vat": Money(0)},
    "invoice_rate": {"vat": Money(0)},
    "invoice_line": {"delivery_id": 1},
    "ledger_entry": {"kind": EntryKind.PAYMENT, "invoice_id": None, "amount": Money(-100)},
    "mandate": {"last_four": "1234"},
    "departure": {"erase_at": NOW + timedelta(days=30)},
}

_numbers = count(100)


def somebody(session: Session, name: str = WORD) -> Account:
    account = Account(
        email=f"{name.lower()}@example.org",
        password=f"{name} hash",
        fs_uniquifier=f"{name} session",
        first_name=name,
        last_name=f"Von {name}",
        phone=f"{name} 01",
        note=f"{name} n'aime pas le fenouil.",
        birthday=229,
        created_at=NOW - timedelta(days=900),
        email_proven_at=NOW,
    )
    session.add(account)
    session.flush()
    return account


def fill(
    session: Session, account: Account, *, but: frozenset[str] = frozenset()
) -> dict[str, Mapping[str, Any]]:
    """A row of theirs in every table of people; answers the keys."""
    made: dict[str, Mapping[str, Any]] = {"account": {"id": account.id}}
    for table in Base.metadata.sorted_tables:
        if table.name in PEOPLES and table.name not in {"account", *but}:
            made[table.name] = _add(session, table, account, made)
    return made


def _add(session: Session, table: Table, account: Account, made: Mapping[str, Mapping[str, Any]]) -> Any:
    rows = PEOPLES[table.name]
    values = {column.name: _value(session, column, account, made) for column in table.columns}
    values |= {name: _plain(table.c[name]) for name in rows.plain}
    if rows.mail:
        values[rows.mail] = account.email
    return _insert(session, table, values)


def _insert(session: Session, table: Table, values: Mapping[str, Any]) -> Mapping[str, Any]:
    values = {**values, **SAID.get(table.name, {})}
    given = {name: value for name, value in values.items() if value is not None}
    key = session.execute(insert(table).values(given)).inserted_primary_key
    return dict(zip([column.name for column in table.primary_key], key, strict=True))


def _kind(column: Column[Any]) -> Any:
    return getattr(column.type, "impl_instance", column.type)


def _plain(column: Column[Any]) -> Any:
    """What names nobody."""
    match _kind(column):
        case JSON():
            return {}
        case LargeBinary():
            return b"sealed"
    return f"n{next(_numbers)}"


def _value(
    session: Session, column: Column[Any], account: Account, made: Mapping[str, Mapping[str, Any]]
) -> Any:
    if column.foreign_keys:
        return _named(session, column, account, made)
    kind = _kind(column)
    match kind:
        case Enum():
            return next(iter(kind.enum_class or ()))
        case JSON():
            return {"said": account.first_name}
        case LargeBinary():
            return account.first_name.encode()
        case String():
            return f"{account.first_name}{next(_numbers)}"[: kind.length]
    return _figure(column, kind)


def _figure(column: Column[Any], kind: Any) -> Any:
    if column.nullable or (column.primary_key and column.name == "id"):
        return None
    if column.unique:
        return next(_numbers)
    figures = {"datetime": NOW, "date": OVER, "bool": True, "int": 1}
    return Money(100) if isinstance(column.type, Cents) else figures[kind.python_type.__name__]


def _named(
    session: Session, column: Column[Any], account: Account, made: Mapping[str, Mapping[str, Any]]
) -> Any:
    """Their own row where they have one, else anybody's; nothing where nothing is asked."""
    [key] = column.foreign_keys
    target = key.column
    if target.table.name in made:
        return made[target.table.name][target.name]
    if column.nullable:
        return None
    found = session.scalar(select(target).order_by(target).limit(1))
    return found if found is not None else _new(session, target.table, account)[target.name]


def _new(session: Session, table: Table, account: Account) -> Any:
    """A row of the farm's own, without a word of theirs."""
    nobody = Account(first_name="n", email="")
    values = {column.name: _value(session, column, nobody, {}) for column in table.columns}
    return _insert(session, table, values)
