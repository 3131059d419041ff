"""What goes wrong unless somebody of the farm sees to it."""

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import select, union_all
from sqlalchemy.orm import Session

from portal.boxes.models import BasketCorrection
from portal.catalogue.models import Article, DeliveryStock
from portal.catalogue.queries import FormulaView, sold_from
from portal.deliveries.models import Delivery
from portal.deliveries.queries import DeliveryView, view
from portal.infra.orm import View
from portal.pickup.queries import PointView, offered_points
from portal.shop.models import OrderCorrection

FEW_PLACES = 3
"""As many as may be gone before anybody has looked again."""
FREEZES_WITHIN = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Short:
    """An article of which more is ordered for a coming delivery than there will be."""

    article_id: int
    name: str


def crowded_points(session: Session) -> list[PointView]:
    """Those with few places left in the fullest of the coming weeks, or none."""
    return [
        point
        for point in offered_points(session)
        if point.free_places is not None and point.free_places <= FEW_PLACES
    ]


def unpriced_formulas(session: Session, every: Iterable[FormulaView], today: date) -> list[str]:
    """Those of them that are offered and have no price today."""
    since = sold_from(session)
    return [
        formula.name
        for formula in every
        if not formula.retired and (formula.id not in since or since[formula.id] > today)
    ]


def short_articles(session: Session, today: date) -> list[Short]:
    line = View(Short, article_id=Article.id, name=Article.name)
    short = (
        select(line)
        .join(DeliveryStock, DeliveryStock.article_id == Article.id)
        .join(Delivery, Delivery.id == DeliveryStock.delivery_id)
        .where(DeliveryStock.remaining < 0, Delivery.day >= today, Delivery.cancelled_at.is_(None))
    )
    return list(session.scalars(short.distinct().order_by(Article.name, Article.id)))


def unfrozen(session: Session, now: datetime) -> list[DeliveryView]:
    """Deliveries that closed a while ago and could not be frozen."""
    late = select(Delivery).where(
        Delivery.cutoff_at < now - FREEZES_WITHIN,
        Delivery.frozen_at.is_(None),
        Delivery.cancelled_at.is_(None),
    )
    return [view(row) for row in session.scalars(late.order_by(Delivery.cutoff_at))]


def corrections(session: Session, delivery_ids: Collection[int]) -> Counter[int]:
    """How many corrections stand, by delivery."""
    standing = union_all(
        *(
            select(kind.delivery_id).where(kind.delivery_id.in_(delivery_ids), kind.undone_at.is_(None))
            for kind in (BasketCorrection, OrderCorrection)
        )
    )
    return Counter(session.scalars(standing))
