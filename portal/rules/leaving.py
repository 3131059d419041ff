"""Whose contract is meant, and how long one may confirm that it is to end (Code de la consommation, L215-1-1)."""

import re
from datetime import datetime, timedelta

CONFIRMABLE = timedelta(days=30)

_CUSTOMER_NUMBER = re.compile(r"(?<![0-9A-Za-z])[Cc]? ?([0-9]{5,9})(?![0-9A-Za-z])", re.ASCII)


def customer_number_in(reference: str) -> int | None:
    """« C10042 », « client 10042 »: the digits of the one customer number that stands in somebody's own words."""
    found = set(_CUSTOMER_NUMBER.findall(reference))
    return int(found.pop()) if len(found) == 1 else None


def may_confirm(notified_at: datetime, now: datetime) -> bool:
    return now < notified_at + CONFIRMABLE
