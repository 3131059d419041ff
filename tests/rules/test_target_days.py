"""When debits are collected and their files made, and what follows a return."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.rules.collecting import (
    AfterReturn,
    FileRefusal,
    after_return,
    collection_day,
    last_day_to_file,
    refusal_to_file,
    sequence,
)
from portal.rules.sepa import ReturnCode, Sequence, is_target_day, target_day

DAYS = st.dates(date(2026, 1, 1), date(2040, 12, 31))


@pytest.mark.parametrize(
    ("day", "clears"),
    [
        (date(2026, 12, 24), True),
        (date(2026, 12, 25), False),
        (date(2026, 12, 28), True),
        (date(2027, 1, 1), False),
        (date(2027, 3, 26), False),  # Good Friday
        (date(2027, 3, 29), False),  # Easter Monday
        (date(2026, 5, 1), False),
        (date(2026, 7, 14), True),  # banks clear on France's own holidays
        (date(2026, 11, 11), True),
        (date(2026, 6, 13), False),
        (date(2026, 6, 14), False),
    ],
)
def test_banks_clear_on_target_days_alone(day: date, clears: bool) -> None:
    assert is_target_day(day) is clears


@pytest.mark.parametrize(
    ("announced", "usual", "collected"),
    [
        (date(2026, 6, 1), 15, date(2026, 6, 15)),  # exactly the notice
        (date(2026, 6, 2), 15, date(2026, 7, 15)),  # a day less
        (date(2026, 9, 1), 10, date(2026, 10, 12)),  # the 10th is a Saturday
        (date(2026, 12, 10), 25, date(2026, 12, 28)),  # Christmas, and the weekend behind it
        (date(2027, 3, 1), 26, date(2027, 3, 30)),  # Easter
        (date(2027, 2, 1), 31, date(2027, 3, 1)),  # February's last day is a Sunday
        (date(2028, 2, 10), 31, date(2028, 2, 29)),
        (date(2026, 12, 20), 10, date(2027, 1, 11)),
    ],
)
def test_a_debit_is_collected_on_the_farm_s_day_once_its_notice_is_over(
    announced: date, usual: int, collected: date
) -> None:
    assert collection_day(announced, day_of_month=usual, notice_days=14) == collected


@given(DAYS, st.integers(1, 31), st.integers(0, 40))
def test_a_day_of_collection_is_never_too_soon_nor_a_month_late(
    announced: date, usual: int, notice: int
) -> None:
    day = collection_day(announced, day_of_month=usual, notice_days=notice)
    assert is_target_day(day)
    assert notice <= (day - announced).days <= notice + 31 + 4
    assert target_day(day) == day


@given(DAYS.map(target_day))
def test_a_file_is_made_two_bank_days_ahead_and_no_sooner_than_banks_take_it(collected: date) -> None:
    last = last_day_to_file(collected)
    assert sum(is_target_day(last + timedelta(days=n)) for n in range((collected - last).days)) == 2
    assert refusal_to_file(collected, last) is None
    assert refusal_to_file(collected, last + timedelta(days=1)) is FileRefusal.TOO_LATE
    assert refusal_to_file(collected, collected + timedelta(days=1)) is FileRefusal.TOO_LATE
    assert refusal_to_file(collected, collected - timedelta(days=14)) is None
    assert refusal_to_file(collected, collected - timedelta(days=15)) is FileRefusal.TOO_EARLY


def test_only_what_was_never_used_is_first() -> None:
    assert [sequence(used=False), sequence(used=True)] == [Sequence.FIRST, Sequence.RECURRENT]


def test_an_empty_account_is_tried_once_more_a_closed_one_never() -> None:
    assert after_return(ReturnCode.AM04, 1) is AfterReturn.AGAIN
    assert after_return(ReturnCode.AM04, 2) is AfterReturn.OTHER_MEANS
    assert after_return(ReturnCode.AC04, 1) is AfterReturn.MANDATE_ENDS
    assert after_return(ReturnCode.MD01, 2) is AfterReturn.MANDATE_ENDS


def test_whoever_did_not_want_it_is_not_debited_again() -> None:
    assert after_return(ReturnCode.MD06, 1) is AfterReturn.OTHER_MEANS
    assert after_return(ReturnCode.MS02, 1) is AfterReturn.OTHER_MEANS
    assert all(after_return(code, 2) is not AfterReturn.AGAIN for code in ReturnCode)
