"""Ending a subscription: the last box, what is closed, what falls."""

from dataclasses import replace
from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from portal.rules.changes import Refusal, with_postponement
from portal.rules.ending import Ending, with_end, without_end
from portal.rules.planning import project
from tests.rules.guide import PLAN, WEEK_1, WEEK_2, WEEK_4, at, paris, received

TUESDAY_2, TUESDAY_3 = date(2026, 6, 9), date(2026, 6, 16)
BEFORE, TOO_LATE = paris(6, 7, 23, 59), paris(6, 8, 0)
"""The last minute for Tuesday of week 2, and the first refused instant."""


def end(wished: date, now=BEFORE, plan=PLAN) -> Ending:
    found = with_end(plan, wished, at(now))
    assert isinstance(found, Ending)
    return found


def test_the_last_box_is_the_last_at_or_before_the_wished_day():
    assert list(received(end(TUESDAY_2).plan)) == [WEEK_1, WEEK_2]
    assert list(received(end(TUESDAY_2 - timedelta(days=1)).plan)) == [WEEK_1]
    assert end(TUESDAY_3).last.delivery.day == TUESDAY_3


def test_what_has_closed_is_delivered_all_the_same():
    ending = end(TUESDAY_2 - timedelta(days=1), now=TOO_LATE)
    assert [box.week for box in ending.closed] == [WEEK_2]
    assert ending.plan.last_day == TUESDAY_2 and list(received(ending.plan)) == [WEEK_1, WEEK_2]


def test_a_box_postponed_beyond_the_end_falls_and_is_named():
    ending = end(TUESDAY_3, plan=with_postponement(PLAN, WEEK_2, WEEK_4))
    assert [box.week for box in ending.fallen] == [WEEK_2]
    assert WEEK_2 not in received(ending.plan)


def test_an_end_is_taken_back_or_put_off_while_no_delivery_after_it_has_closed():
    plan = end(TUESDAY_2 - timedelta(days=1)).plan
    assert without_end(plan, at(BEFORE)) == replace(plan, last_day=None)
    assert without_end(plan, at(TOO_LATE)) is Refusal.PAST_CUTOFF
    assert with_end(plan, TUESDAY_3, at(TOO_LATE)) is Refusal.PAST_CUTOFF


@given(st.integers(0, 45), st.integers(0, 40), st.booleans())
def test_no_end_reaches_a_delivery_that_has_closed(days, hours, first):
    now = BEFORE + timedelta(hours=7 * hours)
    plan = end(TUESDAY_3, now=BEFORE).plan if first else PLAN
    found = with_end(plan, WEEK_1 + timedelta(days=days), at(now))
    if isinstance(found, Ending):
        closed = [delivery for delivery in at(now).season if delivery.cutoff <= now]
        assert project(found.plan, closed) == project(plan, closed)
