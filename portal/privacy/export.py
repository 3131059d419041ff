"""All that is known of somebody, to take away: as JSON for machines, as a PDF to be read, with their papers."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import date, datetime
from enum import StrEnum
from io import BytesIO
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

from sqlalchemy import Column, LargeBinary, Table, select
from sqlalchemy.orm import Session

from portal.accounts.models import customer_number
from portal.billing.models import Invoice, InvoiceFile
from portal.infra import pdf
from portal.planning.contracts import contract_number
from portal.privacy.map import PEOPLES, TABLES, Person, holds, person, theirs
from portal.privacy.words import SECTIONS, VALUES
from portal.profile.queries import Farm
from portal.rules.cutoffs import local_day
from portal.rules.money import Money
from portal.shop.models import order_number
from portal.web.filters import clock as hour
from portal.web.filters import day_year, money
from portal.web.i18n import gettext as _
from portal.web.i18n import language

Row = Mapping[str, Any]
Told = Mapping[str, Sequence[Row]]

SECRETS = frozenset({"password", "fs_uniquifier", "token_hash", "secret", "public_key", "search_key"})
"""What opens something, and what only the machine understands."""
CALLED = {"delivery": "day", "conditions": "published_at", "voucher": "code"}
"""How a row of the farm's is named to people, where it has no name."""
PAPERS = {
    "contract": ("paper", "contrats/contrat-{id}.pdf"),
    "contact_file": ("data", "fichiers/{id}-{name}"),
}
NUMBERS: Mapping[str, Callable[[int], str]] = {
    "account.id": customer_number,
    "subscription.id": contract_number,
    "subscription_id": contract_number,
    "shop_order.id": order_number,
    "order_id": order_number,
}


def everything(session: Session, account_id: int) -> Told:
    """Their rows of every table that is told, in the order of the map."""
    whose = person(session, account_id)
    return {name: _rows(session, TABLES[name], whose) for name, rows in PEOPLES.items() if rows.told}


def _rows(session: Session, table: Table, whose: Person) -> list[Row]:
    source: Any = table
    taken: list[Any] = []
    for column in columns(table):
        named = _farms(column)
        if named is None:
            taken.append(column)
        else:
            other = named.alias()
            source = source.outerjoin(other, column == other.c.id)
            taken.append(other.c[CALLED.get(named.name, "name")].label(column.name.removesuffix("_id")))
    mine = select(*taken).select_from(source).where(theirs(table, whose)).order_by(*table.primary_key)
    return [dict(row) for row in session.execute(mine).mappings()]


def columns(table: Table) -> Iterator[Column[Any]]:
    """What is told of a row: neither who else had a hand in it, nor what opens something, nor whole files."""
    rows = PEOPLES[table.name]
    for column in table.columns:
        names_somebody = any(key.column.table.name == "account" for key in column.foreign_keys)
        silent = column.name in SECRETS or column.name in rows.untold or names_somebody
        if not silent and not holds(column, LargeBinary):
            yield column


def _farms(column: Column[Any]) -> Table | None:
    """The farm's table that it names a row of."""
    target = next((key.column.table for key in column.foreign_keys), None)
    return target if target is not None and (target.name not in PEOPLES or target.name in CALLED) else None


def archive(session: Session, account_id: int, *, farm: Farm, at: datetime) -> bytes:
    """Everything in one file to download."""
    told = everything(session, account_id)
    made = BytesIO()
    with ZipFile(made, "w", ZIP_DEFLATED) as file:
        said = {"made_at": at, **told}
        file.writestr("mes-donnees.json", json.dumps(said, default=_plain, ensure_ascii=False, indent=2))
        file.writestr("mes-donnees.pdf", _paper(told, farm, at))
        for name, data in _papers(session, account_id):
            file.writestr(name, data)
    return made.getvalue()


def _papers(session: Session, account_id: int) -> Iterator[tuple[str, bytes]]:
    whose = person(session, account_id)
    for name, (column, called) in PAPERS.items():
        table = TABLES[name]
        for row in session.execute(select(table).where(theirs(table, whose))).mappings():
            yield called.format_map(row), row[column]
    yield from _invoices(session, whose)


def _invoices(session: Session, whose: Person) -> Iterator[tuple[str, bytes]]:
    """Those whose file is made."""
    mine = theirs(TABLES["invoice"], whose)
    made = select(Invoice.number, InvoiceFile.data).join(InvoiceFile, InvoiceFile.invoice_id == Invoice.id)
    for number, data in session.execute(made.where(mine, InvoiceFile.data.is_not(None)).order_by(Invoice.id)):
        yield f"factures/facture-{number}.pdf", data or b""


def _plain(value: object) -> object:
    """As JSON says it: money in cents."""
    match value:
        case date():
            return value.isoformat()
        case Money():
            return value.cents
    raise TypeError(type(value).__name__)


def _paper(told: Told, farm: Farm, at: datetime) -> bytes:
    return pdf.render(
        "personal_data",
        language=language(),
        farm=asdict(farm),
        title=_("Vos données"),
        made=_("Ce que nous savons de vous, le %(day)s.", day=day_year(local_day(at))),
        sections=[
            {
                "title": str(section.title),
                "heads": [str(label) for label in section.columns.values()],
                "lines": [
                    [_read(_numbered(name, key, row[key])) for key in section.columns] for row in told[name]
                ],
            }
            for name, section in SECTIONS.items()
            if told[name]
        ],
    )


def _numbered(table: str, key: str, value: object) -> object:
    """Accounts, contracts and orders as papers call them."""
    called = NUMBERS.get(f"{table}.id" if key == "id" else key)
    return called(value) if called and isinstance(value, int) else value


def _read(value: object) -> str:
    """As people read it."""
    match value:
        case bool():
            return _("oui") if value else _("non")
        case datetime():
            return f"{day_year(local_day(value))}, {hour(value)}"
        case date():
            return day_year(value)
        case Money():
            return money(value)
        case StrEnum():
            return str(VALUES.get(value.value, value.value))
    return "" if value is None else str(value)
