"""What waits for whoever keeps the books, counted for the staff's first page."""

from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import ColumnElement, ScalarSelect, exists, func, or_, select
from sqlalchemy.orm import Session

from portal.billing.balances import open_invoices
from portal.billing.charges import days_billed
from portal.billing.models import (
    ALIVE,
    BankLine,
    BankLineState,
    BillingSettings,
    DebitBatch,
    DebitState,
    DirectDebit,
    FileState,
    Invoice,
    InvoiceFile,
    InvoiceRun,
    RunFailure,
    RunState,
)
from portal.billing.runs import last_day
from portal.deliveries.models import Delivery
from portal.rules.collecting import FileRefusal, last_day_to_file, refusal_to_file
from portal.rules.invoicing import previous_month
from portal.rules.money import Money

LATELY = timedelta(days=60)
"""What came back longer ago is a debt among others."""


@dataclass(frozen=True, slots=True)
class Attention:
    """Nothing of it where there is nothing to do."""

    month: date
    """The one before."""
    is_unbilled: bool
    unbilled_people: int
    """Whom its run could not bill."""
    to_file: date | None
    """For which day of collection the bank's file is to be made, or should have been."""
    is_too_late: bool
    to_present: date | None
    """The day of a file that is still to be taken to the bank."""
    returned: int
    failed_files: int
    bank_lines: int
    overdue: int
    overdue_total: Money

    @property
    def file_until(self) -> date | None:
        return last_day_to_file(self.to_file) if self.to_file else None

    def __bool__(self) -> bool:
        counts = (self.unbilled_people, self.returned, self.failed_files, self.bank_lines, self.overdue)
        return self.is_unbilled or any(counts) or bool(self.to_file or self.to_present)


def attention(session: Session, today: date) -> Attention:
    """In as many statements whatever there is to do."""
    month = previous_month(today)
    delivered = exists().where(
        days_billed(session, last_day(month)), Delivery.day >= month, Delivery.cancelled_at.is_(None)
    )
    # a farm that has never billed here bills elsewhere
    bills = or_(exists().where(BillingSettings.bills_from.is_not(None)), exists().where(Invoice.id > 0))
    run = select(InvoiceRun.id).where(InvoiceRun.month == month, InvoiceRun.state == RunState.DONE)
    latest = run.order_by(InvoiceRun.id.desc()).limit(1).scalar_subquery()
    announced = select(func.min(DirectDebit.collected_on)).where(DirectDebit.state == DebitState.ANNOUNCED)
    waits = (DebitBatch.presented_at.is_(None), DebitBatch.dropped_at.is_(None))
    found = session.execute(
        select(
            (delivered & bills & ~run.exists()).label("is_unbilled"),
            _count(RunFailure.account_id, RunFailure.run_id == latest).label("unbilled_people"),
            announced.scalar_subquery().label("announced"),
            select(func.min(DebitBatch.collected_on)).where(*waits).scalar_subquery().label("to_present"),
            _count(InvoiceFile.invoice_id, InvoiceFile.state == FileState.FAILED).label("failed_files"),
            _count(BankLine.id, BankLine.state == BankLineState.OPEN).label("bank_lines"),
        )
    ).one()
    refusal = refusal_to_file(found.announced, today) if found.announced else FileRefusal.TOO_EARLY
    alive = select(DirectDebit.invoice_id).where(DirectDebit.state.in_(ALIVE))
    back = select(DirectDebit.invoice_id).where(
        DirectDebit.state == DebitState.RETURNED, DirectDebit.returned_on > today - LATELY
    )
    collected, came_back = set(session.scalars(alive)), set(session.scalars(back))
    unpaid = open_invoices(session, late_on=today)
    overdue = [each for each in unpaid if each.due_on < today and each.id not in collected]
    return Attention(
        month=month,
        is_unbilled=bool(found.is_unbilled),
        unbilled_people=found.unbilled_people,
        to_file=None if refusal is FileRefusal.TOO_EARLY else found.announced,
        is_too_late=refusal is FileRefusal.TOO_LATE,
        to_present=found.to_present,
        returned=sum(each.id in came_back for each in overdue),
        failed_files=found.failed_files,
        bank_lines=found.bank_lines,
        overdue=len(overdue),
        overdue_total=sum((each.open for each in overdue), Money.zero()),
    )


def _count(what: object, which: ColumnElement[bool]) -> ScalarSelect[int]:
    return select(func.count(what)).where(which).scalar_subquery()  # type: ignore[arg-type]
