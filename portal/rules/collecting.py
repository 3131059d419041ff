"""When a direct debit is collected, until when its file is made, and what follows one that comes back."""

from calendar import monthrange
from datetime import date, timedelta
from enum import StrEnum

from portal.rules.invoicing import next_month
from portal.rules.sepa import ReturnCode, Sequence, is_target_day, target_day

BANK_DAYS = 2
"""A file is at the bank so many target days before it collects: the rulebook asks for one, banks want time."""
EARLIEST_DAYS = 14
"""No bank takes one sooner before the day (SEPA core rulebook, 4.3)."""
ATTEMPTS = 2
"""For the same invoice; then another means is asked for."""


def collection_day(announced: date, *, day_of_month: int, notice_days: int) -> date:
    """The farm's day of the month, at least so many days after the announcement, on which banks clear."""
    earliest = announced + timedelta(days=notice_days)
    if (day := _in_month(earliest, day_of_month)) < earliest:
        day = _in_month(next_month(earliest), day_of_month)
    return target_day(day)


def is_told_in_time(told: date | None, collected: date, *, notice_days: int) -> bool:
    return told is not None and collected - told >= timedelta(days=notice_days)


def _in_month(month: date, day_of_month: int) -> date:
    return month.replace(day=min(day_of_month, monthrange(month.year, month.month)[1]))


def first_day_to_file(collected: date) -> date:
    return collected - timedelta(days=EARLIEST_DAYS)


def last_day_to_file(collected: date) -> date:
    day, left = collected, BANK_DAYS
    while left:
        day -= timedelta(days=1)
        left -= is_target_day(day)
    return day


class FileRefusal(StrEnum):
    """Why no file is made for a day of collection."""

    TOO_EARLY = "too_early"
    TOO_LATE = "too_late"


def refusal_to_file(collected: date, today: date) -> FileRefusal | None:
    if today > last_day_to_file(collected):
        return FileRefusal.TOO_LATE
    if today < first_day_to_file(collected):
        return FileRefusal.TOO_EARLY
    return None


def sequence(*, used: bool) -> Sequence:
    """FRST until something was presented under a mandate. Since 2016 the first may be RCUR too, yet none must."""
    return Sequence.RECURRENT if used else Sequence.FIRST


class AfterReturn(StrEnum):
    """What follows a debit that came back."""

    AGAIN = "again"
    OTHER_MEANS = "other_means"
    """Its person does not want it, or their bank does not: the mandate stays, this invoice is paid otherwise."""
    MANDATE_ENDS = "mandate_ends"


_AGAIN = frozenset(
    {ReturnCode.AM04, ReturnCode.MS03}  # the account was short of money; the bank says nothing
    | {
        ReturnCode.AG02,
        ReturnCode.BE05,
        ReturnCode.FF01,
        ReturnCode.MD02,
        ReturnCode.RC01,
    }  # a fault of our file
)
_ENDS = frozenset(
    {
        ReturnCode.AC01,
        ReturnCode.AC04,
        ReturnCode.AC06,
        ReturnCode.AC13,
        ReturnCode.AG01,
    }  # not from that account
    | {ReturnCode.MD01, ReturnCode.MD07}
)


def after_return(code: ReturnCode, attempt: int) -> AfterReturn:
    if code in _ENDS:
        return AfterReturn.MANDATE_ENDS
    if code in _AGAIN and attempt < ATTEMPTS:
        return AfterReturn.AGAIN
    return AfterReturn.OTHER_MEANS


def is_for_family(code: ReturnCode) -> bool:
    """Its person has died: no mail goes out, somebody calls."""
    return code is ReturnCode.MD07
