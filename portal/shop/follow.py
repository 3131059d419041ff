"""An order on another delivery or at another point: with its box, or because the farm does not deliver."""

from collections.abc import Iterable
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.catalogue.articles import Offer, offers
from portal.catalogue.models import Article
from portal.deliveries.queries import DeliveryView
from portal.infra import locks
from portal.pickup.queries import PointView
from portal.rules.cutoffs import Lead, cutoff_instant, is_past, local_day
from portal.rules.orders import OPEN
from portal.rules.selling import Missing, StockKind, why_missing
from portal.shop import stock
from portal.shop.models import Happening, Order, OrderEvent
from portal.shop.orders import reserved
from portal.shop.travel import journey
from portal.web.filters import day
from portal.web.i18n import gettext as _


def hold_open(session: Session, account_id: int) -> list[Order]:
    """An account's orders that can still change, locked one after the other by their numbers."""
    statement = (
        select(Order).where(Order.account_id == account_id, Order.state.in_(sorted(OPEN))).order_by(Order.id)
    )
    return list(session.scalars(locks.for_update(statement, of=Order)))


def hold_articles(session: Session, orders: Iterable[Order]) -> None:
    """Lock what orders hold, all at once: who locked it order by order would meet a buyer half-way."""
    held = {line.article_id for order in orders for line in order.lines}
    wanted = select(Article.id).where(Article.id.in_(held)).order_by(Article.id)
    session.execute(locks.for_update(wanted, of=Article))


def closes_at(order: Order) -> datetime:
    """The first instant at which an order is bound to its delivery: the first thing that it holds is being made."""
    leads = (
        Lead(line.article.lead_days, line.article.lead_time)
        for line in order.lines
        if line.quantity and line.article.lead_days is not None and line.article.lead_time is not None
    )
    own = (cutoff_instant(order.delivery.day, lead) for lead in leads)
    return min([order.delivery.cutoff_at, *own])


def missing_aboard(session: Session, order: Order, delivery: DeliveryView, now: datetime) -> list[str]:
    """The names of what an order holds and another delivery cannot bring; locks the articles.

    What is reserved stays reserved; only what is counted by delivery must be there once more. An order that is
    bound to its own delivery leaves all behind.
    """
    if delivery.id == order.delivery_id:
        return []
    wanted = reserved(order)
    found = offers(session, wanted, local_day(now), delivery_id=delivery.id, held=True)
    bound = is_past(closes_at(order), now)
    return [
        offer.article.name
        for article_id, offer in found.items()
        if bound or _stays_behind(offer, delivery, now, wanted[article_id])
    ]


def can_bring(session: Session, order: Order, delivery: DeliveryView, now: datetime) -> bool:
    """Whether a delivery may carry all of an order that its own does not bring, if the farm finds the goods."""
    found = offers(session, reserved(order), local_day(now), delivery_id=delivery.id)
    return not any(_stays_behind(offer, delivery, now) for offer in found.values())


def _stays_behind(offer: Offer, delivery: DeliveryView, now: datetime, quantity: int = 0) -> bool:
    """What is not sold any more is still owed to whoever has ordered it; a quantity must be left, if one is named."""
    counted = quantity and offer.goods.stock_kind is StockKind.BY_DELIVERY
    left = offer.left if counted else None
    missing = why_missing(offer.goods, journey(delivery), now, left=left, wanted=quantity)
    return missing not in {None, Missing.NOT_SOLD}


def travel(
    session: Session,
    order: Order,
    delivery: DeliveryView,
    point: PointView,
    *,
    with_box: bool,
    instead_of: int | None = None,
    at: datetime,
    by: int | None,
) -> None:
    """Let a locked order be collected elsewhere; what is counted by delivery is taken there instead of here.

    `instead_of` is the point that it goes back to when that is no longer closed.
    """
    if delivery.id != order.delivery_id:
        quantities = by_delivery(order)
        stock.give_back(session, order.delivery_id, quantities)
        stock.reserve(session, delivery.id, quantities)
    put(session, order, delivery, point, with_box=with_box, instead_of=instead_of, at=at, by=by)


def put(
    session: Session,
    order: Order,
    delivery: DeliveryView,
    point: PointView,
    *,
    with_box: bool,
    instead_of: int | None = None,
    at: datetime,
    by: int | None,
) -> None:
    """Write down where an order goes, with the stock that is set aside for it."""
    said = []
    if order.told_day != delivery.day:
        said.append(between_days(order.told_day, delivery.day))
    if order.pickup_point_id != point.id:
        before = order.pickup_point.name
        said.append(_("%(point)s au lieu de %(before)s", point=point.name, before=before))
    order.delivery_id, order.pickup_point_id, order.instead_of_id = delivery.id, point.id, instead_of
    order.with_box, order.told_day, order.changed_at = with_box, delivery.day, at
    order.events.append(OrderEvent(at=at, what=Happening.MOVED, by_id=by, reason=", ".join(said) or None))
    session.flush()
    session.expire(order, ["delivery", "pickup_point"])


def between_days(before: date, after: date) -> str:
    """As the timeline tells it."""
    return _("Du %(before)s au %(after)s", before=day(before), after=day(after))


def by_delivery(order: Order) -> dict[int, int]:
    """What is reserved for an order and counted by delivery: article → units or grams."""
    counted = {line.article_id for line in order.lines if line.article.stock_kind is StockKind.BY_DELIVERY}
    return {article_id: n for article_id, n in reserved(order).items() if article_id in counted}
