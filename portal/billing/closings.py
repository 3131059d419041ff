"""Months of the books that are closed: nothing is entered into them any more.

Staff close a month when all of it is in. The worker closes October on the first of December: by then the bank's
statement has been entered, and nobody can forget what the law asks for (CGI 286, I, 3° bis).
"""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from enum import StrEnum
from hashlib import sha256

from sqlalchemy import and_, case, func, select
from sqlalchemy.orm import Session

from portal.billing import ledger
from portal.billing.ledger import BEGINNING
from portal.billing.models import EntryKind, LedgerClosing, LedgerEntry
from portal.infra import audit, clock
from portal.infra.orm import own_transaction
from portal.rules.cutoffs import local_day
from portal.rules.invoicing import month_of, next_month
from portal.rules.money import Money

NONE = Money.zero()
BILLED = (EntryKind.INVOICE, EntryKind.CREDIT_NOTE)
SEALED = (
    "month", "closed_at", "closed_by", "last_number", "billed", "paid", "written_off", "perpetual", "before",
)  # fmt: skip


class Refusal(StrEnum):
    NOT_OVER = "not_over"
    """Something will still happen in this month."""


def closings(session: Session) -> list[LedgerClosing]:
    """The latest first."""
    return list(session.scalars(select(LedgerClosing).order_by(LedgerClosing.month.desc())))


def closable(session: Session, today: date) -> list[date]:
    """The months that are over and not closed, in their order; those before the first entry are no books."""
    first = ledger.first_open_day(session)
    if first is None:
        begun = session.scalar(select(func.min(LedgerEntry.day)))
        first = month_of(begun) if begun else month_of(today)
    return list(_months(first, month_of(today)))


def close(session: Session, month: date, *, at: datetime, by: int | None) -> list[LedgerClosing] | Refusal:
    """Close it, with those before it; what is closed stays as it is."""
    ledger.hold(session)
    today = local_day(at)
    if next_month(month) > today:
        return Refusal.NOT_OVER
    return [_close(session, each, at, by) for each in closable(session, today) if each <= month]


def close_due() -> None:
    """What staff have left open for a whole month."""
    now = clock.now()
    month = _month_before(_month_before(month_of(local_day(now))))
    with own_transaction() as session:
        if month in closable(session, local_day(now)):
            close(session, month, at=now, by=None)


def digest_of(closing: LedgerClosing, last_entry: str) -> str:
    """Over the closing, the one before, and all entries until then: the last one's digest stands for them."""
    values = {name: getattr(closing, name) for name in SEALED}
    return sha256(ledger.as_text({**values, "entry": last_entry}).encode()).hexdigest()


def _close(session: Session, month: date, at: datetime, by: int | None) -> LedgerClosing:
    number, last_entry = session.execute(
        select(LedgerEntry.number, LedgerEntry.digest).order_by(LedgerEntry.number.desc()).limit(1)
    ).one()
    before = session.scalars(select(LedgerClosing).order_by(LedgerClosing.month.desc()).limit(1)).first()
    billed, paid, written_off = _sums(session, month)
    row = LedgerClosing(
        month=month,
        closed_at=at,
        closed_by=by,
        last_number=number,
        billed=billed,
        paid=NONE - paid,
        written_off=NONE - written_off,
        perpetual=(before.perpetual if before else NONE) + billed,
        before=before.digest if before else BEGINNING,
    )
    row.digest = digest_of(row, last_entry)
    session.add(row)
    session.flush()
    after = {"number": number, "digest": row.digest}
    audit.record(session, "ledger.close", ("ledger_closing", month.isoformat()), at=at, by=by, after=after)
    return row


def _sums(session: Session, month: date) -> list[Money]:
    """What was billed, what of money, and what is neither: given up, or owed again after all."""
    is_billed, is_money = LedgerEntry.kind.in_(BILLED), ledger.MEANS.is_not(None)
    parts = (is_billed, is_money, and_(~is_billed, ~is_money))
    sums = (func.sum(case((part, LedgerEntry.amount))) for part in parts)
    entered = LedgerEntry.day >= month, LedgerEntry.day < next_month(month)
    reversed_ = ledger.REVERSED.id == LedgerEntry.reverses_id
    found = session.execute(
        select(*sums).select_from(LedgerEntry).outerjoin(ledger.REVERSED, reversed_).where(*entered)
    )
    return [amount or NONE for amount in found.one()]


def _months(first: date, end: date) -> Iterator[date]:
    while first < end:
        yield first
        first = next_month(first)


def _month_before(month: date) -> date:
    return month_of(month - timedelta(days=1))
