"""Farms, subscriptions and moments for property tests: closures, moved deliveries, one-off changes, suspensions."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import product
from types import MappingProxyType
from typing import Any

from hypothesis import strategies as st

from portal.rules.calendar import WEEK, Rhythm
from portal.rules.changes import Facts
from portal.rules.cutoffs import Lead, cutoff_instant
from portal.rules.planning import (
    NO_CHANGE,
    Closing,
    Delivery,
    Place,
    Plan,
    Season,
    Suspension,
    Term,
    WeekChange,
    project,
)
from portal.rules.terms import TermChange

FIRST_WEEKS = [date(2026, 9, 14), date(2026, 11, 30)]
"""Ten weeks around the 25-hour Sunday, and ten around week 53."""
WEEKS = 10
TOURS = [1, 2, 3]
PLACES = [Place(tour * 10 + n, tour) for tour in TOURS for n in (0, 1)]
FORMULAS = [1, 2, 3]
WEIGHT = {1: 0, 2: 1, 3: 2}


def one_of_each(*kinds: Iterable[Any]) -> st.SearchStrategy[Any]:
    """One draw for several things: fewer draws make fast examples."""
    return st.sampled_from(list(product(*kinds)))


QUANTITIES = [1, 2, 3]
LEADS = [Lead(days, at) for days in range(7) for at in (time(0, 0), time(12, 0), time(23, 59))]

weeks_near = one_of_each(range(-1, 6), range(1, 5))
"""Weeks from the present one, and from there on."""
ranges = one_of_each(range(-7, 28), range(21))
"""Days from the present one, and from there on."""
rounds = one_of_each(range(7), LEADS)
weeks_ahead = st.integers(0, WEEKS - 1)
deliveries_ahead = one_of_each(TOURS, range(WEEKS))
terms = one_of_each(FORMULAS, QUANTITIES, Rhythm, PLACES)
boxes_for_once = one_of_each([None, *PLACES], [None, *FORMULAS], [None, *QUANTITIES])
term_changes = one_of_each(
    [None, *FORMULAS], [None, *QUANTITIES], [None, *Rhythm], [(None, None), *PLACES]
).map(lambda wish: TermChange(*wish[:3], *wish[3]))


@dataclass(frozen=True)
class Situation:
    """A subscription at a moment that lies after everything that was done to it."""

    plan: Plan
    facts: Facts

    def with_plan(self, plan: Plan) -> "Situation":
        """Of another plan; what it brings is offered where it brings it."""
        brought = {(box.point_id, box.formula_id) for box in project(plan, self.season)}
        return Situation(plan, replace(self.facts, withheld=self.facts.withheld - brought))

    @property
    def season(self) -> Season:
        return self.facts.season

    @property
    def now(self) -> datetime:
        return self.facts.now


@st.composite
def situations(draw: st.DrawFn, most_terms: int = 3) -> Situation:
    first = draw(st.sampled_from(FIRST_WEEKS))
    season = draw(seasons(first))
    now = draw(moments(season, first))
    plan = draw(plans(first, now, most_terms))
    withheld = draw(st.sets(one_of_each(PLACES, FORMULAS), max_size=6))
    facts = Facts(season, now, {(place.point_id, formula) for place, formula in withheld})
    return Situation(plan, facts).with_plan(plan)


@st.composite
def seasons(draw: st.DrawFn, first: date) -> Season:
    """All deliveries of three tours, some cancelled, some moved by up to three days."""
    cancelled = draw(st.sets(deliveries_ahead, max_size=8))
    moves = draw(st.dictionaries(deliveries_ahead, st.integers(-3, 3), max_size=4))
    deliveries = []
    for tour in TOURS:
        weekday, lead = draw(rounds)
        for n in range(WEEKS):
            week = first + n * WEEK
            day = week + timedelta(days=weekday + moves.get((tour, n), 0))
            gone = (tour, n) in cancelled
            deliveries.append(Delivery(tour * 100 + n, tour, week, day, cutoff_instant(day, lead), gone))
    return Season(deliveries)


@st.composite
def moments(draw: st.DrawFn, season: Season, first: date) -> datetime:
    """In the first weeks; some of them the very cutoff of a delivery, or the last instant before it."""
    minute = datetime.combine(first, time(), UTC) + timedelta(minutes=draw(st.integers(0, 6 * 7 * 24 * 60)))
    cutoffs = [d.cutoff for d in season if d.week < first + 6 * WEEK]
    cutoff = draw(st.sampled_from(cutoffs))
    return draw(st.sampled_from([minute, cutoff, cutoff - timedelta(microseconds=1)]))


@st.composite
def plans(draw: st.DrawFn, first: date, now: datetime, most_terms: int) -> Plan:
    agreed = []
    for n in sorted(draw(st.sets(st.integers(-3, 7), min_size=1, max_size=most_terms))):
        formula, quantity, rhythm, place = draw(terms)
        agreed.append(Term(first + n * WEEK, formula, quantity, rhythm, *place))
    last_day = draw(st.none() | st.none() | st.integers(0, 100).map(lambda n: first + timedelta(days=n)))
    suspensions = tuple(draw(st.lists(suspensions_from(first, now), max_size=2)))
    changes, closings = draw(week_changes(first, now)), draw(closings_from(first, now))
    return Plan(1, tuple(agreed), changes, suspensions, last_day, closings)


def history(now: datetime) -> st.SearchStrategy[datetime]:
    """Before now: of two wishes at one instant nobody knows the latest."""
    return st.integers(1, 40 * 24).map(lambda hours: now - timedelta(hours=hours))


@st.composite
def week_changes(draw: st.DrawFn, first: date, now: datetime) -> MappingProxyType[date, WeekChange]:
    """One-off changes of some weeks; no two boxes are postponed to the same one."""
    changes = {}
    taken: set[int] = set()
    for n in draw(st.sets(weeks_ahead, max_size=4)):
        later = draw(st.sampled_from([None, *(m for m in range(n + 1, min(n + 5, WEEKS)) if m not in taken)]))
        taken |= {later} if later else set()
        skip = draw(st.sampled_from([None, True, False]))
        change = WeekChange(
            skip,
            None if skip is None else draw(history(now)),
            None if later is None else first + later * WEEK,
            *draw(boxes_for_once),
        )
        if change != NO_CHANGE:
            changes[first + n * WEEK] = change
    return MappingProxyType(changes)


@st.composite
def suspensions_from(draw: st.DrawFn, first: date, now: datetime) -> Suspension:
    since = first + timedelta(days=draw(st.integers(-7, 7 * WEEKS)))
    until = since + timedelta(days=draw(st.integers(0, 21)))
    made_at, ended_at = sorted([draw(history(now)), draw(history(now))])
    return Suspension(since, until, made_at, draw(st.sampled_from([None, ended_at])))


@st.composite
def closings_from(draw: st.DrawFn, first: date, now: datetime) -> tuple[Closing, ...]:
    """No point is closed, or one of a tour's for some days."""
    point, tour = draw(st.sampled_from([(None, None), *PLACES]))
    if point is None or tour is None:
        return ()
    (substitute,) = {place.point_id for place in PLACES if place.tour_id == tour} - {point}
    since = first + timedelta(days=draw(st.integers(-7, 7 * WEEKS)))
    until = since + timedelta(days=draw(st.integers(0, 21)))
    made_at, ended_at = sorted([draw(history(now)), draw(history(now))])
    ended = draw(st.sampled_from([None, ended_at]))
    return (Closing(point, substitute, since, until, made_at, ended),)
