"""Reading orders."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from sqlalchemy import Select, bindparam, func, select
from sqlalchemy.orm import Session

from portal.accounts.models import Account
from portal.catalogue.models import Article, Product
from portal.deliveries.models import Delivery
from portal.deliveries.queries import DELIVERY
from portal.infra.orm import View
from portal.pickup.queries import POINT
from portal.rules import orders
from portal.rules.orders import OrderState
from portal.shop.models import (
    Order,
    OrderEvent,
    OrderLine,
    Voucher,
    VoucherUse,
    Withdrawal,
)
from portal.shop.views import OrderLineView, OrderView, Step

_LINE = View(
    OrderLineView,
    order_id=OrderLine.order_id,
    id=OrderLine.id,
    article_id=OrderLine.article_id,
    slug=Article.slug,
    name=OrderLine.name,
    drawing=Product.drawing,
    sale_unit=OrderLine.sale_unit,
    step=Article.step,
    quantity=OrderLine.quantity,
    given=OrderLine.given,
    unit_price=OrderLine.unit_price,
    vat_basis_points=OrderLine.vat_basis_points,
    perishable=OrderLine.perishable,
    instead_of_id=OrderLine.instead_of_id,
    withdrawal_id=OrderLine.withdrawal_id,
    lead_days=Article.lead_days,
    lead_time=Article.lead_time,
    withdrawn_at=Withdrawal.made_at,
    settled_at=Withdrawal.settled_at,
)
_LINES = (
    select(_LINE)
    .join(OrderLine.article)
    .join(Article.product)
    .outerjoin(Withdrawal, Withdrawal.id == OrderLine.withdrawal_id)
    .where(OrderLine.order_id.in_(bindparam("order_ids", expanding=True)))
    .order_by(OrderLine.id)
)
_STEP = View(
    Step, order_id=OrderEvent.order_id, at=OrderEvent.at, what=OrderEvent.what, reason=OrderEvent.reason
)
# the point's tour is the delivery's: one join names both
_ORDERS = (
    select(
        Order.id,
        Order.account_id,
        Order.state,
        Order.with_box,
        Order.placed_at,
        Order.changed_at,
        Order.discount,
        Order.conditions_id,
        Order.name,
        func.coalesce(Account.first_name, Order.name),
        func.coalesce(Account.email, Order.email),
        Order.phone,
        Order.street,
        Order.postcode,
        Order.town,
        DELIVERY,
        POINT,
        Voucher.code,
    )
    .join(Order.delivery)
    .join(Delivery.tour)
    .join(Order.pickup_point)
    .outerjoin(Order.account)
    .outerjoin(VoucherUse, VoucherUse.order_id == Order.id)
    .outerjoin(Voucher, Voucher.id == VoucherUse.voucher_id)
    .order_by(Delivery.day, Order.id)
)
_BETWEEN = _ORDERS.where(
    Order.account_id == bindparam("account_id"),
    Order.state.in_(sorted(orders.LIVE)),
    Delivery.day.between(bindparam("since"), bindparam("until")),
)


def orders_of(
    session: Session, account_id: int, *, since: date, until: date | None = None
) -> list[OrderView]:
    """An account's orders, whatever became of them, by the day of their delivery; both days included."""
    own = _ORDERS.where(Order.account_id == account_id, Delivery.day >= since)
    return _read(session, own if until is None else own.where(Delivery.day <= until))


def last_day_before(session: Session, account_id: int, day: date) -> date | None:
    """Of the deliveries that an account has ordered for."""
    days = select(func.max(Delivery.day)).join(Order, Order.delivery_id == Delivery.id)
    return session.scalar(days.where(Order.account_id == account_id, Delivery.day < day))


def orders_between(session: Session, account_id: int, since: date, until: date) -> list[OrderView]:
    """An account's orders that bring something from one actual date to another, both included."""
    return _read(session, _BETWEEN, {"account_id": account_id, "since": since, "until": until})


def order(session: Session, order_id: int, account_id: int | None) -> OrderView | None:
    """An order of an account, or a guest's, with its timeline."""
    return _one(
        session, _ORDERS.where(Order.id == order_id, Order.account_id.is_not_distinct_from(account_id))
    )


def owner(session: Session, order_id: int) -> int | None:
    """The account that an order belongs to; nobody for a guest's."""
    return session.scalar(select(Order.account_id).where(Order.id == order_id))


def find(session: Session, order_id: int) -> OrderView | None:
    """Whosoever's it is, with its timeline."""
    return _one(session, _ORDERS.where(Order.id == order_id))


def these(session: Session, order_ids: Collection[int]) -> dict[int, OrderView]:
    """Whosoever's they are, with their timelines: number → order."""
    return {found.id: found for found in _with_steps(session, _ORDERS.where(Order.id.in_(order_ids)))}


def orders_for(session: Session, delivery_id: int) -> list[OrderView]:
    """All that was ordered for a delivery, whatever became of it."""
    return _read(session, _ORDERS.where(Order.delivery_id == delivery_id))


def orders_aboard(session: Session, delivery_id: int, account_ids: Collection[int]) -> list[OrderView]:
    """What these people's orders bring them with a delivery."""
    live = (Order.state.in_(sorted(orders.LIVE)), Order.account_id.in_(account_ids))
    return _read(session, _ORDERS.where(Order.delivery_id == delivery_id, *live))


def is_awaited(session: Session, article_id: int, today: date) -> bool:
    """Whether an order that is still to come holds an article."""
    holding = (
        select(OrderLine.id)
        .join(OrderLine.order)
        .join(Order.delivery)
        .where(
            OrderLine.article_id == article_id,
            OrderLine.quantity > 0,
            Order.state.in_(sorted(orders.LIVE - {OrderState.DELIVERED})),
            Delivery.day >= today,
        )
    )
    return session.scalar(select(holding.exists())) or False


def orders_named(session: Session, name: str, *, limit: int) -> list[OrderView]:
    """Whosoever's orders have these letters in their name, the latest first."""
    latest = _ORDERS.order_by(None).order_by(Delivery.day.desc(), Order.id.desc())
    return _read(session, latest.where(Order.name.icontains(name, autoescape=True)).limit(limit))


def latest_of(session: Session, account_id: int, *, limit: int) -> list[OrderView]:
    """An account's orders, the last delivery's first, whatever became of them."""
    latest = _ORDERS.order_by(None).order_by(Delivery.day.desc(), Order.id.desc())
    return _read(session, latest.where(Order.account_id == account_id).limit(limit))


def _one(session: Session, statement: Select[*tuple[Any, ...]]) -> OrderView | None:
    return next(iter(_with_steps(session, statement)), None)


def _with_steps(session: Session, statement: Select[*tuple[Any, ...]]) -> list[OrderView]:
    found = _read(session, statement)
    if not found:
        return []
    steps: dict[int, list[Step]] = {view.id: [] for view in found}
    taken = select(_STEP).where(OrderEvent.order_id.in_(steps)).order_by(OrderEvent.id)
    for step in session.scalars(taken):
        steps[step.order_id].append(step)
    return [replace(view, steps=tuple(steps[view.id])) for view in found]


def _read(
    session: Session, statement: Select[*tuple[Any, ...]], values: Mapping[str, Any] | None = None
) -> list[OrderView]:
    rows = session.execute(statement, values).all()
    if not rows:
        return []
    lines: dict[int, list[OrderLineView]] = {row.id: [] for row in rows}
    for line in session.scalars(_LINES, {"order_ids": list(lines)}):
        lines[line.order_id].append(line)
    return [replace(OrderView(*row), lines=tuple(lines[row.id])) for row in rows]
