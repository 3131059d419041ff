"""What holds for every farm, subscription and moment: what is received, acts, the freeze."""

from collections import Counter
from datetime import timedelta
from itertools import pairwise

from hypothesis import assume, given
from hypothesis import strategies as st

from portal.rules.calendar import Rhythm, fortnight_of, receives
from portal.rules.changes import Facts, Refusal, rehomed, suspend, with_skip
from portal.rules.planning import (
    Absence,
    baskets_at_freeze,
    boxes_on,
    carrier,
    delivery_of,
    place_in,
    project,
    term_in_force,
    term_owing,
)
from tests.rules.acts import accepted_acts, skip
from tests.rules.farms import situations


@st.composite
def situations_and_acts(draw):
    """A subscription, something that is done to it, and the plan that this makes."""
    situation = draw(situations())
    return situation, *draw(accepted_acts(situation))


def coming(plan, season):
    return [box for box in project(plan, season) if box.comes]


def last_wish(plan):
    """When something was last done to a plan."""
    moments = [change.skip_at for change in plan.changes.values()]
    moments += [moment for s in plan.suspensions for moment in (s.made_at, s.ended_at)]
    return max((moment for moment in moments if moment), default=None)


# What is received


@given(situations())
def test_a_week_has_at_most_one_box_and_a_delivery_at_most_two(situation):
    boxes = project(situation.plan, situation.season)
    assert max(Counter(box.week for box in boxes).values(), default=0) <= 1
    assert max(Counter(box.delivery for box in boxes).values(), default=0) <= 2


@given(situations())
def test_a_box_travels_with_its_carrier_to_the_place_of_that_week(situation):
    plan = situation.plan
    for box in project(plan, situation.season):
        assert carrier(plan, box.week, situation.season) == box.delivery
        usual = box.instead_of or box.point_id
        assert place_in(plan, box.delivery.week) == (usual, box.delivery.tour_id)


@given(situations())
def test_what_is_owed_is_received_unless_its_delivery_is_cancelled_unknown_or_after_the_end(situation):
    plan, season = situation.plan, situation.season
    received = {box.week for box in project(plan, season)}
    for week in season.weeks:
        delivery = carrier(plan, week, season)
        assert (week in received) == (delivery is not None and not delivery.cancelled)


@given(situations())
def test_a_fortnight_stays_one_across_week_53_and_closures(situation):
    plan = situation.plan
    for box in project(plan, situation.season):
        rhythm = term_in_force(plan.terms, box.week).rhythm
        assert receives(rhythm, fortnight_of(box.week))
    rhythms = {term.rhythm for term in plan.terms}
    if rhythms in ({Rhythm.FORTNIGHT_A}, {Rhythm.FORTNIGHT_B}):
        weeks = sorted(box.week for box in project(plan, situation.season))
        assert all((later - week).days % 14 == 0 for week, later in pairwise(weeks))


@given(situations())
def test_the_freezes_of_a_season_are_its_projection_without_what_stays_away(situation):
    plan, season = situation.plan, situation.season
    frozen = [box for delivery in season for box in baskets_at_freeze([plan], delivery)]
    assert frozen == coming(plan, season)


# Acts


@given(situations_and_acts(), st.integers(0, 6 * 7 * 24 * 60))
def test_what_is_allowed_late_is_allowed_earlier(done, minutes):
    situation, act, _ = done
    earlier = situation.now - timedelta(minutes=minutes)
    if wish := last_wish(situation.plan):
        earlier = max(earlier, wish)
    facts = Facts(situation.season, earlier, situation.facts.withheld)
    assert not isinstance(act.do(situation.plan, facts), Refusal)


@given(situations_and_acts())
def test_the_freeze_is_the_projection_at_the_cutoff_no_later_act_changes_it(done):
    situation, _, after = done
    for delivery in situation.season:
        if delivery.cutoff <= situation.now:
            assert boxes_on(after, delivery) == boxes_on(situation.plan, delivery)


@given(situations_and_acts())
def test_no_act_gives_a_week_two_boxes_or_a_delivery_three(done):
    situation, _, after = done
    boxes = project(after, situation.season)
    assert max(Counter(box.week for box in boxes).values(), default=0) <= 1
    assert max(Counter(box.delivery for box in boxes).values(), default=0) <= 2
    destinations = Counter(change.to_week for change in after.changes.values() if change.to_week)
    assert max(destinations.values(), default=0) <= 1


@given(situations_and_acts())
def test_an_act_done_twice_does_what_it_did_once(done):
    situation, act, after = done
    again = act.do(after, situation.facts)
    assert isinstance(again, Refusal) or coming(again, situation.season) == coming(after, situation.season)


@given(situations(), st.data())
def test_a_skip_marks_one_box_and_no_other(situation, data):
    plan, season = situation.plan, situation.season
    open_boxes = [box for box in coming(plan, season) if box.delivery.is_open(situation.now)]
    assume(open_boxes)
    box = data.draw(st.sampled_from(open_boxes))
    skipped = skip(box.week).do(plan, situation.facts)
    away = {b.week: b.absence for b in project(skipped, season)}
    was_away = {b.week: b.absence for b in project(plan, season)}
    assert away.pop(box.week) in Absence and was_away.pop(box.week) is None
    assert away == was_away


@given(situations(), st.data())
def test_a_suspension_equals_its_skips_one_by_one(situation, data):
    plan, season = situation.plan, situation.season
    days = sorted(delivery.day for delivery in season)
    first, last = sorted([data.draw(st.sampled_from(days)), data.draw(st.sampled_from(days))])
    effect = suspend(plan, first, last, situation.facts)
    one_by_one = plan
    for box in coming(plan, season):
        if first <= box.delivery.day <= last and box.delivery.is_open(situation.now):
            one_by_one = with_skip(one_by_one, box.week, situation.facts, skip=True)
    assert coming(effect.plan, season) == coming(one_by_one, season)
    assert {box.week for box in effect.suspended} == (
        {box.week for box in coming(plan, season)} - {box.week for box in coming(effect.plan, season)}
    )
    in_range = [box for box in coming(plan, season) if first <= box.delivery.day <= last]
    assert sorted(box.week for box in effect.suspended + effect.closed) == sorted(b.week for b in in_range)
    after = [box for box in coming(effect.plan, season) if box.delivery.day > last]
    assert effect.back == (after[0] if after else None)


# Postponed boxes whose destination is taken away


@given(situations())
def test_no_box_vanishes_while_an_open_delivery_is_known(situation):
    plan, season, now = situation.plan, situation.season, situation.now
    after = rehomed(plan, situation.facts)
    taken = {change.to_week for change in after.changes.values()}
    for week, change in after.changes.items():
        if change.to_week is None or term_owing(plan, week) is None:
            continue
        destination = delivery_of(after, change.to_week, season)
        if destination is None or destination.cancelled:
            found = {later: delivery_of(after, later, season) for later in season.weeks if later >= week}
            free = {later for later, d in found.items() if d and d.is_open(now)}
            assert free <= taken and week not in free, "each brings two boxes already"


@given(situations())
def test_only_what_has_lost_its_delivery_finds_another_and_it_goes_home_first(situation):
    plan, season, now = situation.plan, situation.season, situation.now
    after = rehomed(plan, situation.facts)
    for week in season.weeks:
        before, to_week = plan.change_of(week).to_week, after.change_of(week).to_week
        if before == to_week:
            continue
        lost, home = delivery_of(plan, before, season), delivery_of(plan, week, season)
        assert lost is None or lost.cancelled
        assert (to_week is None) == (home is not None and home.is_open(now))
        assert to_week is None or delivery_of(plan, to_week, season).is_open(now)
    assert rehomed(after, situation.facts) == after
    assert set(after.changes) <= set(plan.changes)
