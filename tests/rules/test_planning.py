"""What a subscription receives, and what a delivery carries."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from portal.rules.calendar import WEEK, Fortnight, Rhythm
from portal.rules.changes import Refusal, refusal_to_change
from portal.rules.planning import (
    NO_CHANGE,
    Absence,
    Box,
    Place,
    Plan,
    Season,
    Suspension,
    baskets_at_freeze,
    boxes_on,
    carrier,
    delivery_of,
    place_in,
    project,
    term_in_force,
    term_owing,
    weeks_aboard,
)
from tests.rules.guide import (
    FRIDAY,
    GAP,
    LARAGNE,
    LARGE,
    PLAN,
    SERRES,
    SMALL,
    TERM,
    THURSDAY,
    TUESDAY,
    VEYNES,
    WEEK_1,
    WEEK_2,
    WEEK_3,
    WEEK_4,
    WEEK_5,
    WEEK_6,
    arriving,
    delivery,
    paris,
    received,
    season,
)

JANUARY = paris(1, 10)


def skipping(*weeks, plan=PLAN):
    for week in weeks:
        plan = plan.with_change(week, skip=True, skip_at=JANUARY)
    return plan


# Terms


def test_a_weekly_subscription_receives_a_box_on_each_delivery_of_its_tour():
    boxes = project(PLAN, [delivery(TUESDAY, WEEK_2), delivery(FRIDAY, WEEK_1), delivery(TUESDAY, WEEK_1)])
    assert boxes == [
        Box(7, WEEK_1, delivery(TUESDAY, WEEK_1), SMALL, 1, LARAGNE.point_id),
        Box(7, WEEK_2, delivery(TUESDAY, WEEK_2), SMALL, 1, LARAGNE.point_id),
    ]
    assert all(box.comes and not box.postponed for box in boxes)


def test_a_fortnightly_subscription_receives_every_other_week():
    assert delivery(TUESDAY, WEEK_1).fortnight is Fortnight.A
    plan = Plan(7, (replace(TERM, rhythm=Rhythm.FORTNIGHT_B),))
    assert list(received(plan)) == [WEEK_2, WEEK_4, WEEK_6]


def test_a_term_rules_from_its_monday_until_the_next_one():
    later = replace(TERM, monday=WEEK_2, quantity=3)
    assert term_in_force((later, TERM), WEEK_1) == TERM
    assert term_in_force((later, TERM), WEEK_2) == later
    assert term_in_force((later, TERM), date(2025, 12, 29)) is None
    assert project(Plan(7, (later,)), [delivery(TUESDAY, WEEK_1)]) == []


def test_before_its_first_term_a_subscription_has_no_box_and_no_place():
    plan = Plan(7, (replace(TERM, monday=WEEK_2),)).with_change(WEEK_1, place=GAP)
    assert term_owing(plan, WEEK_1) is None and place_in(plan, WEEK_1) is None
    assert delivery_of(plan, WEEK_1, season()) is None and carrier(plan, WEEK_1, season()) is None
    assert boxes_on(plan, delivery(FRIDAY, WEEK_1)) == []


def test_boxes_come_in_the_order_of_their_actual_dates():
    late = delivery(TUESDAY, WEEK_1, day=WEEK_3)
    assert [box.week for box in project(PLAN, [late, delivery(TUESDAY, WEEK_2)])] == [WEEK_2, WEEK_1]


def test_a_season_is_in_the_order_of_actual_dates_and_knows_its_weeks():
    late = delivery(TUESDAY, WEEK_1, day=WEEK_3)
    found = Season([late, delivery(FRIDAY, WEEK_2), delivery(TUESDAY, WEEK_2)])
    assert [(d.tour_id, d.week) for d in found] == [(TUESDAY, WEEK_2), (FRIDAY, WEEK_2), (TUESDAY, WEEK_1)]
    assert found.weeks == [WEEK_1, WEEK_2]
    assert found.on(FRIDAY, WEEK_1) is None


def test_two_tours_on_one_day_come_in_the_order_of_their_weeks_and_then_as_they_were_made():
    postponed = delivery(TUESDAY, WEEK_1, day=WEEK_2)
    usual = [delivery(tour, WEEK_2, day=WEEK_2) for tour in (FRIDAY, THURSDAY)]
    assert list(Season([*usual, postponed])) == [postponed, *reversed(usual)]


# One-off changes


def test_a_week_without_wishes_leaves_no_trace():
    skipped = skipping(WEEK_2)
    assert skipped.change_of(WEEK_2).skip and skipped.change_of(WEEK_3) == NO_CHANGE
    assert skipped.with_change(WEEK_2, skip=None, skip_at=None) == PLAN
    assert dict(PLAN.changes) == {}, "a plan never changes"


def test_a_skipped_box_stays_in_the_planning_and_is_marked():
    boxes = project(skipping(WEEK_2), [delivery(TUESDAY, week) for week in (WEEK_1, WEEK_2, WEEK_3)])
    assert [box.absence for box in boxes] == [None, Absence.SKIPPED, None]
    assert [box.comes for box in boxes] == [True, False, True]


def test_deliveries_resume_by_themselves_after_the_last_skipped_box():
    assert min(received(skipping(WEEK_1, WEEK_2))) == WEEK_3


def test_a_box_collected_elsewhere_for_once_travels_with_that_tour():
    plan = PLAN.with_change(WEEK_2, place=GAP)
    assert received(plan)[WEEK_2] == (FRIDAY, SMALL, 1)
    (box,) = boxes_on(plan, delivery(FRIDAY, WEEK_2))
    assert (box.point_id, box.postponed) == (GAP.point_id, False)
    assert boxes_on(plan, delivery(TUESDAY, WEEK_2)) == []


def test_another_formula_or_quantity_is_for_that_weeks_own_box():
    plan = PLAN.with_change(WEEK_2, formula_id=LARGE).with_change(WEEK_3, quantity=2)
    assert received(plan)[WEEK_2] == (TUESDAY, LARGE, 1)
    assert received(plan)[WEEK_3] == (TUESDAY, SMALL, 2)
    assert received(plan)[WEEK_4] == (TUESDAY, SMALL, 1)


def test_a_postponed_box_travels_with_the_other_weeks_one_and_keeps_what_it_holds():
    plan = PLAN.with_change(WEEK_1, to_week=WEEK_3, formula_id=LARGE, quantity=2)
    assert weeks_aboard(plan, WEEK_1) == []
    assert weeks_aboard(plan, WEEK_3) == [WEEK_3, WEEK_1], "its own first"
    assert carrier(plan, WEEK_1, season()) == delivery(TUESDAY, WEEK_3)
    own, guest = boxes_on(plan, delivery(TUESDAY, WEEK_3))
    assert (own.week, own.formula_id, own.quantity, own.postponed) == (WEEK_3, SMALL, 1, False)
    assert (guest.week, guest.formula_id, guest.quantity, guest.postponed) == (WEEK_1, LARGE, 2, True)


def test_a_postponed_box_takes_the_point_of_the_week_in_which_it_comes():
    plan = PLAN.with_change(WEEK_1, to_week=WEEK_3).with_change(WEEK_3, place=GAP)
    assert [box.point_id for box in boxes_on(plan, delivery(FRIDAY, WEEK_3))] == [GAP.point_id] * 2
    moved = Plan(7, (TERM, replace(TERM, monday=WEEK_3, point_id=VEYNES.point_id)), plan.changes)
    assert place_in(moved, WEEK_3) == GAP
    assert place_in(moved, WEEK_4) == VEYNES and place_in(moved, WEEK_2) == LARAGNE


def test_the_other_point_of_its_own_week_does_not_follow_a_postponed_box():
    plan = PLAN.with_change(WEEK_1, to_week=WEEK_3, place=SERRES)
    assert carrier(plan, WEEK_1, season()) == delivery(TUESDAY, WEEK_3)


def test_a_week_whose_rhythm_has_no_box_can_bring_a_postponed_one():
    plan = Plan(7, (replace(TERM, rhythm=Rhythm.FORTNIGHT_A),)).with_change(WEEK_1, to_week=WEEK_2)
    assert arriving(plan) == {WEEK_2: [WEEK_1], WEEK_3: [WEEK_3], WEEK_5: [WEEK_5]}


def test_a_week_that_owes_no_box_has_none_to_postpone():
    plan = Plan(7, (replace(TERM, rhythm=Rhythm.FORTNIGHT_A),)).with_change(WEEK_2, to_week=WEEK_3)
    assert weeks_aboard(plan, WEEK_3) == [WEEK_3]
    assert carrier(plan, WEEK_2, season()) is None


def test_a_plan_knows_every_tour_that_brings_it_something():
    later = replace(TERM, monday=WEEK_4, point_id=GAP.point_id, tour_id=FRIDAY)
    plan = Plan(7, (TERM, later)).with_change(WEEK_2, place=SERRES).with_change(WEEK_3, quantity=2)
    assert plan.tour_ids == {TUESDAY, THURSDAY, FRIDAY}
    assert later.place == Place(GAP.point_id, FRIDAY)


# Closures, moved deliveries, the end


def test_a_cancelled_delivery_brings_no_box_and_keeps_the_skip_for_its_return():
    plan, cancelled = skipping(WEEK_2), delivery(TUESDAY, WEEK_2, cancelled=True)
    assert project(plan, [cancelled]) == []
    assert carrier(plan, WEEK_2, Season([cancelled])) == cancelled
    assert not project(plan, [replace(cancelled, cancelled=False)])[0].comes


def test_a_moved_delivery_keeps_its_week_its_fortnight_and_the_skip():
    moved = delivery(FRIDAY, WEEK_1, day=WEEK_2)
    term = replace(TERM, point_id=GAP.point_id, tour_id=FRIDAY, rhythm=Rhythm.FORTNIGHT_A)
    (box,) = project(skipping(WEEK_1, plan=Plan(7, (term,))), [moved])
    assert (box.week, box.absence, box.delivery.day) == (WEEK_1, Absence.SKIPPED, WEEK_2)


def test_the_last_box_is_the_last_whose_actual_date_is_not_after_the_end():
    tuesday_2 = WEEK_2 + timedelta(days=1)
    assert list(received(replace(PLAN, last_day=tuesday_2))) == [WEEK_1, WEEK_2]
    assert list(received(replace(PLAN, last_day=tuesday_2 - timedelta(days=1)))) == [WEEK_1]
    moved = delivery(TUESDAY, WEEK_2, day=tuesday_2 + timedelta(days=1))
    assert list(received(replace(PLAN, last_day=tuesday_2), moved)) == [WEEK_1]
    assert delivery_of(replace(PLAN, last_day=tuesday_2), WEEK_2, season(moved)) is None


def test_a_box_postponed_beyond_the_end_falls():
    plan = replace(PLAN, last_day=WEEK_2).with_change(WEEK_1, to_week=WEEK_3)
    assert received(plan) == {}


def test_a_delivery_freezes_the_boxes_that_travel_with_it_and_none_that_stays_away():
    friday = replace(TERM, point_id=GAP.point_id, tour_id=FRIDAY)
    away = Suspension(WEEK_1, WEEK_2, made_at=JANUARY)
    plans = [
        Plan(1, (TERM,)),
        skipping(WEEK_1, plan=Plan(2, (TERM,))),
        Plan(3, (friday,)),
        skipping(WEEK_2, plan=Plan(4, (replace(TERM, quantity=2),))),
        Plan(5, (friday,)).with_change(WEEK_1, place=VEYNES),
        Plan(6, (TERM,), suspensions=(away,)),
        Plan(8, (TERM,)).with_change(WEEK_1 - WEEK, to_week=WEEK_1, quantity=3),
    ]
    closing = delivery(TUESDAY, WEEK_1)
    frozen = [(box.subscription_id, box.quantity) for box in baskets_at_freeze(plans, closing)]
    assert frozen == [(1, 1), (4, 2), (5, 1), (8, 1), (8, 3)]
    assert baskets_at_freeze(plans, replace(closing, cancelled=True)) == []


# Until when


def test_a_delivery_is_open_until_its_cutoff_unless_cancelled_or_frozen():
    usual = delivery(TUESDAY, WEEK_2)
    assert usual.is_open(paris(6, 7, 23, 59))
    assert not usual.is_open(paris(6, 8, 0))
    assert not replace(usual, frozen=True).is_open(paris(6, 1))
    assert not replace(usual, cancelled=True).is_open(paris(6, 1))


@pytest.mark.parametrize(
    ("facts", "now", "refusal"),
    [
        ({}, paris(6, 7, 23, 59), None),
        ({}, paris(6, 8, 0), Refusal.PAST_CUTOFF),
        ({"frozen": True}, paris(6, 1), Refusal.PAST_CUTOFF),
        ({"cancelled": True, "frozen": True}, paris(6, 9), Refusal.CANCELLED),
    ],
)
def test_boxes_change_until_the_cutoff_and_a_closure_is_said_first(facts, now, refusal):
    assert refusal_to_change(delivery(TUESDAY, WEEK_2, **facts), now) is refusal


def test_where_no_delivery_comes_nothing_changes():
    assert refusal_to_change(None, paris(6, 1)) is Refusal.NOT_EXPECTED
