"""French public holidays, those of the whole country."""

from collections.abc import Mapping
from datetime import date, timedelta
from functools import cache

from holidays import country_holidays

SUNDAY = 6


def holiday_on(day: date) -> str | None:
    """The holiday's name, if the day is one."""
    return _of_year(day.year).get(day)


def working_day_beside(day: date) -> date:
    """The nearest day that is neither a holiday nor a Sunday, rather after than before: a first suggestion."""
    near = (day + timedelta(days=sign * n) for n in range(1, 7) for sign in (1, -1))
    return next(other for other in near if other.weekday() != SUNDAY and not holiday_on(other))


@cache
def _of_year(year: int) -> Mapping[date, str]:
    return dict(country_holidays("FR", years=year, language="fr"))
