"""Harvested, packed, delivered: what staff have said to be done of a closed delivery."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from portal.deliveries.models import Delivery, DeliveryStep, Step
from portal.deliveries.queries import view
from portal.infra import audit, clock, locks
from portal.infra.orm import insert
from portal.rules.corrections import Refusal, refusal_to_work


def done(session: Session, delivery_ids: Collection[int]) -> dict[int, dict[Step, datetime]]:
    """By delivery: the steps that are done, and since when."""
    found: dict[int, dict[Step, datetime]] = {delivery_id: {} for delivery_id in delivery_ids}
    steps = select(DeliveryStep.delivery_id, DeliveryStep.step, DeliveryStep.at)
    for delivery_id, step, at in session.execute(steps.where(DeliveryStep.delivery_id.in_(found))):
        found[delivery_id][step] = at
    return found


def set_step(session: Session, delivery_id: int, step: Step, wanted: bool, *, by: int) -> Refusal | None:
    """Note that a step is done, or that it was not after all; each stands for itself: one may be forgotten."""
    own = select(Delivery).where(Delivery.id == delivery_id)
    delivery = session.scalars(locks.for_share(own, of=Delivery)).one()
    now = clock.now()
    if refusal := refusal_to_work(view(delivery).for_rules, now):
        return refusal
    if wanted:
        row = {"delivery_id": delivery_id, "step": step, "at": now, "by_id": by}
        written = insert(session, DeliveryStep).values(row).on_conflict_do_nothing()
    else:
        written = delete(DeliveryStep).where(
            DeliveryStep.delivery_id == delivery_id, DeliveryStep.step == step
        )
    changed = session.scalar(written.returning(DeliveryStep.step))
    if changed:
        said = {"step": step, "done": wanted}
        audit.record(session, "delivery.step", ("delivery", delivery_id), at=now, by=by, after=said)
    return None
