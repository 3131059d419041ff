"""When the farm may cancel a delivery, let it take place after all, or move it to another day.

On one tour days and cutoffs stay in the order of their weeks, whatever is cancelled meanwhile. A closed
delivery never reopens, and one that is done does not change. Naive datetimes raise ValueError.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from itertools import pairwise

from portal.rules.changes import Facts, rehomed
from portal.rules.cutoffs import PARIS, Lead, cutoff_instant, is_past, local_day
from portal.rules.planning import Delivery, Plan, delivery_of, place_in

NOTICE = timedelta(hours=24)
"""What people have at least to answer to a cutoff that staff set by hand."""


class Refusal(StrEnum):
    """Why a delivery stays as it is; its words are in the templates."""

    CANCELLED = "cancelled"
    CUTOFF_MISSING = "cutoff_missing"
    CUTOFF_OUT_OF_ORDER = "cutoff_out_of_order"
    CUTOFF_TOO_LATE = "cutoff_too_late"
    CUTOFF_TOO_SOON = "cutoff_too_soon"
    DAY_OUT_OF_ORDER = "day_out_of_order"
    DAY_PAST = "day_past"
    DONE = "done"
    PAST_CUTOFF = "past_cutoff"
    PRICE_MISSING = "price_missing"


def refusal_to_cancel(delivery: Delivery, now: datetime) -> Refusal | None:
    """Why a delivery cannot be cancelled, or None if it can: closed ones too, on the day itself too."""
    return Refusal.DONE if delivery.day < local_day(now) else None


def refusal_to_reinstate(delivery: Delivery, now: datetime) -> Refusal | None:
    """Why a cancelled delivery cannot take place after all, or None if it can: until it would have closed."""
    if delivery.day < local_day(now):
        return Refusal.DONE
    return Refusal.PAST_CUTOFF if delivery.frozen or is_past(delivery.cutoff, now) else None


def moved(
    delivery: Delivery, day: date, *, lead: Lead, now: datetime, cutoff: datetime | None = None
) -> Delivery:
    """The delivery on another day. It closes as its tour does, or when staff say; a closed one stays closed."""
    if not delivery.is_open(now):
        return replace(delivery, day=day)
    return replace(delivery, day=day, cutoff=cutoff or cutoff_instant(day, lead))


def refusal_to_move(
    delivery: Delivery,
    others: Iterable[Delivery],
    day: date,
    *,
    lead: Lead,
    now: datetime,
    cutoff: datetime | None = None,
) -> Refusal | None:
    """Why a delivery cannot be moved to a day, or None if it can.

    `others` are deliveries of the same tour; `cutoff` is given where staff set it by hand. On the same day it is
    the cutoff alone that moves, while it is not past.
    """
    if refusal := refusal_to_leave(delivery, now):
        return refusal
    after = moved(delivery, day, lead=lead, now=now, cutoff=cutoff)
    others = [other for other in others if other.week != delivery.week]
    if refusal := _refusal_of_day(after, others, now):
        return refusal
    if delivery.is_open(now):
        return _refusal_of_cutoff(after, others, now, by_hand=cutoff is not None)
    return Refusal.PAST_CUTOFF if day == delivery.day else None


def refusal_to_leave(delivery: Delivery, now: datetime) -> Refusal | None:
    """Why a delivery cannot be moved at all, wherever to, or None if there may be a day for it."""
    return Refusal.CANCELLED if delivery.cancelled else refusal_to_cancel(delivery, now)


def _refusal_of_day(after: Delivery, others: Iterable[Delivery], now: datetime) -> Refusal | None:
    if after.day < local_day(now):
        return Refusal.DAY_PAST
    in_order = all(_in_order(after.day, other.day, earlier=after.week < other.week) for other in others)
    return None if in_order else Refusal.DAY_OUT_OF_ORDER


def _refusal_of_cutoff(
    after: Delivery, others: Iterable[Delivery], now: datetime, *, by_hand: bool
) -> Refusal | None:
    if by_hand and after.cutoff < now + NOTICE:
        return Refusal.CUTOFF_TOO_SOON
    if by_hand and after.cutoff > datetime.combine(after.day, time(), PARIS):
        return Refusal.CUTOFF_TOO_LATE
    if is_past(after.cutoff, now):
        return Refusal.CUTOFF_MISSING
    in_order = all(_in_order(after.cutoff, other.cutoff, earlier=after.week < other.week) for other in others)
    return None if in_order else Refusal.CUTOFF_OUT_OF_ORDER


def _in_order(value: date, other: date, *, earlier: bool) -> bool:
    return value < other if earlier else value > other


def following(deliveries: Iterable[Delivery], cutoffs: Mapping[int, datetime]) -> dict[int, datetime]:
    """Those of the new cutoffs of a tour with which all its cutoffs stay in the order of their weeks.

    By delivery; one whose new cutoff would reach another's, which stays as it is, stays as it is too.
    """
    tour, followed = sorted(deliveries, key=lambda delivery: delivery.week), dict(cutoffs)

    def after(delivery: Delivery) -> datetime:
        return followed.get(delivery.id, delivery.cutoff)

    def crossing() -> set[int]:
        pairs = ((one, later) for one, later in pairwise(tour) if after(one) >= after(later))
        return {delivery.id for pair in pairs for delivery in pair} & followed.keys()

    while staying := crossing():  # one that stays may stand in the way of the next
        followed = {key: cutoff for key, cutoff in followed.items() if key not in staying}
    return followed


def taken_along(plan: Plan, delivery: Delivery, facts: Facts) -> Plan:
    """The plan once a delivery is cancelled: what came to it for once goes where it is welcome.

    What would be collected there for once goes back to the usual point if that is still open; a box that was
    postponed to it goes home or on. Its own boxes fall with it.
    """
    week, place = delivery.week, place_in(plan, delivery.week)
    if place and place.tour_id == delivery.tour_id:
        usual = plan.with_change(week, place=None)
        back = delivery_of(usual, week, facts.season)
        plan = usual if back and back.is_open(facts.now) else plan
    after = rehomed(plan, facts)
    for origin, change in plan.changes.items():
        if change.to_week == week:
            plan = plan.with_change(origin, to_week=after.change_of(origin).to_week)
    return plan
