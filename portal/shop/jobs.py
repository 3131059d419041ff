"""What the worker does for orders, each in a transaction of its own: two workers do it once."""

import logging
from collections.abc import Callable
from datetime import timedelta

from sqlalchemy import ColumnElement, and_, exists, or_, select, update
from sqlalchemy.orm import Session

from portal.accounts.models import Account
from portal.deliveries.models import Delivery
from portal.infra import audit, clock, outbox
from portal.infra.jobs import DAY, MINUTE, Task
from portal.infra.orm import own_transaction
from portal.pickup.models import PointClosing
from portal.rules.cutoffs import is_past, local_day
from portal.rules.orders import KEPT_YEARS, OrderState, kept_until
from portal.shop import queries
from portal.shop.models import Order, Withdrawal
from portal.shop.orders import bring, hold
from portal.shop.rerouting import WAITING, rehouse, reroute
from portal.shop.suppliers import tell_suppliers
from portal.shop.wishes import tell_what_is_back

logger = logging.getLogger(__name__)

AT_ONCE = 20
BEHIND = timedelta(days=30)
"""How long ago a delivery may have been due that was cancelled or moved since."""


def accept_unjudged() -> bool:
    """Accept what nobody has judged by its cutoff; True if more waits."""
    late = (
        Order.state == OrderState.PLACED,
        Delivery.cutoff_at <= clock.now(),
        Delivery.cancelled_at.is_(None),
    )
    return _each(_accept, *late)


def _accept(session: Session, order: Order) -> None:
    now = clock.now()
    if order.delivery.cancelled_at is None and is_past(order.delivery.cutoff_at, now):
        bring(session, order, OrderState.ACCEPTED, at=now, by=None)


def mark_delivered() -> bool:
    """What was to be collected yesterday or before is delivered; True if more waits."""
    over = (
        Order.state.in_([OrderState.ACCEPTED, OrderState.PREPARED]),
        Delivery.day < local_day(clock.now()),
        Delivery.cancelled_at.is_(None),
    )
    return _each(_deliver, *over)


def _deliver(session: Session, order: Order) -> None:
    now = clock.now()
    if order.delivery.cancelled_at is None and order.delivery.day < local_day(now):
        bring(session, order, OrderState.DELIVERED, at=now, by=None)


def follow_deliveries() -> bool:
    """Take orders along that the farm does not deliver as they were told; True if more waits."""
    astray = (
        Order.state.in_(WAITING),
        Delivery.day >= local_day(clock.now()) - BEHIND,
        or_(Delivery.cancelled_at.is_not(None), Delivery.day != Order.told_day),
    )
    return _each(reroute, *astray)


def follow_closings() -> bool:
    """Take orders along whose point is closed on their day, or no longer is; True if more waits."""
    standing = (
        Delivery.day.between(PointClosing.first_day, PointClosing.last_day),
        PointClosing.made_at < Delivery.cutoff_at,
        or_(PointClosing.ended_at.is_(None), Delivery.cutoff_at <= PointClosing.ended_at),
    )
    closed = exists().where(PointClosing.pickup_point_id == Order.pickup_point_id, *standing)
    still = exists().where(
        PointClosing.pickup_point_id == Order.instead_of_id,
        PointClosing.substitute_id == Order.pickup_point_id,
        *standing,
    )
    astray = (
        Order.state.in_(WAITING),
        Delivery.day >= local_day(clock.now()),
        Delivery.cancelled_at.is_(None),
        or_(closed, and_(Order.instead_of_id.is_not(None), ~still)),
    )
    return _each(rehouse, *astray)


def erase_guests() -> None:
    """Forget who has ordered without an account once the time is over for which the law wants it known."""
    with own_transaction() as session:
        old = select(Order.id).join(Order.delivery).where(*_old_guests())
        found = session.scalars(old.order_by(Order.id)).all()
    for order_id in found:
        _attempt(order_id, _erase)


def _old_guests() -> tuple[ColumnElement[bool], ...]:
    """Rather a day too early: `kept_until` decides."""
    oldest = local_day(clock.now()) - KEPT_YEARS * timedelta(days=365)
    return (Order.account_id.is_(None), Order.erased_at.is_(None), Delivery.day < oldest)


def _erase(session: Session, order: Order) -> None:
    now = clock.now()
    view = queries.find(session, order.id)
    assert view is not None, "it is held"
    if order.erased_at or local_day(now) <= kept_until(view.delivery.day, view.total):
        return
    declared = Withdrawal.order_id == order.id
    addresses = {order.email, *session.scalars(select(Withdrawal.email).where(declared))}
    for field in ("name", "email", "phone", "street", "postcode", "town"):
        setattr(order, field, "")
    order.erased_at = now
    session.execute(update(Withdrawal).where(declared).values(name="", email=""))
    _forget_mails(session, addresses)
    audit.record(session, "order.erase", ("shop_order", order.id), at=now, by=None)


def _forget_mails(session: Session, addresses: set[str]) -> None:
    """Nor that they were written to, unless an account has the address, or an order that is kept."""
    session.flush()
    ordering = select(Order.email).where(Order.email.in_(addresses))
    known = ordering.union(select(Account.email).where(Account.email.in_(addresses)))
    outbox.forget_recipients(session, addresses.difference(session.scalars(known)))


def _each(act: Callable[[Session, Order], None], *which: ColumnElement[bool]) -> bool:
    with own_transaction() as session:
        due = select(Order.id).join(Order.delivery).where(*which).order_by(Order.id).limit(AT_ONCE)
        found = session.scalars(due).all()
    done = [_attempt(order_id, act) for order_id in found]
    return len(found) == AT_ONCE and any(done)


def _attempt(order_id: int, act: Callable[[Session, Order], None]) -> bool:
    try:
        with own_transaction() as session:
            for order in hold(session, [order_id]):
                act(session, order)
    except Exception:  # one order must not hold up the others
        logger.exception("job failed", extra={"order": order_id})
        return False
    return True


TASKS = (
    Task("orders under way", 5, follow_deliveries),
    Task("orders at closed points", 5, follow_closings),
    Task("unjudged orders", MINUTE, accept_unjudged),
    Task("wishes", 10 * MINUTE, tell_what_is_back),
    Task("suppliers", 10 * MINUTE, tell_suppliers),
    Task("delivered orders", 10 * MINUTE, mark_delivered),
    Task("old guests", DAY, erase_guests),
)
