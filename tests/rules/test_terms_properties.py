"""What holds for every change of terms, beneath closures, suspensions and changes to one week."""

from dataclasses import fields, replace
from datetime import date, timedelta
from itertools import pairwise

from hypothesis import assume, given
from hypothesis import strategies as st

from portal.rules.calendar import WEEK, monday_of
from portal.rules.changes import Refusal, rehomed
from portal.rules.cutoffs import local_day
from portal.rules.planning import boxes_on, project, term_in_force, term_owing
from portal.rules.terms import (
    TermChange,
    adopted,
    apply_change,
    effective_monday,
    withdrawable_until,
    withdrawal,
)
from tests.rules.farms import situations, term_changes


@st.composite
def changed(draw, most_terms=3):
    """A subscription, a wish, from when it holds, and the plan that it makes."""
    situation, wish = draw(situations(most_terms)), draw(term_changes)
    monday = effective(situation, wish)
    return situation, wish, monday, apply_change(situation.plan, wish, monday)


def effective(situation, wish, now=None):
    now = now or situation.now
    return effective_monday(plan=situation.plan, change=wish, season=situation.season, now=now)


def fed(plan, season):
    """The weeks whose own box has a delivery; a postponed one finds another if need be."""
    received = {box.week for box in project(plan, season)}
    postponed = {week for week in plan.changes if plan.change_of(week).to_week and term_owing(plan, week)}
    return received | postponed & set(season.weeks)


def loses_a_box(plan, changed, monday, season):
    """Whether a box falls away before the first one under the new terms, though their rhythm expects it."""
    before, after = fed(plan, season), fed(changed, season)
    first_new = min((week for week in after if week >= monday), default=date.max)
    return any(monday <= week < first_new and term_owing(changed, week) for week in before)


def used(plan, season):
    """Deliveries that have a box of a plan, usual or for once."""
    usual = replace(plan, changes={})
    return [d for d in season if boxes_on(plan, d) or boxes_on(usual, d)]


def touches_a_closed_list(plan, changed, monday, situation):
    return any(
        delivery.week >= monday and not delivery.is_open(situation.now)
        for version in (plan, changed)
        for delivery in used(version, situation.season)
    )


@given(changed())
def test_a_change_of_terms_gives_no_week_two_boxes_or_none(change):
    situation, _, monday, after = change
    weeks = [box.week for box in project(after, situation.season)]
    assert len(weeks) == len(set(weeks))
    assert not loses_a_box(situation.plan, after, monday, situation.season)


@given(changed())
def test_a_change_of_terms_leaves_closed_lists_and_earlier_weeks_alone(change):
    situation, _, monday, after = change

    def settled(plan):
        return [
            box
            for box in project(plan, situation.season)
            if box.delivery.week < monday or not box.delivery.is_open(situation.now)
        ]

    assert settled(after) == settled(situation.plan)
    if (
        rehomed(situation.plan, situation.facts) == situation.plan
    ):  # what a closure took away has been taken along
        assert settled(rehomed(after, situation.facts)) == settled(situation.plan)


@given(changed())
def test_a_postponed_box_of_an_earlier_week_keeps_what_it_holds(change):
    situation, _, monday, after = change
    new = {box.week: box for box in project(after, situation.season)}
    for box in project(situation.plan, situation.season):
        if box.week < monday and box.week in new:
            assert (box.formula_id, box.quantity) == (new[box.week].formula_id, new[box.week].quantity)


@given(changed())
def test_a_change_of_terms_holds_in_every_week_from_its_monday(change):
    situation, wish, monday, after = change
    for week in situation.season.weeks:
        before = term_in_force(situation.plan.terms, week)
        wished = wish.over(before) if week >= monday else before
        assert wished is None or replace(term_in_force(after.terms, week), monday=wished.monday) == wished
    mondays = [term.monday for term in after.terms]
    assert mondays == sorted(set(mondays)) and all(day == monday_of(day) for day in mondays)


@given(changed())
def test_no_earlier_monday_would_do(change):
    situation, wish, monday, _ = change
    plan = situation.plan
    assert monday == monday_of(monday)
    assert not touches_a_closed_list(plan, change[3], monday, situation)
    earlier = max(plan.terms[0].monday, monday_of(local_day(situation.now)))
    while earlier < monday:
        after = apply_change(plan, wish, earlier)
        assert touches_a_closed_list(plan, after, earlier, situation) or loses_a_box(
            plan, after, earlier, situation.season
        )
        earlier += WEEK


@given(situations(), term_changes, st.integers(0, 6 * 7 * 24 * 60))
def test_asking_earlier_never_takes_effect_later(situation, wish, minutes):
    before = situation.now - timedelta(minutes=minutes)
    assert effective(situation, wish, before) <= effective(situation, wish)


@given(changed(most_terms=1))
def test_a_change_taken_back_from_the_same_monday_leaves_no_trace(change):
    situation, _, monday, after = change
    (term,) = situation.plan.terms
    back = TermChange(term.formula_id, term.quantity, term.rhythm, term.point_id, term.tour_id)
    assert apply_change(after, back, monday) == situation.plan


@given(changed())
def test_terms_are_withdrawn_while_all_that_they_touch_is_open(change):
    situation, _, _, after = change
    for term in after.terms[1:]:
        if back := withdrawal(after, term.monday, situation.season, situation.now):
            assert not touches_a_closed_list(after, back, term.monday, situation)
            assert not loses_a_box(after, back, term.monday, situation.season)
            until = withdrawable_until(after, term.monday, situation.facts)
            assert until is None or situation.now < until
        else:
            assert withdrawable_until(after, term.monday, situation.facts) is None


def wishes(plan):
    """From when its terms change what."""
    return [(term.monday, TermChange.between(former, term)) for former, term in pairwise(plan.terms)]


@given(changed())
def test_withdrawing_leaves_earlier_weeks_and_what_later_terms_change(change):
    situation, _, _, after = change
    for term in after.terms[1:]:
        if back := withdrawal(after, term.monday, situation.season, situation.now):
            for week in situation.season.weeks:
                if week < term.monday:
                    assert term_in_force(back.terms, week) == term_in_force(after.terms, week)
            for monday, wish in wishes(after):
                if monday > term.monday:
                    then = term_in_force(back.terms, monday)
                    assert wish.over(then) == then
            assert term not in back.terms


@given(changed())
def test_a_change_that_begins_alone_is_withdrawn_alone(change):
    situation, wish, monday, after = change
    plan = apply_change(situation.plan, TermChange(), situation.plan.terms[0].monday)
    begins = dict(wishes(after)).get(monday)
    if begins is None or monday in dict(wishes(plan)):
        return  # it says nothing new, or begins together with another
    named = {f.name for f in fields(wish) if getattr(wish, f.name) is not None}
    later = [changes for since, changes in wishes(plan) if since > monday]
    if any(getattr(changes, name) is not None for changes in later for name in named):
        return  # it takes the place of another
    if back := withdrawal(after, monday, situation.season, situation.now):
        assert back == plan


@given(changed(most_terms=1))
def test_a_change_is_withdrawn_at_once_unless_the_old_tour_is_closed_in_its_first_weeks(change):
    situation, _, _, after = change
    if len(after.terms) == 1:
        return  # it says nothing new, or what it changes has not begun either
    latest = after.terms[-1].monday
    if back := withdrawal(after, latest, situation.season, situation.now):
        assert back == situation.plan
    else:
        assert loses_a_box(after, situation.plan, latest, situation.season)


@given(changed())
def test_a_change_of_terms_brings_nothing_newly_where_it_is_not_offered(change):
    situation, _, monday, after = change
    plan = adopted(situation.plan, after, monday, situation.facts)
    assume(not isinstance(plan, Refusal))
    before = {(box.point_id, box.formula_id) for box in project(situation.plan, situation.season)}
    usual = {(term.point_id, term.formula_id) for term in plan.terms}
    rehomed_now = {
        w for w in plan.changes if plan.change_of(w).to_week != situation.plan.change_of(w).to_week
    }
    for box in project(plan, situation.season):
        if box.week not in rehomed_now:
            pair = (box.point_id, box.formula_id)
            assert pair in before | usual or pair not in situation.facts.withheld


@given(changed())
def test_what_is_usual_is_no_change(change):
    situation, _, monday, after = change
    plan = adopted(situation.plan, after, monday, situation.facts)
    assume(not isinstance(plan, Refusal))
    for week, wish in plan.changes.items():
        if week >= monday and (term := term_owing(plan, week)):
            assert wish.place != term.place
            assert wish.formula_id != term.formula_id and wish.quantity != term.quantity
