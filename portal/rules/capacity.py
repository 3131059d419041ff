"""The places that boxes take at pickup points.

A box takes its formula's weight, so many times as it is ordered. Its place is kept wherever it comes back to
when something is undone, even when it is skipped, suspended or away for once, so that undoing never meets a
full point; it takes another one where it goes for once, is postponed to, or goes while its point is closed.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import date

from portal.rules.planning import Plan, Season, closing_of, place_in, term_in_force, term_owing

Places = Counter[tuple[int, date]]
"""(point, week) → places."""


def places(plan: Plan, weeks: Iterable[date], season: Season, weight: Mapping[int, int]) -> Places:
    """The places that a subscription takes by the boxes of these weeks; `weight` is by formula."""
    taken: Places = Counter()
    for week in weeks:
        term, change = term_owing(plan, week), plan.change_of(week)
        if term is None:
            continue
        usual = weight[term.formula_id] * term.quantity
        once = weight[change.formula_id or term.formula_id] * (change.quantity or term.quantity)
        for point_id, travels in _kept(plan, week, season):
            taken[point_id, travels] += max(usual, once)
    return +taken


def _kept(plan: Plan, week: date, season: Season) -> set[tuple[int, date]]:
    """Where a week's own box has a place: in its own week and in that of its journey, as usual and for once."""
    kept = set()
    for travels in {week, plan.change_of(week).to_week or week}:
        term = term_in_force(plan.terms, travels)
        for place in {term and term.place, place_in(plan, travels)}:
            delivery = place and season.on(place.tour_id, travels)
            if place and delivery and (plan.last_day is None or delivery.day <= plan.last_day):
                kept.add((place.point_id, travels))
                if closing := closing_of(place.point_id, delivery, plan.closings):
                    kept.add((closing.substitute_id, travels))
    return kept


def newly_taken(before: Places, after: Places) -> Places:
    """What a change takes that was not taken: the rest it holds already, full or not."""
    return after - before
