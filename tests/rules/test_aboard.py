"""Orders and the boxes that they travel with."""

from dataclasses import replace

from hypothesis import given

from portal.rules.aboard import Spot, followed, later_spots, spots
from portal.rules.changes import with_skip
from portal.rules.planning import Plan
from tests.rules.farms import situations
from tests.rules.guide import (
    GAP,
    LARAGNE,
    PLAN,
    SERRES,
    THURSDAY,
    TUESDAY,
    VEYNES,
    WEEK_1,
    WEEK_2,
    WEEK_3,
    at,
    delivery,
    paris,
    season,
)

NOW = paris(5, 28)
EGGS = replace(PLAN, subscription_id=8)


def spot(place, week):
    tour = place.tour_id
    return Spot(delivery(tour, week).id, place.point_id)


def skipped(plan, week):
    return with_skip(plan, week, at(NOW), skip=True)


HERE = spot(LARAGNE, WEEK_1)


def test_an_order_stays_as_long_as_one_box_comes_where_it_is():
    assert followed([PLAN, EGGS], [skipped(PLAN, WEEK_1), EGGS], season(), HERE) == HERE


def test_an_order_whose_boxes_all_stay_away_has_nowhere_to_go():
    gone = [skipped(PLAN, WEEK_1), skipped(EGGS, WEEK_1)]
    assert followed([PLAN, EGGS], gone, season(), HERE) is None
    postponed = PLAN.with_change(WEEK_1, to_week=WEEK_2)
    assert followed([PLAN], [postponed], season(), HERE) is None


def test_an_order_follows_its_box_to_another_point_of_the_week():
    for place in (VEYNES, SERRES, GAP):
        moved = PLAN.with_change(WEEK_1, place=place)
        assert followed([PLAN], [moved], season(), HERE) == spot(place, WEEK_1)
        assert followed([moved], [PLAN], season(), spot(place, WEEK_1)) == HERE


def test_an_order_follows_no_box_that_it_did_not_travel_with():
    other = Plan(9, (replace(PLAN.terms[0], point_id=SERRES.point_id, tour_id=THURSDAY),))
    assert followed([PLAN, other], [skipped(PLAN, WEEK_1), other], season(), HERE) is None


def test_later_boxes_are_offered_soonest_first_while_they_are_open():
    plan = skipped(PLAN, WEEK_2)
    assert later_spots([plan], season(), HERE, NOW)[:2] == [
        spot(LARAGNE, WEEK_3),
        spot(LARAGNE, WEEK_3.replace(day=22)),
    ]
    assert spot(LARAGNE, WEEK_2) not in later_spots([PLAN], season(), HERE, paris(6, 8, 0, 0))
    closed = season(delivery(TUESDAY, WEEK_2, cancelled=True))
    assert later_spots([PLAN], closed, HERE, NOW)[0] == spot(LARAGNE, WEEK_3)


@given(situations())
def test_whoever_changes_nothing_moves_nothing(situation):
    plans = [situation.plan]
    for place in spots(plans, situation.season):
        assert followed(plans, plans, situation.season, place) == place
