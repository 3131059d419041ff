"""A change of terms: what it says, from which Monday it can hold, and the plan that it makes (DESIGN §5)."""

from dataclasses import dataclass, fields, replace
from datetime import date, datetime

from portal.rules.calendar import WEEK, Rhythm, monday_of
from portal.rules.cutoffs import local_day
from portal.rules.planning import (
    Delivery,
    Plan,
    Season,
    Term,
    boxes_on,
    delivery_of,
    term_in_force,
    term_owing,
)


@dataclass(frozen=True, slots=True)
class TermChange:
    """A wish to change terms: None leaves a field as it is.

    A point comes with its tour, or ValueError is raised.
    """

    formula_id: int | None = None
    quantity: int | None = None
    rhythm: Rhythm | None = None
    point_id: int | None = None
    tour_id: int | None = None

    def __post_init__(self) -> None:
        if (self.point_id is None) != (self.tour_id is None):
            raise ValueError("a pickup point changes together with its tour")

    def over(self, term: Term) -> Term:
        """The term with the named fields changed."""
        named = {f.name: value for f in fields(self) if (value := getattr(self, f.name)) is not None}
        return replace(term, **named)


def effective_monday(*, plan: Plan, change: TermChange, season: Season, now: datetime) -> date:
    """From which Monday on a change of terms holds (DESIGN §5, effective date).

    The first Monday from which no delivery that the subscription uses, with or without the change, usual or
    for once, is past its cutoff: so a closed list keeps its boxes and gains none. Where the box of the week in
    which the change would first show falls away, the new tour being cancelled then and the old one not, the
    old terms keep that week. A cancelled delivery blocks nothing. No week gets two boxes, or none, from a
    change.

    The season holds the deliveries of all tours concerned, from the present week at the latest. Raises
    ValueError for a plan without terms and for a naive `now`.
    """
    changed = replace(plan, terms=tuple(change.over(term) for term in plan.terms))
    used = _used(plan, season) | _used(changed, season)

    # A week gone by is left alone, unless its delivery was moved and is still open.
    this_week = monday_of(local_day(now))
    earliest = min([this_week, *(d.week for d in used if d.is_open(now))])
    free = [d.week + WEEK for d in used if not d.is_open(now)]
    monday = max([earliest, min(term.monday for term in plan.terms), *free])

    before, after = _fed(plan, season), _fed(changed, season)
    for week in sorted(week for week in before | after if week >= monday):
        if week in after:
            break
        if term_owing(changed, week):
            monday = week + WEEK
    return monday


def _used(plan: Plan, season: Season) -> set[Delivery]:
    """What a subscription uses, absent or not: its usual deliveries, and those of its one-off changes."""
    usual = replace(plan, changes={})
    return {d for d in season if boxes_on(usual, d) or boxes_on(plan, d)}


def _fed(plan: Plan, season: Season) -> set[date]:
    """The weeks whose own box finds a delivery; a postponed one always does, if need be another."""
    fed = set()
    for week in season.weeks:
        if term_owing(plan, week):
            delivery = delivery_of(plan, week, season)
            if plan.change_of(week).to_week or (delivery and not delivery.cancelled):
                fed.add(week)
    return fed


def apply_change(plan: Plan, change: TermChange, monday: date) -> Plan:
    """The plan with a change that holds in every week from `monday`, so over terms that lie ahead too.

    A term that says nothing new is dropped: withdrawing a pending change leaves no trace of it. One-off
    changes stay; where they say nothing any more they are set aside, see `set_aside`. Raises ValueError for a
    day that is no Monday or that lies before the first term.
    """
    if monday != monday_of(monday):
        raise ValueError("every term starts on a Monday")
    current = term_in_force(plan.terms, monday)
    if current is None:
        raise ValueError("a change cannot begin before the subscription")
    kept = [term for term in plan.terms if term.monday < monday]
    ahead = [replace(current, monday=monday), *(term for term in plan.terms if term.monday > monday)]
    terms: list[Term] = []
    for term in sorted([*kept, *map(change.over, ahead)], key=lambda t: t.monday):
        if not terms or replace(term, monday=terms[-1].monday) != terms[-1]:
            terms.append(term)
    return replace(plan, terms=tuple(terms))


def withdrawal(plan: Plan, season: Season, now: datetime) -> TermChange | None:
    """The change that takes the latest terms back, as if they had never been; None once they have begun."""
    if len(plan.terms) < 2:
        return None
    earlier, latest = plan.terms[-2:]
    back = TermChange(earlier.formula_id, earlier.quantity, earlier.rhythm, *earlier.place)
    since = effective_monday(plan=plan, change=back, season=season, now=now)
    return back if since <= latest.monday else None


def withdrawable_until(before: Plan, after: Plan, monday: date, season: Season) -> datetime | None:
    """The first instant at which a change that holds from a Monday on can no longer be taken back.

    None where no delivery is known that it touches.
    """
    used = _used(before, season) | _used(after, season)
    return min((d.cutoff for d in used if d.week >= monday), default=None)


def set_aside(before: Plan, after: Plan, since: date) -> list[date]:
    """The weeks from `since` on whose one-off changes say nothing under the new terms: they have no box.

    They are kept, and count again if the terms are taken back.
    """
    return [
        week
        for week in sorted(before.changes)
        if week >= since and term_owing(before, week) and not term_owing(after, week)
    ]
