"""Weeks, fortnights and rhythms.

Everything counts in weeks, and a week is its Monday. Fortnights alternate from one fixed Monday,
never by ISO week parity: 2026 has a week 53, after which odd weeks would follow each other.
"""

from datetime import date, timedelta
from enum import StrEnum

WEEK = timedelta(weeks=1)
_FIRST_WEEK_A = date(2024, 1, 1)


class Fortnight(StrEnum):
    """The two kinds of weeks, which alternate for ever; a closure does not shift them."""

    A = "a"
    B = "b"


class Rhythm(StrEnum):
    """How often a subscription receives a box."""

    WEEKLY = "weekly"
    FORTNIGHT_A = "fortnight_a"
    FORTNIGHT_B = "fortnight_b"


def monday_of(day: date) -> date:
    """The Monday that names the week of `day`."""
    return day - timedelta(days=day.weekday())


def fortnight_of(week: date) -> Fortnight:
    """The fortnight of a week, given by its Monday or any other of its days."""
    weeks = (week - _FIRST_WEEK_A).days // 7
    return Fortnight.B if weeks % 2 else Fortnight.A


def season_start(first: int, day: date) -> date:
    """The day on which the season of `day` has begun: `first` is a day of every year, as month × 100 + day."""
    month, number = divmod(first, 100)
    begins = date(day.year, month, number)
    return begins if begins <= day else date(day.year - 1, month, number)


def receives(rhythm: Rhythm, fortnight: Fortnight) -> bool:
    """Whether a subscription of this rhythm receives a box in the weeks of this fortnight."""
    match rhythm:
        case Rhythm.WEEKLY:
            return True
        case Rhythm.FORTNIGHT_A:
            return fortnight is Fortnight.A
        case Rhythm.FORTNIGHT_B:
            return fortnight is Fortnight.B


def delivery_days(weekday: int, since: date, until: date) -> list[date]:
    """The nominal dates of a tour (Monday is 0) from `since` to `until`, both included.

    Raises ValueError for a weekday outside 0..6.
    """
    if not 0 <= weekday <= 6:
        raise ValueError(f"no such weekday: {weekday}")
    first = since + timedelta(days=(weekday - since.weekday()) % 7)
    return [first + n * WEEK for n in range((until - first).days // 7 + 1)]
