"""What is reserved when an order is placed, and given back when it falls.

Articles are locked first (`catalogue.articles.offers(…, held=True)`), always by their numbers, so that two carts
with the same things in another order wait for each other and never for ever.
"""

from collections.abc import Mapping

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from portal.catalogue.articles import remaining_on
from portal.catalogue.models import Article, DeliveryStock
from portal.infra import locks
from portal.rules.selling import StockKind


def reserve(session: Session, delivery_id: int, quantities: Mapping[int, int]) -> None:
    """Take quantities of locked articles (article → units or grams) for a delivery; negative gives them back.

    What is asked for must be there: the caller has checked it under the articles' locks.
    """
    wanted = {article_id: quantity for article_id, quantity in quantities.items() if quantity}
    if not wanted:
        return
    kinds = session.execute(
        select(Article.id, Article.stock_kind, Article.per_delivery).where(Article.id.in_(wanted))
    ).all()
    by_delivery = {row.id: row.per_delivery for row in kinds if row.stock_kind is StockKind.BY_DELIVERY}
    counted = remaining_on(session, delivery_id, by_delivery)
    for row in kinds:
        if row.stock_kind is StockKind.COUNTED:
            less = update(Article).where(Article.id == row.id).values(stock=Article.stock - wanted[row.id])
            session.execute(less)
        elif row.id in counted:
            own = (DeliveryStock.article_id == row.id, DeliveryStock.delivery_id == delivery_id)
            remaining = DeliveryStock.remaining - wanted[row.id]
            session.execute(update(DeliveryStock).where(*own).values(remaining=remaining))
        elif row.stock_kind is StockKind.BY_DELIVERY:
            session.add(
                DeliveryStock(
                    article_id=row.id,
                    delivery_id=delivery_id,
                    remaining=(row.per_delivery or 0) - wanted[row.id],
                )
            )
    session.flush()


def give_back(session: Session, delivery_id: int, quantities: Mapping[int, int]) -> None:
    """What was reserved for a delivery can be had again; locks the articles."""
    session.execute(
        locks.for_update(
            select(Article.id).where(Article.id.in_(quantities)).order_by(Article.id), of=Article
        )
    )
    reserve(session, delivery_id, {article_id: -quantity for article_id, quantity in quantities.items()})
