"""Many more subscribers on the tests' small farm, each other one in something."""

from collections.abc import Sequence
from datetime import date, timedelta
from itertools import cycle, islice
from typing import Any

from sqlalchemy import (
    CTE,
    Column,
    ColumnElement,
    Integer,
    String,
    and_,
    case,
    cast,
    false,
    func,
    insert,
    literal,
    or_,
    select,
    text,
    true,
    type_coerce,
)
from sqlalchemy.orm import Session

from portal.accounts.models import Account
from portal.billing.models import Customer
from portal.boxes.models import BoxChange
from portal.catalogue.models import Formula
from portal.infra.orm import db
from portal.pickup.models import PickupPoint
from portal.rules.calendar import Rhythm, monday_of
from portal.shop.models import Order
from portal.subscriptions.models import Subscription, Term
from tests.world import NOW, TUESDAY

LAST_NAMES = ("Zélie", "Éluard", "Œuvrard", "de Gaulle", "D'Arc", "Durand", "Noël", "Ay", "Ångström")


def add(session: Session, people: int, start: int = 0, tour: str = "mardi") -> None:
    """So many people, numbered from `start`; every fifth skips the tests' week, every seventh has a second box."""
    points = session.scalars(
        select(PickupPoint).where(PickupPoint.tour.has(slug=tour)).order_by(PickupPoint.position)
    ).all()
    formulas = session.scalars(select(Formula).order_by(Formula.position)).all()
    for number, last_name in enumerate(islice(cycle(LAST_NAMES), people), start):
        account = Account(
            email=f"personne{number}@example.org",
            fs_uniquifier=f"personne{number}",
            first_name=f"Prénom {number:03}",
            last_name=last_name,
            created_at=NOW - timedelta(days=100),
        )
        for second in range(2 if number % 7 == 0 else 1):
            subscription = Subscription(
                account=account,
                created_at=account.created_at,
                terms=[
                    Term(
                        monday=date(2026, 1, 5),
                        formula=formulas[(number + second) % len(formulas)],
                        quantity=1 + number % 11 // 10,
                        rhythm=tuple(Rhythm)[number % 4 % 3],
                        pickup_point=points[number % len(points)],
                    )
                ],
            )
            session.add(subscription)
            session.flush()
            if number % 5 == 0:
                session.add(
                    BoxChange(
                        subscription_id=subscription.id, week=monday_of(TUESDAY), skip=True, changed_at=NOW
                    )
                )
    session.commit()


def add_thousands(session: Session, people: int, tour: str = "mardi") -> None:
    """So many people in few statements, each with one box a week of the first formula at the first point."""
    first = 1 + max(session.scalar(select(func.max(table.id))) or 0 for table in (Account, Subscription))
    numbers = range(first, first + people)
    since = NOW - timedelta(days=100)
    names = {"first_name": "", "last_name": "", "password": None, "created_at": since}
    point = select(PickupPoint.id).where(PickupPoint.tour.has(slug=tour)).order_by(PickupPoint.position)
    term = {
        "monday": date(2026, 1, 5),
        "until": None,
        "formula_id": session.scalar(select(Formula.id).order_by(Formula.position)),
        "quantity": 1,
        "rhythm": Rhythm.WEEKLY,
        "pickup_point_id": session.scalar(point),
    }
    emails = [{"id": n, "email": f"{n}@example.org", "fs_uniquifier": f"{n}", **names} for n in numbers]
    session.execute(insert(Account), emails)
    session.execute(insert(Subscription), [{"id": n, "account_id": n, "created_at": since} for n in numbers])
    session.execute(insert(Term), [{"subscription_id": n, **term} for n in numbers])
    session.commit()


APART = 1000
"""More than the tests' farm has rows of anything."""
WHOSE = {"email", "recipient", "source"}
"""Columns that say in words whose a row is, or what of theirs."""

KEPT = Customer.__table__.c.balance
"""By the database itself, as the entries come."""


def add_alike(
    session: Session, alike: ColumnElement[bool], people: int, first: int = 1, apart: int = APART
) -> None:
    """So many more of these accounts with all that they have, in whatever table: boxes, orders, invoices, mail.

    Of the n-th ones, from the first on, ids and numbers are n times `apart` more, and words that are theirs begin
    with n.
    """
    n = _counted(first, first + people)
    emails = select(Account.email).where(alike)
    kept: dict[Column[Any], Sequence[int]] = {}
    """Ids that are nobody's of these: whoever is asked for, a guest, staff."""
    for table in sorted(db.metadata.sorted_tables, key=lambda table: table.name == "ledger_entry"):
        theirs = [moves for column in table.c if (moves := _moves(column, kept, apart)) is not None]
        theirs += [column.in_(emails) for column in table.c if column.name == "recipient"]
        if table is Account.__table__:
            theirs = [alike & (Account.id < apart)]
        if not theirs:
            continue
        own = func.coalesce(or_(*theirs), false())
        for key in table.primary_key:
            if key.name == "id" or _moves(key, kept, apart) is not None:
                kept[key] = session.scalars(select(key).where(key < apart, ~own)).all()
        columns = [column for column in table.c if column is not KEPT]
        copies = [_copied(column, kept, n.c.n, apart) for column in columns]
        rows = select(*copies).select_from(table.join(n, true())).where(own)
        session.execute(table.insert().from_select(columns, rows))
        if "id" in table.c and session.get_bind().dialect.name == "postgresql":
            session.execute(
                text(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), max(id)) FROM {table}")
            )
    session.commit()


def add_guests(session: Session, people: int) -> None:
    """So many more orders like those that guests have placed, with nothing in them."""
    table, n = Order.__table__, _counted(1, 1 + people)
    copies = [_copied(column, {}, n.c.n, APART) for column in table.c]
    guests = select(*copies).select_from(table.join(n, true())).where(table.c.account_id.is_(None))
    session.execute(table.insert().from_select(list(table.c), guests))
    session.commit()


def _counted(first: int, end: int) -> CTE:
    counted = select(literal(first).label("n")).cte("counted", recursive=True)
    return counted.union_all(select(counted.c.n + 1).where(counted.c.n < end - 1))


def _moves(
    column: Column[Any], kept: dict[Column[Any], Sequence[int]], apart: int
) -> ColumnElement[bool] | None:
    """Whether it names what is somebody's: else it stays what it is."""
    for key in column.foreign_keys:
        if key.column in kept:
            return and_(column < apart, column.not_in(kept[key.column]))
    return None


def _copied(column: Column[Any], kept: dict[Column[Any], Sequence[int]], n: Any, apart: int) -> Any:
    more = type_coerce(column, Integer) + n * apart
    if column.name == "id":
        return more
    if (moves := _moves(column, kept, apart)) is not None:
        return case((moves, more), else_=column)
    if column.name in WHOSE or column.unique:
        if isinstance(column.type, String):
            return func.substr(cast(n, String).concat(column), 1, column.type.length)
        return more
    return column
