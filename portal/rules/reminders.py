"""When subscribers are reminded of a delivery, on the wall clock in France, and until when that is of use."""

from datetime import UTC, date, datetime, time, timedelta

from portal.rules.consents import Notice
from portal.rules.cutoffs import PARIS, last_minute, local_day

_CUTOFF_FROM = time(9)
_PICKUP_FROM = time(7)
_DAY = timedelta(days=1)


def is_time(notice: Notice, *, day: date, cutoff: datetime, now: datetime) -> bool:
    """Whether one is reminded now of a delivery on a day."""
    match notice:
        case Notice.COMPOSITION:
            return local_day(now) < day
        case Notice.CUTOFF:
            starts = cutoff_reminder(cutoff)
            return starts <= now and local_day(now) == local_day(starts)
        case Notice.PICKUP:
            return local_day(now) == day and now.astimezone(PARIS).time() >= _PICKUP_FROM


def cutoff_reminder(cutoff: datetime) -> datetime:
    """The last 9 h in the morning with a whole day left, or nearly, where the clock is put forward."""
    last = last_minute(cutoff).replace(tzinfo=None) - _DAY
    morning = datetime.combine(last.date(), _CUTOFF_FROM)
    if morning > last:
        morning -= _DAY
    return morning.replace(tzinfo=PARIS).astimezone(UTC)
