"""What can be ordered, until when and for how much (BAR T3 and T8 for what closes earlier; M1 for prices)."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.rules.cutoffs import PARIS, Lead, cutoff_instant
from portal.rules.money import Money
from portal.rules.selling import (
    MOST_GRAMS,
    MOST_UNITS,
    Goods,
    Journey,
    Missing,
    QuantityRefusal,
    SaleUnit,
    Season,
    StockKind,
    amount,
    closes_at,
    is_low,
    least,
    per_measure,
    refusal_of_quantity,
    why_missing,
)

MOMENT = timedelta(milliseconds=1)
TUESDAY_TOUR = Lead(days=2, time=time(23, 59))
THURSDAY_TOUR = Lead(days=3, time=time(23, 59))
FRIDAY_TOUR = Lead(days=3, time=time(23, 59))
BAKER = Lead(days=4, time=time(23, 59))

RADISHES = Goods(
    SaleUnit.BUNCH,
    step=None,
    content=None,
    measured=None,
    stock_kind=StockKind.UNLIMITED,
    season=None,
    not_on=frozenset(),
    lead=None,
    retired=False,
)
BREAD = replace(RADISHES, sale_unit=SaleUnit.PIECE, lead=BAKER)
POTATOES = replace(RADISHES, sale_unit=SaleUnit.WEIGHT, step=250)


def journey(day, lead=TUESDAY_TOUR, *, tour_id=1, cancelled=False):
    return Journey(day, tour_id, cutoff_instant(day, lead), cancelled)


TUESDAY = journey(date(2026, 6, 2))
BEFORE = TUESDAY.cutoff_at - MOMENT


# Until when


@pytest.mark.parametrize(
    ("delivery", "lead", "bread_closes"),
    [
        (date(2026, 6, 2), TUESDAY_TOUR, date(2026, 5, 29)),
        (date(2026, 6, 4), THURSDAY_TOUR, date(2026, 5, 31)),
        (date(2026, 6, 5), FRIDAY_TOUR, date(2026, 6, 1)),
    ],
    ids=["Tuesday", "Thursday", "Friday"],
)
def test_bread_closes_four_days_before_its_delivery_and_all_else_later(delivery, lead, bread_closes):
    aboard = journey(delivery, lead)
    last = datetime.combine(bread_closes, time(23, 59), PARIS)
    in_time = (last, last + timedelta(seconds=59, milliseconds=999))
    too_late = (last + timedelta(minutes=1), aboard.cutoff_at - MOMENT)
    assert [why_missing(BREAD, aboard, now) for now in in_time] == [None, None]
    assert [why_missing(BREAD, aboard, now) for now in too_late] == [Missing.CLOSED_EARLIER] * 2
    assert [why_missing(RADISHES, aboard, now) for now in in_time + too_late] == [None] * 4
    assert why_missing(BREAD, aboard, aboard.cutoff_at) is Missing.PAST_CUTOFF
    assert why_missing(RADISHES, aboard, aboard.cutoff_at) is Missing.PAST_CUTOFF


@pytest.mark.parametrize(
    ("delivery", "first_refused"),
    [
        (date(2026, 10, 29), datetime(2026, 10, 25, 23, 0, tzinfo=UTC)),
        (date(2027, 4, 1), datetime(2027, 3, 28, 22, 0, tzinfo=UTC)),
        (date(2026, 10, 27), datetime(2026, 10, 23, 22, 0, tzinfo=UTC)),
        (date(2027, 3, 30), datetime(2027, 3, 26, 23, 0, tzinfo=UTC)),
    ],
    ids=[
        "on a Sunday of 25 hours",
        "on a Sunday of 23 hours",
        "beyond a Sunday of 25 hours",
        "beyond a Sunday of 23 hours",
    ],
)
def test_bread_closes_at_midnight_on_the_wall_whatever_the_clocks_do(delivery, first_refused):
    aboard = journey(delivery, Lead(1, time(23, 59)))
    assert closes_at(BREAD, aboard) == first_refused
    assert why_missing(BREAD, aboard, first_refused - MOMENT) is None
    assert why_missing(BREAD, aboard, first_refused) is Missing.CLOSED_EARLIER


def test_what_would_close_later_closes_with_its_delivery():
    flowers = replace(RADISHES, lead=Lead(0, time(8, 0)))
    assert closes_at(flowers, TUESDAY) == closes_at(RADISHES, TUESDAY) == TUESDAY.cutoff_at
    assert why_missing(flowers, TUESDAY, TUESDAY.cutoff_at) is Missing.PAST_CUTOFF


def test_a_delivery_that_closes_earlier_than_its_tour_takes_bread_along():
    by_hand = replace(TUESDAY, cutoff_at=datetime(2026, 5, 28, 10, 0, tzinfo=UTC))
    assert closes_at(BREAD, by_hand) == by_hand.cutoff_at


# Whether at all


def test_what_lasts_longer_is_said_first():
    month_before, day = Season(501, 531), date(2026, 6, 2)
    facts = {
        Missing.NOT_SOLD: {"price_known": False},
        Missing.CANCELLED: {"cancelled": True},
        Missing.PAST_CUTOFF: {"now": cutoff_instant(day, TUESDAY_TOUR)},
        Missing.NOT_ON_TOUR: {"not_on": frozenset({1})},
        Missing.OUT_OF_SEASON: {"season": month_before},
        Missing.CLOSED_EARLIER: {"lead": BAKER},
        Missing.SOLD_OUT: {"left": 0},
        Missing.TOO_FEW: {"wanted": 6},
    }
    for which in product([False, True], repeat=len(facts)):
        chosen = {key: fact for (key, fact), true in zip(facts.items(), which, strict=True) if true}
        given_ = {"price_known": True, "cancelled": False, "now": BEFORE, "left": 5, "wanted": 5}
        for fact in chosen.values():
            given_.update(fact)
        goods = replace(
            RADISHES, **{key: given_.pop(key) for key in ("not_on", "season", "lead") if key in given_}
        )
        aboard = journey(day, cancelled=given_.pop("cancelled"))
        assert why_missing(goods, aboard, given_.pop("now"), **given_) is next(iter(chosen), None)


def test_what_is_retired_is_not_sold_whatever_else():
    assert why_missing(replace(RADISHES, retired=True), TUESDAY, BEFORE) is Missing.NOT_SOLD
    assert why_missing(replace(RADISHES, retired=True), None, BEFORE) is Missing.NOT_SOLD
    assert why_missing(RADISHES, None, BEFORE, price_known=False) is Missing.NOT_SOLD


def test_a_tour_does_not_carry_what_another_one_does():
    melons = replace(RADISHES, not_on=frozenset({2, 3}))
    assert why_missing(melons, TUESDAY, BEFORE) is None
    assert why_missing(melons, replace(TUESDAY, tour_id=3), BEFORE) is Missing.NOT_ON_TOUR


def test_a_season_is_that_of_the_day_of_delivery():
    strawberries = replace(RADISHES, season=Season(602, 630))
    assert why_missing(strawberries, TUESDAY, BEFORE) is None
    day_before = journey(date(2026, 6, 1))
    assert why_missing(strawberries, day_before, day_before.cutoff_at - MOMENT) is Missing.OUT_OF_SEASON


def test_without_a_delivery_the_season_is_that_of_the_day_in_paris():
    strawberries = replace(RADISHES, season=Season(602, 630))
    assert why_missing(strawberries, None, datetime(2026, 6, 1, 21, 59, tzinfo=UTC)) is Missing.OUT_OF_SEASON
    assert why_missing(strawberries, None, datetime(2026, 6, 1, 22, 0, tzinfo=UTC)) is None


def test_without_a_delivery_neither_tours_nor_cutoffs_matter():
    late = datetime(2026, 6, 2, tzinfo=UTC)
    assert why_missing(replace(BREAD, not_on=frozenset({1})), None, late) is None
    assert why_missing(BREAD, None, late, left=0) is Missing.SOLD_OUT


@pytest.mark.parametrize("goods", [RADISHES, POTATOES])
def test_it_is_sold_out_when_not_even_the_least_is_left(goods):
    assert why_missing(goods, TUESDAY, BEFORE, left=least(goods) - 1) is Missing.SOLD_OUT
    assert why_missing(goods, TUESDAY, BEFORE, left=least(goods)) is None
    assert why_missing(goods, TUESDAY, BEFORE, left=None, wanted=10**6) is None


def test_what_is_left_can_be_taken_to_the_last_one():
    assert why_missing(RADISHES, TUESDAY, BEFORE, left=5, wanted=5) is None
    assert why_missing(RADISHES, TUESDAY, BEFORE, left=5, wanted=6) is Missing.TOO_FEW
    assert why_missing(POTATOES, TUESDAY, BEFORE, left=200, wanted=250) is Missing.SOLD_OUT


def test_a_naive_datetime_is_never_guessed_at():
    for aboard in (None, TUESDAY):
        with pytest.raises(ValueError, match="naive"):
            why_missing(replace(RADISHES, season=Season(101, 1231)), aboard, BEFORE.replace(tzinfo=None))


@given(
    st.dates(date(2024, 1, 1), date(2040, 12, 31)) | st.sampled_from([date(2026, 10, 27), date(2027, 3, 30)]),
    st.builds(Lead, st.integers(0, 9), st.times().map(lambda at: at.replace(second=0, microsecond=0))),
    st.integers(-200_000, 10_000),
    st.integers(0, 10**7),
)
def test_what_can_be_had_late_could_be_had_earlier(day, lead, seconds, earlier):
    goods, aboard = replace(BREAD, lead=lead), journey(day)
    now = aboard.cutoff_at + timedelta(seconds=seconds)
    assert closes_at(goods, aboard) <= aboard.cutoff_at
    assert (why_missing(goods, aboard, now) is None) == (now < closes_at(goods, aboard))
    if why_missing(goods, aboard, now) is None:
        assert why_missing(goods, aboard, now - timedelta(seconds=earlier)) is None


# Seasons

days_of_the_year = st.dates(date(2024, 1, 1), date(2024, 12, 31))  # with a 29 February


def of_the_year(day):
    return day.month * 100 + day.day


def test_both_ends_of_a_season_are_in_it():
    summer = Season(602, 831)
    inside = [date(2026, 6, 2), date(2027, 8, 31)]
    outside = [date(2026, 6, 1), date(2026, 9, 1), date(2026, 1, 15)]
    assert [summer.has(day) for day in inside + outside] == [True, True, False, False, False]


def test_a_season_may_last_over_the_new_year():
    winter = Season(1115, 228)
    inside = [date(2026, 11, 15), date(2026, 12, 31), date(2027, 1, 1), date(2027, 2, 28)]
    outside = [date(2026, 11, 14), date(2028, 2, 29), date(2027, 3, 1), date(2027, 7, 1)]
    assert [winter.has(day) for day in inside + outside] == [True] * 4 + [False] * 4


def test_a_season_of_one_day_and_one_of_all_year():
    assert [Season(501, 501).has(date(2026, 5, day)) for day in (1, 2)] == [True, False]
    assert all(Season(101, 1231).has(date(2026, month, 1)) for month in range(1, 13))


@given(days_of_the_year, days_of_the_year, days_of_the_year)
def test_walking_through_the_year_one_meets_a_season_as_it_is_written(first, last, day):
    length, so_far = (last - first).days % 366, (day - first).days % 366
    assert Season(of_the_year(first), of_the_year(last)).has(day) == (so_far <= length)


# How much


@pytest.mark.parametrize(
    ("goods", "quantity", "refusal"),
    [
        (RADISHES, 1, None),
        (RADISHES, MOST_UNITS, None),
        (RADISHES, MOST_UNITS + 1, QuantityRefusal.TOO_MUCH),
        (RADISHES, 10**20, QuantityRefusal.TOO_MUCH),
        (RADISHES, 0, QuantityRefusal.NOT_POSITIVE),
        (RADISHES, -1, QuantityRefusal.NOT_POSITIVE),
        (POTATOES, 250, None),
        (POTATOES, 1250, None),
        (POTATOES, 100, QuantityRefusal.NOT_A_STEP),
        (POTATOES, 1251, QuantityRefusal.NOT_A_STEP),
        (POTATOES, MOST_GRAMS, None),
        (POTATOES, MOST_GRAMS + 250, QuantityRefusal.TOO_MUCH),
        (POTATOES, -250, QuantityRefusal.NOT_POSITIVE),
        (POTATOES, 0, QuantityRefusal.NOT_POSITIVE),
    ],
)
def test_a_quantity_is_some_steps_and_not_too_many(goods, quantity, refusal):
    assert refusal_of_quantity(goods, quantity) is refusal


def test_nobody_orders_more_than_fifty_units_or_twenty_kilos():
    assert (MOST_UNITS, MOST_GRAMS) == (50, 20_000)


@pytest.mark.parametrize(
    ("goods", "few"), [(RADISHES, {1, 2, 3, 4, 5}), (POTATOES, set(range(250, 1251)))], ids=["units", "steps"]
)
def test_few_are_left_from_five_on_until_there_is_none(goods, few):
    assert {left for left in range(2000) if is_low(goods, left)} == few
    assert not is_low(goods, None)


# For how much

prices = st.builds(Money, st.integers(0, 100_000))
grams = st.integers(0, MOST_GRAMS)
steps = st.sampled_from([50, 100, 250, 500, 1000])
counted = st.sampled_from([unit for unit in SaleUnit if unit is not SaleUnit.WEIGHT])


def test_a_weight_is_priced_by_the_kilo_half_a_cent_up():
    assert amount(Money(250), SaleUnit.WEIGHT, 1000) == Money(250)
    assert amount(Money(250), SaleUnit.WEIGHT, 250) == Money(63)
    assert amount(Money(249), SaleUnit.WEIGHT, 250) == Money(62)
    assert amount(Money(390), SaleUnit.WEIGHT, 1237) == Money(482)


def test_a_price_per_kilo_or_litre_stands_beside_that_of_a_unit():
    assert per_measure(Money(680), 500) == Money(1360)
    assert per_measure(Money(320), 750) == Money(427)
    assert per_measure(Money(1), 2000) == Money(1)
    assert per_measure(Money(390), 1000) == Money(390)


@given(prices, counted, st.integers(0, MOST_UNITS))
def test_units_cost_so_many_times_their_price(price, unit, quantity):
    assert amount(price, unit, quantity) == sum([price] * quantity, Money.zero())


@given(prices, grams)
def test_a_weight_costs_its_exact_price_to_half_a_cent(price, weight):
    off = amount(price, SaleUnit.WEIGHT, weight).cents * 1000 - price.cents * weight
    assert -500 < off <= 500


@given(prices, prices, grams, grams)
def test_neither_more_nor_what_is_dearer_costs_less(price, more, weight, further):
    cheap, dear = amount(price, SaleUnit.WEIGHT, weight), amount(price + more, SaleUnit.WEIGHT, weight)
    assert cheap <= dear
    assert cheap <= amount(price, SaleUnit.WEIGHT, weight + further)


@given(prices, steps, st.integers(1, 20))
def test_ordering_in_parts_wins_at_most_half_a_cent_a_part(price, step, parts):
    whole = amount(price, SaleUnit.WEIGHT, step * parts)
    apart = amount(price, SaleUnit.WEIGHT, step) * parts
    assert 2 * abs(whole.cents - apart.cents) <= parts + 1


@given(prices, st.integers(1, 50_000))
def test_a_price_per_measure_is_exact_to_half_a_cent(price, content):
    off = 2 * (per_measure(price, content).cents * content - price.cents * 1000)
    assert -content < off <= content
