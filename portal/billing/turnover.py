"""What was billed: document by document, and day by day by VAT rate, as the tax office will ask for it.

And what was paid of it, month by month.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from sqlalchemy import and_, case, func, or_, select
from sqlalchemy.orm import Session

from portal.billing.ledger import MEANS, REVERSED
from portal.billing.models import Customer, Invoice, InvoiceBuyer, InvoiceRate, LedgerEntry
from portal.infra.orm import View
from portal.rules.invoicing import DocumentKind, month_of, next_month
from portal.rules.money import Money
from portal.rules.paying import PaymentMeans

AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class DayTotal:
    day: date
    companies: bool
    vat_basis_points: int
    documents: int
    net: Money
    vat: Money
    total: Money


@dataclass(frozen=True, slots=True)
class Issued:
    """An invoice or a credit note in a list to be taken away."""

    number: str
    kind: DocumentKind
    issued_on: date
    month: date | None
    account_id: int | None
    order_id: int | None
    name: str
    company: str | None
    siren: str | None
    vat_number: str | None
    due_on: date
    means: PaymentMeans | None
    net: Money
    vat: Money
    total: Money


@dataclass(frozen=True, slots=True)
class MonthTotal:
    """What was entered in a month, and what all together owe at its end, what is paid ahead taken off."""

    month: date
    net: Money
    billed: Money
    paid: Money
    written_off: Money
    owed: Money


def months(session: Session, first: date, last: date) -> list[MonthTotal]:
    """Every month from the first day's to the last one's, from the ledger in one statement."""
    is_paid = MEANS.is_not(None)
    is_written_off = and_(LedgerEntry.invoice_id.is_(None), ~is_paid)
    sums = (
        func.sum(Invoice.net),
        func.sum(Invoice.total),
        func.sum(case((is_paid, LedgerEntry.amount))),
        func.sum(case((is_written_off, LedgerEntry.amount))),
        func.sum(LedgerEntry.amount),
    )
    entered = (
        select(LedgerEntry.day, *sums)
        .outerjoin(LedgerEntry.invoice)
        .outerjoin(REVERSED, REVERSED.id == LedgerEntry.reverses_id)
        .group_by(LedgerEntry.day)
    )
    zero = Money.zero()
    each: dict[date, list[Money]] = defaultdict(lambda: [zero] * len(sums))
    owed, month, found = zero, month_of(first), []
    for day, *amounts in session.execute(entered.where(LedgerEntry.day < next_month(last))):
        if day < month:
            owed += amounts[-1]
        else:
            so_far = each[month_of(day)]
            each[month_of(day)] = [
                total + (amount or zero) for total, amount in zip(so_far, amounts, strict=True)
            ]
    while month <= last:
        net, billed, paid, written_off, more = each[month]
        owed += more
        found.append(MonthTotal(month, net, billed, zero - paid, zero - written_off, owed))
        month = next_month(month)
    return found


def day_totals(session: Session, first: date, last: date) -> Iterator[DayTotal]:
    """By day, persons first, then by rate; credit notes are taken off."""
    company = case((or_(InvoiceBuyer.company.is_not(None), InvoiceBuyer.siren.is_not(None)), 1), else_=0)
    by = (Invoice.issued_on, company, InvoiceRate.vat_basis_points)
    sums = (func.count(), func.sum(InvoiceRate.net), func.sum(InvoiceRate.vat), func.sum(InvoiceRate.total))
    found = (
        select(*by, *sums)
        .select_from(Invoice)
        .join(InvoiceRate, InvoiceRate.invoice_id == Invoice.id)
        .outerjoin(InvoiceBuyer, InvoiceBuyer.invoice_id == Invoice.id)
        .where(Invoice.issued_on.between(first, last))
        .group_by(*by)
        .order_by(*by)
    )
    for day, companies, *others in session.execute(found):
        yield DayTotal(day, bool(companies), *others)


def issued(session: Session, first: date, last: date) -> Iterator[Issued]:
    """In the order of their issue, some at a time."""
    found = (
        select(
            View(
                Issued,
                number=Invoice.number,
                kind=Invoice.kind,
                issued_on=Invoice.issued_on,
                month=Invoice.month,
                account_id=Customer.account_id,
                order_id=Customer.order_id,
                name=func.coalesce(InvoiceBuyer.name, ""),
                company=InvoiceBuyer.company,
                siren=InvoiceBuyer.siren,
                vat_number=InvoiceBuyer.vat_number,
                due_on=Invoice.due_on,
                means=Invoice.means,
                net=Invoice.net,
                vat=Invoice.vat,
                total=Invoice.total,
            )
        )
        .join(Invoice.customer)
        .outerjoin(Invoice.buyer)
        .where(Invoice.issued_on.between(first, last))
        .order_by(Invoice.id)
        .execution_options(yield_per=AT_ONCE)
    )
    yield from session.scalars(found)
