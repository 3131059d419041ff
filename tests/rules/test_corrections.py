"""What may still be set right of a closed delivery, and what of it is billed."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.rules.corrections import FrozenBox, Refusal, Wish, corrected, refusal_to_work
from portal.rules.money import Money
from portal.rules.pricing import DatedPrice
from tests.rules.guide import TUESDAY, WEEK_2, delivery, paris

OPEN = delivery(TUESDAY, WEEK_2)  # Tuesday 9 June, closes on Sunday 7
FROZEN = replace(OPEN, frozen=True)
PRICE = DatedPrice(OPEN.day, Money(2050), 1000)
MINUTE = timedelta(minutes=1)

boxes = st.builds(
    FrozenBox,
    formula_id=st.integers(1, 2),
    quantity=st.integers(0, 3),
    point_id=st.integers(1, 2),
    unit_price=st.sampled_from([Money(1150), Money(1950)]),
    vat_basis_points=st.just(550),
    billed=st.integers(0, 3),
)
wishes = st.builds(Wish, st.integers(1, 2), st.integers(0, 3), st.integers(1, 2))


@pytest.mark.parametrize(
    ("closing", "at", "refusal"),
    [
        (OPEN, OPEN.cutoff - MINUTE, Refusal.STILL_OPEN),
        (OPEN, OPEN.cutoff, None),
        (FROZEN, OPEN.cutoff - MINUTE, None),
        (replace(FROZEN, cancelled=True), OPEN.cutoff, Refusal.CANCELLED),
        (FROZEN, paris(7, 10, 23, 59), None),
        (FROZEN, paris(7, 11, 0), Refusal.TOO_LATE),
    ],
)
def test_a_delivery_is_set_right_from_its_cutoff_until_a_month_after_its_day(
    closing: object, at: object, refusal: Refusal | None
) -> None:
    assert refusal_to_work(closing, at) is refusal  # type: ignore[arg-type]


@given(boxes, wishes)
def test_without_a_fault_of_the_farm_the_bill_stays(before: FrozenBox, wish: Wish) -> None:
    after = corrected(before, wish, PRICE, farm_fault=False)
    assert after.wish == wish
    if not before.nothing:
        bill = (before.billed, before.unit_price, before.vat_basis_points)
        assert (after.billed, after.unit_price, after.vat_basis_points) == bill


@given(st.none() | boxes.filter(lambda box: box.nothing), wishes, st.booleans())
def test_what_the_farm_adds_is_billed_as_it_is_received(
    before: FrozenBox | None, wish: Wish, fault: bool
) -> None:
    after = corrected(before, wish, PRICE, farm_fault=fault)
    assert (after.wish, after.billed) == (wish, wish.quantity)
    assert after.unit_price == PRICE.price or not wish.quantity


@given(boxes, wishes, st.booleans())
def test_the_same_again_changes_nothing_more(before: FrozenBox, wish: Wish, fault: bool) -> None:
    after = corrected(before, wish, PRICE, farm_fault=fault)
    assert corrected(after, wish, PRICE, farm_fault=fault) == after
    if fault:
        assert after.billed == after.quantity
