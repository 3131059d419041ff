"""When people are reminded of what they owe."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.rules.dunning import BETWEEN, Late, age_of, is_time, next_steps

DUE = date(2026, 5, 1)
STEPS = (7, 21, 45)


def on(days, *, reminded=0, last=None):
    return next_steps([Late(1, DUE, reminded)], STEPS, last=last, today=DUE + timedelta(days=days)).get(1)


@pytest.mark.parametrize(
    ("days", "reminded", "step"),
    [
        (6, 0, None),
        (7, 0, 1),
        (20, 1, None),
        (21, 1, 2),
        (45, 2, 3),
        (400, 3, None),
        (400, 0, 1),
        (400, 1, 2),
    ],
)
def test_each_step_waits_for_its_day_and_none_is_left_out(days, reminded, step):
    assert on(days, reminded=reminded) == step


@pytest.mark.parametrize(("since", "step"), [(0, None), (6, None), (7, 2)])
def test_some_days_lie_between_two_reminders(since, step):
    today = DUE + timedelta(days=30)
    assert on(30, reminded=1, last=today - timedelta(days=since)) == step


@given(
    st.lists(st.dates(date(2026, 1, 1), date(2026, 12, 31)), min_size=1, max_size=5),
    st.lists(st.integers(1, 90), min_size=1, max_size=5, unique=True).map(sorted),
)
def test_day_after_day_each_step_goes_out_once_and_never_two_in_a_week(dues, days):
    sent: dict[int, list[date]] = {n: [] for n in range(len(dues))}
    mailed: list[date] = []
    today = min(dues)
    while today < max(dues) + timedelta(days=200):
        late = [Late(n, due, len(sent[n])) for n, due in enumerate(dues) if due < today]
        steps = next_steps(late, days, last=mailed[-1] if mailed else None, today=today)
        for number, step in steps.items():
            assert step == len(sent[number]) + 1
            assert (today - dues[number]).days >= days[step - 1]
            sent[number].append(today)
        mailed += [today] if steps else []
        today += timedelta(days=1)
    assert all(len(each) == len(days) for each in sent.values())
    assert all(later - sooner >= BETWEEN for sooner, later in pairwise(mailed))


@pytest.mark.parametrize(
    ("days", "age"),
    [(1, "month"), (30, "month"), (31, "two_months"), (60, "two_months"), (61, "three_months"), (91, "more")],
)
def test_debts_are_so_old(days, age):
    assert age_of(days) == age


@pytest.mark.parametrize(
    ("at", "is_it"),
    [
        (datetime(2026, 6, 10, 6, 59, tzinfo=UTC), False),
        (datetime(2026, 6, 10, 7, 0, tzinfo=UTC), True),
        (datetime(2026, 6, 10, 16, 0, tzinfo=UTC), False),
        (datetime(2026, 6, 13, 9, 0, tzinfo=UTC), False),
    ],
    ids=["before nine", "at nine", "at six in the evening", "on a Saturday"],
)
def test_nobody_is_reminded_at_night_or_on_a_weekend(at, is_it):
    assert is_time(at) is is_it
