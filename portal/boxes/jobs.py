"""What the worker does for boxes."""

import logging

from sqlalchemy import select

from portal.boxes import services
from portal.deliveries.models import Delivery
from portal.infra import clock
from portal.infra.jobs import Task
from portal.infra.orm import own_transaction

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


TASKS = (Task("freeze", 5, freeze_due),)
