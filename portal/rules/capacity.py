"""The places that boxes take at pickup points (DESIGN §5, capacity).

A box takes its formula's weight, so many times as it is ordered. Places are kept where a box is usual, even
when it is skipped, suspended or away for once, so that undoing never meets a full point; they are taken as
well where it goes for once or is postponed to.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import date

from portal.rules.planning import Plan, Season, delivery_of, place_in, term_owing

Places = Counter[tuple[int, date]]
"""(point, week) → places."""


def places(plan: Plan, weeks: Iterable[date], season: Season, weight: Mapping[int, int]) -> Places:
    """The places that a subscription takes by the boxes of these weeks; `weight` is by formula."""
    taken: Places = Counter()
    for week in weeks:
        term = term_owing(plan, week)
        if term is None:
            continue
        change = plan.change_of(week)
        usual = weight[term.formula_id] * term.quantity
        once = weight[change.formula_id or term.formula_id] * (change.quantity or term.quantity)
        travels = change.to_week or week
        place = place_in(plan, travels)
        home = season.on(term.tour_id, week)
        if home and (plan.last_day is None or home.day <= plan.last_day):
            stays = travels == week and place == term.place
            taken[term.point_id, week] += max(usual, once) if stays else usual
            if stays:
                continue
        if place and delivery_of(plan, travels, season):
            taken[place.point_id, travels] += once
    return +taken


def newly_taken(before: Places, after: Places) -> Places:
    """What a change takes that was not taken: the rest it holds already, full or not."""
    return after - before
