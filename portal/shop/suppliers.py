"""What neighbours are to bring: each is told the sums of a delivery once they are final."""

import logging
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from portal.catalogue.models import Article, Supplier
from portal.deliveries.models import Delivery
from portal.infra import clock, locks, mail, outbox
from portal.infra.orm import View, insert, own_transaction
from portal.profile.queries import get_farm
from portal.rules.alphabet import french_order
from portal.rules.cutoffs import Lead, cutoff_instant, local_day
from portal.rules.selling import Measured, SaleUnit
from portal.shop.models import Order, OrderLine, SupplierNotice
from portal.shop.sheets import HANDED_OUT, aboard

logger = logging.getLogger(__name__)

AHEAD = timedelta(days=14)
"""Nothing closes earlier before its delivery."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """So much of an article, over all orders of a delivery."""

    delivery_id: int
    supplier_id: int
    article_id: int
    name: str
    sale_unit: SaleUnit
    content: int | None
    measured: Measured | None
    lead_days: int | None
    lead_time: time | None
    quantity: int

    def closes_at(self, delivery: Delivery) -> datetime:
        if self.lead_days is None or self.lead_time is None:
            return delivery.cutoff_at
        return min(delivery.cutoff_at, cutoff_instant(delivery.day, Lead(self.lead_days, self.lead_time)))


_WANTED = View(
    Wanted,
    delivery_id=Order.delivery_id,
    supplier_id=Article.supplier_id,
    article_id=Article.id,
    name=Article.name,
    sale_unit=Article.sale_unit,
    content=Article.content,
    measured=Article.measured,
    lead_days=Article.lead_days,
    lead_time=Article.lead_time,
    quantity=func.sum(HANDED_OUT),
)


def tell_suppliers() -> None:
    """Mail each supplier who has an address what is ordered of theirs, as soon as it can change no more."""
    today = local_day(clock.now())
    with own_transaction() as session:
        coming = select(Delivery.id).where(
            Delivery.day.between(today, today + AHEAD), Delivery.cancelled_at.is_(None)
        )
        due = session.scalars(coming.order_by(Delivery.day, Delivery.id)).all()
    for delivery_id in due:
        try:
            with own_transaction() as session:
                _tell(session, delivery_id)
        except Exception:  # one delivery must not hold up the others
            logger.exception("suppliers not told", extra={"delivery": delivery_id})


def _tell(session: Session, delivery_id: int) -> None:
    """The delivery's lock lets every order come in first that was in time."""
    held = locks.for_update(select(Delivery).where(Delivery.id == delivery_id), of=Delivery)
    delivery, now = session.scalars(held).one(), clock.now()
    closed: dict[int, list[Wanted]] = {}
    for wanted in _wanted(session, delivery_id):
        if wanted.quantity and wanted.closes_at(delivery) <= now:
            closed.setdefault(wanted.supplier_id, []).append(wanted)
    for supplier_id, goods in closed.items():
        of = {"delivery_id": delivery_id, "supplier_id": supplier_id, "at": now}
        claims = insert(session, SupplierNotice).values([of | {"article_id": w.article_id} for w in goods])
        new = claims.on_conflict_do_nothing().returning(SupplierNotice.article_id)
        untold = set(session.scalars(new))
        if goods := [wanted for wanted in goods if wanted.article_id in untold]:
            _post(session, delivery, session.get_one(Supplier, supplier_id), goods, now)


def _wanted(session: Session, delivery_id: int) -> list[Wanted]:
    summed = (
        select(_WANTED)
        .join_from(Order, Order.lines)
        .join(Order.delivery)
        .join(OrderLine.article)
        .join(Article.supplier)
        .where(aboard([delivery_id]), Supplier.email.is_not(None))
        .group_by(Order.delivery_id, Article.id)
    )
    return list(session.scalars(summed))


def _post(
    session: Session, delivery: Delivery, supplier: Supplier, goods: list[Wanted], now: datetime
) -> None:
    assert supplier.email is not None, "only who has an address is asked for"
    rendered = mail.render(
        "supplier_order",
        farm=get_farm(session),
        supplier=supplier.name,
        delivery=delivery,
        goods=sorted(goods, key=lambda wanted: french_order(wanted.name)),
    )
    outbox.post(session, to=supplier.email, **rendered.parts, at=now)
