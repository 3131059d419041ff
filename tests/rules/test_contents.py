"""What a box holds at a point where it is not what it holds elsewhere."""

from portal.rules.contents import Swap, at_point

CARROTS, SALAD, RADISH, LEEK = 1, 2, 3, 4
BOX = {CARROTS: 500, SALAD: 1}


def test_a_box_without_swaps_is_that_of_its_formula():
    assert at_point(BOX, []) == BOX


def test_what_is_left_out_is_gone_and_what_stands_in_is_added_to_what_is_there():
    assert at_point(BOX, [Swap(SALAD)]) == {CARROTS: 500}
    assert at_point(BOX, [Swap(SALAD, RADISH, 2)]) == {CARROTS: 500, RADISH: 2}
    assert at_point(BOX, [Swap(SALAD, CARROTS, 250)]) == {CARROTS: 750}


def test_what_is_not_in_the_box_brings_nothing_in_its_place():
    assert at_point(BOX, [Swap(LEEK, RADISH, 2)]) == BOX


def test_what_stands_in_may_run_short_too():
    swaps = [Swap(SALAD, RADISH, 2), Swap(RADISH, LEEK, 300)]
    assert at_point(BOX, swaps) == {CARROTS: 500, LEEK: 300}
    assert at_point(BOX, [Swap(SALAD, RADISH, 2), Swap(RADISH)]) == {CARROTS: 500}


def test_two_that_stand_in_for_each_other_are_both_gone():
    assert at_point(BOX, [Swap(CARROTS, SALAD, 2), Swap(SALAD, CARROTS, 800)]) == {}
