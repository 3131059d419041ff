"""What a voucher takes off, from whom, and off which VAT rate (BAR M1 for discounts)."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.rules.money import Money
from portal.rules.vouchers import Terms, VoucherRefusal, discount, refusal, shared, vat_within

FIRST, LAST = date(2026, 6, 1), date(2026, 6, 30)
DAY = timedelta(days=1)
TEN_EUROS = Terms(Money(1000), None, FIRST, LAST, minimum=Money(3000), uses=20, per_person=1, withdrawn=False)
FREE = replace(TEN_EUROS, minimum=Money(0), uses=None, per_person=None)
A_TENTH = replace(FREE, amount=None, share=1000)


def answer(terms=TEN_EUROS, day=FIRST, total=3000, used=0, used_by_person=0):
    return refusal(terms, day, Money(total), used, used_by_person)


# Whether it counts


def test_a_voucher_counts_from_its_first_day_to_its_last():
    days = [FIRST - DAY, FIRST, LAST, LAST + DAY]
    assert [answer(day=day) for day in days] == [VoucherRefusal.NOT_YET, None, None, VoucherRefusal.EXPIRED]


def test_a_voucher_asks_for_its_minimum_and_no_cent_more():
    assert [answer(total=total) for total in (2999, 3000)] == [VoucherRefusal.MINIMUM, None]


def test_a_voucher_counts_so_many_times_in_all_and_for_each():
    assert [answer(used=used) for used in (19, 20, 21)] == [None, *[VoucherRefusal.USED_UP] * 2]
    assert [answer(used=5, used_by_person=n) for n in (0, 1, 2)] == [None, *[VoucherRefusal.USED_BY_YOU] * 2]
    assert answer(FREE, total=0, used=10**6, used_by_person=10**6) is None


def test_a_voucher_that_was_withdrawn_is_as_unknown_as_one_never_given_out():
    withdrawn = replace(TEN_EUROS, withdrawn=True)
    assert answer(withdrawn) is answer(withdrawn, day=LAST + DAY) is VoucherRefusal.UNKNOWN


def test_what_a_fuller_order_would_not_help_is_said_before_the_minimum():
    assert answer(total=0, used=20) is VoucherRefusal.USED_UP
    assert answer(total=0, used=20, used_by_person=1) is VoucherRefusal.USED_BY_YOU
    assert answer(day=LAST + DAY, total=0, used=20, used_by_person=1) is VoucherRefusal.EXPIRED
    assert answer(day=FIRST - DAY, total=0, used=20, used_by_person=1) is VoucherRefusal.NOT_YET


# What it takes off

amounts = st.builds(Money, st.integers(0, 100_000))
shares = st.integers(1, 10_000)
vouchers = st.builds(
    lambda amount, share, by_share: replace(
        FREE, amount=None if by_share else amount, share=share if by_share else None
    ),
    st.builds(Money, st.integers(1, 20_000)),
    shares,
    st.booleans(),
)


def test_an_amount_comes_off_whole_or_as_far_as_it_goes():
    assert discount(FREE, Money(3000)) == Money(1000)
    assert discount(FREE, Money(700)) == Money(700)
    assert discount(FREE, Money(0)) == Money(0)


def test_a_share_comes_off_half_a_cent_up():
    assert [discount(A_TENTH, Money(total)) for total in (3000, 3004, 3005)] == [
        Money(300),
        Money(300),
        Money(301),
    ]
    assert discount(replace(A_TENTH, share=10_000), Money(1999)) == Money(1999)


@given(vouchers, amounts, amounts)
def test_a_voucher_never_takes_more_than_there_is_nor_less_off_more(terms, total, more):
    assert Money(0) <= discount(terms, total) <= total
    assert discount(terms, total) <= discount(terms, total + more)


@given(shares, amounts)
def test_a_share_is_exact_to_half_a_cent(share, total):
    off = discount(replace(A_TENTH, share=share), total).cents * 10_000 - total.cents * share
    assert -5000 < off <= 5000


# Off which rate

rates = st.sampled_from([0, 210, 550, 1000, 2000])
by_rate = st.dictionaries(rates, amounts, max_size=5)


def test_a_discount_is_shared_in_proportion():
    totals = {550: Money(3000), 2000: Money(1000)}
    assert shared(Money(1000), totals) == {550: Money(750), 2000: Money(250)}


def test_the_last_cents_go_to_the_largest_remainders():
    thirds = {550: Money(100), 1000: Money(100), 2000: Money(100)}
    assert shared(Money(100), thirds) == {550: Money(34), 1000: Money(33), 2000: Money(33)}
    uneven = {550: Money(15), 1000: Money(25), 2000: Money(60)}  # 1.8, 3.0 and 7.2 cents
    assert shared(Money(12), uneven) == {550: Money(2), 1000: Money(3), 2000: Money(7)}


def test_a_discount_on_nothing_is_nothing():
    assert shared(Money(500), {}) == {}
    assert shared(Money(500), {550: Money(0)}) == {550: Money(0)}


def test_where_goods_were_missing_a_discount_takes_off_what_is_left():
    totals = {550: Money(300), 2000: Money(200)}
    assert shared(Money(1000), totals) == totals


@given(amounts, by_rate)
def test_a_shared_discount_is_whole_and_no_rate_falls_below_zero(off, totals):
    parts = shared(off, totals)
    assert parts.keys() == totals.keys()
    assert sum(parts.values(), Money.zero()) == min(off, sum(totals.values(), Money.zero()))
    assert all(Money(0) <= parts[rate] <= totals[rate] for rate in totals)


@given(amounts, by_rate)
def test_each_rate_gets_its_exact_part_to_less_than_a_cent(off, totals):
    whole = sum(total.cents for total in totals.values())
    taken = min(off.cents, whole)
    for rate, part in shared(off, totals).items():
        assert abs(part.cents * whole - taken * totals[rate].cents) < max(whole, 1)


@given(amounts, by_rate)
def test_a_rate_that_holds_more_gets_no_less_and_the_order_of_rates_does_not_matter(off, totals):
    parts = shared(off, totals)
    assert all(parts[a] <= parts[b] for a in totals for b in totals if totals[a] < totals[b])
    assert shared(off, dict(reversed(totals.items()))) == parts


# The VAT


@pytest.mark.parametrize(
    ("total", "rate", "vat"),
    [(1055, 550, 55), (1200, 2000, 200), (1100, 1000, 100), (1000, 550, 52), (999, 0, 0), (3, 2000, 1)],
)
def test_the_vat_within_a_price(total, rate, vat):
    assert vat_within(Money(total), rate) == Money(vat)


@given(amounts, rates)
def test_vat_is_exact_to_half_a_cent_and_a_credit_mirrors_it(total, rate):
    vat = vat_within(total, rate)
    off = 2 * (vat.cents * (10_000 + rate) - total.cents * rate)
    assert -(10_000 + rate) < off <= 10_000 + rate
    assert vat_within(total * -1, rate) == vat * -1


@given(amounts, amounts, rates)
def test_more_holds_no_less_vat(total, more, rate):
    assert vat_within(total, rate) <= vat_within(total + more, rate)
