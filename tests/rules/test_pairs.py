"""Every pair of acts at the hours of two weeks: a random storm alone misses holes.

By default at the hours around each cutoff; `make prove` takes every hour of the two weeks.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from portal.rules.calendar import WEEK, Rhythm
from portal.rules.changes import Facts, Refusal, postponements, refusal_to_skip
from portal.rules.planning import Box, Plan, Season, boxes_on, carrier, delivery_of, term_owing
from portal.rules.terms import TermChange
from tests.infra.workers import ROUNDS
from tests.rules.acts import (
    Act,
    bring_forward,
    change,
    move,
    postpone,
    resume,
    skip,
    suspend,
    unskip,
    vary,
    withdraw,
)
from tests.rules.guide import (
    FRIDAY,
    GAP,
    LARAGNE,
    LARGE,
    PLAN,
    TUESDAY,
    WEEK_2,
    WEEK_3,
    WEEK_4,
    WEEK_5,
    delivery,
    paris,
)

WEEKS = [WEEK_2 + n * WEEK for n in range(-1, 7)]
DELIVERIES = [
    delivery(tour, week, cancelled=(tour, week) == (FRIDAY, WEEK_4))
    for week in WEEKS
    for tour in (TUESDAY, FRIDAY)
]
SEASON = Season(DELIVERIES)

HOUR = timedelta(hours=1)
BEGIN = paris(6, 5)  # Friday noon
TWO_WEEKS = [BEGIN + n * HOUR for n in range(14 * 24)]
LAGS = [n * HOUR for n in (0, 1, 2, 12, 24, 48, 60, 72, 120, 168)]
CUTOFFS = [d.cutoff for d in DELIVERIES]
AT_THE_CUTOFFS = [hour for hour in TWO_WEEKS if hour in CUTOFFS or hour + HOUR in CUTOFFS]

ACTS = [
    *(act(week) for week in (WEEK_2, WEEK_3, WEEK_4) for act in (skip, unskip, bring_forward)),
    *(postpone(week, week + n * WEEK) for week in (WEEK_2, WEEK_3) for n in (1, 2, 3, 4)),
    postpone(WEEK_4, WEEK_5),
    *(move(week, place) for week in (WEEK_2, WEEK_3, WEEK_4) for place in (GAP, None)),
    *(vary(week, formula, None) for week in (WEEK_2, WEEK_3) for formula in (LARGE, None)),
    suspend(WEEK_2, WEEK_2 + WEEK),
    suspend(WEEK_3, WEEK_5),
    suspend(WEEK_2, WEEK_2 + 5 * WEEK),
    resume(),
    change(TermChange(point_id=GAP.point_id, tour_id=FRIDAY)),
    change(TermChange(point_id=LARAGNE.point_id, tour_id=TUESDAY)),
    change(TermChange(rhythm=Rhythm.FORTNIGHT_B)),
    change(TermChange(quantity=2)),
    Act("withdraw the first", lambda plan, facts: withdraw(plan.terms[:2][-1].monday).do(plan, facts)),
    Act("withdraw the last", lambda plan, facts: withdraw(plan.terms[-1].monday).do(plan, facts)),
]


def pairs_of_hours() -> Iterator[tuple[datetime, list[datetime]]]:
    """When the first act happens, and when the second."""
    for hour in TWO_WEEKS if ROUNDS > 1 else AT_THE_CUTOFFS:
        later = [hour + lag for lag in LAGS] if ROUNDS > 1 else [h for h in AT_THE_CUTOFFS if h >= hour]
        yield hour, later


def aboard(plan: Plan) -> list[list[Box]]:
    return [boxes_on(plan, delivery) for delivery in DELIVERIES]


def check(before: list[list[Box]], after: Plan, now: datetime) -> list[list[Box]]:
    """What must hold after an accepted act; answers what deliveries carry."""
    carried = aboard(after)
    origins = Counter(box.week for boxes in carried for box in boxes)
    assert max(origins.values()) <= 1, "a week has at most one box"
    assert max(map(len, carried)) <= 2, "a delivery brings at most two"
    for travels, was, boxes in zip(DELIVERIES, before, carried, strict=True):
        assert boxes == was or now < travels.cutoff, "a closed list stays as it is"
    for week, wish in after.changes.items():
        if wish.to_week and term_owing(after, week):
            destination = delivery_of(after, wish.to_week, SEASON)
            assert destination and not destination.cancelled, "a postponed box never vanishes"
    return carried


def check_offers(plan: Plan, facts: Facts) -> None:
    """The page offers what the act accepts."""
    for week in WEEKS[1:4]:
        current = plan.change_of(week).to_week
        accepted = [
            later
            for later in (week + n * WEEK for n in range(1, 5))
            if later != current and not isinstance(postpone(week, later).do(plan, facts), Refusal)
        ]
        assert [d.week for d in postponements(plan, week, facts)] == accepted
        travels = carrier(plan, week, SEASON)
        is_open = travels is not None and travels.is_open(facts.now)
        assert (refusal_to_skip(plan, week, facts) is None) == is_open


def outcomes(plan: Plan, facts: Facts) -> Iterator[tuple[Act, Plan]]:
    """Every act that a plan accepts at a moment and that changes it."""
    carried = aboard(plan)
    check_offers(plan, facts)
    for act in ACTS:
        after = act.do(plan, facts)
        if isinstance(after, Plan) and after != plan:
            check(carried, after, facts.now)
            yield act, after
    assert aboard(plan) == carried, "a refused act changes nothing"


@pytest.mark.parametrize("rhythm", [Rhythm.WEEKLY, Rhythm.FORTNIGHT_A])
def test_no_pair_of_acts_makes_a_hole_at_any_hour(rhythm):
    plan = replace(PLAN, terms=(replace(PLAN.terms[0], rhythm=rhythm),))
    for hour, later in pairs_of_hours():
        done = Counter(
            (first.name, second.name)
            for first, once in outcomes(plan, Facts(SEASON, hour))
            for moment in later
            for second, _ in outcomes(once, Facts(SEASON, moment))
        )
        assert done, "something can be done at every hour"
