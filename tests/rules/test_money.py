from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.rules.money import Money

amounts = st.builds(Money, st.integers(-(10**9), 10**9))


def test_amounts_add_subtract_and_multiply_in_whole_cents():
    assert Money(1250) + Money(30) == Money(1280)
    assert Money(1250) - Money(1300) == Money(-50)
    assert Money(1250) * 3 == 3 * Money(1250) == Money(3750)


def test_a_sum_of_nothing_is_zero_money():
    assert sum([Money(5), Money(7)], Money.zero()) == Money(12)
    assert sum([], Money.zero()) == Money(0)
    assert sum([Money(5), Money(7)]) == Money(12)


def test_amounts_are_compared_by_value():
    assert Money(1) < Money(2) <= Money(2) < Money(3)
    assert max(Money(3), Money(10)) == Money(10)
    assert len({Money(4), Money(4)}) == 1


@pytest.mark.parametrize("value", [12.5, 12.0, True, "12", Decimal(12), None])
def test_nothing_but_whole_cents_makes_an_amount(value):
    with pytest.raises(TypeError, match=f"^cents must be an int, not {type(value).__name__}"):
        Money(value)


@pytest.mark.parametrize("factor", [0.055, 2.0, True, Decimal(2), Money(2)])
def test_only_a_whole_number_multiplies_an_amount(factor):
    with pytest.raises(TypeError, match=f"^a factor of money must be an int, not {type(factor).__name__}"):
        Money(100) * factor
    with pytest.raises(TypeError):
        factor * Money(100)


@pytest.mark.parametrize("other", [1, 1.0, 0.0, False, None])
def test_an_amount_does_not_mix_with_bare_numbers(other):
    with pytest.raises(TypeError):
        Money(100) + other
    with pytest.raises(TypeError):
        other + Money(100)
    with pytest.raises(TypeError):
        Money(100) - other
    assert Money(1) != 1


@given(st.lists(amounts))
def test_a_total_is_the_sum_of_its_lines_to_the_cent(lines):
    assert sum(lines, Money.zero()).cents == sum(line.cents for line in lines)


@given(amounts, amounts)
def test_what_is_added_can_be_taken_off_again(one, other):
    assert one + other - other == one


@given(amounts, st.integers(0, 10**5), st.integers(1, 10**5))
def test_a_part_is_exact_to_half_a_cent_and_a_credit_mirrors_its_bill(amount, numerator, denominator):
    part = amount.part(numerator, denominator)
    assert 2 * abs(part.cents * denominator - amount.cents * numerator) <= denominator
    assert (amount * -1).part(numerator, denominator) == part * -1


def test_half_a_cent_goes_up():
    assert [Money(cents).part(1, 4) for cents in (1, 2, 5, 6, 8)] == [Money(n) for n in (0, 1, 1, 2, 2)]
