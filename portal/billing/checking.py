"""Whether the books are as they were entered, from the first entry to the last closing."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from typing import Any

from sqlalchemy import func, literal, select
from sqlalchemy.orm import Session

from portal.billing import closings, contents, ledger
from portal.billing.contents import OF_BUYER, OF_INVOICE, OF_LINE, OF_RATE, Row
from portal.billing.ledger import BEGINNING
from portal.billing.models import (
    Customer,
    Invoice,
    InvoiceBuyer,
    InvoiceLine,
    InvoiceRate,
    LedgerClosing,
    LedgerEntry,
    NumberSeries,
)
from portal.infra import audit, clock
from portal.infra.audit import AuditEvent
from portal.infra.orm import Cents, own_transaction
from portal.rules.invoicing import kept_until, month_of, next_month
from portal.rules.money import Money

NONE = Money.zero()
AT_ONCE = 500
TRAIL, ANCHORED = "ledger", "ledger.anchor"


class Part(StrEnum):
    ENTRY = "entry"
    INVOICE = "invoice"
    CLOSING = "closing"
    BALANCE = "balance"


@dataclass(frozen=True, slots=True)
class Break:
    """The first that is not as it was entered: its number, or the month of a closing.

    Or whose balance is not what their entries come to, by their number.
    """

    part: Part
    which: int | str | date


@dataclass(frozen=True, slots=True)
class Verdict:
    """How many entries hold, and what does not."""

    entries: int
    broken: Break | None = None


def verify(session: Session, *, whole: bool = True) -> Verdict:
    """Read all of it, some entries at a time; or what came after the last closing, which stands for all before."""
    closed = list(session.scalars(select(LedgerClosing).order_by(LedgerClosing.month)))
    before, begun = BEGINNING, 0
    if closed and not whole:
        last, closed = closed[-1], []
        end = select(LedgerEntry.digest).where(LedgerEntry.number == last.last_number)
        before, begun = session.scalar(end) or "", last.last_number
        if closings.digest_of(last, before) != last.digest:
            return Verdict(0, Break(Part.CLOSING, last.month))
    read = _read(session, closed, before, begun)
    if whole and not read.broken and (number := _unlike_the_balance(session)):
        return replace(read, broken=Break(Part.BALANCE, number))
    return replace(read, entries=read.entries - begun)


def _read(session: Session, closed: Sequence[LedgerClosing], before: str, number: int) -> Verdict:
    """From the entry behind that number on."""
    begun, anchors = number, _anchors(session)
    sealed = {each.last_number: "" for each in closed}
    billed, paid, written_off = (defaultdict[date, Money](Money.zero) for _ in range(3))
    with closing(ledger.entries(session, LedgerEntry.number > begun)) as rows:
        for row in rows:
            broken = row.number != number + 1 or row.before != before or ledger.digest_of(row) != row.digest
            gone = row.invoice_id and row.invoice is None
            if broken or gone or anchors.get(row.number, row.digest) != row.digest:
                return Verdict(number, Break(Part.ENTRY, number + 1))
            before, number = row.digest, row.number
            if number in sealed:
                sealed[number] = before
            if row.kind in closings.BILLED:
                billed[month_of(row.day)] += row.amount
            else:
                (paid if row.moved_by else written_off)[month_of(row.day)] -= row.amount
    if cut := _cut(session, max(anchors, default=0)):
        return Verdict(number, Break(Part.ENTRY, cut))
    if invoice := _unlike_the_ledger(session, begun):
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


def anchor() -> None:
    """Keep the end of the ledger in the trail, once a day: nobody then cuts it off or writes it anew unseen."""
    with own_transaction() as session:
        entry = session.scalars(select(LedgerEntry).order_by(LedgerEntry.number.desc()).limit(1)).first()
        if entry and entry.number not in _anchors(session):
            after = {"digest": entry.digest}
            audit.record(session, ANCHORED, (TRAIL, entry.number), at=clock.now(), by=None, after=after)


def _anchors(session: Session) -> dict[int, str]:
    """What the trail knows: digests by the numbers of their entries."""
    known = select(AuditEvent.subject_id, AuditEvent.after).where(
        AuditEvent.subject_type == TRAIL, AuditEvent.action == ANCHORED
    )
    return {int(number): (after or {}).get("digest", "") for number, after in session.execute(known)}


def _cut(session: Session, anchored: int) -> int | None:
    """The first entry that was taken off the end, or put behind it."""
    last = select(NumberSeries.last).where(NumberSeries.name == ledger.SERIES).scalar_subquery()
    ends = session.execute(select(func.max(LedgerEntry.number), last)).one()
    known, counted = (end or 0 for end in ends)
    counted = max(counted, anchored)
    return None if known == counted else min(known, counted) + 1


def _unlike_the_ledger(session: Session, begun: int) -> str | None:
    """The first invoice that does not say what its entry has sealed, or whose buyer is not who it was."""
    newest = session.scalar(select(func.max(Invoice.issued_on)))
    said = select(*_columns(Invoice, OF_INVOICE), Invoice.id, LedgerEntry.content)
    found = (
        said.outerjoin(LedgerEntry, LedgerEntry.invoice_id == Invoice.id)
        .where(func.coalesce(LedgerEntry.number, begun + 1) > begun)
        .order_by(Invoice.id)
    )
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


def _unlike_the_balance(session: Session) -> str | None:
    """Whose balance, as the database keeps it, their entries do not come to."""
    entered = select(LedgerEntry.customer_id, func.sum(LedgerEntry.amount).label("balance"))
    sums = entered.group_by(LedgerEntry.customer_id).subquery()
    unlike = (
        select(Customer)
        .outerjoin(sums, sums.c.customer_id == Customer.id)
        .where(Customer.balance != func.coalesce(sums.c.balance, literal(NONE, Cents)))
    )
    found = session.scalars(unlike.order_by(Customer.id).limit(1)).first()
    return found.number if found else None


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
