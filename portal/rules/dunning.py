"""Who is reminded of what they owe, how often and how soon, and how old a debt is."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum

from portal.rules.cutoffs import PARIS

BETWEEN = timedelta(days=7)
"""Between two reminders to one person, whatever they are about."""
MORNING, EVENING = time(9), time(18)


class Age(StrEnum):
    """For how long a debt has been due."""

    MONTH = "month"
    TWO_MONTHS = "two_months"
    THREE_MONTHS = "three_months"
    MORE = "more"


_UP_TO = {Age.MONTH: 30, Age.TWO_MONTHS: 60, Age.THREE_MONTHS: 90}


def age_of(days: int) -> Age:
    return next((age for age, most in _UP_TO.items() if days <= most), Age.MORE)


@dataclass(frozen=True, slots=True)
class Late:
    """An invoice that is not paid though it was due; `reminded` is the last step that went out, 0 where none did."""

    invoice_id: int
    due_on: date
    reminded: int = 0


def next_steps(
    invoices: Iterable[Late], days: Sequence[int], *, last: date | None, today: date
) -> dict[int, int]:
    """Of one person's invoices, by id, the step that each is at; nothing so soon after the last reminder.

    `days` are those after which the first step follows, the second… No step is left out, however late one is.
    """
    if last is not None and today - last < BETWEEN:
        return {}
    return {
        late.invoice_id: late.reminded + 1
        for late in invoices
        if late.reminded < len(days) and (today - late.due_on).days >= days[late.reminded]
    }


def is_time(now: datetime) -> bool:
    """The worker reminds on working days, while somebody of the farm can be called."""
    local = now.astimezone(PARIS)
    return local.weekday() < 5 and MORNING <= local.time() < EVENING
