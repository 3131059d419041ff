"""A change of terms: what it says, from which Monday it can hold, and the plan that it makes."""

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from datetime import date, datetime
from itertools import pairwise

from portal.rules.calendar import WEEK, Rhythm, monday_of
from portal.rules.changes import Facts, Refusal, refusal_of_formulas, rehomed, with_box, with_place
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
    weeks_aboard,
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

    @classmethod
    def between(cls, before: Term, after: Term) -> "TermChange":
        """What one term changes of another."""
        return cls(
            after.formula_id if after.formula_id != before.formula_id else None,
            after.quantity if after.quantity != before.quantity else None,
            after.rhythm if after.rhythm is not before.rhythm else None,
            *(after.place if after.place != before.place else (None, None)),
        )


def effective_monday(*, plan: Plan, change: TermChange, season: Season, now: datetime) -> date:
    """From which Monday on a change of terms holds.

    The first Monday from which no delivery that the subscription uses, with or without the change, usual or
    for once, is past its cutoff: so a closed list keeps its boxes and gains none. Where the box of the week in
    which the change would first show falls away, the new tour being cancelled then and the old one not, the
    old terms keep that week. A cancelled delivery blocks nothing. No week gets two boxes, or none, from a
    change.

    The season holds the deliveries of all tours concerned, from the present week at the latest. Raises
    ValueError for a plan without terms and for a naive `now`.
    """
    anyway = replace(plan, terms=tuple(change.over(term) for term in plan.terms))
    begun = min(term.monday for term in plan.terms)
    monday = max(begun, _earliest(plan, anyway, season, now))
    while not _fits(plan, apply_change(plan, change, monday), monday, season, now):
        monday += WEEK
    return monday


def _earliest(plan: Plan, changed: Plan, season: Season, now: datetime) -> date:
    """This week: one gone by is left alone, unless its delivery was moved and is still open."""
    used = _used(plan, season) | _used(changed, season)
    return min([monday_of(local_day(now)), *(d.week for d in used if d.is_open(now))])


def _fits(plan: Plan, changed: Plan, monday: date, season: Season, now: datetime) -> bool:
    """Whether a plan can be another from a Monday on; see `effective_monday`."""
    used = _used(plan, season) | _used(changed, season)
    if any(d.week >= monday and not d.is_open(now) for d in used):
        return False
    before, after = _fed(plan, season), _fed(changed, season)
    first = min((week for week in after if week >= monday), default=date.max)
    return not any(monday <= week < first and term_owing(changed, week) for week in before)


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

    A term that says nothing new is dropped. Raises ValueError for a day that is no Monday or that lies before
    the first term.
    """
    if monday != monday_of(monday):
        raise ValueError("every term starts on a Monday")
    current = term_in_force(plan.terms, monday)
    if current is None:
        raise ValueError("a change cannot begin before the subscription")
    kept = [term for term in plan.terms if term.monday < monday]
    ahead = [replace(current, monday=monday), *(term for term in plan.terms if term.monday > monday)]
    return replace(plan, terms=_telling([*kept, *map(change.over, ahead)]))


def _telling(terms: Iterable[Term]) -> tuple[Term, ...]:
    """Terms without those that say nothing new."""
    telling: list[Term] = []
    for term in sorted(terms, key=lambda t: t.monday):
        if not telling or replace(term, monday=telling[-1].monday) != telling[-1]:
            telling.append(term)
    return tuple(telling)


def withdrawal(plan: Plan, monday: date, season: Season, now: datetime) -> Plan | None:
    """The plan as if the terms that begin on a Monday had never been; None once they have begun.

    Terms that begin later keep what they change themselves.
    """
    if monday not in {term.monday for term in plan.terms[1:]}:
        return None
    terms = [term for term in plan.terms if term.monday < monday]
    for before, term in pairwise(term for term in plan.terms if term.monday >= monday):
        wish = TermChange.between(before, term)
        terms.append(replace(wish.over(terms[-1]), monday=term.monday))
    back = replace(plan, terms=_telling(terms))
    begun = monday < _earliest(plan, back, season, now)
    return None if begun or not _fits(plan, back, monday, season, now) else back


def taken_back(plan: Plan, monday: date, facts: Facts) -> Plan | Refusal:
    """The plan with the terms that begin on a Monday withdrawn, or why they cannot be."""
    back = withdrawal(plan, monday, facts.season, facts.now)
    return adopted(plan, back, monday, facts) if back else Refusal.PAST_CUTOFF


def withdrawable_until(plan: Plan, monday: date, facts: Facts) -> datetime | None:
    """The first instant at which the terms of a Monday can no longer be taken back.

    None where they cannot be now, or where no delivery is known that they touch.
    """
    back = taken_back(plan, monday, facts)
    if isinstance(back, Refusal):
        return None
    used = _used(back, facts.season) | _used(plan, facts.season)
    return min((d.cutoff for d in used if d.week >= monday), default=None)


def adopted(before: Plan, after: Plan, since: date, facts: Facts) -> Plan | Refusal:
    """Other terms from a Monday on, with what was changed for once beneath them.

    What is usual now is no change. A formula or a point for once falls where the one is not offered at the
    other; NOT_OFFERED where that is so of the terms, or where a postponed box even so comes to a point without
    it. A postponed box finds another delivery if need be. What says nothing any more stays and counts again
    under the old terms, see `set_aside`.
    """
    if (_asks(after, facts.now) - _asks(before, facts.now)) & facts.withheld:
        return Refusal.NOT_OFFERED
    plan = after
    for week, change in after.changes.items():
        if week >= since and (term_owing(plan, week) or weeks_aboard(plan, week)):
            plan = with_place(plan, week, change.place)
            plan = with_box(plan, week, change.formula_id, change.quantity)
    arrivals = {week: change.to_week or week for week, change in plan.changes.items()}
    offered = [  # before: what was brought already where it is not offered may stay
        week
        for week in sorted(arrivals)
        if arrivals[week] >= since
        and term_owing(plan, week)
        and not (term_owing(before, week) and refusal_of_formulas(before, [week], facts))
    ]
    for week in offered:
        for changed, wish in ((week, "formula_id"), (arrivals[week], "place")):
            if refusal_of_formulas(plan, [week], facts):
                plan = plan.with_change(changed, **{wish: None})
    return refusal_of_formulas(plan, offered, facts) or rehomed(plan, facts)


def _asks(plan: Plan, now: datetime) -> set[tuple[int, int]]:
    """The (point, formula) pairs of its terms, now and later: what is usual already stays so."""
    this_week = monday_of(local_day(now))
    current = term_in_force(plan.terms, this_week)
    terms = (term for term in plan.terms if term is current or term.monday > this_week)
    return {(term.point_id, term.formula_id) for term in terms}


def dropped(before: Plan, after: Plan) -> list[date]:
    """The weeks of which something chosen for once is gone for good."""
    return [
        week
        for week, change in sorted(before.changes.items())
        if replace(change, to_week=None) != replace(after.change_of(week), to_week=None)
    ]


def set_aside(before: Plan, after: Plan, since: date) -> list[date]:
    """The weeks from `since` on whose one-off changes say nothing under the new terms: they have no box.

    They are kept, and count again if the terms are taken back.
    """
    return [
        week
        for week in sorted(before.changes)
        if week >= since and term_owing(before, week) and not term_owing(after, week)
    ]
