"""What a subscription receives: its plan, and the boxes that it comes to.

A subscription owes at most one box a week. Terms, changes and boxes are keyed by (subscription, week), a week
being its Monday, so a week never has two boxes even where its delivery moves or its tour changes.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any, NamedTuple

from portal.rules.calendar import Fortnight, Rhythm, fortnight_of, receives
from portal.rules.cutoffs import is_past


@dataclass(frozen=True, slots=True)
class Delivery:
    """A tour in one week.

    `day` is the actual date; `week` stays that of the nominal one when a holiday moves it.
    """

    id: int
    tour_id: int
    week: date
    day: date
    cutoff: datetime
    cancelled: bool = False
    frozen: bool = False

    @property
    def fortnight(self) -> Fortnight:
        return fortnight_of(self.week)

    def is_open(self, now: datetime) -> bool:
        """Whether changes still reach it: not cancelled, not frozen, before its cutoff."""
        return not (self.cancelled or self.frozen or is_past(self.cutoff, now))


class Season:
    """Deliveries, found by tour and week."""

    def __init__(self, deliveries: Iterable[Delivery]) -> None:
        self._by_tour_and_week = {(d.tour_id, d.week): d for d in deliveries}

    def __iter__(self) -> Iterator[Delivery]:
        """In date order."""
        return iter(sorted(self._by_tour_and_week.values(), key=lambda d: (d.day, d.week, d.id)))

    def on(self, tour_id: int, week: date) -> Delivery | None:
        return self._by_tour_and_week.get((tour_id, week))

    @property
    def weeks(self) -> list[date]:
        """Every week with a delivery, in order."""
        return sorted({week for _, week in self._by_tour_and_week})


class Place(NamedTuple):
    """A pickup point and the tour that stops there."""

    point_id: int
    tour_id: int


@dataclass(frozen=True, slots=True)
class Term:
    """What a subscription agrees to from a Monday on; the tour is the pickup point's."""

    monday: date
    formula_id: int
    quantity: int
    rhythm: Rhythm
    point_id: int
    tour_id: int

    @property
    def place(self) -> Place:
        return Place(self.point_id, self.tour_id)


@dataclass(frozen=True, slots=True)
class WeekChange:
    """How one week departs from its terms; None leaves a field as it is, and each is undone alone.

    `skip` is no where the box is taken back from a suspension, since `skip_at`. `to_week` is the week whose
    delivery the box is postponed to. `place` is where all boxes of this week's delivery are collected;
    formula and quantity are those of the week's own box.
    """

    skip: bool | None = None
    skip_at: datetime | None = None
    to_week: date | None = None
    place: Place | None = None
    formula_id: int | None = None
    quantity: int | None = None


NO_CHANGE = WeekChange()


@dataclass(frozen=True, slots=True)
class Closing:
    """A range of days, both included, on which what comes to a point is collected at another of its tour."""

    point_id: int
    substitute_id: int
    first_day: date
    last_day: date
    made_at: datetime
    ended_at: datetime | None = None
    id: int | None = None

    def covers(self, delivery: Delivery) -> bool:
        """As a suspension does: what had closed before it was made, or after it was ended, stays."""
        return (
            self.first_day <= delivery.day <= self.last_day
            and self.made_at < delivery.cutoff
            and (self.ended_at is None or delivery.cutoff <= self.ended_at)
        )


def closing_of(point_id: int, delivery: Delivery, closings: Iterable[Closing]) -> Closing | None:
    """What keeps a point shut when a delivery comes; there is one at most."""
    return next((c for c in closings if c.point_id == point_id and c.covers(delivery)), None)


@dataclass(frozen=True, slots=True)
class Suspension:
    """A range of days, both included, in which no box comes; what is past it comes again by itself."""

    first_day: date
    last_day: date
    made_at: datetime
    ended_at: datetime | None = None
    id: int | None = None

    def covers(self, delivery: Delivery) -> bool:
        """Whether it takes a delivery's boxes away: those that it was too late or too early for stay.

        Counted by the actual date; the cutoff falls after it was made and not after it was ended.
        """
        return (
            self.first_day <= delivery.day <= self.last_day
            and self.made_at < delivery.cutoff
            and (self.ended_at is None or delivery.cutoff <= self.ended_at)
        )


@dataclass(frozen=True, slots=True)
class Plan:
    """A subscription as the rules see it.

    Its last box is the last whose delivery's actual date is at or before `last_day`; None means that no end
    is known. `closings` are those of the farm's points.
    """

    subscription_id: int
    terms: tuple[Term, ...]
    changes: Mapping[date, WeekChange] = field(default_factory=lambda: MappingProxyType({}))
    suspensions: tuple[Suspension, ...] = ()
    last_day: date | None = None
    closings: tuple[Closing, ...] = ()

    def change_of(self, week: date) -> WeekChange:
        return self.changes.get(week, NO_CHANGE)

    def with_change(self, week: date, **wishes: Any) -> "Plan":
        """The plan with fields of one week set anew; a week without wishes leaves no trace."""
        changes = dict(self.changes)
        changes[week] = replace(self.change_of(week), **wishes)
        if changes[week] == NO_CHANGE:
            del changes[week]
        return replace(self, changes=MappingProxyType(changes))

    @property
    def tour_ids(self) -> set[int]:
        """Every tour that brings it something, now, once or later."""
        once = {change.place.tour_id for change in self.changes.values() if change.place}
        return {term.tour_id for term in self.terms} | once


class Absence(StrEnum):
    """Why a box that is owed does not come."""

    SKIPPED = "skipped"
    SUSPENDED = "suspended"


@dataclass(frozen=True, slots=True)
class Box:
    """A subscription's box of one week and the delivery that it travels with.

    `instead_of` is the point that it would be collected at if that was not closed.
    """

    subscription_id: int
    week: date
    delivery: Delivery
    formula_id: int
    quantity: int
    point_id: int
    absence: Absence | None = None
    instead_of: int | None = None

    @property
    def comes(self) -> bool:
        return self.absence is None

    @property
    def postponed(self) -> bool:
        return self.week != self.delivery.week


def term_in_force(terms: Iterable[Term], week: date) -> Term | None:
    """The term that rules a week, given by its Monday; None before the first one."""
    begun = (term for term in terms if term.monday <= week)
    return max(begun, key=lambda term: term.monday, default=None)


def term_owing(plan: Plan, week: date) -> Term | None:
    """The term by which a week has a box of its own, whatever becomes of it; None in a week without."""
    term = term_in_force(plan.terms, week)
    return term if term and receives(term.rhythm, fortnight_of(week)) else None


def place_in(plan: Plan, week: date) -> Place | None:
    """Where what travels in a week is collected: for once, or as usual; None before the first term."""
    term = term_in_force(plan.terms, week)
    return (plan.change_of(week).place or term.place) if term else None


def delivery_of(plan: Plan, week: date, season: Season) -> Delivery | None:
    """The delivery that brings a week's boxes to the subscription's place of that week, cancelled or not."""
    place = place_in(plan, week)
    delivery = place and season.on(place.tour_id, week)
    if delivery and plan.last_day is not None and delivery.day > plan.last_day:
        return None
    return delivery


def carrier(plan: Plan, week: date, season: Season) -> Delivery | None:
    """The delivery that a week's own box travels with, cancelled or not; None where none is owed."""
    if term_owing(plan, week) is None:
        return None
    return delivery_of(plan, plan.change_of(week).to_week or week, season)


def weeks_aboard(plan: Plan, week: date) -> list[date]:
    """The weeks of origin of the boxes that travel in a week: its own, then the one postponed to it."""
    postponed = [origin for origin, change in plan.changes.items() if change.to_week == week]
    own = [] if plan.change_of(week).to_week else [week]
    return [origin for origin in own + postponed if term_owing(plan, origin)]


def absence(plan: Plan, week: date, delivery: Delivery) -> Absence | None:
    """Whether a week's own box stays away from the delivery that it travels with: the latest wish counts."""
    change = plan.change_of(week)
    if change.skip:
        return Absence.SKIPPED
    for suspension in plan.suspensions:
        taken_back = change.skip is False and change.skip_at and change.skip_at >= suspension.made_at
        if suspension.covers(delivery) and not taken_back:
            return Absence.SUSPENDED
    return None


def boxes_on(plan: Plan, delivery: Delivery) -> list[Box]:
    """The boxes of a subscription that travel with a delivery, those that stay away marked.

    A cancelled delivery brings none; the changes of its week stay and count again if it is reinstated.
    """
    place = place_in(plan, delivery.week)
    ended = plan.last_day is not None and delivery.day > plan.last_day
    if place is None or place.tour_id != delivery.tour_id or delivery.cancelled or ended:
        return []
    return [_box(plan, week, delivery, place) for week in weeks_aboard(plan, delivery.week)]


def _box(plan: Plan, week: date, delivery: Delivery, place: Place) -> Box:
    term, change = term_owing(plan, week), plan.change_of(week)
    closing = closing_of(place.point_id, delivery, plan.closings)
    assert term is not None, "only what is owed is aboard"
    return Box(
        subscription_id=plan.subscription_id,
        week=week,
        delivery=delivery,
        formula_id=change.formula_id or term.formula_id,
        quantity=change.quantity or term.quantity,
        point_id=closing.substitute_id if closing else place.point_id,
        absence=absence(plan, week, delivery),
        instead_of=place.point_id if closing else None,
    )


def project(plan: Plan, deliveries: Iterable[Delivery]) -> list[Box]:
    """The boxes that a subscription receives on these deliveries, in date order, absent ones marked."""
    return [box for delivery in Season(deliveries) for box in boxes_on(plan, delivery)]


def baskets_at_freeze(plans: Iterable[Plan], delivery: Delivery) -> list[Box]:
    """The boxes that a delivery carries when it closes: what is packed, delivered and billed."""
    return [box for plan in plans for box in boxes_on(plan, delivery) if box.comes]
