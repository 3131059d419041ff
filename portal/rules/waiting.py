"""How long a place is kept for who is invited from a point's waiting list."""

from datetime import datetime, time, timedelta

from portal.rules.cutoffs import Lead, cutoff_instant, local_day

KEPT = timedelta(days=5)
_WHOLE_DAY = Lead(0, time(23, 59))


def kept_until(invited_at: datetime) -> datetime:
    """The end of the fifth day after the invitation, on the wall clock. Raises ValueError if naive."""
    return cutoff_instant(local_day(invited_at) + KEPT, _WHOLE_DAY)
