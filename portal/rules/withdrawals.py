"""Until when a consumer may withdraw from a purchase made at a distance (Code de la consommation, L221-18).

Not from what may spoil or expire quickly (L221-28, 4°).
"""

from datetime import date, timedelta

from portal.rules.holidays import holiday_on

PERIOD = timedelta(days=14)
SATURDAY = 5


def last_day(received: date) -> date:
    """Fourteen days, the day of receipt not counted; one that ends on a Saturday, a Sunday or a public holiday
    ends on the next working day (L221-19)."""
    last = received + PERIOD
    while last.weekday() >= SATURDAY or holiday_on(last):
        last += timedelta(days=1)
    return last


def may_withdraw(perishable: bool, received: date | None, today: date) -> bool:
    """Whether the period runs: from the order on, until its last day is over."""
    return not perishable and (received is None or today <= last_day(received))
