"""Whatever is done can be taken back: undo is the identity, at once and as long as it is accepted."""

from dataclasses import replace

from hypothesis import assume, given
from hypothesis import strategies as st

from portal.rules.calendar import WEEK
from portal.rules.capacity import Places, newly_taken, places
from portal.rules.changes import Refusal, comes
from portal.rules.cutoffs import local_day
from portal.rules.planning import carrier, project, term_owing
from portal.rules.terms import apply_change, effective_monday, set_aside
from tests.rules.acts import (
    accepted_acts,
    bring_forward,
    move,
    postpone,
    resume,
    skip,
    suspend,
    unskip,
    vary,
)
from tests.rules.farms import WEIGHT, boxes_for_once, ranges, situations, term_changes


@st.composite
def weeks_of(draw):
    """A subscription, a week whose own box may still change, and a week after it."""
    situation = draw(situations())
    carriers = {week: carrier(situation.plan, week, situation.season) for week in situation.season.weeks}
    weeks = [week for week, delivery in carriers.items() if delivery and delivery.is_open(situation.now)]
    assume(weeks)
    week = draw(st.sampled_from(weeks))
    return situation, week, week + draw(st.integers(1, 4)) * WEEK


def accepted(act, plan, facts):
    after = act.do(plan, facts)
    assume(not isinstance(after, Refusal))
    return after


def without_moments(plan):
    """A plan but for when a week was skipped or taken back."""
    for week in plan.changes:
        plan = plan.with_change(week, skip_at=None)
    return plan


def coming(plan, season):
    return [box for box in project(plan, season) if box.comes]


@given(weeks_of())
def test_a_skip_is_taken_back_and_a_box_taken_back_is_skipped(situation_and_weeks):
    situation, week, _ = situation_and_weeks
    plan, facts = situation.plan, situation.facts
    came = comes(plan, week, facts)
    do, undo = (skip, unskip) if came else (unskip, skip)
    after = accepted(do(week), plan, facts)
    assert comes(after, week, facts) != came
    undone = undo(week).do(after, facts)
    assert coming(undone, situation.season) == coming(plan, situation.season)
    # What a week says without effect is forgotten: a skip beneath a suspension, a box taken back from one ended.
    said, bare = plan.change_of(week).skip, plan.with_change(week, skip=None, skip_at=None)
    if said is None or (came is not said and comes(bare, week, facts) is said):
        assert without_moments(undone) == without_moments(plan)
        assert project(undone, situation.season) == project(plan, situation.season)


@given(weeks_of())
def test_a_postponed_box_comes_back(situation_and_weeks):
    situation, week, later = situation_and_weeks
    situation = situation.with_plan(situation.plan.with_change(week, to_week=None))
    after = accepted(postpone(week, later), situation.plan, situation.facts)
    undone = bring_forward(week).do(after, situation.facts)
    assert project(undone, situation.season) == project(situation.plan, situation.season)
    if undone != situation.plan:  # room was made by a week that owes no box
        (aside,) = (w for w, change in situation.plan.changes.items() if change.to_week == later)
        assert term_owing(situation.plan, aside) is None
        assert undone == situation.plan.with_change(aside, to_week=None)


@given(weeks_of(), boxes_for_once)
def test_a_box_collected_elsewhere_is_collected_as_usual_again(situation_and_weeks, for_once):
    situation, week, _ = situation_and_weeks
    situation = situation.with_plan(situation.plan.with_change(week, place=None))
    after = accepted(move(week, for_once[0]), situation.plan, situation.facts)
    assert move(week, None).do(after, situation.facts) == situation.plan


@given(weeks_of(), boxes_for_once)
def test_another_box_for_once_is_the_usual_one_again(situation_and_weeks, for_once):
    situation, week, _ = situation_and_weeks
    situation = situation.with_plan(situation.plan.with_change(week, formula_id=None, quantity=None))
    after = accepted(vary(week, *for_once[1:]), situation.plan, situation.facts)
    assert vary(week, None, None).do(after, situation.facts) == situation.plan


@given(situations(), ranges)
def test_a_suspension_ended_at_once_has_taken_nothing_away(situation, days):
    first, length = days
    since = local_day(situation.now) + first * (WEEK / 7)
    plan = replace(situation.plan, suspensions=())
    after = accepted(suspend(since, since + length * (WEEK / 7)), plan, situation.facts)
    undone = resume().do(after, situation.facts)
    assert project(undone, situation.season) == project(plan, situation.season)
    assert replace(undone, suspensions=()) == plan


@given(situations(), term_changes)
def test_changes_set_aside_by_new_terms_count_again_under_the_old_ones(situation, wish):
    plan, now = situation.plan, situation.now
    monday = effective_monday(plan=plan, change=wish, season=situation.season, now=now)
    after = apply_change(plan, wish, monday)
    assert after.changes == plan.changes
    received = {box.week for box in project(after, situation.season)}
    for week in set_aside(plan, after, monday):
        assert week >= monday and week not in received and week in plan.changes


@given(situations(), st.data())
def test_an_undo_never_newly_takes_a_place(situation, data):
    plan, season = situation.plan, situation.season
    _, after = data.draw(accepted_acts(situation, undoing=True))
    before, then = (places(version, season.weeks, season, WEIGHT) for version in (plan, after))
    assert newly_taken(before, then) == Places()


@given(situations())
def test_every_box_has_its_place(situation):
    season = situation.season
    taken = places(situation.plan, season.weeks, season, WEIGHT)
    aboard = Places()
    for box in project(situation.plan, season):
        aboard[box.point_id, box.delivery.week] += WEIGHT[box.formula_id] * box.quantity
    assert aboard <= taken
