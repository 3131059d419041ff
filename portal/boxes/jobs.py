"""What the worker does for boxes."""

import logging

from sqlalchemy import select, update

from portal.boxes import services
from portal.boxes.carried import loads
from portal.deliveries.models import Delivery
from portal.infra import clock
from portal.infra.orm import own_transaction
from portal.pickup.models import PickupPoint
from portal.rules.calendar import WEEK, monday_of
from portal.rules.cutoffs import local_day

logger = logging.getLogger(__name__)


def freeze_due() -> None:
    """Freeze every delivery whose cutoff has passed, oldest first, each in a transaction of its own.

    A worker that was off across a cutoff does it when it is back: until then nothing can change either.
    """
    with own_transaction() as session:
        due = session.scalars(
            select(Delivery.id)
            .where(
                Delivery.cutoff_at <= clock.now(),
                Delivery.frozen_at.is_(None),
                Delivery.cancelled_at.is_(None),
            )
            .order_by(Delivery.cutoff_at)
        ).all()
    for delivery_id in due:
        try:
            with own_transaction() as session:
                services.freeze(session, delivery_id)
        except Exception:  # one delivery that cannot be frozen must not hold up the others
            logger.exception("freeze failed for delivery %s", delivery_id)


PLACES_AHEAD = 8
"""Weeks, from the next one on."""


def count_places() -> None:
    """Note how many places each point has left in the fullest of the coming weeks.

    Pages show it without counting; who takes a place is checked against the boxes themselves. Point by point,
    so that nobody waits for the whole count.
    """
    this_week = monday_of(local_day(clock.now()))
    weeks = [this_week + n * WEEK for n in range(1, PLACES_AHEAD + 1)]
    with own_transaction() as session:
        point_ids = session.scalars(select(PickupPoint.id).order_by(PickupPoint.id)).all()
    for point_id in point_ids:
        with own_transaction() as session:
            taken = loads(session, [point_id], weeks)
            free = PickupPoint.capacity - max(taken.values(), default=0)
            session.execute(update(PickupPoint).where(PickupPoint.id == point_id).values(free_places=free))
