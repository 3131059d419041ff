"""The freeze, and writing down what a plan says of weeks and suspensions."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import delete, func, select, true, tuple_, update
from sqlalchemy.orm import Session, aliased

from portal.boxes.carried import received
from portal.boxes.models import Basket, BoxChange, Suspension
from portal.catalogue.models import Formula, FormulaPrice
from portal.deliveries.models import Delivery
from portal.infra import audit, clock, locks
from portal.infra.orm import insert
from portal.rules.cutoffs import is_past
from portal.rules.planning import Plan, WeekChange
from portal.subscriptions.models import Subscription


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
    _insert_baskets(session, delivery)
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


def unpriced(session: Session, delivery: Delivery) -> list[str]:
    """The formulas that a delivery would bring and that have no price on its day: it cannot be frozen with them."""
    expected = received([delivery.id]).subquery()
    priced = select(FormulaPrice.formula_id).where(FormulaPrice.since <= delivery.day)
    return list(
        session.scalars(
            select(Formula.name)
            .where(Formula.id.in_(select(expected.c.formula_id)), Formula.id.not_in(priced))
            .order_by(Formula.position)
        )
    )


def _remove_void_baskets(session: Session, delivery: Delivery) -> list[int]:
    """Make room where a box comes instead of one whose delivery was cancelled after its own freeze.

    Such a row is void already: not packed, not delivered, not billed. Answers whose they were, for the trail.
    """
    void = session.scalars(
        select(Delivery.id).where(Delivery.cancelled_at.is_not(None), Delivery.frozen_at.is_not(None))
    ).all()
    if not void:
        return []
    coming = received([delivery.id]).subquery()
    instead = select(coming.c.subscription_id, coming.c.week)
    return list(
        session.scalars(
            delete(Basket)
            .where(Basket.delivery_id.in_(void), tuple_(Basket.subscription_id, Basket.week).in_(instead))
            .returning(Basket.subscription_id)
        )
    )


def _insert_baskets(session: Session, delivery: Delivery) -> None:
    """But for the boxes of a week that staff have given with another delivery: never two of one week.

    In the order of subscriptions, which is that of their index: its pages are each read and written once.
    """
    boxes = received([delivery.id]).subquery()
    price, newer = aliased(FormulaPrice), aliased(FormulaPrice)
    newest = (
        select(func.max(newer.since))
        .where(newer.formula_id == boxes.c.formula_id, newer.since <= delivery.day)
        .scalar_subquery()
    )
    priced = (
        select(*boxes.c, price.price, price.vat_basis_points, boxes.c.quantity)
        .outerjoin_from(boxes, price, (price.formula_id == boxes.c.formula_id) & (price.since == newest))
        .where(true())  # without it SQLite reads « ON CONFLICT » as what joins tables
        .order_by(boxes.c.subscription_id)
    )
    columns = [*boxes.c.keys(), "unit_price", "vat_basis_points", "billed_quantity"]
    written = insert(session, Basket).from_select(columns, priced)
    session.execute(written.on_conflict_do_nothing(index_elements=["subscription_id", "week"]))


def save(session: Session, before: Plan, after: Plan, *, at: datetime, by: int) -> None:
    """Write down what a new plan says otherwise of weeks and suspensions, and leave a line on each in the trail."""
    changed = {
        week for week in {*before.changes, *after.changes} if before.change_of(week) != after.change_of(week)
    }
    rows = {
        row.week: row
        for row in session.scalars(
            select(BoxChange).where(
                BoxChange.subscription_id == before.subscription_id, BoxChange.week.in_(changed)
            )
        )
    }
    for week in sorted(changed, key=lambda week: (after.change_of(week).to_week is not None, week)):
        row = rows.get(week) or BoxChange(subscription_id=before.subscription_id, week=week)
        _write(row, after.change_of(week), at, by)
        session.add(row)
        session.flush()  # who leaves a week's delivery makes room on it for who comes
        old, new = (_for_trail(week, plan.change_of(week)) for plan in (before, after))
        audit.record(
            session,
            "box.change",
            ("subscription", before.subscription_id),
            at=at,
            by=by,
            before=old,
            after=new,
        )
    _save_suspensions(session, before, after, at=at, by=by)
    if before != after:
        session.execute(
            update(Subscription).where(Subscription.id == before.subscription_id).values(changed_at=at)
        )


def _write(row: BoxChange, change: WeekChange, at: datetime, by: int) -> None:
    row.skip, row.skip_at, row.to_week = change.skip, change.skip_at, change.to_week
    row.pickup_point_id = change.place.point_id if change.place else None
    row.formula_id, row.quantity = change.formula_id, change.quantity
    row.changed_at, row.changed_by = at, by


def _for_trail(week: date, change: WeekChange) -> dict[str, Any]:
    """What a week's change says, without what it leaves alone."""
    said = {
        "skip": change.skip,
        "to_week": change.to_week.isoformat() if change.to_week else None,
        "pickup_point": change.place.point_id if change.place else None,
        "formula": change.formula_id,
        "quantity": change.quantity,
    }
    return {"week": week.isoformat()} | {name: value for name, value in said.items() if value is not None}


def _save_suspensions(session: Session, before: Plan, after: Plan, *, at: datetime, by: int) -> None:
    subject = ("subscription", before.subscription_id)
    for suspension in after.suspensions:
        days = {"since": suspension.first_day.isoformat(), "until": suspension.last_day.isoformat()}
        if suspension.id is None:
            session.add(
                Suspension(
                    subscription_id=before.subscription_id,
                    first_day=suspension.first_day,
                    last_day=suspension.last_day,
                    made_at=suspension.made_at,
                    made_by=by,
                )
            )
            audit.record(session, "subscription.suspend", subject, at=at, by=by, after=days)
        elif suspension not in before.suspensions:
            row = session.get_one(Suspension, suspension.id)
            row.ended_at, row.ended_by = suspension.ended_at, by
            audit.record(session, "subscription.resume", subject, at=at, by=by, before=days)
