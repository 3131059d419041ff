"""A month's invoices at a glance, and finding them.

A month is that of the deliveries: the monthly invoice of June is June's, whenever it was issued, and so is what was
billed or taken back of June's deliveries alone.
"""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.orm import Session

from portal.accounts.models import Account, customer_number
from portal.billing.announced import DebitView, alive_debit
from portal.billing.balances import BillState, books_of_customer, credited, open_invoices
from portal.billing.models import (
    ALIVE,
    Customer,
    DirectDebit,
    Invoice,
    InvoiceBuyer,
    InvoiceRate,
)
from portal.billing.queries import InvoiceView
from portal.billing.runs import last_day
from portal.infra.orm import View, among
from portal.planning.people import is_found_by
from portal.rules.alphabet import search_words
from portal.rules.invoicing import DocumentKind, month_of
from portal.rules.money import Money
from portal.shop.models import order_number

LONGEST = 100
"""Letters of a search."""
ZERO = Money.zero()


class Wished(StrEnum):
    """Which invoices one looks for, as the address has it."""

    DUE = "a-payer"
    PAID = "payees"
    COLLECTING = "en-prelevement"
    LATE = "en-retard"
    CREDITED = "reprises"
    CREDIT_NOTES = "avoirs"


PARTS = tuple(wished for wished in Wished if wished is not Wished.CREDIT_NOTES)


@dataclass(frozen=True, slots=True)
class Sum:
    """How many invoices, and what they come to."""

    count: int = 0
    total: Money = ZERO


@dataclass(frozen=True, slots=True)
class RateSum:
    vat_basis_points: int
    net: Money
    vat: Money
    total: Money


@dataclass(frozen=True, slots=True)
class Month:
    """What was billed of a month's deliveries, and what has become of it."""

    month: date
    invoices: Sum
    credit_notes: Sum
    net: Money
    vat: Money
    total: Money
    rates: list[RateSum]
    states: dict[Wished, Sum]
    """All that was billed is paid, due, under collection or credited; what is late is due, too."""


@dataclass(frozen=True, slots=True)
class MonthLine:
    """A month in a list."""

    month: date
    count: int
    total: Money


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which invoices one looks for; nothing narrows by itself."""

    text: str = ""
    state: Wished | None = None
    month: date | None = None
    vat_basis_points: int | None = None
    everything: bool = False

    def __bool__(self) -> bool:
        return self != Wanted()


@dataclass(frozen=True, slots=True)
class InvoiceRow:
    """An invoice in a list."""

    id: int
    number: str
    kind: DocumentKind
    issued_on: date
    due_on: date
    total: Money
    account_id: int | None
    order_id: int | None
    name: str

    @property
    def customer(self) -> str:
        if self.account_id is not None:
            return customer_number(self.account_id)
        return order_number(self.order_id) if self.order_id is not None else ""


@dataclass(frozen=True, slots=True)
class Found:
    """A page of what was found, how many there are and what they come to; where each stands."""

    lines: list[InvoiceRow]
    states: dict[int, str]
    open: dict[int, Money]
    parts: dict[int, Money]
    """What of each stands as one looks for; all of it where one looks for all."""
    count: int
    total: Money
    """Of the parts."""


@dataclass(frozen=True, slots=True)
class BillStanding:
    """Where one invoice stands: a word of components/state.html, what is still open, what will be collected."""

    state: str
    open: Money
    paid: Money
    debit: DebitView | None


@dataclass(frozen=True, slots=True)
class CreditNote:
    """What was taken back of an invoice."""

    number: str
    issued_on: date
    total: Money
    reason: str | None


@dataclass(frozen=True, slots=True)
class Standing:
    """What of all invoices is open, credited, late or under collection, by their ids."""

    totals: dict[int, Money]
    """Of those of which something is open or credited: all others are paid."""
    open: dict[int, Money]
    credited: dict[int, Money]
    late: frozenset[int]
    collecting: frozenset[int]

    def state(self, line: InvoiceRow) -> str:
        """A word of components/state.html."""
        if line.kind is DocumentKind.CREDIT_NOTE:
            return "credit"
        if line.id not in self.open:
            return "credited" if self.credited.get(line.id) == line.total else "paid"
        if line.id in self.collecting:
            return "announced"
        return "overdue" if line.id in self.late else "due"

    def part(self, wished: Wished | None, invoice_id: int, total: Money) -> Money:
        """What of an invoice stands so; of what is under collection nobody is late."""
        open_, credited = self.open.get(invoice_id, ZERO), self.credited.get(invoice_id, ZERO)
        match wished:
            case Wished.PAID:
                return total - open_ - credited
            case Wished.CREDITED:
                return credited
            case Wished.COLLECTING:
                return open_ if invoice_id in self.collecting else ZERO
            case Wished.DUE:
                return open_ if invoice_id not in self.collecting else ZERO
            case Wished.LATE:
                is_late = invoice_id in self.late and invoice_id not in self.collecting
                return open_ if is_late else ZERO
            case _:
                return total

    def having(self, wished: Wished) -> list[int]:
        """Of those that are not wholly paid, which have such a part."""
        return [each for each, total in self.totals.items() if self.part(wished, each, total) > ZERO]


def standing(session: Session, today: date) -> Standing:
    bills, taken = open_invoices(session), credited(session)
    alive = select(DirectDebit.invoice_id).where(DirectDebit.state.in_(ALIVE))
    return Standing(
        totals={bill.id: bill.total for bill in bills}
        | {each: total for each, (total, _off) in taken.items()},
        open={bill.id: bill.open for bill in bills},
        credited={each: off for each, (_total, off) in taken.items()},
        late=frozenset(bill.id for bill in bills if bill.due_on < today),
        collecting=frozenset(session.scalars(alive)),
    )


def standing_of(session: Session, invoice: InvoiceView, today: date) -> BillStanding:
    bill = next(
        bill for bill in books_of_customer(session, invoice.customer_id).bills if bill.id == invoice.id
    )
    debit = alive_debit(session, invoice.id)
    state = "announced" if debit and bill.open > ZERO else _WORDS[bill.state(today)]
    return BillStanding(state, bill.open, bill.total - bill.credited - bill.open, debit)


_WORDS = {
    BillState.PAID: "paid",
    BillState.PARTLY: "due",
    BillState.DUE: "due",
    BillState.LATE: "overdue",
    BillState.CREDIT_NOTE: "credit",
    BillState.CREDITED: "credited",
}


def credit_notes_of(session: Session, invoice_id: int) -> list[CreditNote]:
    shape = View(
        CreditNote,
        number=Invoice.number,
        issued_on=Invoice.issued_on,
        total=Invoice.total,
        reason=Invoice.reason,
    )
    return list(session.scalars(select(shape).where(Invoice.corrects_id == invoice_id).order_by(Invoice.id)))


def glance(session: Session, month: date, today: date) -> Month:
    """In a constant number of queries."""
    which = of_month(month)
    amounts = (func.count(Invoice.id), func.sum(Invoice.total))
    by_kind = select(Invoice.kind, *amounts).where(which).group_by(Invoice.kind)
    kinds = {kind: Sum(count, _money(total)) for kind, count, total in session.execute(by_kind)}
    rates = (
        select(
            InvoiceRate.vat_basis_points,
            func.sum(InvoiceRate.net),
            func.sum(InvoiceRate.vat),
            func.sum(InvoiceRate.total),
        )
        .join(Invoice, Invoice.id == InvoiceRate.invoice_id)
        .where(which)
        .group_by(InvoiceRate.vat_basis_points)
        .order_by(InvoiceRate.vat_basis_points)
    )
    summed = [RateSum(rate, *map(_money, sums)) for rate, *sums in session.execute(rates)]
    return Month(
        month=month,
        invoices=kinds.get(DocumentKind.INVOICE, Sum()),
        credit_notes=kinds.get(DocumentKind.CREDIT_NOTE, Sum()),
        net=sum((one.net for one in summed), ZERO),
        vat=sum((one.vat for one in summed), ZERO),
        total=sum((one.total for one in summed), ZERO),
        rates=summed,
        states=_states(session, which, standing(session, today)),
    )


def _states(session: Session, which: ColumnElement[bool], now: Standing) -> dict[Wished, Sum]:
    totals = dict(
        session.execute(
            select(Invoice.id, Invoice.total).where(which, Invoice.kind == DocumentKind.INVOICE)
        ).all()
    )
    states: dict[Wished, Sum] = {}
    for wished in PARTS:
        parts = [now.part(wished, *each) for each in totals.items()]
        states[wished] = Sum(sum(part > ZERO for part in parts), sum(parts, ZERO))
    return states


def billed_months(session: Session) -> list[MonthLine]:
    """Of whose deliveries something was billed, newest first."""
    day = func.coalesce(Invoice.month, Invoice.last_day)
    count = func.count(Invoice.id).filter(Invoice.kind == DocumentKind.INVOICE)
    days = select(day, count, func.sum(Invoice.total)).group_by(day)
    months: dict[date, MonthLine] = {}
    for each, invoices, total in session.execute(days):
        month = month_of(each)
        before = months.get(month, MonthLine(month, 0, ZERO))
        months[month] = MonthLine(month, before.count + invoices, before.total + _money(total))
    return [months[month] for month in sorted(months, reverse=True)]


def find_invoices(session: Session, wanted: Wanted, today: date, *, page: int, size: int) -> Found:
    """One page, from 0, newest first."""
    now = standing(session, today)
    which = _conditions(wanted, now)
    rows = _joined(select(func.count(Invoice.id), func.sum(Invoice.total))).where(*which)
    count, total = session.execute(rows).one()
    unpaid = _joined(select(Invoice.id, Invoice.total)).where(*which, among(Invoice.id, now.totals))
    rest = [whole - now.part(wanted.state, each, whole) for each, whole in session.execute(unpaid)]
    lines = session.scalars(
        _joined(select(_LINE))
        .where(*which)
        .order_by(Invoice.issued_on.desc(), Invoice.id.desc())
        .offset(page * size)
        .limit(size)
    ).all()
    return Found(
        lines=list(lines),
        states={line.id: now.state(line) for line in lines},
        open={line.id: now.open[line.id] for line in lines if line.id in now.open},
        parts={line.id: now.part(wanted.state, line.id, line.total) for line in lines},
        count=count,
        total=_money(total) - sum(rest, ZERO),
    )


_LINE = View(
    InvoiceRow,
    id=Invoice.id,
    number=Invoice.number,
    kind=Invoice.kind,
    issued_on=Invoice.issued_on,
    due_on=Invoice.due_on,
    total=Invoice.total,
    account_id=Customer.account_id,
    order_id=Customer.order_id,
    name=func.coalesce(InvoiceBuyer.company, InvoiceBuyer.name, ""),
)


def _joined(rows: Select[*tuple[Any, ...]]) -> Select[*tuple[Any, ...]]:
    return (
        rows.select_from(Invoice)
        .join(Invoice.customer)
        .outerjoin(InvoiceBuyer, InvoiceBuyer.invoice_id == Invoice.id)
        .outerjoin(Account, Account.id == Customer.account_id)
    )


def _conditions(wanted: Wanted, now: Standing) -> list[ColumnElement[bool]]:
    which = [_is_found_by(word) for word in search_words(wanted.text[:LONGEST])]
    if wanted.month is not None:
        which.append(of_month(wanted.month))
    if wanted.vat_basis_points is not None:
        bears = select(InvoiceRate.invoice_id).where(InvoiceRate.vat_basis_points == wanted.vat_basis_points)
        which.append(Invoice.id.in_(bears))
    match wanted.state:
        case None:
            pass
        case Wished.CREDIT_NOTES:
            which.append(Invoice.kind == DocumentKind.CREDIT_NOTE)
        case Wished.PAID:
            unpaid = now.totals.keys() - now.having(Wished.PAID)
            which += [Invoice.kind == DocumentKind.INVOICE, ~among(Invoice.id, unpaid)]
        case state:
            which.append(among(Invoice.id, now.having(state)))
    return which


def _is_found_by(word: str) -> ColumnElement[bool]:
    """By its number, by whom it is made out to, by whose it is."""
    return or_(
        func.replace(Invoice.number, "-", "").icontains(word, autoescape=True),
        InvoiceBuyer.name.icontains(word, autoescape=True),
        InvoiceBuyer.company.icontains(word, autoescape=True),
        is_found_by(word),
    )


def of_month(month: date) -> ColumnElement[bool]:
    within = Invoice.month.is_(None) & Invoice.last_day.between(month, last_day(month))
    return or_(Invoice.month == month, within)


def _money(cents: object) -> Money:
    """A sum, which a database may answer as another kind of number, or not at all."""
    if isinstance(cents, Money):
        return cents
    return Money(int(cents)) if cents is not None else ZERO  # type: ignore[call-overload]
