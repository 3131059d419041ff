"""What may change in one week, until when, and what comes of it."""

from dataclasses import replace
from datetime import timedelta

import pytest

from portal.rules.calendar import WEEK, Rhythm
from portal.rules.changes import (
    Facts,
    Refusal,
    comes,
    postponements,
    refusal_to_bring_forward,
    refusal_to_move,
    refusal_to_postpone,
    refusal_to_skip,
    refusal_to_vary,
    rehomed,
    with_box,
    with_place,
    with_postponement,
    with_skip,
)
from portal.rules.planning import Plan, Season, WeekChange, boxes_on
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
    at,
    delivery,
    paris,
    received,
    season,
)

BEFORE, TOO_LATE = paris(6, 7, 23, 59), paris(6, 8, 0)
"""The last minute for Tuesday of week 2, and the first refused instant."""

FORTNIGHTLY = Plan(7, (replace(TERM, rhythm=Rhythm.FORTNIGHT_A),))
TO_WEEK_4 = PLAN.with_change(WEEK_2, to_week=WEEK_4)
AT_GAP = PLAN.with_change(WEEK_2, place=GAP)
CLOSED_2, CLOSED_4 = (delivery(TUESDAY, week, cancelled=True) for week in (WEEK_2, WEEK_4))


# A skip


def test_a_box_is_skipped_and_taken_back_until_the_same_minute():
    for plan in (PLAN, with_skip(PLAN, WEEK_2, at(paris(6, 1)), skip=True)):
        assert refusal_to_skip(plan, WEEK_2, at(BEFORE)) is None
        assert refusal_to_skip(plan, WEEK_2, at(TOO_LATE)) is Refusal.PAST_CUTOFF


def test_a_week_without_a_box_has_nothing_to_skip():
    assert refusal_to_skip(FORTNIGHTLY, WEEK_2, at(BEFORE)) is Refusal.NOT_EXPECTED
    assert refusal_to_skip(FORTNIGHTLY, WEEK_2, at(TOO_LATE)) is Refusal.NOT_EXPECTED
    assert refusal_to_skip(replace(PLAN, last_day=WEEK_2), WEEK_2, at(BEFORE)) is Refusal.NOT_EXPECTED


def test_a_closure_is_said_before_anything_else():
    assert refusal_to_skip(PLAN, WEEK_2, at(paris(6, 9), CLOSED_2)) is Refusal.CANCELLED


def test_a_skip_is_one_press_and_taking_it_back_leaves_no_trace():
    skipped = with_skip(PLAN, WEEK_2, at(BEFORE), skip=True)
    assert skipped.changes == {WEEK_2: WeekChange(skip=True, skip_at=BEFORE)}
    assert not comes(skipped, WEEK_2, at(BEFORE)) and comes(PLAN, WEEK_2, at(BEFORE))
    assert with_skip(skipped, WEEK_2, at(BEFORE), skip=False) == PLAN


def test_no_box_is_on_its_way_where_none_is_owed_or_the_farm_is_closed():
    assert not comes(FORTNIGHTLY, WEEK_2, at(BEFORE))
    assert not comes(PLAN, WEEK_2, at(BEFORE, CLOSED_2))


def test_a_postponed_box_is_skipped_until_the_cutoff_of_the_delivery_that_it_travels_with():
    assert refusal_to_skip(TO_WEEK_4, WEEK_2, at(paris(6, 21, 23, 59))) is None
    assert refusal_to_skip(TO_WEEK_4, WEEK_2, at(paris(6, 22, 0))) is Refusal.PAST_CUTOFF
    skipped = with_skip(TO_WEEK_4, WEEK_2, at(TOO_LATE), skip=True)
    assert arriving(skipped)[WEEK_4] == [WEEK_4], "the other one still comes"


def test_a_box_collected_elsewhere_for_once_obeys_that_deliverys_cutoff():
    assert refusal_to_skip(AT_GAP, WEEK_2, at(paris(6, 9, 23, 59))) is None
    assert refusal_to_skip(AT_GAP, WEEK_2, at(paris(6, 10, 0))) is Refusal.PAST_CUTOFF


def test_each_change_of_a_week_is_undone_alone():
    plan = with_box(AT_GAP, WEEK_2, LARGE, 2)
    skipped = with_skip(plan, WEEK_2, at(BEFORE), skip=True)
    assert with_skip(skipped, WEEK_2, at(BEFORE), skip=False) == plan
    assert with_place(plan, WEEK_2, None) == with_box(PLAN, WEEK_2, LARGE, 2)
    assert with_box(plan, WEEK_2, None, 2) == AT_GAP.with_change(WEEK_2, quantity=2)


# A postponed box


def test_a_box_is_postponed_to_one_of_the_next_four_weeks():
    assert [d.week for d in postponements(PLAN, WEEK_2, at(BEFORE))] == [WEEK_3, WEEK_4, WEEK_5, WEEK_6]
    for week in (WEEK_1, WEEK_2, WEEK_2 + 5 * WEEK):
        assert refusal_to_postpone(PLAN, WEEK_2, week, at(paris(5, 1))) is Refusal.NO_SUCH_WEEK
    assert arriving(with_postponement(PLAN, WEEK_2, WEEK_4))[WEEK_4] == [WEEK_4, WEEK_2]


def test_a_box_is_postponed_until_its_own_cutoff():
    assert refusal_to_postpone(PLAN, WEEK_2, WEEK_3, at(BEFORE)) is None
    assert refusal_to_postpone(PLAN, WEEK_2, WEEK_3, at(TOO_LATE)) is Refusal.PAST_CUTOFF
    assert postponements(PLAN, WEEK_2, at(TOO_LATE)) == []


def test_a_box_is_postponed_to_an_open_delivery_only():
    assert refusal_to_postpone(PLAN, WEEK_2, WEEK_4, at(BEFORE, CLOSED_4)) is Refusal.CANCELLED
    early = delivery(TUESDAY, WEEK_3, day=WEEK_2)
    assert refusal_to_postpone(AT_GAP, WEEK_2, WEEK_3, at(TOO_LATE, early)) is Refusal.PAST_CUTOFF
    ending = replace(PLAN, last_day=WEEK_4)
    assert refusal_to_postpone(ending, WEEK_2, WEEK_4, at(BEFORE)) is Refusal.NOT_EXPECTED


def test_a_week_that_the_rhythm_leaves_out_takes_a_postponed_box():
    assert refusal_to_postpone(FORTNIGHTLY, WEEK_1, WEEK_2, at(paris(5, 31))) is None
    assert refusal_to_postpone(FORTNIGHTLY, WEEK_2, WEEK_3, at(BEFORE)) is Refusal.NOT_EXPECTED


def test_a_delivery_brings_two_boxes_of_a_subscription_at_most():
    assert refusal_to_postpone(TO_WEEK_4, WEEK_3, WEEK_4, at(BEFORE)) is Refusal.TAKEN
    away = with_postponement(TO_WEEK_4, WEEK_4, WEEK_5)
    assert refusal_to_postpone(away, WEEK_3, WEEK_4, at(BEFORE)) is Refusal.TAKEN, "it may come back"
    assert [d.week for d in postponements(TO_WEEK_4, WEEK_3, at(BEFORE))] == [WEEK_5, WEEK_6]


def test_a_skipped_box_is_taken_back_before_it_is_postponed():
    skipped = with_skip(PLAN, WEEK_2, at(BEFORE), skip=True)
    assert refusal_to_postpone(skipped, WEEK_2, WEEK_3, at(BEFORE)) is Refusal.SKIPPED
    assert refusal_to_postpone(skipped, WEEK_2, WEEK_3, at(TOO_LATE)) is Refusal.PAST_CUTOFF


def test_a_postponed_box_comes_back_until_the_earlier_cutoff_and_goes_further_until_the_later_one():
    assert refusal_to_bring_forward(TO_WEEK_4, WEEK_2, at(BEFORE)) is None
    assert refusal_to_bring_forward(TO_WEEK_4, WEEK_2, at(TOO_LATE)) is Refusal.PAST_CUTOFF
    assert [d.week for d in postponements(TO_WEEK_4, WEEK_2, at(TOO_LATE))] == [WEEK_3, WEEK_5, WEEK_6]
    assert refusal_to_postpone(TO_WEEK_4, WEEK_2, WEEK_5, at(paris(6, 22, 0))) is Refusal.PAST_CUTOFF
    assert with_postponement(TO_WEEK_4, WEEK_2, None) == PLAN


def test_a_postponed_box_whose_own_week_is_still_open_stays_on_a_closed_list():
    late = delivery(TUESDAY, WEEK_2, day=WEEK_5)
    facts = at(paris(6, 22, 0), late)
    assert refusal_to_bring_forward(TO_WEEK_4, WEEK_2, facts) is Refusal.PAST_CUTOFF


def test_a_box_does_not_come_back_to_a_cancelled_delivery():
    assert refusal_to_bring_forward(TO_WEEK_4, WEEK_2, at(BEFORE, CLOSED_2)) is Refusal.CANCELLED


def test_what_a_week_without_a_box_had_postponed_makes_room():
    aside = FORTNIGHTLY.with_change(WEEK_2, to_week=WEEK_4)
    assert refusal_to_postpone(aside, WEEK_3, WEEK_4, at(BEFORE)) is None
    plan = with_postponement(aside, WEEK_3, WEEK_4)
    assert plan.changes == {WEEK_3: WeekChange(to_week=WEEK_4)}
    assert with_postponement(aside, WEEK_3, None) == aside


# A destination that is taken away


def test_a_box_whose_destination_is_cancelled_goes_home_while_that_is_open():
    assert rehomed(TO_WEEK_4, at(BEFORE, CLOSED_4)) == PLAN


def test_it_goes_to_the_next_open_delivery_where_its_own_is_closed():
    assert rehomed(TO_WEEK_4, at(TOO_LATE, CLOSED_4)).change_of(WEEK_2).to_week == WEEK_3
    assert rehomed(TO_WEEK_4, at(BEFORE, CLOSED_2, CLOSED_4)).change_of(WEEK_2).to_week == WEEK_3
    late = at(paris(6, 16), CLOSED_4)
    assert rehomed(TO_WEEK_4, late).change_of(WEEK_2).to_week == WEEK_5


def test_it_is_found_among_the_other_changes_of_a_plan():
    plan = TO_WEEK_4.with_change(WEEK_1, quantity=2).with_change(WEEK_3, quantity=2)
    facts = at(TOO_LATE, CLOSED_4)
    assert rehomed(plan, facts).change_of(WEEK_2).to_week == WEEK_3


def test_it_does_not_join_another_postponed_box():
    plan = TO_WEEK_4.with_change(WEEK_1, to_week=WEEK_3)
    assert rehomed(plan, at(TOO_LATE, CLOSED_4)).change_of(WEEK_2).to_week == WEEK_5


def test_a_box_whose_destination_lies_after_the_end_of_the_subscription_goes_home():
    ending = replace(TO_WEEK_4, last_day=WEEK_3)
    assert rehomed(ending, at(BEFORE)) == replace(PLAN, last_day=WEEK_3)
    assert rehomed(ending, at(TOO_LATE)) == ending, "there is no later one, which was said beforehand"


def test_what_still_has_its_delivery_stays_where_it_is():
    assert rehomed(TO_WEEK_4, at(TOO_LATE)) == TO_WEEK_4
    assert rehomed(TO_WEEK_4, at(paris(7, 1))) == TO_WEEK_4, "a closed list keeps it"
    assert rehomed(TO_WEEK_4, at(BEFORE, CLOSED_2)) == TO_WEEK_4, "postponed off a closure it is untouched"


def test_where_no_open_delivery_is_known_a_box_waits():
    closure = [delivery(TUESDAY, week, cancelled=True) for week in (WEEK_3, WEEK_4, WEEK_5, WEEK_6)]
    assert rehomed(TO_WEEK_4, at(TOO_LATE, *closure)) == TO_WEEK_4


def test_weeks_of_which_no_delivery_is_known_are_left_alone():
    beyond = PLAN.with_change(WEEK_6, to_week=WEEK_6 + WEEK)
    before = PLAN.with_change(WEEK_1 - 5 * WEEK, to_week=WEEK_1 - 4 * WEEK)
    assert rehomed(beyond, at(BEFORE)) == beyond
    assert rehomed(before, at(BEFORE)) == before
    assert rehomed(TO_WEEK_4, Facts(Season([]), BEFORE)) == TO_WEEK_4


def test_a_week_that_owes_no_box_has_none_to_bring_home():
    aside = FORTNIGHTLY.with_change(WEEK_2, to_week=WEEK_4)
    assert rehomed(aside, at(BEFORE, CLOSED_4)) == aside


# Another pickup point for once


def test_a_box_is_collected_elsewhere_while_both_deliveries_are_open_to_do_and_to_undo():
    assert refusal_to_move(PLAN, WEEK_2, GAP, at(BEFORE)) is None
    assert refusal_to_move(PLAN, WEEK_2, GAP, at(TOO_LATE)) is Refusal.PAST_CUTOFF
    assert refusal_to_move(AT_GAP, WEEK_2, None, at(BEFORE)) is None
    assert refusal_to_move(AT_GAP, WEEK_2, None, at(TOO_LATE)) is Refusal.PAST_CUTOFF
    friday_gone = delivery(FRIDAY, WEEK_2, day=WEEK_1 + timedelta(days=THURSDAY))
    assert refusal_to_move(PLAN, WEEK_2, GAP, at(paris(6, 2), friday_gone)) is Refusal.PAST_CUTOFF


def test_from_then_on_it_obeys_its_new_deliverys_cutoff():
    assert refusal_to_move(AT_GAP, WEEK_2, SERRES, at(paris(6, 8, 23, 59))) is None
    assert refusal_to_move(AT_GAP, WEEK_2, SERRES, at(paris(6, 9, 0))) is Refusal.PAST_CUTOFF
    assert refusal_to_skip(AT_GAP, WEEK_2, at(paris(6, 9, 0))) is None


def test_a_box_does_not_go_where_there_is_no_delivery():
    cancelled = delivery(FRIDAY, WEEK_2, cancelled=True)
    assert refusal_to_move(PLAN, WEEK_2, GAP, at(BEFORE, cancelled)) is Refusal.CANCELLED
    assert refusal_to_move(PLAN, WEEK_2, GAP, at(BEFORE, CLOSED_2)) is Refusal.CANCELLED
    only_tuesdays = Facts(Season(d for d in season() if d.tour_id == TUESDAY), BEFORE)
    assert refusal_to_move(PLAN, WEEK_2, GAP, only_tuesdays) is Refusal.NOT_EXPECTED
    assert refusal_to_move(FORTNIGHTLY, WEEK_2, GAP, at(BEFORE)) is Refusal.NOT_EXPECTED


def test_all_that_travels_in_a_week_goes_along_and_nothing_else():
    plan = with_place(TO_WEEK_4, WEEK_4, GAP)
    assert [box.week for box in boxes_on(plan, delivery(FRIDAY, WEEK_4))] == [WEEK_4, WEEK_2]
    assert refusal_to_move(TO_WEEK_4, WEEK_2, GAP, at(BEFORE)) is Refusal.NOT_EXPECTED, "its box is away"


def test_the_usual_point_is_no_change():
    assert with_place(PLAN, WEEK_2, LARAGNE) == PLAN
    assert with_place(AT_GAP, WEEK_2, LARAGNE) == with_place(AT_GAP, WEEK_2, None) == PLAN
    assert with_place(PLAN, WEEK_2, VEYNES).change_of(WEEK_2).place == VEYNES


# Another box for once


def test_a_box_is_another_formula_or_quantity_until_its_cutoff():
    assert refusal_to_vary(PLAN, WEEK_2, LARGE, at(BEFORE)) is None
    assert refusal_to_vary(PLAN, WEEK_2, LARGE, at(TOO_LATE)) is Refusal.PAST_CUTOFF
    assert refusal_to_vary(FORTNIGHTLY, WEEK_2, LARGE, at(BEFORE)) is Refusal.NOT_EXPECTED
    assert refusal_to_vary(TO_WEEK_4, WEEK_2, LARGE, at(TOO_LATE)) is None
    assert received(with_box(PLAN, WEEK_2, LARGE, 2))[WEEK_2] == (TUESDAY, LARGE, 2)


def test_the_usual_formula_and_quantity_are_no_change():
    assert with_box(with_box(PLAN, WEEK_2, LARGE, 2), WEEK_2, SMALL, 1) == PLAN
    assert with_box(PLAN, WEEK_2, SMALL, 2).changes == {WEEK_2: WeekChange(quantity=2)}
    assert with_box(PLAN, WEEK_2, LARGE, 1).changes == {WEEK_2: WeekChange(formula_id=LARGE)}
    assert with_box(with_box(PLAN, WEEK_2, LARGE, 2), WEEK_2, None, None) == PLAN


# What a point does not offer


def test_a_point_brings_only_what_it_offers():
    facts = at(BEFORE, withheld=[(GAP, SMALL), (LARAGNE, LARGE)])
    assert refusal_to_move(PLAN, WEEK_2, GAP, facts) is Refusal.NOT_OFFERED
    assert refusal_to_move(PLAN, WEEK_2, SERRES, facts) is None
    assert refusal_to_vary(PLAN, WEEK_2, LARGE, facts) is Refusal.NOT_OFFERED
    assert refusal_to_vary(AT_GAP, WEEK_2, LARGE, facts) is None
    assert refusal_to_vary(with_box(AT_GAP, WEEK_2, LARGE, None), WEEK_2, None, facts) is Refusal.NOT_OFFERED


def test_a_box_is_not_postponed_to_where_it_is_not_offered_nor_back():
    to_gap = PLAN.with_change(WEEK_4, place=GAP)
    assert (
        refusal_to_postpone(to_gap, WEEK_2, WEEK_4, at(BEFORE, withheld=[(GAP, SMALL)]))
        is Refusal.NOT_OFFERED
    )
    larger = with_box(with_postponement(to_gap, WEEK_2, WEEK_4), WEEK_2, LARGE, None)
    facts = at(BEFORE, withheld=[(LARAGNE, LARGE)])
    assert refusal_to_bring_forward(larger, WEEK_2, facts) is Refusal.NOT_OFFERED
    assert refusal_to_bring_forward(larger, WEEK_2, at(BEFORE)) is None


def test_what_is_usual_at_a_point_stays_so_though_it_is_no_longer_offered():
    facts = at(BEFORE, withheld=[(LARAGNE, SMALL)])
    assert refusal_to_move(AT_GAP, WEEK_2, None, facts) is None
    assert refusal_to_postpone(PLAN, WEEK_2, WEEK_3, facts) is None
    assert refusal_to_vary(with_box(PLAN, WEEK_2, LARGE, None), WEEK_2, None, facts) is None


def test_a_box_moves_with_the_postponed_one_only_where_both_are_offered():
    plan = with_box(TO_WEEK_4, WEEK_2, LARGE, None)
    facts = at(BEFORE, withheld=[(GAP, LARGE)])
    assert refusal_to_move(plan, WEEK_4, GAP, facts) is Refusal.NOT_OFFERED
    assert refusal_to_move(plan, WEEK_3, GAP, facts) is None


@pytest.mark.parametrize("mine", [WEEK_2, WEEK_4])
def test_a_box_that_is_not_offered_where_it_travels_does_not_hold_the_other_one(mine):
    other = WEEK_2 if mine == WEEK_4 else WEEK_4
    plan = with_box(TO_WEEK_4, other, LARGE, None)
    facts = at(BEFORE, withheld=[(LARAGNE, LARGE)])
    assert refusal_to_vary(plan, mine, None, facts) is None
    assert refusal_to_postpone(plan, mine, WEEK_5, facts) is None
