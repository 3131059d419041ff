"""Until when a delivery can be changed.

« Vous avez jusqu'au dimanche à 23h59 pour effectuer des modifications à votre livraison du mardi » (the
farm's guide). The closing minute is included, and it is a minute of the wall clock in France: a cutoff is
computed there and kept in UTC, so that neither a DST Sunday nor the server's time zone moves it.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

PARIS = ZoneInfo("Europe/Paris")
_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Lead:
    """How long before a delivery it closes.

    `time` is the last minute that is still taken, on the wall clock in Paris, `days` days before the
    delivery. Raises ValueError for negative days, an aware time or a time that is not a whole minute.
    """

    days: int
    time: time

    def __post_init__(self) -> None:
        if self.days < 0:
            raise ValueError("a delivery cannot close after its day")
        if self.time.tzinfo or self.time.second or self.time.microsecond:
            raise ValueError("a lead's time is a whole minute on the wall clock")


def cutoff_instant(day: date, lead: Lead) -> datetime:
    """The first refused instant, in UTC, for a delivery on `day`: the end of the lead's last minute."""
    last = datetime.combine(day - timedelta(days=lead.days), lead.time, PARIS)
    # A minute that the clock repeats or skips on a DST Sunday: the later reading, nobody is refused early.
    return max(last.replace(fold=fold).astimezone(UTC) for fold in (0, 1)) + _MINUTE


def is_past(cutoff: datetime, now: datetime) -> bool:
    """Whether `now` is too late: at the cutoff instant itself it is.

    Raises ValueError for naive datetimes.
    """
    _require_aware(cutoff)
    _require_aware(now)
    return now >= cutoff


def last_minute(cutoff: datetime) -> datetime:
    """The minute to show for a cutoff, in Paris: 23:59 for a cutoff at midnight.

    Raises ValueError if naive.
    """
    _require_aware(cutoff)
    return (cutoff.astimezone(UTC) - _MINUTE).astimezone(PARIS)


def local_day(moment: datetime) -> date:
    """The day that the calendar on the wall shows in Paris at that moment. Raises ValueError if naive."""
    _require_aware(moment)
    return moment.astimezone(PARIS).date()


def _require_aware(moment: datetime) -> None:
    if moment.utcoffset() is None:
        raise ValueError("a naive datetime says no instant")
