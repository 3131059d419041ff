"""The places that boxes take at points."""

from dataclasses import replace

from portal.rules.calendar import Rhythm
from portal.rules.capacity import Places, newly_taken, places
from portal.rules.changes import suspend, with_box, with_place, with_postponement, with_skip
from portal.rules.planning import Plan
from tests.rules.guide import (
    EGGS,
    FRIDAY,
    GAP,
    LARAGNE,
    LARGE,
    PLAN,
    SMALL,
    TERM,
    TUESDAY,
    WEEK_1,
    WEEK_2,
    WEEK_3,
    WEEK_4,
    at,
    delivery,
    paris,
    season,
)

WEIGHT = {SMALL: 1, LARGE: 2, EGGS: 0}
NOW = paris(5, 1)


def taken(plan, *instead, weeks=(WEEK_1, WEEK_2, WEEK_3, WEEK_4)):
    return places(plan, weeks, season(*instead), WEIGHT)


LARAGNES = {(LARAGNE.point_id, week): 1 for week in (WEEK_1, WEEK_2, WEEK_3, WEEK_4)}


def test_a_box_takes_its_formulas_weight_as_often_as_it_is_ordered():
    assert taken(PLAN) == LARAGNES
    assert taken(Plan(7, (replace(TERM, formula_id=LARGE, quantity=3),)), weeks=[WEEK_1]).total() == 6
    assert taken(Plan(7, (replace(TERM, formula_id=EGGS),))) == Places()


def test_a_week_without_a_box_takes_no_place():
    fortnightly = Plan(7, (replace(TERM, rhythm=Rhythm.FORTNIGHT_B),))
    assert {week for _, week in taken(fortnightly)} == {WEEK_2, WEEK_4}
    assert taken(Plan(7, (replace(TERM, monday=WEEK_4),))).total() == 1
    assert {week for _, week in taken(replace(PLAN, last_day=WEEK_3))} == {WEEK_1, WEEK_2}


def test_the_last_day_itself_takes_a_place():
    day = delivery(TUESDAY, WEEK_2).day
    assert taken(replace(PLAN, last_day=day), weeks=[WEEK_2]).total() == 1
    assert (
        taken(replace(PLAN, last_day=day), delivery(TUESDAY, WEEK_2, day=WEEK_3), weeks=[WEEK_2]).total() == 0
    )


def test_a_skipped_or_suspended_box_keeps_its_place():
    assert taken(with_skip(PLAN, WEEK_2, at(NOW), skip=True)) == LARAGNES
    assert taken(suspend(PLAN, WEEK_1, WEEK_4, at(NOW)).plan) == LARAGNES


def test_a_cancelled_delivery_keeps_its_places_for_its_return():
    assert taken(PLAN, delivery(TUESDAY, WEEK_2, cancelled=True)) == LARAGNES


def test_a_box_away_for_once_takes_a_place_in_both_points():
    assert taken(with_place(PLAN, WEEK_2, GAP)) == LARAGNES | {(GAP.point_id, WEEK_2): 1}
    gone = [delivery(FRIDAY, WEEK_2, day=WEEK_4)]
    assert taken(replace(with_place(PLAN, WEEK_2, GAP), last_day=WEEK_3), *gone, weeks=[WEEK_2]) == {
        (LARAGNE.point_id, WEEK_2): 1
    }


def test_a_postponed_box_takes_a_place_in_both_weeks():
    assert taken(with_postponement(PLAN, WEEK_1, WEEK_3)) == LARAGNES | {(LARAGNE.point_id, WEEK_3): 2}
    assert taken(with_postponement(PLAN, WEEK_1, WEEK_3), weeks=[WEEK_1]).total() == 2
    beyond = with_postponement(replace(PLAN, last_day=WEEK_2), WEEK_1, WEEK_3)
    assert taken(beyond, weeks=[WEEK_1]) == {(LARAGNE.point_id, WEEK_1): 1}


def test_the_larger_of_the_usual_box_and_the_one_for_once_counts():
    assert taken(with_box(PLAN, WEEK_2, LARGE, None)) == LARAGNES | {(LARAGNE.point_id, WEEK_2): 2}
    assert taken(with_box(PLAN, WEEK_2, None, 3)) == LARAGNES | {(LARAGNE.point_id, WEEK_2): 3}
    assert taken(with_box(PLAN, WEEK_2, LARGE, 2)) == LARAGNES | {(LARAGNE.point_id, WEEK_2): 4}
    assert taken(with_box(PLAN, WEEK_2, EGGS, None)) == LARAGNES


def test_a_larger_box_that_is_postponed_finds_its_place_when_it_comes_back():
    larger = with_box(PLAN, WEEK_1, LARGE, None)
    postponed = with_postponement(larger, WEEK_1, WEEK_3)
    assert newly_taken(taken(postponed), taken(larger)) == Places()


def test_a_smaller_box_that_is_away_finds_its_place_when_it_is_the_usual_one_again():
    away = with_place(PLAN, WEEK_2, GAP)
    assert newly_taken(taken(with_box(away, WEEK_2, EGGS, None)), taken(away)) == Places()


def test_a_postponed_box_that_moves_with_another_finds_its_place_when_they_move_back():
    postponed = with_postponement(PLAN, WEEK_1, WEEK_3)
    moved = with_place(postponed, WEEK_3, GAP)
    assert newly_taken(taken(moved), taken(postponed)) == Places()
    assert newly_taken(taken(postponed), taken(moved)) == {(GAP.point_id, WEEK_3): 2}


def test_a_box_that_is_postponed_off_another_point_finds_its_place_there_when_it_comes_back():
    moved = with_place(PLAN, WEEK_1, GAP)
    assert newly_taken(taken(with_postponement(moved, WEEK_1, WEEK_3)), taken(moved)) == Places()


def test_what_is_held_already_is_not_newly_taken():
    before, after = taken(PLAN), taken(with_box(PLAN, WEEK_2, LARGE, 2))
    assert newly_taken(before, after) == {(LARAGNE.point_id, WEEK_2): 3}
    assert newly_taken(after, before) == Places()
