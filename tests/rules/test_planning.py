"""What a subscription receives, and what may still change in it.

The farm of these tests is the guide's: Tuesday's delivery closes on Sunday, Thursday's on Monday, Friday's on
Tuesday, each at 23:59.
"""

from dataclasses import replace
from datetime import date, datetime, time, timedelta

import pytest

from portal.rules.calendar import WEEK, Fortnight, Rhythm
from portal.rules.cutoffs import PARIS, Lead, cutoff_instant
from portal.rules.planning import (
    Box,
    Delivery,
    Plan,
    Refusal,
    Term,
    TermChange,
    apply_change,
    baskets_at_freeze,
    effective_monday,
    expected_term,
    project,
    refusal_to_skip,
    refusal_to_unskip,
    term_in_force,
)

TUESDAY, THURSDAY, FRIDAY = 1, 3, 4  # a tour's id is its weekday here
LEADS = {
    TUESDAY: Lead(2, time(23, 59)),
    THURSDAY: Lead(3, time(23, 59)),
    FRIDAY: Lead(3, time(23, 59)),
}
LARAGNE, SERRES, GAP = 10, 30, 40  # pickup points of Tuesday, Thursday, Friday
SMALL, LARGE = 1, 2

WEEK_1 = date(2026, 6, 1)  # a fortnight A
WEEK_2, WEEK_3, WEEK_4, WEEK_5 = (WEEK_1 + n * WEEK for n in range(1, 5))
TERM = Term(date(2026, 1, 5), SMALL, 1, Rhythm.WEEKLY, LARAGNE, TUESDAY)
PLAN = Plan(subscription_id=7, terms=(TERM,))
TO_GAP = TermChange(point_id=GAP, tour_id=FRIDAY)


def delivery(tour, week, **facts):
    day = facts.pop("day", week + timedelta(days=tour))
    number = tour * 1000 + (week - WEEK_1).days // 7
    return Delivery(number, tour, week, day, cutoff_instant(day, LEADS[tour]), **facts)


def season(*instead, weeks=6):
    """All deliveries of some weeks around June 2026, with some in place of the usual ones."""
    usual = {
        (tour, WEEK_1 + n * WEEK): delivery(tour, WEEK_1 + n * WEEK)
        for tour in LEADS
        for n in range(-3, weeks)
    }
    return list((usual | {(other.tour_id, other.week): other for other in instead}).values())


def paris(month, day, hour=12, minute=0):
    return datetime(2026, month, day, hour, minute, tzinfo=PARIS)


def effective(change, now, *instead, plan=PLAN):
    return effective_monday(plan=plan, change=change, deliveries=season(*instead), now=now)


def received(plan, *instead, since=WEEK_1):
    """Tour, formula and quantity by week."""
    return {
        box.week: (box.delivery.tour_id, box.formula_id, box.quantity)
        for box in project(plan, season(*instead))
        if box.week >= since and not box.skipped
    }


# What is received


def test_a_weekly_subscription_receives_a_box_on_each_delivery_of_its_tour():
    boxes = project(PLAN, [delivery(TUESDAY, WEEK_2), delivery(FRIDAY, WEEK_1), delivery(TUESDAY, WEEK_1)])
    assert boxes == [
        Box(7, WEEK_1, delivery(TUESDAY, WEEK_1), SMALL, 1, LARAGNE, skipped=False),
        Box(7, WEEK_2, delivery(TUESDAY, WEEK_2), SMALL, 1, LARAGNE, skipped=False),
    ]


def test_a_fortnightly_subscription_receives_every_other_week():
    assert delivery(TUESDAY, WEEK_1).fortnight is Fortnight.A
    plan = Plan(7, (replace(TERM, rhythm=Rhythm.FORTNIGHT_B),))
    assert list(received(plan)) == [WEEK_2, WEEK_4, WEEK_5 + WEEK]


def test_a_skipped_box_stays_in_the_planning_and_is_marked():
    plan = replace(PLAN, skipped_weeks=frozenset({WEEK_2}))
    boxes = project(plan, [delivery(TUESDAY, week) for week in (WEEK_1, WEEK_2, WEEK_3)])
    assert [box.skipped for box in boxes] == [False, True, False]


def test_deliveries_resume_by_themselves_after_the_last_skipped_box():
    plan = replace(PLAN, skipped_weeks=frozenset({WEEK_1, WEEK_2}))
    assert min(received(plan)) == WEEK_3


def test_a_cancelled_delivery_brings_no_box_and_keeps_the_skip_for_its_return():
    plan = replace(PLAN, skipped_weeks=frozenset({WEEK_2}))
    cancelled = delivery(TUESDAY, WEEK_2, cancelled=True)
    assert project(plan, [cancelled]) == []
    assert expected_term(plan, cancelled) == TERM
    assert project(plan, [replace(cancelled, cancelled=False)])[0].skipped


def test_a_moved_delivery_keeps_its_week_its_fortnight_and_the_skip():
    moved = delivery(FRIDAY, WEEK_1, day=WEEK_2)
    term = replace(TERM, point_id=GAP, tour_id=FRIDAY, rhythm=Rhythm.FORTNIGHT_A)
    (box,) = project(Plan(7, (term,), frozenset({WEEK_1})), [moved])
    assert (box.week, box.skipped, box.delivery.day) == (WEEK_1, True, WEEK_2)


def test_boxes_come_in_the_order_of_their_actual_dates():
    late = delivery(TUESDAY, WEEK_1, day=WEEK_3)
    assert [box.week for box in project(PLAN, [late, delivery(TUESDAY, WEEK_2)])] == [WEEK_2, WEEK_1]


def test_the_last_box_is_the_last_whose_actual_date_is_not_after_the_end():
    tuesday_2 = WEEK_2 + timedelta(days=1)
    assert list(received(replace(PLAN, last_day=tuesday_2))) == [WEEK_1, WEEK_2]
    assert list(received(replace(PLAN, last_day=tuesday_2 - timedelta(days=1)))) == [WEEK_1]
    moved = delivery(TUESDAY, WEEK_2, day=tuesday_2 + timedelta(days=1))
    assert list(received(replace(PLAN, last_day=tuesday_2), moved)) == [WEEK_1]


def test_a_term_rules_from_its_monday_until_the_next_one():
    later = replace(TERM, monday=WEEK_2, quantity=3)
    assert term_in_force((later, TERM), WEEK_1) == TERM
    assert term_in_force((later, TERM), WEEK_2) == later
    assert term_in_force((later, TERM), date(2025, 12, 29)) is None
    assert project(Plan(7, (later,)), [delivery(TUESDAY, WEEK_1)]) == []


def test_a_delivery_freezes_the_boxes_that_travel_with_it_and_no_skipped_one():
    friday = replace(TERM, point_id=GAP, tour_id=FRIDAY)
    plans = [
        Plan(1, (TERM,)),
        Plan(2, (TERM,), skipped_weeks=frozenset({WEEK_1})),
        Plan(3, (friday,)),
        Plan(4, (replace(TERM, quantity=2),), skipped_weeks=frozenset({WEEK_2})),
    ]
    closing = delivery(TUESDAY, WEEK_1)
    assert [(b.subscription_id, b.quantity) for b in baskets_at_freeze(plans, closing)] == [(1, 1), (4, 2)]
    assert baskets_at_freeze(plans, replace(closing, cancelled=True)) == []


# Skipping and taking back


def skip_facts(**facts):
    usual = {"box_expected": True, "cancelled": False, "frozen": False, "cutoff": paris(6, 8, 0)}
    return usual | {"now": paris(6, 7, 23, 59)} | facts


@pytest.mark.parametrize("rule", [refusal_to_skip, refusal_to_unskip])
def test_a_box_is_skipped_and_taken_back_until_the_same_minute(rule):
    assert rule(**skip_facts()) is None
    assert rule(**skip_facts(now=paris(6, 8, 0))) is Refusal.PAST_CUTOFF


@pytest.mark.parametrize("rule", [refusal_to_skip, refusal_to_unskip])
def test_a_frozen_list_is_closed_even_if_its_cutoff_lies_ahead(rule):
    assert rule(**skip_facts(frozen=True)) is Refusal.PAST_CUTOFF


@pytest.mark.parametrize("rule", [refusal_to_skip, refusal_to_unskip])
def test_a_week_without_a_box_has_nothing_to_skip(rule):
    assert rule(**skip_facts(box_expected=False)) is Refusal.NOT_EXPECTED
    assert rule(**skip_facts(box_expected=False, now=paris(6, 9))) is Refusal.NOT_EXPECTED


@pytest.mark.parametrize("rule", [refusal_to_skip, refusal_to_unskip])
def test_a_cancelled_delivery_says_so_before_anything_else(rule):
    facts = skip_facts(cancelled=True, box_expected=False, frozen=True, now=paris(6, 9))
    assert rule(**facts) is Refusal.CANCELLED


def test_a_delivery_is_open_until_its_cutoff_unless_cancelled_or_frozen():
    usual = delivery(TUESDAY, WEEK_2)
    assert usual.is_open(paris(6, 7, 23, 59))
    assert not usual.is_open(paris(6, 8, 0))
    assert not replace(usual, frozen=True).is_open(paris(6, 1))
    assert not replace(usual, cancelled=True).is_open(paris(6, 1))


# From when a change of terms holds


def test_a_change_before_sundays_midnight_holds_for_the_coming_tuesday():
    larger = TermChange(formula_id=LARGE)
    assert effective(larger, paris(6, 7, 23, 59)) == WEEK_2
    assert effective(larger, paris(6, 8, 0, 0)) == WEEK_3


def test_a_move_to_a_later_weekday_waits_for_the_old_tour():
    # Monday: this week's Tuesday is closed, its Friday open; moving now would bring two boxes.
    assert effective(TO_GAP, paris(6, 1)) == WEEK_2


def test_a_move_to_an_earlier_weekday_waits_for_the_new_tour():
    # Monday: this week's Friday is open, its Tuesday closed; moving now would bring none.
    friday = Plan(7, (replace(TERM, point_id=GAP, tour_id=FRIDAY),))
    to_laragne = TermChange(point_id=LARAGNE, tour_id=TUESDAY)
    assert effective(to_laragne, paris(6, 1), plan=friday) == WEEK_2
    assert effective(to_laragne, paris(5, 31), plan=friday) == WEEK_1


def test_a_change_that_touches_only_open_deliveries_holds_in_the_present_week():
    friday = Plan(7, (replace(TERM, point_id=GAP, tour_id=FRIDAY),))
    to_serres = TermChange(point_id=SERRES, tour_id=THURSDAY)
    assert effective(to_serres, paris(6, 1), plan=friday) == WEEK_1
    assert effective(to_serres, paris(6, 2, 0, 0), plan=friday) == WEEK_2


def test_a_week_that_the_rhythm_leaves_out_blocks_nothing():
    plan = Plan(7, (replace(TERM, rhythm=Rhythm.FORTNIGHT_B),))
    assert effective(TermChange(quantity=2), paris(6, 3), plan=plan) == WEEK_1
    assert effective(TermChange(rhythm=Rhythm.WEEKLY), paris(6, 3), plan=plan) == WEEK_2


def test_a_skipped_box_blocks_as_any_other():
    plan = replace(PLAN, skipped_weeks=frozenset({WEEK_1}))
    assert effective(TO_GAP, paris(6, 1), plan=plan) == WEEK_2


def test_a_cancelled_delivery_does_not_block_a_change():
    assert effective(TO_GAP, paris(6, 1), delivery(TUESDAY, WEEK_1, cancelled=True)) == WEEK_1


def test_where_the_new_tour_is_cancelled_the_old_one_still_delivers():
    closed = delivery(FRIDAY, WEEK_2, cancelled=True)
    assert effective(TO_GAP, paris(6, 1), closed) == WEEK_3
    assert effective(TO_GAP, paris(6, 1), closed, delivery(FRIDAY, WEEK_3, cancelled=True)) == WEEK_4


def test_where_both_tours_are_cancelled_there_is_nothing_to_wait_for():
    both = [delivery(tour, WEEK_2, cancelled=True) for tour in (TUESDAY, FRIDAY)]
    assert effective(TO_GAP, paris(6, 1), *both) == WEEK_2


def test_a_later_closure_of_the_new_tour_is_its_own_affair():
    assert effective(TO_GAP, paris(6, 1), delivery(FRIDAY, WEEK_3, cancelled=True)) == WEEK_2


def test_a_fortnightly_box_does_not_fall_away_in_the_first_week_that_brings_one():
    plan = Plan(7, (replace(TERM, rhythm=Rhythm.FORTNIGHT_B),))
    closed = delivery(FRIDAY, WEEK_2, cancelled=True)
    assert effective(TO_GAP, paris(6, 3), plan=plan) == WEEK_1
    assert effective(TO_GAP, paris(6, 3), closed, plan=plan) == WEEK_3


def test_a_tour_that_begins_later_is_joined_when_it_begins():
    deliveries = [d for d in season() if d.tour_id == TUESDAY or d.week >= WEEK_4]
    assert effective_monday(plan=PLAN, change=TO_GAP, deliveries=deliveries, now=paris(6, 1)) == WEEK_4


def test_a_delivery_moved_beyond_the_present_week_blocks_the_weeks_up_to_its_own():
    early = delivery(TUESDAY, WEEK_2, day=WEEK_1 + timedelta(days=4))
    assert effective(TermChange(quantity=2), paris(6, 3, 23, 59), early) == WEEK_2
    assert effective(TermChange(quantity=2), paris(6, 4), early) == WEEK_3


def test_a_delivery_moved_into_the_present_week_can_still_be_changed():
    late = delivery(FRIDAY, WEEK_1, day=WEEK_2 + timedelta(days=THURSDAY))
    friday = Plan(7, (replace(TERM, point_id=GAP, tour_id=FRIDAY),))
    assert effective(TermChange(quantity=2), paris(6, 8, 23, 59), late, plan=friday) == WEEK_1
    assert effective(TermChange(quantity=2), paris(6, 9, 0, 0), late, plan=friday) == WEEK_2


def test_a_closure_gone_by_is_not_rewritten():
    closure = [delivery(TUESDAY, WEEK_1 + n * WEEK, cancelled=True) for n in (-2, -1, 0)]
    assert effective(TermChange(quantity=2), paris(6, 3), *closure) == WEEK_1


def test_a_subscription_that_begins_later_changes_from_its_first_week():
    plan = Plan(7, (replace(TERM, monday=WEEK_4),))
    assert effective(TO_GAP, paris(6, 1), plan=plan) == WEEK_4


def test_the_week_begins_in_paris():
    plan = Plan(7, (replace(TERM, rhythm=Rhythm.FORTNIGHT_B),))
    late_sunday_in_utc = datetime.fromisoformat("2026-05-31T22:30+00:00")
    assert effective(TermChange(quantity=2), late_sunday_in_utc, plan=plan) == WEEK_1


def test_a_change_without_a_plan_or_an_instant_is_an_error():
    with pytest.raises(ValueError, match="empty"):
        effective(TO_GAP, paris(6, 1), plan=Plan(7, ()))
    with pytest.raises(ValueError, match="naive"):
        effective_monday(plan=PLAN, change=TO_GAP, deliveries=[], now=paris(6, 1).replace(tzinfo=None))


# What a change of terms does


def test_a_change_names_only_what_it_changes():
    plan = apply_change(PLAN, TO_GAP, WEEK_2)
    assert plan.terms == (TERM, Term(WEEK_2, SMALL, 1, Rhythm.WEEKLY, GAP, FRIDAY))
    assert received(plan, since=WEEK_1)[WEEK_1] == (TUESDAY, SMALL, 1)
    assert received(plan, since=WEEK_1)[WEEK_2] == (FRIDAY, SMALL, 1)


def test_a_pickup_point_changes_together_with_its_tour():
    with pytest.raises(ValueError, match="together"):
        TermChange(point_id=GAP)
    with pytest.raises(ValueError, match="together"):
        TermChange(tour_id=FRIDAY)


def test_a_change_applies_to_the_pending_one_too():
    pending = apply_change(PLAN, TO_GAP, WEEK_3)
    plan = apply_change(pending, TermChange(quantity=2), WEEK_2)
    assert received(plan, since=WEEK_1) == {
        WEEK_1: (TUESDAY, SMALL, 1),
        WEEK_2: (TUESDAY, SMALL, 2),
        **{WEEK_3 + n * WEEK: (FRIDAY, SMALL, 2) for n in range(4)},
    }


def test_two_changes_from_the_same_monday_make_one_term():
    plan = apply_change(apply_change(PLAN, TO_GAP, WEEK_2), TermChange(formula_id=LARGE), WEEK_2)
    assert plan.terms == (TERM, Term(WEEK_2, LARGE, 1, Rhythm.WEEKLY, GAP, FRIDAY))


def test_a_pending_change_is_withdrawn_by_a_change_back():
    pending = apply_change(PLAN, TO_GAP, WEEK_3)
    back = TermChange(point_id=LARAGNE, tour_id=TUESDAY)
    assert apply_change(pending, back, WEEK_2) == PLAN
    assert apply_change(pending, back, WEEK_3) == PLAN


def test_the_pending_tour_counts_for_the_effective_date():
    # Week 2 already belongs to Friday; Monday's noon leaves it open, but not week 2's Tuesday.
    pending = apply_change(PLAN, TO_GAP, WEEK_2)
    assert effective(TermChange(quantity=2), paris(6, 8), plan=pending) == WEEK_2
    assert effective(TermChange(point_id=LARAGNE, tour_id=TUESDAY), paris(6, 8), plan=pending) == WEEK_3


def test_a_change_keeps_skips_and_end():
    plan = replace(PLAN, skipped_weeks=frozenset({WEEK_3}), last_day=WEEK_5)
    changed = apply_change(plan, TO_GAP, WEEK_2)
    assert (changed.skipped_weeks, changed.last_day) == (plan.skipped_weeks, plan.last_day)
    assert list(received(changed)) == [WEEK_1, WEEK_2, WEEK_4]


def test_terms_start_on_mondays_and_not_before_the_subscription():
    with pytest.raises(ValueError, match="Monday"):
        apply_change(PLAN, TO_GAP, WEEK_2 + timedelta(days=1))
    with pytest.raises(ValueError, match="before the subscription"):
        apply_change(PLAN, TO_GAP, TERM.monday - WEEK)
