"""The freeze, and the one-off changes of a week."""

from datetime import date, datetime

from sqlalchemy import Insert, delete, func, insert, select, tuple_
from sqlalchemy.orm import Session, aliased

from portal.boxes.models import Basket, BoxChange
from portal.boxes.queries import received
from portal.catalogue.models import FormulaPrice
from portal.deliveries.models import Delivery
from portal.infra import audit, clock, locks
from portal.rules.cutoffs import is_past
from portal.subscriptions.models import Term


def freeze(session: Session, delivery_id: int) -> bool:
    """Write down the boxes of a delivery that has closed; what is frozen, cancelled or open is left alone.

    Returns whether anything was done. The delivery's lock keeps every change of a box out meanwhile, and the
    clock is read once it is held. A formula without a price on that day stops the freeze: no box is lost.
    """
    delivery = session.scalar(
        locks.for_update(select(Delivery).where(Delivery.id == delivery_id), of=Delivery)
    )
    now = clock.now()
    if (
        delivery is None
        or delivery.frozen_at
        or delivery.cancelled_at
        or not is_past(delivery.cutoff_at, now)
    ):
        return False
    locks.checked()
    delivery.frozen_at = now
    replaced = _remove_void_baskets(session, delivery)
    session.execute(_insert_baskets(delivery))
    boxes = session.scalar(select(func.count()).select_from(Basket).where(Basket.delivery_id == delivery_id))
    audit.record(
        session,
        "delivery.freeze",
        ("delivery", delivery_id),
        at=now,
        by=None,
        before={"void": sorted(replaced)} if replaced else None,
        after={"boxes": boxes},
    )
    return True


def _remove_void_baskets(session: Session, delivery: Delivery) -> list[int]:
    """Make room where a box comes instead of one whose delivery was cancelled after its own freeze.

    Such a row is void already: not packed, not delivered, not billed. Answers whose they were, for the trail.
    """
    void = session.scalars(
        select(Delivery.id).where(Delivery.cancelled_at.is_not(None), Delivery.frozen_at.is_not(None))
    ).all()
    if not void:
        return []
    instead = (
        received().where(Delivery.id == delivery.id).with_only_columns(Term.subscription_id, Delivery.week)
    )
    return list(
        session.scalars(
            delete(Basket)
            .where(Basket.delivery_id.in_(void), tuple_(Basket.subscription_id, Basket.week).in_(instead))
            .returning(Basket.subscription_id)
        )
    )


def _insert_baskets(delivery: Delivery) -> Insert:
    boxes = received().where(Delivery.id == delivery.id).subquery()
    price, newer = aliased(FormulaPrice), aliased(FormulaPrice)
    newest = (
        select(func.max(newer.since))
        .where(newer.formula_id == boxes.c.formula_id, newer.since <= delivery.day)
        .scalar_subquery()
    )
    priced = select(*boxes.c, price.price, price.vat_basis_points).outerjoin_from(
        boxes, price, (price.formula_id == boxes.c.formula_id) & (price.since == newest)
    )
    columns = [*boxes.c.keys(), "unit_price", "vat_basis_points"]
    return insert(Basket).from_select(columns, priced)


def set_skip(session: Session, subscription_id: int, week: date, skip: bool, now: datetime) -> None:
    """Note the wish for one week; the row stays when it is undone."""
    change = session.scalar(
        select(BoxChange).where(BoxChange.subscription_id == subscription_id, BoxChange.week == week)
    )
    if change is None:
        change = BoxChange(subscription_id=subscription_id, week=week)
        session.add(change)
    change.skip = skip
    change.changed_at = now
