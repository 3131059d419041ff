"""A change of terms: from when it holds, what it does, and taking it back."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from portal.rules.calendar import WEEK, Rhythm
from portal.rules.changes import Facts, Refusal, rehomed
from portal.rules.planning import Plan, Season, Term
from portal.rules.terms import (
    TermChange,
    adopted,
    apply_change,
    dropped,
    effective_monday,
    set_aside,
    taken_back,
    withdrawable_until,
    withdrawal,
)
from tests.rules.guide import (
    EGGS,
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

TO_GAP = TermChange(point_id=GAP.point_id, tour_id=FRIDAY)
TO_LARAGNE = TermChange(point_id=LARAGNE.point_id, tour_id=TUESDAY)
TO_SERRES = TermChange(point_id=SERRES.point_id, tour_id=THURSDAY)
MORE = TermChange(quantity=2)
AT_GAP = Plan(7, (replace(TERM, point_id=GAP.point_id, tour_id=FRIDAY),))


def effective(change, now, *instead, plan=PLAN):
    return effective_monday(plan=plan, change=change, season=season(*instead), now=now)


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
    assert effective(TO_LARAGNE, paris(6, 1), plan=AT_GAP) == WEEK_2
    assert effective(TO_LARAGNE, paris(5, 31), plan=AT_GAP) == WEEK_1


def test_a_change_that_touches_only_open_deliveries_holds_in_the_present_week():
    assert effective(TO_SERRES, paris(6, 1), plan=AT_GAP) == WEEK_1
    assert effective(TO_SERRES, paris(6, 2, 0, 0), plan=AT_GAP) == WEEK_2


def test_a_week_that_the_rhythm_leaves_out_blocks_nothing():
    plan = Plan(7, (replace(TERM, rhythm=Rhythm.FORTNIGHT_B),))
    assert effective(MORE, paris(6, 3), plan=plan) == WEEK_1
    assert effective(TermChange(rhythm=Rhythm.WEEKLY), paris(6, 3), plan=plan) == WEEK_2


def test_a_skipped_box_blocks_as_any_other():
    plan = PLAN.with_change(WEEK_1, skip=True, skip_at=paris(5, 1))
    assert effective(TO_GAP, paris(6, 1), plan=plan) == WEEK_2


def test_a_box_postponed_into_the_new_terms_does_not_come_to_a_closed_list():
    plan = Plan(7, (replace(TERM, point_id=GAP.point_id, tour_id=FRIDAY, rhythm=Rhythm.FORTNIGHT_A),))
    plan = plan.with_change(WEEK_1, to_week=WEEK_3)
    change = replace(TO_LARAGNE, rhythm=Rhythm.FORTNIGHT_B)
    assert effective(change, paris(6, 14, 23, 59), plan=plan) == WEEK_3
    assert effective(change, paris(6, 15, 0, 0), plan=plan) == WEEK_4


def test_a_postponement_that_says_nothing_any_more_does_not_delay_a_change():
    plan = Plan(7, (replace(TERM, point_id=GAP.point_id, tour_id=FRIDAY, rhythm=Rhythm.FORTNIGHT_B),))
    plan = plan.with_change(WEEK_1, to_week=WEEK_2).with_change(WEEK_2, to_week=WEEK_3, place=LARAGNE)
    assert effective(TermChange(rhythm=Rhythm.WEEKLY), paris(6, 8, 0, 0), plan=plan) == WEEK_2


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
    known = Season(d for d in season() if d.tour_id == TUESDAY or d.week >= WEEK_4)
    assert effective_monday(plan=PLAN, change=TO_GAP, season=known, now=paris(6, 1)) == WEEK_4


def test_a_delivery_moved_beyond_the_present_week_blocks_the_weeks_up_to_its_own():
    early = delivery(TUESDAY, WEEK_2, day=WEEK_1 + timedelta(days=4))
    assert effective(MORE, paris(6, 3, 23, 59), early) == WEEK_2
    assert effective(MORE, paris(6, 4), early) == WEEK_3


def test_a_delivery_moved_into_the_present_week_can_still_be_changed():
    late = delivery(FRIDAY, WEEK_1, day=WEEK_2 + timedelta(days=THURSDAY))
    assert effective(MORE, paris(6, 8, 23, 59), late, plan=AT_GAP) == WEEK_1
    assert effective(MORE, paris(6, 9, 0, 0), late, plan=AT_GAP) == WEEK_2


def test_a_closure_gone_by_is_not_rewritten():
    closure = [delivery(TUESDAY, WEEK_1 + n * WEEK, cancelled=True) for n in (-2, -1, 0)]
    assert effective(MORE, paris(6, 3), *closure) == WEEK_1


def test_a_subscription_that_begins_later_changes_from_its_first_week():
    plan = Plan(7, (replace(TERM, monday=WEEK_4),))
    assert effective(TO_GAP, paris(6, 1), plan=plan) == WEEK_4


def test_the_week_begins_in_paris():
    plan = Plan(7, (replace(TERM, rhythm=Rhythm.FORTNIGHT_B),))
    late_sunday_in_utc = datetime.fromisoformat("2026-05-31T22:30+00:00")
    assert effective(MORE, late_sunday_in_utc, plan=plan) == WEEK_1


def test_a_change_without_a_plan_or_an_instant_is_an_error():
    with pytest.raises(ValueError, match="empty"):
        effective(TO_GAP, paris(6, 1), plan=Plan(7, ()))
    with pytest.raises(ValueError, match="naive"):
        effective_monday(plan=PLAN, change=TO_GAP, season=season(), now=paris(6, 1).replace(tzinfo=None))


# What a change of terms does


def test_a_change_names_only_what_it_changes():
    plan = apply_change(PLAN, TO_GAP, WEEK_2)
    assert plan.terms == (TERM, Term(WEEK_2, SMALL, 1, Rhythm.WEEKLY, *GAP))
    assert received(plan)[WEEK_1] == (TUESDAY, SMALL, 1)
    assert received(plan)[WEEK_2] == (FRIDAY, SMALL, 1)


def test_a_pickup_point_changes_together_with_its_tour():
    with pytest.raises(ValueError, match=r"^a pickup point changes together with its tour$"):
        TermChange(point_id=GAP.point_id)
    with pytest.raises(ValueError, match=r"^a pickup point changes together with its tour$"):
        TermChange(tour_id=FRIDAY)


def test_a_change_applies_to_the_pending_one_too():
    pending = apply_change(PLAN, TO_GAP, WEEK_3)
    plan = apply_change(pending, MORE, WEEK_2)
    assert received(plan) == {
        WEEK_1: (TUESDAY, SMALL, 1),
        WEEK_2: (TUESDAY, SMALL, 2),
        **{WEEK_3 + n * WEEK: (FRIDAY, SMALL, 2) for n in range(4)},
    }


def test_two_changes_from_the_same_monday_make_one_term():
    plan = apply_change(apply_change(PLAN, TO_GAP, WEEK_2), TermChange(formula_id=LARGE), WEEK_2)
    assert plan.terms == (TERM, Term(WEEK_2, LARGE, 1, Rhythm.WEEKLY, *GAP))


def test_a_pending_change_is_withdrawn_by_a_change_back():
    pending = apply_change(PLAN, TO_GAP, WEEK_3)
    assert apply_change(pending, TO_LARAGNE, WEEK_2) == PLAN
    assert apply_change(pending, TO_LARAGNE, WEEK_3) == PLAN


def test_the_pending_tour_counts_for_the_effective_date():
    # Week 2 already belongs to Friday; Monday's noon leaves it open, but not week 2's Tuesday.
    pending = apply_change(PLAN, TO_GAP, WEEK_2)
    assert effective(MORE, paris(6, 8), plan=pending) == WEEK_2
    assert effective(TO_LARAGNE, paris(6, 8), plan=pending) == WEEK_3


def test_a_change_keeps_skips_and_end():
    plan = replace(PLAN, last_day=WEEK_5).with_change(WEEK_3, skip=True, skip_at=paris(5, 1))
    changed = apply_change(plan, TO_GAP, WEEK_2)
    assert (changed.changes, changed.last_day) == (plan.changes, plan.last_day)
    assert list(received(changed)) == [WEEK_1, WEEK_2, WEEK_4]


def test_terms_start_on_mondays_and_not_before_the_subscription():
    with pytest.raises(ValueError, match=r"^every term starts on a Monday$"):
        apply_change(PLAN, TO_GAP, WEEK_2 + timedelta(days=1))
    with pytest.raises(ValueError, match=r"^a change cannot begin before the subscription$"):
        apply_change(PLAN, TO_GAP, TERM.monday - WEEK)


# Changes to one week, beneath a change of terms


def test_a_delivery_that_is_used_for_once_blocks_as_the_usual_one():
    plan = PLAN.with_change(WEEK_2, place=GAP)
    assert effective(MORE, paris(6, 7, 23, 59), plan=plan) == WEEK_2
    early = delivery(FRIDAY, WEEK_2, day=WEEK_1 + timedelta(days=THURSDAY))
    assert effective(MORE, paris(6, 3), early, plan=plan) == WEEK_3, "for once it leaves with a closed list"
    assert effective(MORE, paris(6, 3), early) == WEEK_2


def test_the_usual_delivery_blocks_a_box_that_is_away_for_once():
    plan = PLAN.with_change(WEEK_2, place=GAP)
    assert effective(MORE, paris(6, 8), plan=plan) == WEEK_3


def test_a_postponed_box_blocks_in_the_week_in_which_it_comes():
    plan = Plan(7, (replace(TERM, rhythm=Rhythm.FORTNIGHT_A),)).with_change(WEEK_1, to_week=WEEK_2)
    assert effective(MORE, paris(6, 8), plan=plan) == WEEK_3
    assert effective(MORE, paris(6, 8), plan=replace(plan, changes={})) == WEEK_2


def test_a_postponed_box_does_not_fall_away_where_the_new_tour_is_cancelled():
    closed = delivery(FRIDAY, WEEK_2, cancelled=True)
    away = PLAN.with_change(WEEK_2, to_week=WEEK_4)
    assert effective(TO_GAP, paris(6, 1), closed, plan=away) == WEEK_2
    assert effective(TO_GAP, paris(6, 1), closed) == WEEK_3


def test_a_postponed_box_keeps_its_own_terms_and_follows_the_new_point():
    plan = apply_change(PLAN.with_change(WEEK_1, to_week=WEEK_3), TO_GAP, WEEK_2)
    plan = apply_change(plan, TermChange(formula_id=LARGE), WEEK_2)
    assert received(plan)[WEEK_1] == (FRIDAY, SMALL, 1)
    assert arriving(plan)[WEEK_3] == [WEEK_3, WEEK_1]


def test_another_point_for_once_outlasts_a_change_of_the_usual_one():
    plan = apply_change(PLAN.with_change(WEEK_3, place=SERRES), TO_GAP, WEEK_2)
    assert [received(plan)[week][0] for week in (WEEK_2, WEEK_3, WEEK_4)] == [FRIDAY, THURSDAY, FRIDAY]


def test_changes_of_weeks_without_a_box_are_set_aside_and_said():
    plan = (
        PLAN.with_change(WEEK_2, quantity=2).with_change(WEEK_3, quantity=2).with_change(WEEK_4, quantity=2)
    )
    fortnightly = apply_change(plan, TermChange(rhythm=Rhythm.FORTNIGHT_A), WEEK_3)
    assert set_aside(plan, fortnightly, WEEK_3) == [WEEK_4]
    assert set_aside(plan, fortnightly, WEEK_4) == [WEEK_4]
    assert set_aside(plan, plan, WEEK_3) == []
    assert fortnightly.changes == plan.changes, "they count again if the terms are taken back"


def test_what_said_nothing_before_is_not_set_aside():
    fortnightly = Plan(7, (replace(TERM, rhythm=Rhythm.FORTNIGHT_A),)).with_change(WEEK_2, quantity=2)
    assert set_aside(fortnightly, apply_change(fortnightly, TO_GAP, WEEK_1), WEEK_1) == []


def test_a_postponed_box_whose_destination_the_new_tour_does_not_serve_finds_another():
    closed = delivery(FRIDAY, WEEK_3, cancelled=True)
    plan = apply_change(PLAN.with_change(WEEK_1, to_week=WEEK_3), TO_GAP, WEEK_2)
    home_is_closed = Facts(season(closed), paris(6, 1))
    assert rehomed(plan, home_is_closed).change_of(WEEK_1).to_week == WEEK_2


def test_what_is_usual_now_is_no_change_any_more():
    plan = PLAN.with_change(WEEK_1, quantity=2).with_change(WEEK_3, place=GAP, formula_id=LARGE, quantity=2)
    wish = TermChange(LARGE, 2, None, GAP.point_id, FRIDAY)
    changed = adopted(plan, apply_change(plan, wish, WEEK_2), WEEK_2, at(paris(6, 1)))
    assert changed == apply_change(PLAN.with_change(WEEK_1, quantity=2), wish, WEEK_2)
    assert dropped(plan, changed) == [WEEK_3]


def test_what_is_set_aside_stays_even_if_it_is_usual_now():
    plan = PLAN.with_change(WEEK_2, quantity=2)
    after = apply_change(plan, TermChange(quantity=2, rhythm=Rhythm.FORTNIGHT_A), WEEK_2)
    assert adopted(plan, after, WEEK_2, at(paris(6, 1))) == after


def test_a_place_for_once_of_a_postponed_box_is_no_change_where_it_is_usual_now():
    plan = PLAN.with_change(WEEK_1, to_week=WEEK_2).with_change(WEEK_2, place=GAP)
    after = apply_change(plan, replace(TO_GAP, rhythm=Rhythm.FORTNIGHT_A), WEEK_2)
    assert list(adopted(plan, after, WEEK_2, at(paris(5, 30))).changes) == [WEEK_1]


def test_a_formula_for_once_falls_where_the_new_point_does_not_offer_it():
    plan = PLAN.with_change(WEEK_3, formula_id=LARGE, quantity=2).with_change(WEEK_4, quantity=2)
    facts = at(paris(6, 1), withheld=[(GAP, LARGE)])
    changed = adopted(plan, apply_change(plan, TO_GAP, WEEK_2), WEEK_2, facts)
    assert received(changed)[WEEK_3] == (FRIDAY, SMALL, 2)
    assert dropped(plan, changed) == [WEEK_3]


def test_a_point_for_once_falls_where_it_does_not_offer_the_new_formula():
    plan = PLAN.with_change(WEEK_3, place=GAP)
    facts = at(paris(6, 1), withheld=[(GAP, LARGE)])
    changed = adopted(plan, apply_change(plan, TermChange(LARGE), WEEK_2), WEEK_2, facts)
    assert changed.changes == {}
    assert received(changed)[WEEK_3] == (TUESDAY, LARGE, 1)


def test_a_postponed_box_does_not_come_to_a_point_that_does_not_offer_it():
    plan = PLAN.with_change(WEEK_1, to_week=WEEK_3)
    facts = at(paris(5, 30), withheld=[(GAP, SMALL)])
    after = apply_change(plan, replace(TO_GAP, formula_id=LARGE), WEEK_2)
    assert adopted(plan, after, WEEK_2, facts) is Refusal.NOT_OFFERED
    chosen = plan.with_change(WEEK_1, formula_id=EGGS)
    after = apply_change(chosen, TO_GAP, WEEK_2)
    changed = adopted(chosen, after, WEEK_2, at(paris(5, 30), withheld=[(GAP, EGGS)]))
    assert changed.change_of(WEEK_1) == plan.change_of(WEEK_1)


def test_what_was_brought_where_it_is_not_offered_may_stay():
    plan = PLAN.with_change(WEEK_3, formula_id=LARGE)
    facts = at(paris(6, 1), withheld=[(LARAGNE, LARGE)])
    after = apply_change(plan, MORE, WEEK_2)
    assert adopted(plan, after, WEEK_2, facts) == after


# Taking it back


def test_a_pending_change_is_withdrawn_as_if_it_had_never_been():
    plan = apply_change(PLAN.with_change(WEEK_3, quantity=2), TO_GAP, WEEK_2)
    assert withdrawal(plan, WEEK_2, season(), paris(6, 1)) == PLAN.with_change(WEEK_3, quantity=2)


def test_a_change_is_withdrawn_until_the_first_delivery_that_it_touches_closes():
    plan = apply_change(PLAN, TO_GAP, WEEK_2)
    until = withdrawable_until(plan, WEEK_2, at(paris(6, 1)))
    assert until == paris(6, 8, 0), "Tuesday's, which the box would come back to"
    assert withdrawal(plan, WEEK_2, season(), until - timedelta(microseconds=1))
    assert withdrawal(plan, WEEK_2, season(), until) is None


def test_what_has_begun_is_not_withdrawn():
    assert withdrawal(PLAN, TERM.monday, season(), paris(6, 1)) is None
    begun = apply_change(PLAN, TO_GAP, WEEK_1 - WEEK)
    assert withdrawal(begun, WEEK_1 - WEEK, season(), paris(6, 1)) is None


def test_where_no_terms_begin_nothing_is_withdrawn():
    assert withdrawal(apply_change(PLAN, TO_GAP, WEEK_2), WEEK_3, season(), paris(6, 1)) is None


def test_a_change_is_not_withdrawn_where_the_old_tour_does_not_deliver():
    plan = apply_change(PLAN, TO_GAP, WEEK_3)
    closed = season(delivery(TUESDAY, WEEK_3, cancelled=True))
    assert withdrawal(plan, WEEK_3, season(), paris(6, 1)) == PLAN
    assert withdrawal(plan, WEEK_3, closed, paris(6, 1)) is None


def test_where_no_delivery_is_known_nothing_says_until_when_a_change_is_withdrawn():
    plan = apply_change(PLAN, TO_GAP, WEEK_6 + WEEK)
    assert taken_back(plan, WEEK_6 + WEEK, at(paris(6, 1))) == PLAN
    assert withdrawable_until(plan, WEEK_6 + WEEK, at(paris(6, 1))) is None


def test_a_change_is_not_withdrawn_where_the_later_point_does_not_offer_what_comes_back():
    plan = apply_change(apply_change(PLAN, TermChange(LARGE), WEEK_2), TO_GAP, WEEK_4)
    facts = at(paris(6, 1), withheld=[(GAP, SMALL)])
    assert taken_back(plan, WEEK_2, facts) is Refusal.NOT_OFFERED
    assert withdrawable_until(plan, WEEK_2, facts) is None
    assert taken_back(plan, WEEK_4, facts).terms == plan.terms[:2]
    assert taken_back(plan, TERM.monday, facts) is Refusal.PAST_CUTOFF


def test_each_of_several_changes_ahead_is_withdrawn_alone():
    first, second = apply_change(PLAN, TO_GAP, WEEK_4), apply_change(PLAN, MORE, WEEK_2)
    plan = apply_change(first, MORE, WEEK_2)
    assert withdrawal(plan, WEEK_2, season(), paris(6, 1)) == first
    assert withdrawal(plan, WEEK_4, season(), paris(6, 1)) == second


def test_later_terms_keep_what_they_change_themselves():
    plan = apply_change(PLAN, TermChange(LARGE, 2, Rhythm.FORTNIGHT_A, *GAP), WEEK_2)
    plan = apply_change(plan, TermChange(quantity=1, point_id=VEYNES.point_id, tour_id=TUESDAY), WEEK_4)
    back = withdrawal(plan, WEEK_2, season(), paris(6, 1))
    assert back.terms == (TERM, Term(WEEK_4, SMALL, 1, Rhythm.WEEKLY, *VEYNES))


def test_a_point_on_the_same_tour_brings_its_tour_along():
    plan = apply_change(apply_change(AT_GAP, TO_LARAGNE, WEEK_2), TermChange(None, 2, None, *VEYNES), WEEK_4)
    back = withdrawal(plan, WEEK_2, season(), paris(6, 1))
    assert (back.terms[-1].monday, back.terms[-1].place) == (WEEK_4, VEYNES)
