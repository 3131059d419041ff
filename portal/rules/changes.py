"""What a subscriber may change in one week or for a range of days, until when, and what comes of it.

« Si vous ne pouvez pas effectuer de modification pour la prochaine livraison, cela signifie que c'est trop
tard » (the farm's guide). Every act is first asked here, by the page that offers it and again by the request
that does it; what it comes to is a new plan. Naive datetimes raise ValueError.
"""

from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum

from portal.rules.calendar import WEEK
from portal.rules.planning import (
    Absence,
    Box,
    Delivery,
    Place,
    Plan,
    Season,
    Suspension,
    absence,
    boxes_on,
    carrier,
    closing_of,
    delivery_of,
    place_in,
    term_in_force,
    term_owing,
    weeks_aboard,
)

POSTPONED_AT_MOST = 4 * WEEK


class Refusal(StrEnum):
    """Why an act is refused; its words are in the templates."""

    BAD_QUANTITY = "bad_quantity"
    BAD_RANGE = "bad_range"
    CANCELLED = "cancelled"
    FULL = "full"
    NOTHING_CHOSEN = "nothing_chosen"
    NOT_EXPECTED = "not_expected"
    NOT_OFFERED = "not_offered"
    NOT_OPEN = "not_open"
    """The farm has published no conditions of sale that one could agree to (L221-5, L221-13)."""
    NO_SUCH_WEEK = "no_such_week"
    ORDER_ABOARD = "order_aboard"
    PAST_CUTOFF = "past_cutoff"
    SKIPPED = "skipped"
    SUSPENDED = "suspended"
    TAKEN = "taken"


@dataclass(frozen=True, slots=True)
class Facts:
    """What the farm does and offers, and the moment at which one asks.

    `season` holds the deliveries concerned; `withheld` the (point, formula) pairs that are not offered;
    `sold_from` the day of each formula's first price, where prices matter: one without is not sold.
    """

    season: Season
    now: datetime
    withheld: Set[tuple[int, int]] = frozenset()
    sold_from: Mapping[int, date] | None = None

    def sells(self, formula_id: int, day: date) -> bool:
        return self.sold_from is None or self.sold_from.get(formula_id, date.max) <= day


def refusal_to_change(delivery: Delivery | None, now: datetime) -> Refusal | None:
    """Why boxes on a delivery cannot change, or None if they can; undoing has the cutoff of doing."""
    if delivery is None:
        return Refusal.NOT_EXPECTED
    if delivery.cancelled:
        return Refusal.CANCELLED
    return None if delivery.is_open(now) else Refusal.PAST_CUTOFF


# A skip


def refusal_to_skip(plan: Plan, week: date, facts: Facts) -> Refusal | None:
    """Why a week's own box can be neither skipped nor taken back, or None if it can."""
    return refusal_to_change(carrier(plan, week, facts.season), facts.now)


def comes(plan: Plan, week: date, facts: Facts) -> bool:
    """Whether a week's own box is on its way."""
    delivery = carrier(plan, week, facts.season)
    return delivery is not None and not delivery.cancelled and absence(plan, week, delivery) is None


def with_skip(plan: Plan, week: date, facts: Facts, *, skip: bool) -> Plan:
    """The plan with a week's own box skipped, or coming: within a suspension it is taken back from it."""
    bare = plan.with_change(week, skip=None, skip_at=None)
    if comes(bare, week, facts) != skip:
        return bare
    return plan.with_change(week, skip=skip, skip_at=facts.now)


# A postponed box


def refusal_to_postpone(plan: Plan, week: date, to_week: date, facts: Facts) -> Refusal | None:
    """Why a week's own box cannot travel in a later week instead, or None if it can.

    Up to four weeks later, on an open delivery of the same subscription, which brings two boxes at most. From
    then on it obeys that delivery's cutoff.
    """
    if refusal := refusal_to_change(carrier(plan, week, facts.season), facts.now):
        return refusal
    if not week < to_week <= week + POSTPONED_AT_MOST:
        return Refusal.NO_SUCH_WEEK
    destination = delivery_of(plan, to_week, facts.season)
    if refusal := refusal_to_change(destination, facts.now):
        return refusal
    if set(weeks_aboard(plan, to_week)) - {week, to_week}:
        return Refusal.TAKEN
    postponed = with_postponement(plan, week, to_week)
    if destination and (away := absence(postponed, week, destination)):
        return Refusal.SKIPPED if away is Absence.SKIPPED else Refusal.SUSPENDED
    return refusal_of_formulas(postponed, [week], facts)


def with_postponement(plan: Plan, week: date, to_week: date | None) -> Plan:
    """The plan with a week's own box travelling in another week, or in its own again."""
    for origin, change in plan.changes.items():
        if to_week and change.to_week == to_week:  # of a week that has no box any more
            plan = plan.with_change(origin, to_week=None)
    return plan.with_change(week, to_week=to_week)


def postponements(plan: Plan, week: date, facts: Facts) -> list[Delivery]:
    """The deliveries that a week's own box can be postponed to, soonest first."""
    current = plan.change_of(week).to_week
    possible = []
    for n in range(1, POSTPONED_AT_MOST // WEEK + 1):
        later = week + n * WEEK
        delivery = delivery_of(plan, later, facts.season)
        if delivery and later != current and not refusal_to_postpone(plan, week, later, facts):
            possible.append(delivery)
    return possible


def refusal_to_bring_forward(plan: Plan, week: date, facts: Facts) -> Refusal | None:
    """Why a postponed box cannot go back to its own week: until the earlier of the two cutoffs it can."""
    if refusal := refusal_to_change(carrier(plan, week, facts.season), facts.now):
        return refusal
    if refusal := refusal_to_change(delivery_of(plan, week, facts.season), facts.now):
        return refusal
    return refusal_of_formulas(plan.with_change(week, to_week=None), [week], facts)


def rehomed(plan: Plan, facts: Facts) -> Plan:
    """The plan with every postponed box on a delivery that takes place.

    If the farm or a change of terms takes its destination away, a box goes home if that is open, else to the
    next open delivery that no other postponed box is on: it never vanishes. Where none is known it waits.
    """
    known = facts.season.weeks
    for week in sorted(plan.changes):
        to_week = plan.change_of(week).to_week
        if to_week not in known or term_owing(plan, week) is None:
            continue
        destination = delivery_of(plan, to_week, facts.season)
        if destination and not destination.cancelled:
            continue
        home = delivery_of(plan, week, facts.season)
        if home and home.is_open(facts.now):
            plan = plan.with_change(week, to_week=None)
        elif later := _next_free_week(plan, week, facts):
            plan = plan.with_change(week, to_week=later)
    return plan


def _next_free_week(plan: Plan, week: date, facts: Facts) -> date | None:
    taken = {change.to_week for change in plan.changes.values()}
    for later in facts.season.weeks:
        delivery = delivery_of(plan, later, facts.season)
        if later > week and later not in taken and delivery and delivery.is_open(facts.now):
            return later
    return None


# Another pickup point, another box for once


def refusal_to_move(plan: Plan, week: date, place: Place | None, facts: Facts) -> Refusal | None:
    """Why what travels in a week cannot be collected elsewhere, or None if it can; no place undoes it.

    It stays in its week, and both deliveries must be open, to do and to undo.
    """
    if not weeks_aboard(plan, week):
        return Refusal.NOT_EXPECTED
    if refusal := refusal_to_change(delivery_of(plan, week, facts.season), facts.now):
        return refusal
    moved = plan.with_change(week, place=place)
    there = delivery_of(moved, week, facts.season)
    if refusal := refusal_to_change(there, facts.now):
        return refusal
    if place and there and closing_of(place.point_id, there, plan.closings):
        return Refusal.NOT_OFFERED
    return refusal_of_formulas(moved, weeks_aboard(plan, week), facts)


def with_place(plan: Plan, week: date, place: Place | None) -> Plan:
    """The plan with what travels in a week collected elsewhere; the usual place is no change."""
    term = term_in_force(plan.terms, week)
    return plan.with_change(week, place=None if term and term.place == place else place)


def refusal_to_vary(plan: Plan, week: date, formula_id: int | None, facts: Facts) -> Refusal | None:
    """Why a week's own box cannot be another formula for once, or None if it can; None is the usual one."""
    delivery = carrier(plan, week, facts.season)
    if refusal := refusal_to_change(delivery, facts.now):
        return refusal
    if formula_id and delivery and not facts.sells(formula_id, delivery.day):
        return Refusal.NOT_OFFERED
    return refusal_of_formulas(plan.with_change(week, formula_id=formula_id), [week], facts)


def with_box(plan: Plan, week: date, formula_id: int | None, quantity: int | None) -> Plan:
    """The plan with another formula or quantity in one week; the usual ones are no change."""
    term = term_in_force(plan.terms, week)
    if term and formula_id == term.formula_id:
        formula_id = None
    if term and quantity == term.quantity:
        quantity = None
    return plan.with_change(week, formula_id=formula_id, quantity=quantity)


def refusal_of_formulas(plan: Plan, weeks: Iterable[date], facts: Facts) -> Refusal | None:
    """Whether a point does not offer one of these weeks' own boxes; what is usual somewhere stays so."""
    for week in weeks:
        term, change = term_owing(plan, week), plan.change_of(week)
        place = place_in(plan, change.to_week or week)
        assert place and term, "only what travels is asked for"
        formula_id = change.formula_id or term.formula_id
        usual = (place, formula_id) == (term.place, term.formula_id)
        if not usual and (place.point_id, formula_id) in facts.withheld:
            return Refusal.NOT_OFFERED
    return None


# A suspension


@dataclass(frozen=True, slots=True)
class SuspensionEffect:
    """What a suspension comes to, box by box.

    `suspended` were coming and no longer come; `closed` lie in the range and come all the same, it is too
    late for them; `back` is the first box after it.
    """

    plan: Plan
    suspended: tuple[Box, ...]
    closed: tuple[Box, ...]
    back: Box | None


def suspend(plan: Plan, first_day: date, last_day: date, facts: Facts) -> SuspensionEffect:
    """What suspending from one day to another, both included, would come to: preview and act are the same."""
    suspension = Suspension(first_day, last_day, made_at=facts.now)
    changed = replace(plan, suspensions=(*plan.suspensions, suspension))
    before = [box for delivery in facts.season for box in boxes_on(plan, delivery)]
    after = {box.week: box for delivery in facts.season for box in boxes_on(changed, delivery)}
    coming = [box for box in before if box.comes]
    return SuspensionEffect(
        plan=changed,
        suspended=tuple(box for box in coming if not after[box.week].comes),
        closed=tuple(
            box
            for box in coming
            if after[box.week].comes
            and first_day <= box.delivery.day <= last_day
            and not box.delivery.is_open(facts.now)
        ),
        back=next((box for box in after.values() if box.comes and box.delivery.day > last_day), None),
    )


def refusal_to_suspend(
    effects: Iterable[SuspensionEffect], first_day: date, last_day: date, today: date
) -> Refusal | None:
    """Why a range cannot be suspended, or None if it can: it takes at least one box away."""
    effects = list(effects)
    if not effects:
        return Refusal.NOTHING_CHOSEN
    if not today <= last_day >= first_day:
        return Refusal.BAD_RANGE
    if any(effect.suspended for effect in effects):
        return None
    return Refusal.PAST_CUTOFF if any(effect.closed for effect in effects) else Refusal.NOT_EXPECTED


def ended(suspension: Suspension, now: datetime) -> Suspension:
    """The suspension ended early: boxes come again on what closes later. What has ended stays as it is."""
    return suspension if suspension.ended_at else replace(suspension, ended_at=now)


def is_running(suspension: Suspension, today: date) -> bool:
    """Whether it still takes boxes away, or will."""
    return suspension.ended_at is None and suspension.last_day >= today
