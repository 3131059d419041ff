"""Orders whose delivery the farm has cancelled or moved, or whose point it has closed: where they go now."""

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from portal.deliveries.models import Delivery
from portal.deliveries.queries import view
from portal.infra import clock, locks
from portal.pickup.queries import closings
from portal.pickup.queries import find as find_point
from portal.rules.orders import LIVE, OrderState
from portal.rules.planning import closing_of
from portal.shop import follow, queries
from portal.shop.models import Happening, Order, OrderEvent
from portal.shop.orders import bring, post
from portal.shop.travel import Stop, box_stops, point_stops
from portal.shop.views import OrderView

WAITING = sorted(LIVE - {OrderState.DELIVERED})


def waiting(session: Session, delivery_id: int) -> int:
    """How many orders go elsewhere with a delivery that is cancelled or moved; guests' too."""
    held = select(func.count(Order.id)).where(Order.delivery_id == delivery_id, Order.state.in_(WAITING))
    return session.scalar(held) or 0


def all_waiting(session: Session, delivery_ids: Collection[int]) -> dict[int, int]:
    """The same of each of these deliveries; those without orders are left out."""
    held = select(Order.delivery_id, func.count()).where(
        Order.delivery_id.in_(delivery_ids), Order.state.in_(WAITING)
    )
    return dict(session.execute(held.group_by(Order.delivery_id)).all())


def reroute(session: Session, order: Order) -> None:
    """Let a held order go to a later delivery if its own does not take place; tell where the day is another one.

    What is counted by delivery is taken there, if need be more than there is: staff see what is missing. Where no
    delivery can bring all of it, the order falls.
    """
    own = order.delivery
    if order.state not in WAITING or (own.cancelled_at is None and own.day == order.told_day):
        return
    before = queries.find(session, order.id)
    assert before is not None, "it is held"
    known = replace(before, delivery=replace(before.delivery, day=order.told_day))
    if own.cancelled_at is None:
        now, order.told_day = clock.now(), own.day
        said = follow.between_days(known.delivery.day, own.day)
        order.events.append(OrderEvent(at=now, what=Happening.MOVED, reason=said))
        _tell(session, order, known, at=now, fallen=False, reason=own.move_reason)
        return
    follow.hold_articles(session, [order])
    stop = _next_stop(session, order)
    now = clock.now()
    locks.checked()
    if stop and not stop.is_open(now):  # it has closed while we waited: the next round finds another
        return
    if order.state is OrderState.PREPARED:
        bring(session, order, OrderState.ACCEPTED, at=now, by=None)
    if stop is None:
        bring(session, order, OrderState.CANCELLED, at=now, by=None, reason=own.cancel_reason)
        return
    reason = own.cancel_reason
    follow.travel(
        session,
        order,
        stop.delivery,
        stop.point,
        with_box=stop.with_box,
        instead_of=stop.instead_of,
        at=now,
        by=None,
    )
    _tell(session, order, known, at=now, fallen=True, reason=reason)


def rehouse(session: Session, order: Order) -> None:
    """Let a held order be collected where its closed point sends it, or where it was for once that is over.

    A guest is told now; who has an account hears of the closing once, of boxes and orders together.
    """
    if order.state not in WAITING or order.delivery.cancelled_at is not None:
        return
    now, delivery = clock.now(), view(order.delivery)
    usual = order.instead_of_id or order.pickup_point_id
    closed = closings(session, delivery.day)
    standing = closing_of(usual, delivery.for_rules, [closing.for_rules for closing in closed])
    there, instead_of = (standing.substitute_id, usual) if standing else (usual, None)
    if order.with_box and order.account_id:
        stops = [s for s in box_stops(session, order.account_id, now) if s.delivery.id == delivery.id]
        here = [stop for stop in stops if stop.point.id == order.pickup_point_id]
        for stop in (here or stops)[:1]:
            there, instead_of = stop.point.id, stop.instead_of
    if there == order.pickup_point_id:
        order.instead_of_id = instead_of
        return
    before, point = queries.find(session, order.id), find_point(session, there)
    assert before is not None and point is not None, "they are held, or named"
    follow.put(
        session, order, delivery, point, with_box=order.with_box, instead_of=instead_of, at=now, by=None
    )
    if order.account_id is None:
        reason = next((c.reason for c in closed if c.for_rules == standing), None)
        post(session, order, "order_elsewhere", at=now, by=None, before=before, reason=reason)


def _tell(
    session: Session, order: Order, known: OrderView, *, at: datetime, fallen: bool, reason: str | None
) -> None:
    post(session, order, "order_moved", at=at, by=None, before=known, fallen=fallen, reason=reason)


def _next_stop(session: Session, order: Order) -> Stop | None:
    """The next delivery that can bring it, held: with a box of the same person, else to the same point."""
    now = clock.now()
    for stop in _later_stops(session, order, now):
        if follow.can_bring(session, order, stop.delivery, now):
            held = select(Delivery).where(Delivery.id == stop.delivery.id)
            row = session.scalars(locks.for_share(held, of=Delivery)).one()
            return replace(stop, delivery=view(row))
    return None


def _later_stops(session: Session, order: Order, now: datetime) -> list[Stop]:
    boxes = box_stops(session, order.account_id, now) if order.account_id and order.with_box else []
    point = find_point(session, order.pickup_point_id)
    alone = point_stops(session, point, now) if point and not point.retired else []
    return [stop for stop in (*boxes, *alone) if stop.delivery.day > order.delivery.day]
