"""Whether the books are as they were entered, from the first entry to the last closing."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from portal.billing import closings, contents, ledger
from portal.billing.contents import OF_BUYER, OF_INVOICE, OF_LINE, OF_RATE, Row
from portal.billing.ledger import BEGINNING
from portal.billing.models import (
    Invoice,
    InvoiceBuyer,
    InvoiceLine,
    InvoiceRate,
    LedgerClosing,
    LedgerEntry,
    NumberSeries,
)
from portal.rules.invoicing import kept_until, month_of, next_month
from portal.rules.money import Money

NONE = Money.zero()
AT_ONCE = 500


class Part(StrEnum):
    ENTRY = "entry"
    INVOICE = "invoice"
    CLOSING = "closing"


@dataclass(frozen=True, slots=True)
class Break:
    """The first that is not as it was entered: an entry's or an invoice's number, or the month of a closing."""

    part: Part
    which: int | str | date


@dataclass(frozen=True, slots=True)
class Verdict:
    """How many entries hold, and what does not."""

    entries: int
    broken: Break | None = None


def verify(session: Session) -> Verdict:
    """Read all of it, some entries at a time."""
    closed = list(session.scalars(select(LedgerClosing).order_by(LedgerClosing.month)))
    sealed = {each.last_number: "" for each in closed}
    billed, paid, written_off = (defaultdict[date, Money](Money.zero) for _ in range(3))
    before, number = BEGINNING, 0
    with closing(ledger.entries(session)) as rows:
        for row in rows:
            broken = row.number != number + 1 or row.before != before or ledger.digest_of(row) != row.digest
            if broken or (row.invoice_id and row.invoice is None):
                return Verdict(number, Break(Part.ENTRY, number + 1))
            before, number = row.digest, row.number
            if number in sealed:
                sealed[number] = before
            if row.kind in closings.BILLED:
                billed[month_of(row.day)] += row.amount
            else:
                (paid if row.moved_by else written_off)[month_of(row.day)] -= row.amount
    if cut := _cut(session):
        return Verdict(number, Break(Part.ENTRY, cut))
    if invoice := _unlike_the_ledger(session):
        return Verdict(number, Break(Part.INVOICE, invoice))
    month, perpetual, before = closed[0].month if closed else None, NONE, BEGINNING
    for each in closed:
        perpetual += billed[each.month]
        sums = tuple(part[each.month] for part in (billed, paid, written_off))
        said = (
            each.month,
            each.billed,
            each.paid,
            each.written_off,
            each.perpetual,
            each.before,
            each.digest,
        )
        digest = closings.digest_of(each, sealed[each.last_number])
        if said != (month, *sums, perpetual, before, digest):
            return Verdict(number, Break(Part.CLOSING, each.month))
        month, before = next_month(each.month), each.digest
    return Verdict(number)


def _cut(session: Session) -> int | None:
    """The first entry that was taken off the end, or put behind it."""
    last = select(NumberSeries.last).where(NumberSeries.name == ledger.SERIES).scalar_subquery()
    ends = session.execute(select(func.max(LedgerEntry.number), last)).one()
    known, counted = (end or 0 for end in ends)
    return None if known == counted else min(known, counted) + 1


def _unlike_the_ledger(session: Session) -> str | None:
    """The first invoice that does not say what its entry has sealed, or whose buyer is not who it was."""
    newest = session.scalar(select(func.max(Invoice.issued_on)))
    said = select(*_columns(Invoice, OF_INVOICE), Invoice.id, LedgerEntry.content)
    found = said.outerjoin(LedgerEntry, LedgerEntry.invoice_id == Invoice.id).order_by(Invoice.id)
    with closing(session.execute(found.execution_options(yield_per=AT_ONCE)).mappings()) as rows:
        for some in rows.partitions():
            ids = [row["id"] for row in some]
            lines = _of(session, InvoiceLine, OF_LINE, ids, InvoiceLine.position)
            rates = _of(session, InvoiceRate, OF_RATE, ids, InvoiceRate.vat_basis_points)
            buyers = _of(session, InvoiceBuyer, OF_BUYER, ids, InvoiceBuyer.invoice_id)
            for row in some:
                buyer = buyers[row["id"]]
                known = {contents.digest_of_buyer(each) for each in buyer}
                forgotten = not buyer and newest and kept_until(row["issued_on"]) < newest
                content = contents.digest_of(row, lines[row["id"]], rates[row["id"]])
                if content != row["content"] or not (forgotten or known == {row["buyer_digest"]}):
                    return str(row["number"])
    return None


def _of(
    session: Session, table: Any, names: Collection[str], invoice_ids: Collection[int], order: Any
) -> Mapping[int, list[Row]]:
    """The rows of some invoices, by their ids."""
    found: defaultdict[int, list[Row]] = defaultdict(list)
    rows = select(table.invoice_id, *_columns(table, names)).where(table.invoice_id.in_(invoice_ids))
    for row in session.execute(rows.order_by(order)).mappings():
        found[row["invoice_id"]].append(row)
    return found


def _columns(table: Any, names: Collection[str]) -> list[Any]:
    return [getattr(table, name) for name in names]
