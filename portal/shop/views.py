"""Orders, as pages, papers and mails show them."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Protocol

from portal.deliveries.queries import DeliveryState, DeliveryView
from portal.pickup.queries import PointView
from portal.rules import orders, selling, withdrawals
from portal.rules.cutoffs import Lead, cutoff_instant, local_day
from portal.rules.money import Money
from portal.rules.orders import OrderState, Refusal
from portal.rules.selling import SaleUnit
from portal.rules.vouchers import shared, vat_within
from portal.shop.models import (
    Happening,
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
        return orders.refusal_to_cancel(
            self.state, self.delivery.cutoff_at, now, first_closes_at=self.cancellable_until
        )

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
