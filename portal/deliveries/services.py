"""Making deliveries."""

from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.deliveries.models import Delivery, Tour
from portal.infra import locks
from portal.rules.calendar import delivery_days, fortnight_of, monday_of
from portal.rules.cutoffs import cutoff_instant


def generate(session: Session, since: date, until: date) -> int:
    """Make every tour's deliveries between two nominal dates, both included; those that exist are left alone.

    Returns how many were made.
    """
    made = 0
    for tour in session.scalars(locks.for_update(select(Tour).order_by(Tour.id), of=Tour)).all():
        existing = set(
            session.scalars(
                select(Delivery.week).where(Delivery.tour_id == tour.id, Delivery.week >= monday_of(since))
            )
        )
        for day in delivery_days(tour.weekday, since, until):
            if monday_of(day) not in existing:
                session.add(new_delivery(tour, day))
                made += 1
    return made


def new_delivery(tour: Tour, day: date) -> Delivery:
    """A delivery on its nominal date, with the cutoff that the tour's lead gives."""
    week = monday_of(day)
    return Delivery(
        tour_id=tour.id,
        week=week,
        fortnight=fortnight_of(week),
        nominal_day=day,
        day=day,
        cutoff_at=cutoff_instant(day, tour.lead),
    )
