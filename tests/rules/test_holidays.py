"""French public holidays."""

from datetime import date

import pytest

from portal.rules.holidays import holiday_on, working_day_beside


@pytest.mark.parametrize(
    ("day", "name"),
    [
        (date(2026, 7, 14), "Fête nationale"),
        (date(2026, 5, 14), "Ascension"),
        (date(2026, 5, 25), "Lundi de Pentecôte"),
        (date(2027, 3, 29), "Lundi de Pâques"),
        (date(2026, 7, 15), None),
        (date(2026, 12, 26), None),  # in Alsace only
    ],
)
def test_holidays_are_those_of_the_whole_country(day: date, name: str | None) -> None:
    assert holiday_on(day) == name


@pytest.mark.parametrize(
    ("day", "beside"),
    [
        (date(2026, 7, 14), date(2026, 7, 15)),
        (date(2026, 8, 15), date(2026, 8, 14)),
        (date(2027, 1, 1), date(2027, 1, 2)),
        (date(2028, 5, 6), date(2028, 5, 5)),
    ],
)
def test_a_working_day_is_suggested(day: date, beside: date) -> None:
    assert working_day_beside(day) == beside
