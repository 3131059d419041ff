"""Until when one may withdraw from a purchase."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.rules.holidays import holiday_on
from portal.rules.withdrawals import last_day, may_withdraw

DAY = timedelta(days=1)
days = st.dates(date(2024, 1, 1), date(2040, 12, 31))


@pytest.mark.parametrize(
    ("received", "last"),
    [
        (date(2026, 6, 2), date(2026, 6, 16)),
        (date(2026, 6, 5), date(2026, 6, 19)),
        (date(2026, 6, 6), date(2026, 6, 22)),
        (date(2026, 6, 7), date(2026, 6, 22)),
        (date(2026, 6, 30), date(2026, 7, 15)),
        (date(2026, 3, 21), date(2026, 4, 7)),
        (date(2026, 12, 11), date(2026, 12, 28)),
        (date(2026, 12, 18), date(2027, 1, 4)),
    ],
    ids=[
        "a Tuesday",
        "a Friday",
        "a Saturday waits for Monday",
        "a Sunday waits for Monday",
        "14 July",
        "the Saturday before Easter",
        "Christmas, a Friday",
        "New Year, a Friday",
    ],
)
def test_fourteen_days_and_then_the_next_working_day(received, last):
    assert last_day(received) == last


@given(days)
def test_the_last_day_is_the_first_working_day_when_fourteen_have_passed(received):
    last = last_day(received)
    assert last.weekday() < 5
    assert holiday_on(last) is None
    waited = [received + 14 * DAY + n * DAY for n in range((last - received).days - 14)]
    assert all(day.weekday() >= 5 or holiday_on(day) for day in waited)


def test_one_may_withdraw_until_the_last_day_is_over():
    received, last = date(2026, 6, 2), date(2026, 6, 16)
    answers = [may_withdraw(perishable=False, received=received, today=last + n * DAY) for n in (-14, 0, 1)]
    assert answers == [True, True, False]


def test_one_may_withdraw_before_anything_came():
    assert may_withdraw(perishable=False, received=None, today=date(2026, 6, 2))
    assert may_withdraw(perishable=False, received=date(2026, 6, 2), today=date(2026, 6, 1))


@pytest.mark.parametrize("received", [None, date(2026, 6, 2)])
def test_what_spoils_is_not_taken_back(received):
    assert not may_withdraw(perishable=True, received=received, today=date(2026, 6, 2))
