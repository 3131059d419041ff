"""Whether the books are as they were entered, from the first entry to the last closing."""

from collections import defaultdict
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from sqlalchemy import String, Subquery, cast, func, or_, select
from sqlalchemy.orm import Session

from portal.billing import closings, ledger
from portal.billing.ledger import BEGINNING
from portal.billing.models import Invoice, InvoiceLine, InvoiceRate, LedgerClosing, LedgerEntry, NumberSeries
from portal.rules.invoicing import month_of, next_month
from portal.rules.money import Money

NONE = Money.zero()
SUMS = ("net", "total")
"""What the lines of an invoice come to, and its rates."""


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
            if row.number != number + 1 or row.before != before or ledger.digest_of(row) != row.digest:
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
    """The first invoice whose lines, rates and entry do not come to its total."""
    lines, rates = _sums(InvoiceLine), _sums(InvoiceRate)
    unlike = [
        LedgerEntry.amount.is_distinct_from(Invoice.total),
        LedgerEntry.customer_id != Invoice.customer_id,
        cast(LedgerEntry.kind, String) != cast(Invoice.kind, String),
        *(sums.c[name].is_distinct_from(getattr(Invoice, name)) for sums in (lines, rates) for name in SUMS),
    ]
    return session.scalar(
        select(Invoice.number)
        .outerjoin(LedgerEntry, LedgerEntry.invoice_id == Invoice.id)
        .outerjoin(lines, lines.c.invoice_id == Invoice.id)
        .outerjoin(rates, rates.c.invoice_id == Invoice.id)
        .where(or_(*unlike))
        .order_by(Invoice.id)
        .limit(1)
    )


def _sums(table: type[InvoiceLine] | type[InvoiceRate]) -> Subquery:
    added_up = [func.sum(getattr(table, name)).label(name) for name in SUMS]
    return select(table.invoice_id, *added_up).group_by(table.invoice_id).subquery()
