from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.rules.calendar import (
    Fortnight,
    Rhythm,
    delivery_days,
    fortnight_of,
    monday_of,
    receives,
    season_start,
)

TUESDAY, THURSDAY, FRIDAY = 1, 3, 4
days = st.dates(date(2020, 1, 1), date(2060, 12, 31))


def test_a_week_is_its_monday():
    assert monday_of(date(2026, 6, 1)) == date(2026, 6, 1)
    assert monday_of(date(2026, 6, 7)) == date(2026, 6, 1)
    assert monday_of(date(2026, 6, 8)) == date(2026, 6, 8)


def test_fortnights_are_counted_from_a_monday_that_never_moves():
    assert fortnight_of(date(2024, 1, 1)) is Fortnight.A
    assert fortnight_of(date(2024, 1, 8)) is Fortnight.B
    assert fortnight_of(date(2023, 12, 25)) is Fortnight.B
    assert fortnight_of(date(2026, 6, 1)) is fortnight_of(date(2026, 6, 7))


def test_fortnights_alternate_across_week_53():
    around = [date(2026, 12, 21), date(2026, 12, 28), date(2027, 1, 4), date(2027, 1, 11)]
    assert [day.isocalendar().week for day in around] == [52, 53, 1, 2]
    assert [fortnight_of(day) for day in around] == [Fortnight.B, Fortnight.A, Fortnight.B, Fortnight.A]


@given(days)
def test_a_fortnight_stays_a_fortnight_in_every_year(day):
    assert fortnight_of(day) is fortnight_of(monday_of(day))
    assert fortnight_of(day) is not fortnight_of(day + timedelta(days=7))
    assert fortnight_of(day) is fortnight_of(day + timedelta(days=14))


def test_a_weekly_rhythm_receives_always_and_a_fortnightly_one_every_other_week():
    received = {
        (rhythm, fortnight) for rhythm in Rhythm for fortnight in Fortnight if receives(rhythm, fortnight)
    }
    assert received == {
        (Rhythm.WEEKLY, Fortnight.A),
        (Rhythm.WEEKLY, Fortnight.B),
        (Rhythm.FORTNIGHT_A, Fortnight.A),
        (Rhythm.FORTNIGHT_B, Fortnight.B),
    }


def test_a_tour_has_one_delivery_a_week_both_ends_included():
    assert delivery_days(TUESDAY, date(2026, 6, 2), date(2026, 6, 16)) == [
        date(2026, 6, 2),
        date(2026, 6, 9),
        date(2026, 6, 16),
    ]
    assert delivery_days(TUESDAY, date(2026, 6, 3), date(2026, 6, 15)) == [date(2026, 6, 9)]
    assert delivery_days(TUESDAY, date(2026, 6, 3), date(2026, 6, 8)) == []
    assert delivery_days(TUESDAY, date(2026, 6, 16), date(2026, 6, 2)) == []


def test_week_53_and_the_29th_of_february_have_their_deliveries():
    assert delivery_days(THURSDAY, date(2026, 12, 28), date(2027, 1, 10)) == [
        date(2026, 12, 31),
        date(2027, 1, 7),
    ]
    assert delivery_days(TUESDAY, date(2028, 2, 28), date(2028, 3, 7)) == [
        date(2028, 2, 29),
        date(2028, 3, 7),
    ]


@pytest.mark.parametrize("weekday", [-1, 7])
def test_a_weekday_that_does_not_exist_is_refused(weekday):
    with pytest.raises(ValueError, match="weekday"):
        delivery_days(weekday, date(2026, 6, 1), date(2026, 6, 30))


@given(st.integers(0, 6), days, st.integers(0, 800))
def test_each_delivery_is_in_exactly_one_week_and_one_month(weekday, since, length):
    until = since + timedelta(days=length)
    found = delivery_days(weekday, since, until)
    assert found == [
        day
        for n in range(length + 1)
        if (day := since + timedelta(days=n)).weekday() == weekday and day <= until
    ]
    by_month = [
        day
        for first, last in months(since, until)
        for day in delivery_days(weekday, max(since, first), min(until, last))
    ]
    assert by_month == found
    assert len({monday_of(day) for day in found}) == len(found)


def months(since, until):
    first = since.replace(day=1)
    while first <= until:
        following = (first + timedelta(days=31)).replace(day=1)
        yield first, following - timedelta(days=1)
        first = following


@pytest.mark.parametrize(
    ("day", "begun"),
    [
        (date(2026, 4, 1), date(2026, 4, 1)),
        (date(2026, 12, 31), date(2026, 4, 1)),
        (date(2027, 3, 31), date(2026, 4, 1)),
    ],
)
def test_a_season_lasts_until_its_first_day_comes_again(day, begun):
    assert season_start(401, day) == begun
