"""Reading orders."""

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from typing import Any, Protocol

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from portal.accounts.models import Account
from portal.catalogue.models import Article, Product
from portal.deliveries.models import Delivery
from portal.deliveries.queries import DELIVERY, DeliveryState, DeliveryView
from portal.infra.orm import View
from portal.pickup.queries import POINT, PointView
from portal.rules import orders, selling, withdrawals
from portal.rules.cutoffs import Lead, cutoff_instant, local_day
from portal.rules.money import Money
from portal.rules.orders import OrderState, Refusal
from portal.rules.selling import SaleUnit
from portal.rules.vouchers import shared, vat_within
from portal.shop.models import (
    Happening,
    Order,
    OrderEvent,
    OrderLine,
    Voucher,
    VoucherUse,
    Withdrawal,
    order_number,
)


@dataclass(frozen=True, slots=True)
class OrderLineView:
    """An article of an order, as it was called and cost; `given` is what was weighed or could be given."""

    order_id: int
    id: int
    article_id: int
    slug: str
    name: str
    drawing: str
    sale_unit: SaleUnit
    step: int | None
    quantity: int
    given: int | None
    unit_price: Money
    vat_basis_points: int
    perishable: bool
    instead_of_id: int | None
    withdrawal_id: int | None
    lead_days: int | None
    lead_time: time | None
    withdrawn_at: datetime | None
    settled_at: datetime | None

    @property
    def paid(self) -> int:
        """The quantity that is paid for."""
        return self.quantity if self.given is None else self.given

    @property
    def kept_back(self) -> bool:
        """Withdrawn from before it left the farm."""
        return self.withdrawal_id is not None and not self.paid

    @property
    def goes_back(self) -> bool:
        """Withdrawn from after it left, and not settled yet."""
        return self.withdrawal_id is not None and not self.kept_back and self.settled_at is None

    @property
    def amount(self) -> Money:
        return selling.amount(self.unit_price, self.sale_unit, self.paid)

    @property
    def estimated(self) -> bool:
        """Still to be weighed."""
        return self.sale_unit is SaleUnit.WEIGHT and self.given is None

    def closes_at(self, delivery: DeliveryView) -> datetime:
        """The first instant at which no more and no less of it can be ordered."""
        if self.lead_days is None or self.lead_time is None:
            return delivery.cutoff_at
        return min(delivery.cutoff_at, cutoff_instant(delivery.day, Lead(self.lead_days, self.lead_time)))


@dataclass(frozen=True, slots=True)
class Step:
    """What befell an order."""

    order_id: int
    at: datetime
    what: Happening
    reason: str | None

    @property
    def day(self) -> date:
        return local_day(self.at)


@dataclass(frozen=True, slots=True)
class Vat:
    """What of a total bears a rate, and the VAT that it holds."""

    basis_points: int
    total: Money
    vat: Money


@dataclass(frozen=True, slots=True)
class OrderView:
    """An order with its lines, for pages and papers; `steps` where its timeline is asked for.

    `called` and `email` are the account's of today, for mails; the rest as it was given.
    """

    id: int
    account_id: int | None
    state: OrderState
    with_box: bool
    placed_at: datetime
    changed_at: datetime
    discount: Money
    conditions_id: int | None
    name: str
    called: str
    email: str
    phone: str
    street: str
    postcode: str
    town: str
    delivery: DeliveryView
    point: PointView
    voucher: str | None
    lines: tuple[OrderLineView, ...] = ()
    steps: tuple[Step, ...] = ()

    @property
    def number(self) -> str:
        return order_number(self.id)

    @property
    def placed_day(self) -> date:
        return local_day(self.placed_at)

    @property
    def subtotal(self) -> Money:
        return sum((line.amount for line in self.lines), Money.zero())

    @property
    def ordered(self) -> Money:
        """What was asked for comes to, whatever could be given of it."""
        amounts = (
            selling.amount(line.unit_price, line.sale_unit, line.quantity)
            for line in self.lines
            if line.instead_of_id is None
        )
        return sum(amounts, Money.zero())

    @property
    def taken_off(self) -> Money:
        """By a voucher, as far as there is something to take it off."""
        return min(self.discount, self.subtotal)

    @property
    def total(self) -> Money:
        return self.subtotal - self.taken_off

    @property
    def estimated(self) -> bool:
        """Whether something is still to be weighed."""
        return self.live and any(line.estimated and line.quantity for line in self.lines)

    def quantity_of(self, line_id: int) -> int:
        return sum(line.quantity for line in self.lines if line.id == line_id)

    @property
    def vat(self) -> list[Vat]:
        return vat_of(self.lines, self.taken_off)

    @property
    def live(self) -> bool:
        return self.state in orders.LIVE

    @property
    def reason(self) -> str | None:
        """Why it stands as it does, where somebody has said so."""
        steps = (step for step in reversed(self.steps) if step.what.value == self.state.value)
        return next((step.reason for step in steps), None)

    @property
    def cancellable_until(self) -> datetime:
        """The whole of it can be cancelled until the first of what it holds is closed."""
        closing = (line.closes_at(self.delivery) for line in self.lines if line.paid)
        return min(closing, default=self.delivery.cutoff_at)

    def refusal_to_cancel(self, now: datetime) -> Refusal | None:
        return orders.refusal_to_cancel(self.state, self.cancellable_until, now)

    def refusal_to_amend(self, now: datetime) -> Refusal | None:
        delivery = self.delivery
        return orders.refusal_to_amend(self.state, delivery.cutoff_at, now, cancelled=delivery.cancelled)

    @property
    def received(self) -> date | None:
        return self.delivery.day if self.state is OrderState.DELIVERED else None

    def returnable(self, today: date) -> list[OrderLineView]:
        """What its buyer may still withdraw from."""
        return [
            line
            for line in self.lines
            if self.live
            and line.paid
            and line.withdrawal_id is None
            and withdrawals.may_withdraw(line.perishable, self.received, today)
        ]

    @property
    def returnable_until(self) -> date | None:
        """None before it is delivered: the period has not begun."""
        return withdrawals.last_day(self.received) if self.received else None

    @property
    def return_by(self) -> date | None:
        """Fourteen days from the last declaration on (L221-23), while something goes back."""
        made = (line.withdrawn_at for line in self.lines if line.goes_back and line.withdrawn_at)
        last = max(made, default=None)
        return withdrawals.last_day(local_day(last)) if last else None

    def paid_for(self, lines: Iterable[OrderLineView]) -> Money:
        """What some of its lines cost, less their share of the voucher."""
        off = shared(self.taken_off, {line.id: line.amount for line in self.lines})
        return sum((line.amount - off[line.id] for line in lines), Money.zero())

    def to_come(self, now: datetime) -> bool:
        delivered = self.state is OrderState.DELIVERED or self.delivery.state(now) is DeliveryState.DONE
        return self.live and not delivered


class Taxed(Protocol):
    @property
    def vat_basis_points(self) -> int: ...
    @property
    def amount(self) -> Money: ...


def vat_of(lines: Iterable[Taxed], off: Money) -> list[Vat]:
    """The VAT of what lines come to, once something is taken off."""
    totals = totals_by_rate(lines)
    shares = shared(off, totals)
    after = {rate: total - shares[rate] for rate, total in sorted(totals.items())}
    return [Vat(rate, total, vat_within(total, rate)) for rate, total in after.items()]


def totals_by_rate(lines: Iterable[Taxed]) -> dict[int, Money]:
    """What lines come to, by VAT rate in basis points."""
    cents: Counter[int] = Counter()
    for line in lines:
        cents[line.vat_basis_points] += line.amount.cents
    return {rate: Money(total) for rate, total in cents.items()}


_LINE = View(
    OrderLineView,
    order_id=OrderLine.order_id,
    id=OrderLine.id,
    article_id=OrderLine.article_id,
    slug=Article.slug,
    name=OrderLine.name,
    drawing=Product.drawing,
    sale_unit=OrderLine.sale_unit,
    step=Article.step,
    quantity=OrderLine.quantity,
    given=OrderLine.given,
    unit_price=OrderLine.unit_price,
    vat_basis_points=OrderLine.vat_basis_points,
    perishable=OrderLine.perishable,
    instead_of_id=OrderLine.instead_of_id,
    withdrawal_id=OrderLine.withdrawal_id,
    lead_days=Article.lead_days,
    lead_time=Article.lead_time,
    withdrawn_at=Withdrawal.made_at,
    settled_at=Withdrawal.settled_at,
)
_LINES = (
    select(_LINE)
    .join(OrderLine.article)
    .join(Article.product)
    .outerjoin(Withdrawal, Withdrawal.id == OrderLine.withdrawal_id)
    .order_by(OrderLine.id)
)
_STEP = View(
    Step, order_id=OrderEvent.order_id, at=OrderEvent.at, what=OrderEvent.what, reason=OrderEvent.reason
)
# the point's tour is the delivery's: one join names both
_ORDERS = (
    select(
        Order.id,
        Order.account_id,
        Order.state,
        Order.with_box,
        Order.placed_at,
        Order.changed_at,
        Order.discount,
        Order.conditions_id,
        Order.name,
        func.coalesce(Account.first_name, Order.name),
        func.coalesce(Account.email, Order.email),
        Order.phone,
        Order.street,
        Order.postcode,
        Order.town,
        DELIVERY,
        POINT,
        Voucher.code,
    )
    .join(Order.delivery)
    .join(Delivery.tour)
    .join(Order.pickup_point)
    .outerjoin(Order.account)
    .outerjoin(VoucherUse, VoucherUse.order_id == Order.id)
    .outerjoin(Voucher, Voucher.id == VoucherUse.voucher_id)
    .order_by(Delivery.day, Order.id)
)


def orders_of(
    session: Session, account_id: int, *, since: date, until: date | None = None
) -> list[OrderView]:
    """An account's orders, whatever became of them, by the day of their delivery; both days included."""
    own = _ORDERS.where(Order.account_id == account_id, Delivery.day >= since)
    return _read(session, own if until is None else own.where(Delivery.day <= until))


def last_day_before(session: Session, account_id: int, day: date) -> date | None:
    """Of the deliveries that an account has ordered for."""
    days = select(func.max(Delivery.day)).join(Order, Order.delivery_id == Delivery.id)
    return session.scalar(days.where(Order.account_id == account_id, Delivery.day < day))


def orders_between(session: Session, account_id: int, since: date, until: date) -> list[OrderView]:
    """An account's orders that bring something from one actual date to another, both included."""
    live = (Order.state.in_(sorted(orders.LIVE)), Delivery.day.between(since, until))
    return _read(session, _ORDERS.where(Order.account_id == account_id, *live))


def order(session: Session, order_id: int, account_id: int | None) -> OrderView | None:
    """An order of an account, or a guest's, with its timeline."""
    return _one(
        session, _ORDERS.where(Order.id == order_id, Order.account_id.is_not_distinct_from(account_id))
    )


def owner(session: Session, order_id: int) -> int | None:
    """The account that an order belongs to; nobody for a guest's."""
    return session.scalar(select(Order.account_id).where(Order.id == order_id))


def find(session: Session, order_id: int) -> OrderView | None:
    """Whosoever's it is, with its timeline."""
    return _one(session, _ORDERS.where(Order.id == order_id))


def these(session: Session, order_ids: Collection[int]) -> dict[int, OrderView]:
    """Whosoever's they are, with their timelines: number → order."""
    return {found.id: found for found in _with_steps(session, _ORDERS.where(Order.id.in_(order_ids)))}


def orders_for(session: Session, delivery_id: int) -> list[OrderView]:
    """All that was ordered for a delivery, whatever became of it."""
    return _read(session, _ORDERS.where(Order.delivery_id == delivery_id))


def orders_aboard(session: Session, delivery_id: int, account_ids: Collection[int]) -> list[OrderView]:
    """What these people's orders bring them with a delivery."""
    live = (Order.state.in_(sorted(orders.LIVE)), Order.account_id.in_(account_ids))
    return _read(session, _ORDERS.where(Order.delivery_id == delivery_id, *live))


def is_awaited(session: Session, article_id: int, today: date) -> bool:
    """Whether an order that is still to come holds an article."""
    holding = (
        select(OrderLine.id)
        .join(OrderLine.order)
        .join(Order.delivery)
        .where(
            OrderLine.article_id == article_id,
            OrderLine.quantity > 0,
            Order.state.in_(sorted(orders.LIVE - {OrderState.DELIVERED})),
            Delivery.day >= today,
        )
    )
    return session.scalar(select(holding.exists())) or False


def orders_named(session: Session, name: str, *, limit: int) -> list[OrderView]:
    """Whosoever's orders have these letters in their name, the latest first."""
    latest = _ORDERS.order_by(None).order_by(Delivery.day.desc(), Order.id.desc())
    return _read(session, latest.where(Order.name.icontains(name, autoescape=True)).limit(limit))


def latest_of(session: Session, account_id: int, *, limit: int) -> list[OrderView]:
    """An account's orders, the last delivery's first, whatever became of them."""
    latest = _ORDERS.order_by(None).order_by(Delivery.day.desc(), Order.id.desc())
    return _read(session, latest.where(Order.account_id == account_id).limit(limit))


def _one(session: Session, statement: Select[*tuple[Any, ...]]) -> OrderView | None:
    return next(iter(_with_steps(session, statement)), None)


def _with_steps(session: Session, statement: Select[*tuple[Any, ...]]) -> list[OrderView]:
    found = _read(session, statement)
    if not found:
        return []
    steps: dict[int, list[Step]] = {view.id: [] for view in found}
    taken = select(_STEP).where(OrderEvent.order_id.in_(steps)).order_by(OrderEvent.id)
    for step in session.scalars(taken):
        steps[step.order_id].append(step)
    return [replace(view, steps=tuple(steps[view.id])) for view in found]


def _read(session: Session, statement: Select[*tuple[Any, ...]]) -> list[OrderView]:
    rows = session.execute(statement).all()
    if not rows:
        return []
    lines: dict[int, list[OrderLineView]] = {row.id: [] for row in rows}
    for line in session.scalars(_LINES.where(OrderLine.order_id.in_(lines))):
        lines[line.order_id].append(line)
    return [replace(OrderView(*row), lines=tuple(lines[row.id])) for row in rows]
