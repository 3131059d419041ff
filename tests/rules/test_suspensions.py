"""Suspending a range of days: what stays away, what it is too late for, what comes back."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from portal.rules.calendar import WEEK
from portal.rules.changes import Refusal, ended, is_running, refusal_to_suspend, suspend, with_skip
from portal.rules.planning import Absence, Suspension, boxes_on
from tests.rules.guide import (
    FRIDAY,
    GAP,
    PLAN,
    TUESDAY,
    WEEK_1,
    WEEK_2,
    WEEK_3,
    WEEK_4,
    WEEK_5,
    WEEK_6,
    at,
    delivery,
    paris,
    received,
)

TUESDAY_2, TUESDAY_3 = date(2026, 6, 9), date(2026, 6, 16)
BEFORE, TOO_LATE = paris(6, 7, 23, 59), paris(6, 8, 0)
"""The last minute for Tuesday of week 2, and the first refused instant."""


def suspended(first=TUESDAY_2, last=TUESDAY_3, now=BEFORE, plan=PLAN):
    return suspend(plan, first, last, at(now)).plan


def weeks(boxes):
    return [box.week for box in boxes]


def refusal(effects, first=TUESDAY_2, last=TUESDAY_3, today=WEEK_1):
    return refusal_to_suspend(effects, first, last, today)


# What it covers


def test_no_box_comes_from_one_day_to_another_both_included_and_then_they_come_by_themselves():
    assert list(received(suspended())) == [WEEK_1, WEEK_4, WEEK_5, WEEK_6]
    (box,) = boxes_on(suspended(), delivery(TUESDAY, WEEK_2))
    assert box.absence is Absence.SUSPENDED
    assert WEEK_2 in received(suspended(first=TUESDAY_2 + timedelta(days=1)))
    assert WEEK_3 in received(suspended(last=TUESDAY_3 - timedelta(days=1)))


def test_what_has_closed_comes_all_the_same():
    assert WEEK_2 in received(suspended(now=TOO_LATE))
    assert WEEK_2 not in received(suspended(now=BEFORE))
    assert WEEK_3 not in received(suspended(now=TOO_LATE))


def test_a_delivery_counts_by_its_actual_date():
    moved = delivery(TUESDAY, WEEK_2, day=TUESDAY_3 + timedelta(days=1))
    assert WEEK_2 in received(suspended(), moved)
    into = delivery(TUESDAY, WEEK_4, day=TUESDAY_3)
    assert WEEK_4 not in received(suspended(), into)


def test_it_covers_postponed_boxes_where_they_come():
    assert WEEK_1 not in received(suspended(plan=PLAN.with_change(WEEK_1, to_week=WEEK_3)))
    assert WEEK_2 in received(suspended(plan=PLAN.with_change(WEEK_2, to_week=WEEK_4)))


def test_a_box_collected_elsewhere_counts_by_that_delivery():
    plan = PLAN.with_change(WEEK_2, place=GAP)
    assert received(suspended(last=TUESDAY_2, plan=plan))[WEEK_2][0] == FRIDAY


# One box taken back, a skip beneath


def test_one_box_is_taken_back_from_a_suspension():
    plan = with_skip(suspended(), WEEK_2, at(BEFORE), skip=False)
    assert WEEK_2 in received(plan) and WEEK_3 not in received(plan)
    again = with_skip(plan, WEEK_2, at(BEFORE), skip=True)
    assert again == suspended(), "and given back to it"


def test_skipping_what_is_suspended_changes_nothing():
    assert with_skip(suspended(), WEEK_2, at(BEFORE), skip=True) == suspended()


def test_the_latest_wish_counts():
    taken_back = with_skip(suspended(now=paris(6, 1)), WEEK_2, at(paris(6, 2)), skip=False)
    assert WEEK_2 in received(taken_back)
    assert WEEK_2 not in received(suspended(now=paris(6, 3), plan=taken_back))
    at_once = with_skip(suspended(now=paris(6, 1)), WEEK_2, at(paris(6, 1)), skip=False)
    assert WEEK_2 in received(at_once)


def test_a_skip_beneath_a_suspension_returns_when_it_ends():
    skipped = with_skip(PLAN, WEEK_2, at(paris(6, 1)), skip=True)
    plan = suspended(plan=skipped)
    (box,) = boxes_on(plan, delivery(TUESDAY, WEEK_2))
    assert box.absence is Absence.SKIPPED
    over = replace(plan, suspensions=(ended(plan.suspensions[0], BEFORE),))
    assert WEEK_2 not in received(over) and WEEK_3 in received(over)


def test_a_skip_is_taken_back_within_a_suspension_too():
    plan = suspended(plan=with_skip(PLAN, WEEK_2, at(paris(6, 1)), skip=True))
    assert WEEK_2 in received(with_skip(plan, WEEK_2, at(BEFORE), skip=False))


# The preview, which the act repeats


def test_the_preview_names_the_boxes_that_stay_away_those_that_are_closed_and_the_first_back():
    effect = suspend(PLAN, TUESDAY_2, TUESDAY_3, at(TOO_LATE))
    assert weeks(effect.suspended) == [WEEK_3]
    assert weeks(effect.closed) == [WEEK_2]
    assert effect.back and effect.back.week == WEEK_4
    assert effect.plan == suspended(now=TOO_LATE)
    assert effect.plan.suspensions == (Suspension(TUESDAY_2, TUESDAY_3, made_at=TOO_LATE),)


def test_it_names_a_postponed_box_where_it_comes():
    effect = suspend(PLAN.with_change(WEEK_1, to_week=WEEK_3), TUESDAY_3, TUESDAY_3, at(BEFORE))
    assert [(box.week, box.delivery.week) for box in effect.suspended] == [(WEEK_3, WEEK_3), (WEEK_1, WEEK_3)]


def test_it_leaves_out_what_does_not_come_anyway():
    plan = with_skip(PLAN, WEEK_2, at(BEFORE), skip=True)
    assert weeks(suspend(plan, TUESDAY_2, TUESDAY_3, at(BEFORE)).suspended) == [WEEK_3]
    assert suspend(suspended(), TUESDAY_2, TUESDAY_3, at(BEFORE)).suspended == ()
    closed = with_skip(PLAN, WEEK_2, at(BEFORE), skip=True)
    assert suspend(closed, TUESDAY_2, TUESDAY_3, at(TOO_LATE)).closed == ()


def test_the_first_back_is_the_first_that_comes_after_the_last_day():
    plan = with_skip(PLAN, WEEK_4, at(BEFORE), skip=True)
    effect = suspend(plan, TUESDAY_2, TUESDAY_3, at(BEFORE))
    assert effect.back and effect.back.week == WEEK_5
    longer = suspended(last=TUESDAY_3 + 2 * WEEK)
    assert suspend(longer, TUESDAY_2, TUESDAY_3, at(BEFORE)).back.week == WEEK_6
    assert suspend(PLAN, TUESDAY_2, date(2026, 12, 31), at(BEFORE)).back is None


def test_an_earlier_suspension_stays_beside_a_new_one():
    twice = suspended(first=TUESDAY_3, plan=suspended(last=TUESDAY_2))
    assert list(received(twice))[:2] == [WEEK_1, WEEK_4]


# When it cannot be


def test_a_suspension_takes_at_least_one_box_away():
    open_one, gone = (suspend(PLAN, TUESDAY_2, TUESDAY_2, at(now)) for now in (BEFORE, TOO_LATE))
    nothing = suspend(PLAN, TUESDAY_2 + timedelta(days=1), TUESDAY_3 - timedelta(days=1), at(BEFORE))
    assert refusal([open_one]) is None
    assert refusal([gone]) is Refusal.PAST_CUTOFF
    assert refusal([nothing]) is Refusal.NOT_EXPECTED
    assert refusal([nothing, gone]) is Refusal.PAST_CUTOFF
    assert refusal([gone, nothing, open_one]) is None, "vegetables but not eggs"
    assert refusal(iter([open_one])) is None


def test_a_suspension_is_for_something_and_for_days_to_come():
    effect = suspend(PLAN, TUESDAY_2, TUESDAY_3, at(BEFORE))
    assert refusal([]) is Refusal.NOTHING_CHOSEN
    assert refusal([effect], first=TUESDAY_3, last=TUESDAY_2) is Refusal.BAD_RANGE
    assert refusal([effect], today=TUESDAY_3 + timedelta(days=1)) is Refusal.BAD_RANGE
    assert refusal([effect], today=TUESDAY_3) is None, "it may have begun"
    assert refusal([effect], first=TUESDAY_3) is None, "one day is a range"


# Ending it early


def test_boxes_come_again_on_what_closes_after_it_was_ended():
    (suspension,) = suspended(now=paris(6, 1)).suspensions
    at_the_cutoff = replace(PLAN, suspensions=(ended(suspension, TOO_LATE),))
    assert WEEK_2 not in received(at_the_cutoff) and WEEK_3 in received(at_the_cutoff)
    in_time = replace(PLAN, suspensions=(ended(suspension, BEFORE),))
    assert {WEEK_2, WEEK_3} <= set(received(in_time))


def test_what_has_ended_stays_as_it_is():
    (suspension,) = suspended().suspensions
    once = ended(suspension, TOO_LATE)
    assert once.ended_at == TOO_LATE
    assert ended(once, paris(6, 20)) == once


@pytest.mark.parametrize(("days", "running"), [(-30, True), (0, True), (1, False)])
def test_a_suspension_runs_until_its_last_day_or_until_it_is_ended(days, running):
    (suspension,) = suspended().suspensions
    assert is_running(suspension, TUESDAY_3 + timedelta(days=days)) is running
    assert not is_running(ended(suspension, BEFORE), TUESDAY_3 + timedelta(days=days))
