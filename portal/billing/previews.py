"""What a month will bill, before it does: by person, against the month before, with what is strange about it."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Integer,
    Select,
    and_,
    case,
    exists,
    func,
    select,
    type_coerce,
    union_all,
)
from sqlalchemy.orm import InstrumentedAttribute, Session

from portal.accounts.models import Account, Address, Company, CompanyState, customer_number
from portal.billing.charges import BILLED, days_billed
from portal.billing.models import Customer, Invoice, InvoiceLine, Mandate
from portal.billing.months import of_month
from portal.billing.runs import customers, last_day
from portal.boxes.models import Basket
from portal.deliveries.models import Delivery
from portal.infra.orm import View
from portal.rules.invoicing import previous_month
from portal.rules.money import Money
from portal.rules.paying import PaymentMeans
from portal.rules.selling import KILO, SaleUnit
from portal.shop.models import Order, OrderLine
from portal.shop.sheets import TO_WEIGH
from portal.subscriptions.models import Subscription

ZERO = Money.zero()


class Anomaly(StrEnum):
    """What is strange about somebody's bill, or stops it, the worst first; its words are in the templates."""

    ERASED = "erased"
    NO_ADDRESS = "no_address"
    NEGATIVE = "negative"
    NOTHING_NOW = "nothing_now"
    TWICE = "twice"
    TO_WEIGH = "to_weigh"
    NO_NUMBER = "no_number"
    NO_MANDATE = "no_mandate"
    NOTHING_BEFORE = "nothing_before"
    NO_MEANS = "no_means"


_WORST = list(Anomaly)


@dataclass(frozen=True, slots=True)
class Person:
    """Who may be billed, and what their bill stands or falls with."""

    account_id: int
    first_name: str
    last_name: str
    means: PaymentMeans | None
    is_erased: bool
    has_address: bool
    has_mandate: bool
    lacks_number: bool
    """A company whose SIREN its VAT number does not say either."""
    weighs: bool

    @property
    def number(self) -> str:
        return customer_number(self.account_id)

    @property
    def name(self) -> str:
        return f"{self.first_name} {self.last_name}"


@dataclass(frozen=True, slots=True)
class PreviewLine:
    person: Person
    amount: Money
    billed: Money
    """What was billed of the month before its invoice."""
    before: Money
    """What was billed of the month before."""
    first: bool
    """Nobody was billed then."""

    @property
    def whole(self) -> Money:
        return self.amount + self.billed

    @property
    def difference(self) -> Money:
        return self.whole - self.before

    @property
    def basis_points(self) -> int | None:
        """Of the month before; None where there was nothing."""
        if self.before.cents <= 0:
            return None
        return self.difference.part(10_000, self.before.cents).cents

    @property
    def anomalies(self) -> list[Anomaly]:
        bills, person = self.amount.cents > 0, self.person
        if person.is_erased:
            return [Anomaly.ERASED] if self.amount.cents else []
        found = {
            Anomaly.NO_ADDRESS: bills and not person.has_address,
            Anomaly.NEGATIVE: self.amount.cents < 0,
            Anomaly.NOTHING_NOW: not self.whole.cents and self.before.cents > 0,
            Anomaly.TWICE: self.before.cents > 0 and self.whole.cents >= 2 * self.before.cents,
            Anomaly.TO_WEIGH: person.weighs,
            Anomaly.NO_NUMBER: person.lacks_number,
            Anomaly.NO_MANDATE: person.means is PaymentMeans.DIRECT_DEBIT and not person.has_mandate,
            Anomaly.NOTHING_BEFORE: bills and not self.before.cents and not self.first,
            Anomaly.NO_MEANS: person.means is None,
        }
        return [anomaly for anomaly in _WORST if found.get(anomaly)]


@dataclass(frozen=True, slots=True)
class Preview:
    """Everybody's, the strangest first."""

    lines: list[PreviewLine]
    counts: dict[Anomaly, int]

    @property
    def billed(self) -> int:
        """How many will have an invoice."""
        return sum(line.amount.cents > 0 and line.person.has_address for line in self.lines)

    @property
    def over(self) -> bool:
        """Nothing is left to bill."""
        return not any(line.amount.cents for line in self.lines)

    @property
    def total(self) -> Money:
        return sum((line.amount for line in self.lines), ZERO)

    @property
    def before(self) -> Money:
        return sum((line.before for line in self.lines), ZERO)


def preview(session: Session, month: date, today: date) -> Preview:
    """In a constant number of queries, whatever there is to bill."""
    now, done = _waiting(session, month, today), _done(session, month)
    billed, before = _billed_of(session, month), _billed_of(session, previous_month(month))
    people = session.scalars(_people(month))
    lines = [
        PreviewLine(
            person,
            now.get(person.account_id, ZERO),
            billed.get(person.account_id, ZERO),
            before.get(person.account_id, ZERO),
            not before,
        )
        for person in people
        if person.account_id not in done
        and (person.weighs or now.get(person.account_id) or before.get(person.account_id))
    ]
    counts: dict[Anomaly, int] = {}
    for line in lines:
        for anomaly in line.anomalies:
            counts[anomaly] = counts.get(anomaly, 0) + 1
    return Preview(sorted(lines, key=_strangeness), {each: counts[each] for each in _WORST if each in counts})


def _strangeness(line: PreviewLine) -> tuple[int, int]:
    """What is wrong first, by how bad it is; then what differs most; persons have come by name."""
    worst = min((_WORST.index(each) for each in line.anomalies), default=len(_WORST))
    points = line.basis_points
    return worst, -abs(points) if points is not None else 0


def amounts(session: Session, through: date) -> dict[int, Money]:
    """What each account is to be billed through a day: the sum of `charges.unbilled`, in one statement.

    Said a second time, in SQL, for pages that show everybody's sum: their lines are read once they are billed. A
    test holds that both come to the same for everybody.
    """
    days = days_billed(session, through)
    parts = union_all(*_standing(days), *_billed(days)).subquery()
    sums = select(parts.c.account_id, func.sum(parts.c.cents)).group_by(parts.c.account_id)
    found = sums.having(func.sum(parts.c.cents) != 0)
    return {account_id: Money(int(cents)) for account_id, cents in session.execute(found)}


def _waiting(session: Session, month: date, today: date) -> dict[int, Money]:
    """What is to be billed with a month that has begun, so far; who has its invoice has the rest on the next one."""
    if month > today:
        return {}
    done = _done(session, month)
    found = amounts(session, min(last_day(month), today))
    return {account_id: amount for account_id, amount in found.items() if account_id not in done}


def _done(session: Session, month: date) -> set[int]:
    """Who has the month's invoice."""
    billed = select(Customer.account_id).join(Invoice, Invoice.customer_id == Customer.id)
    found = session.scalars(billed.where(Invoice.month == month))
    return {account_id for account_id in found if account_id is not None}


def _standing(days: ColumnElement[bool]) -> list[Select[*tuple[Any, ...]]]:
    delivered = and_(days, Delivery.cancelled_at.is_(None))
    price = func.sum(Basket.billed_quantity * _cents(Basket.unit_price))
    boxes = (
        select(Subscription.account_id.label("account_id"), price.label("cents"))
        .join(Basket, Basket.subscription_id == Subscription.id)
        .join(Delivery, Delivery.id == Basket.delivery_id)
        .where(delivered)
        .group_by(Subscription.account_id)
    )
    paid = func.coalesce(OrderLine.given, OrderLine.quantity)
    kilos = (2 * _cents(OrderLine.unit_price) * paid + KILO) // (2 * KILO)
    whole = func.sum(
        case((OrderLine.sale_unit == SaleUnit.WEIGHT, kilos), else_=_cents(OrderLine.unit_price) * paid)
    )
    discount = _cents(Order.discount)
    owed = case((whole > discount, whole - discount), else_=0)
    orders = (
        select(Order.account_id.label("account_id"), owed.label("cents"))
        .join(Order.lines)
        .join(Order.delivery)
        .where(delivered, Order.account_id.is_not(None), Order.state.in_(BILLED))
        .group_by(Order.id, Order.account_id, Order.discount)
        .having(func.sum(case((TO_WEIGH, 1), else_=0)) == 0)
    )
    return [boxes, orders]


def _billed(days: ColumnElement[bool]) -> list[Select[*tuple[Any, ...]]]:
    """The other way round."""
    taken = (-func.sum(_cents(InvoiceLine.total))).label("cents")
    return [
        select(owner.label("account_id"), taken)
        .select_from(InvoiceLine)
        .join(owner.class_, bond)
        .join(Delivery, Delivery.id == InvoiceLine.delivery_id)
        .where(InvoiceLine.source.is_not(None), owner.is_not(None), days)
        .group_by(owner)
        for owner, bond in (
            (Subscription.account_id, InvoiceLine.subscription_id == Subscription.id),
            (Order.account_id, InvoiceLine.order_id == Order.id),
        )
    ]


def _cents(column: InstrumentedAttribute[Money]) -> ColumnElement[int]:
    return type_coerce(column, Integer)


def _billed_of(session: Session, month: date) -> dict[int, Money]:
    sums = (
        select(Customer.account_id, func.sum(_cents(Invoice.total)))
        .join(Invoice.customer)
        .where(of_month(month), Customer.account_id.is_not(None))
        .group_by(Customer.account_id)
    )
    return {account_id: Money(int(cents)) for account_id, cents in session.execute(sums) if account_id}


def _people(month: date) -> Select[Person]:
    days = Delivery.day.between(month, last_day(month))
    weighs = exists(OrderLine.id).where(
        OrderLine.order_id == Order.id,
        Order.account_id == Account.id,
        Order.state.in_(BILLED),
        Order.delivery_id == Delivery.id,
        days,
        TO_WEIGH,
    )
    french = and_(Company.vat_number.is_not(None), Company.vat_number.startswith("FR"))
    unnumbered = exists().where(
        Company.account_id == Account.id,
        Company.state == CompanyState.APPROVED,
        Company.siren.is_(None),
        ~french,
    )
    shape = View(
        Person,
        account_id=Account.id,
        first_name=Account.first_name,
        last_name=Account.last_name,
        means=Account.payment_means,
        is_erased=Account.erased_at.is_not(None),
        has_address=exists().where(
            Address.account_id == Account.id, Address.billing, Address.archived_at.is_(None)
        ),
        has_mandate=exists().where(Mandate.account_id == Account.id, Mandate.ended_at.is_(None)),
        lacks_number=unnumbered,
        weighs=weighs,
    )
    ids = customers().subquery()
    return select(shape).where(Account.id.in_(select(ids.c.id))).order_by(Account.search_key, Account.id)
