"""What those who receive a delivery have received before, as far as it is frozen."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ScalarSelect, select
from sqlalchemy.orm import Session, aliased

from portal.boxes.carried import carried
from portal.boxes.models import Basket
from portal.deliveries.models import Delivery
from portal.deliveries.queries import DeliveryView
from portal.subscriptions.models import Subscription

FIRST_DELIVERIES = 2
"""So many are packed with more care."""


def beginners(session: Session, delivery: DeliveryView) -> dict[int, int]:
    """The accounts for which it is one of the first two deliveries, and which of them: account → 1 or 2."""
    here = carried([delivery.id])
    there = aliased(Subscription)
    accounts = select(there.account_id).join(here, here.c.subscription_id == there.id)
    rows = session.execute(
        select(
            Subscription.account_id,
            _received(delivery, Basket.week, Basket.delivery_id),
            _received(delivery, Basket.week.desc(), Basket.delivery_id),
        ).where(Subscription.account_id.in_(accounts))
    )
    known: dict[int, set[int]] = {}
    for account_id, first_id, last_id in rows:
        known.setdefault(account_id, set()).update(i for i in (first_id, last_id) if i is not None)
    return {
        account_id: len(deliveries) + 1
        for account_id, deliveries in known.items()
        if len(deliveries) < FIRST_DELIVERIES
    }


@dataclass(frozen=True, slots=True)
class Earlier:
    """The box that a subscription received before, where and on which day."""

    week: date
    day: date
    point_id: int
    formula_id: int
    quantity: int


def previous_boxes(session: Session, delivery: DeliveryView) -> dict[int, Earlier]:
    """For each subscription with a box on a delivery: the one before, if there was any."""
    here = carried([delivery.id])
    last = select(_received(delivery, Basket.week.desc(), Basket.id)).where(
        Subscription.id.in_(select(here.c.subscription_id))
    )
    rows = session.execute(
        select(
            Basket.subscription_id,
            Delivery.week,
            Delivery.day,
            Basket.pickup_point_id,
            Basket.formula_id,
            Basket.quantity,
        )
        .join(Delivery, Delivery.id == Basket.delivery_id)
        .where(Basket.id.in_(last))
    )
    return {row.subscription_id: Earlier(*row[1:]) for row in rows}


def _received(delivery: DeliveryView, order: Any, column: Any) -> ScalarSelect[Any]:
    """Of a subscription's boxes on earlier deliveries, the first in an order: one step in an index, not a scan."""
    return (
        select(column)
        .join(Delivery, Delivery.id == Basket.delivery_id)
        .where(
            Basket.subscription_id == Subscription.id,
            Basket.quantity > 0,
            Delivery.day < delivery.day,
            Delivery.cancelled_at.is_(None),
        )
        .order_by(order)
        .limit(1)
        .correlate(Subscription)
        .scalar_subquery()
    )
