"""The states of an order, and who may bring it from one to another, until when.

Where something in it closes earlier than its delivery (`selling.closes_at`), that is the cutoff of what concerns
the whole order; the other lines can be changed until the delivery's. Naive datetimes raise ValueError.
"""

from datetime import date, datetime
from enum import StrEnum

from portal.rules.cutoffs import is_past
from portal.rules.money import Money


class OrderState(StrEnum):
    """Placed, then accepted or refused, prepared, delivered; or cancelled."""

    PLACED = "placed"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    PREPARED = "prepared"
    DELIVERED = "delivered"
    CANCELLED = "cancelled"


class Refusal(StrEnum):
    """Why an order stays as it is; its words are in the templates."""

    BEFORE_CUTOFF = "before_cutoff"
    CANCELLED_DELIVERY = "cancelled_delivery"
    NEEDS_SHORTAGE = "needs_shortage"
    NOTHING_LEFT = "nothing_left"
    NOT_IN_THIS_STATE = "not_in_this_state"
    PARTLY_CLOSED = "partly_closed"
    """Something of it is ordered elsewhere before the rest closes: it stays, the rest may still go."""
    PAST_CUTOFF = "past_cutoff"
    TO_WEIGH = "to_weigh"


class Aboard(StrEnum):
    """What becomes of an order when the box that it travels with is skipped, suspended or postponed."""

    CANCEL = "cancel"
    MOVE = "move"
    ALONE = "alone"


_NEXT = {
    OrderState.PLACED: {OrderState.ACCEPTED, OrderState.REFUSED, OrderState.CANCELLED},
    OrderState.ACCEPTED: {
        OrderState.PREPARED,
        OrderState.DELIVERED,
        OrderState.REFUSED,
        OrderState.CANCELLED,
    },
    OrderState.PREPARED: {
        OrderState.DELIVERED,
        OrderState.ACCEPTED,  # a slip undone
        OrderState.REFUSED,
    },
}

OPEN = frozenset({OrderState.PLACED, OrderState.ACCEPTED})
"""Those that their owner may still change, until the cutoff."""
LIVE = OPEN | {OrderState.PREPARED, OrderState.DELIVERED}
"""Those that bring something, or did."""


def may_become(state: OrderState, to: OrderState) -> bool:
    """Whether that step exists; delivered, refused and cancelled orders stay so."""
    return to in _NEXT.get(state, ())


# By its owner


def refusal_to_cancel(
    state: OrderState, cutoff_at: datetime, now: datetime, *, first_closes_at: datetime | None = None
) -> Refusal | None:
    """Why its owner cannot cancel an order, or None if they can: with a cancelled delivery too.

    `first_closes_at` is when the first of what it holds does, where that is before the cutoff.
    """
    if not may_become(state, OrderState.CANCELLED):
        return Refusal.NOT_IN_THIS_STATE
    if is_past(cutoff_at, now):
        return Refusal.PAST_CUTOFF
    return Refusal.PARTLY_CLOSED if first_closes_at and is_past(first_closes_at, now) else None


def refusal_to_amend(
    state: OrderState, cutoff_at: datetime, now: datetime, *, cancelled: bool, empty: bool = False
) -> Refusal | None:
    """Why its owner cannot change what an order holds, or None if they can.

    `cancelled` is its delivery; an order that would be left `empty` is cancelled instead.
    """
    if state not in OPEN:
        return Refusal.NOT_IN_THIS_STATE
    if cancelled:
        return Refusal.CANCELLED_DELIVERY
    if is_past(cutoff_at, now):
        return Refusal.PAST_CUTOFF
    return Refusal.NOTHING_LEFT if empty else None


# By the farm


def refusal_to_judge(
    state: OrderState, to: OrderState, cutoff_at: datetime, now: datetime, *, shortage: bool
) -> Refusal | None:
    """Why staff cannot bring an order to a state, or None if they can.

    Nobody waits for a judgement past the cutoff: it is accepted by then, and only a shortage refuses it later.
    Whoever cancels for its owner has the owner's time.
    """
    if to is OrderState.CANCELLED:
        return refusal_to_cancel(state, cutoff_at, now)
    if not may_become(state, to):
        return Refusal.NOT_IN_THIS_STATE
    if to is OrderState.REFUSED and is_past(cutoff_at, now) and not shortage:
        return Refusal.NEEDS_SHORTAGE
    return None


def refusal_to_prepare(
    state: OrderState, to: OrderState, cutoff_at: datetime, now: datetime, *, to_weigh: bool
) -> Refusal | None:
    """Why an order cannot be marked as prepared, or as not prepared after all; None if it can.

    Its owner may change it until the cutoff, and what is weighed has its price first.
    """
    if not may_become(state, to) or state is OrderState.PLACED:
        return Refusal.NOT_IN_THIS_STATE
    if to is not OrderState.PREPARED:
        return None
    if not is_past(cutoff_at, now):
        return Refusal.BEFORE_CUTOFF
    return Refusal.TO_WEIGH if to_weigh else None


# How long a guest is known

KEPT_YEARS = 3
"""For what somebody may still claim; ⚖ the farm's accountant confirms."""
CONTRACT_YEARS = 10
CONTRACT_FROM = Money(120_00)
"""Contracts concluded online from that sum on are kept (Code de la consommation, L213-1 and D213-2)."""


def kept_until(delivered: date, total: Money) -> date:
    """The last day on which the name and the addresses of a guest are kept with an order."""
    years = CONTRACT_YEARS if total >= CONTRACT_FROM else KEPT_YEARS
    leap_day = (delivered.month, delivered.day) == (2, 29)
    return delivered.replace(year=delivered.year + years, day=28 if leap_day else delivered.day)
