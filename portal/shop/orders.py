"""The steps of an order's life, under its locks, each with its line in the timeline and its mail.

An order is locked first, then its delivery against a change, then articles; whoever acts reads the
clock once these are held.
"""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, delete, select
from sqlalchemy.orm import Session, selectinload

from portal.accounts import household
from portal.accounts.models import Account
from portal.deliveries.models import Delivery
from portal.infra import audit, locks, mail, outbox
from portal.infra.outbox import File
from portal.profile.queries import get_farm
from portal.rules.cutoffs import is_past
from portal.rules.orders import OrderState, Refusal, may_become
from portal.rules.vouchers import discount_on
from portal.shop import queries, stock
from portal.shop.models import Happening, Order, OrderEvent, VoucherUse
from portal.shop.tokens import order_link
from portal.shop.views import OrderLineView, OrderView
from portal.shop.vouchers import used_for

_MAILS = {
    OrderState.ACCEPTED: "order_accepted",
    OrderState.REFUSED: "order_refused",
    OrderState.CANCELLED: "order_cancelled",
    OrderState.PREPARED: "order_prepared",
    OrderState.DELIVERED: "order_delivered",
}
_ENDED = {OrderState.REFUSED, OrderState.CANCELLED}


def hold(session: Session, order_ids: Collection[int]) -> list[Order]:
    """Lock orders for a change, one after the other by their numbers, and their deliveries against one."""
    return _hold(session, Order.id.in_(order_ids))


def hold_own(session: Session, order_id: int, account_id: int | None) -> Order | None:
    """Lock an account's order, or a guest's; None for anybody else's."""
    held = _hold(session, Order.id == order_id, Order.account_id.is_not_distinct_from(account_id))
    return held[0] if held else None


def _hold(session: Session, *which: ColumnElement[bool]) -> list[Order]:
    known = (selectinload(Order.lines), selectinload(Order.events))
    wanted = select(Order).where(*which).order_by(Order.id).options(*known)
    held = list(session.scalars(locks.for_update(wanted, of=Order)))
    deliveries = select(Delivery).where(Delivery.id.in_({order.delivery_id for order in held}))
    session.scalars(locks.for_share(deliveries.order_by(Delivery.id), of=Delivery)).all()
    return held


def bring(
    session: Session,
    order: Order,
    to: OrderState,
    *,
    at: datetime,
    by: int | None,
    reason: str | None = None,
    tell: bool = True,
) -> Refusal | None:
    """Let a locked order take a step, with all that follows; why it cannot, if so.

    What ends unfulfilled frees its voucher, and before the cutoff what was reserved: later nobody knows what is
    left but those who count it. `tell` posts the mail of the new state.
    """
    before = order.state
    if refusal := _step(session, order, to, at=at, by=by, reason=reason):
        return refusal
    taken_back = (before, to) == (OrderState.PREPARED, OrderState.ACCEPTED)
    if tell and not taken_back:
        post(session, order, _MAILS[to], at=at, by=by)
    return None


def bring_all(
    session: Session,
    orders: Collection[Order],
    to: OrderState,
    *,
    at: datetime,
    by: int | None,
    tell: Collection[Order],
) -> None:
    """Let locked orders take a step that is theirs to take, in few statements; `tell` are those who get the mail."""
    for order in orders:
        _step(session, order, to, at=at, by=by)
    _post(session, tell, _MAILS[to], at=at, by=by)


def _step(
    session: Session, order: Order, to: OrderState, *, at: datetime, by: int | None, reason: str | None = None
) -> Refusal | None:
    before = order.state
    if not may_become(before, to):
        return Refusal.NOT_IN_THIS_STATE
    order.state, order.changed_at = to, at
    order.events.append(OrderEvent(at=at, what=Happening(to), by_id=audit.hands(by), reason=reason))
    audit.record(
        session,
        "order.state",
        ("shop_order", order.id),
        at=at,
        by=by,
        before={"state": before},
        after={"state": to},
    )
    if to in _ENDED:
        session.execute(delete(VoucherUse).where(VoucherUse.order_id == order.id))
        if not is_past(order.delivery.cutoff_at, at):
            stock.give_back(session, order.delivery_id, reserved(order))
    return None


def reserved(order: Order) -> dict[int, int]:
    """What an order keeps from others: article → units or grams."""
    quantities: Counter[int] = Counter()
    for line in order.lines:
        quantities[line.article_id] += line.reserved
    return dict(quantities)


def work_out_discounts(session: Session, orders: Collection[Order]) -> None:
    """Let vouchers follow what is given; whether one counts was settled by what was ordered."""
    session.flush()
    terms = used_for(session, [order.id for order in orders])
    views = queries.these(session, terms)
    for order in orders:
        if order.id in terms:
            view = views[order.id]
            order.discount = discount_on(terms[order.id], view.ordered, view.subtotal)


def post(
    session: Session, order: Order, template: str, *, at: datetime, by: int | None, **context: Any
) -> None:
    """Mail whoever has ordered; the templates get the order as it now is."""
    _post(session, [order], template, at=at, by=by, **context)


def _post(
    session: Session,
    orders: Collection[Order],
    template: str,
    *,
    at: datetime,
    by: int | None,
    **context: Any,
) -> None:
    if not orders:
        return
    session.flush()
    views = queries.these(session, [order.id for order in orders])
    tell(session, views.values(), template, at=at, by=by, **context)


def tell(
    session: Session,
    views: Collection[OrderView],
    template: str,
    *,
    at: datetime,
    by: int | None,
    attachments: Sequence[File] = (),
    **context: Any,
) -> None:
    """Mail whoever has ordered, and everybody who shares that account, each by their name."""
    hands, farm = audit.hands(by), get_farm(session)
    actor = session.get(Account, hands) if hands else None
    others = household.sharers(session, {view.account_id for view in views if view.account_id})
    for view in views:
        if not outbox.can_send_to(view.email):  # a guest's who is forgotten
            continue
        way = order_link(view.id, view.account_id)
        copies = [(view.account_id, view)]
        for person in others.get(view.account_id or 0, ()):
            copies.append((person.id, replace(view, called=person.first_name, email=person.email)))
        for reader_id, copy in copies:
            said = household.said_of(actor, view.account_id, reader_id)
            rendered = mail.render(template, farm=farm, order=copy, way=way, now=at, **said, **context)
            outbox.post(session, to=copy.email, **rendered.parts, at=at, attachments=attachments)


@dataclass(frozen=True, slots=True)
class Change:
    """A line's quantity before and after, 0 where it was not there or is no more, and what stands in for it."""

    line: OrderLineView
    before: int
    after: int
    instead: tuple[OrderLineView, ...] = ()


def post_change(
    session: Session,
    order: Order,
    before: OrderView,
    *,
    at: datetime,
    by: int | None,
    reason: str | None = None,
) -> None:
    """Mail what has changed in an order, or where it goes, since it was read; nothing else."""
    session.flush()
    after = queries.find(session, order.id)
    assert after is not None
    post(
        session,
        order,
        "order_changed",
        at=at,
        by=by,
        before=before,
        changes=changes(before, after),
        reason=reason,
    )


def changes(before: OrderView, after: OrderView) -> list[Change]:
    """The lines whose quantity has changed; what is new in another's place is told with that."""
    then, now = ({line.id: line for line in view.lines} for view in (before, after))
    found = {}
    for line in (then | now).values():
        was, stands = (view[line.id].paid if line.id in view else 0 for view in (then, now))
        if was != stands:
            found[line.id] = Change(line, was, stands)
    instead = [
        change.line for change in found.values() if change.line.instead_of_id in found and change.after
    ]
    return [
        replace(change, instead=tuple(line for line in instead if line.instead_of_id == change.line.id))
        for change in found.values()
        if change.line not in instead
    ]
