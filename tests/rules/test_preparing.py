"""Weights as they are typed, and fair shares of what is short."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.rules.amounts import AmountRefusal
from portal.rules.preparing import fair_shares, is_far, read_weight, write_weight


@pytest.mark.parametrize("typed", ["0,480", "0.48", "0,48 kg", "480", "480g", " 480 G ", "0,48kg"])
def test_a_weight_is_typed_in_kilos_or_in_grams(typed):
    assert read_weight(typed) == 480


@pytest.mark.parametrize(("typed", "grams"), [("1", 1000), ("20", 20_000), ("21", 21), ("1 g", 1), ("0", 0)])
def test_a_small_whole_number_is_kilos_unless_it_says_grams(typed, grams):
    assert read_weight(typed) == grams


def test_nothing_typed_is_no_weight_and_not_a_weight_of_nothing():
    assert read_weight("  ") is None
    assert write_weight(None) == ""


@pytest.mark.parametrize(
    ("typed", "refusal"),
    [
        ("beaucoup", AmountRefusal.NOT_A_NUMBER),
        ("-1", AmountRefusal.NOT_A_NUMBER),
        ("1e3", AmountRefusal.NOT_A_NUMBER),
        ("1_0", AmountRefusal.NOT_A_NUMBER),
        ("+1", AmountRefusal.NOT_A_NUMBER),
        ("٣", AmountRefusal.NOT_A_NUMBER),
        ("NaN", AmountRefusal.NOT_A_NUMBER),
        ("kg", AmountRefusal.NOT_A_NUMBER),
        ("1 kg g", AmountRefusal.NOT_A_NUMBER),
        ("0,4801", AmountRefusal.TOO_FINE),
        ("480,5 g", AmountRefusal.NOT_WHOLE),
        ("51 kg", AmountRefusal.TOO_MUCH),
        ("100000000000000000000", AmountRefusal.TOO_MUCH),
    ],
)
def test_what_is_no_weight_is_refused(typed, refusal):
    assert read_weight(typed) is refusal


@given(st.integers(0, 50_000))
def test_a_weight_is_read_as_it_is_written(grams):
    assert read_weight(write_weight(grams)) == grams


def test_a_weight_is_far_from_what_was_ordered_beyond_a_third_of_it():
    assert [is_far(600, weighed) for weighed in (399, 400, 600, 800, 801)] == [
        True,
        False,
        False,
        False,
        True,
    ]


def test_what_is_short_is_shared_alike_and_the_rest_goes_to_the_first():
    assert fair_shares([3, 1, 5], 6) == [3, 1, 2]
    assert fair_shares([1, 1, 1], 2) == [1, 1, 0]
    assert fair_shares([2, 4], 0) == [0, 0]
    assert fair_shares([500, 1000, 250], 1000, step=250) == [500, 250, 250]
    assert fair_shares([300, 1000], 1000, step=250) == [250, 750]
    assert fair_shares([], 7) == []


@given(st.lists(st.integers(0, 40), max_size=12), st.integers(0, 300), st.integers(1, 4))
def test_shares_use_all_that_there_is_in_whole_steps_and_leave_nobody_far_behind(steps, left, step):
    wanted = [number * step for number in steps]
    shares = fair_shares(wanted, left, step)
    assert all(type(share) is int and share % step == 0 for share in shares)
    assert all(0 <= share <= most for share, most in zip(shares, wanted, strict=True))
    assert sum(shares) == min(sum(wanted), left // step * step)
    short = [share for share, most in zip(shares, wanted, strict=True) if share < most]
    assert not short or max(shares) <= min(short) + step
