"""Orders whose delivery the farm has cancelled or moved: where they go now, and the mail that says so."""

from dataclasses import replace
from datetime import timedelta

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from portal.deliveries.models import Delivery
from portal.infra import clock, locks
from portal.infra.orm import own_transaction
from portal.pickup.queries import find as find_point
from portal.rules.cutoffs import local_day
from portal.rules.orders import LIVE, OrderState
from portal.shop import follow, queries
from portal.shop.models import Order
from portal.shop.orders import bring, post_change
from portal.shop.travel import Stop, box_stops, point_stops

AT_ONCE = 20
BEHIND = timedelta(days=30)
"""How long ago a delivery may have been due that was cancelled or moved since."""

_WAITING = sorted(LIVE - {OrderState.DELIVERED})


def follow_deliveries() -> bool:
    """Take some orders along, each in a transaction of its own; True if more wait."""
    with own_transaction() as session:
        lost = (
            select(Order.id)
            .join(Order.delivery)
            .where(
                Delivery.day >= local_day(clock.now()) - BEHIND,
                Order.state.in_(_WAITING),
                or_(Delivery.cancelled_at.is_not(None), Delivery.day != Order.told_day),
            )
            .order_by(Order.id)
        )
        found = session.scalars(lost.limit(AT_ONCE)).all()
    for order_id in found:
        with own_transaction() as session:
            reroute(session, order_id)
    return len(found) == AT_ONCE


def reroute(session: Session, order_id: int) -> None:
    """Let an order go to the next delivery if its own does not take place; tell where the day is another one.

    What is counted by delivery goes with it: what the farm had for the one, it has for the other. Where no
    delivery is known any more, the order falls.
    """
    order = session.scalar(
        locks.for_update(select(Order).where(Order.id == order_id, Order.state.in_(_WAITING)), of=Order)
    )
    if order is None:
        return
    stop = _next_stop(session, order)
    concerned = {order.delivery_id, stop.delivery.id} if stop else {order.delivery_id}
    held = select(Delivery).where(Delivery.id.in_(concerned)).order_by(Delivery.id)
    deliveries = {row.id: row for row in session.scalars(locks.for_share(held, of=Delivery))}
    now, own = clock.now(), deliveries[order.delivery_id]
    locks.checked()
    before = queries.find(session, order_id)
    assert before is not None
    known = replace(before, delivery=replace(before.delivery, day=order.told_day))
    if own.cancelled_at is None:
        if own.day == order.told_day:
            return
        order.told_day = own.day
        post_change(session, order, known, at=now, by=None, reason=own.move_reason)
    elif stop is None:
        bring(session, order, OrderState.CANCELLED, at=now, by=None, reason=own.cancel_reason)
    else:
        if order.state is OrderState.PREPARED:
            bring(session, order, OrderState.ACCEPTED, at=now, by=None)
        follow.put(session, order, stop.delivery, stop.point, with_box=stop.with_box, at=now, by=None)
        post_change(session, order, known, at=now, by=None, reason=own.cancel_reason)


def _next_stop(session: Session, order: Order) -> Stop | None:
    """The next open delivery with a box of the same person, else the next one that comes to the same point."""
    now = clock.now()
    stops = box_stops(session, order.account_id, now) if order.account_id and order.with_box else []
    if not stops and (point := find_point(session, order.pickup_point_id)):
        stops = point_stops(session, point, now)
    return next((stop for stop in stops if stop.delivery.id != order.delivery_id), None)
