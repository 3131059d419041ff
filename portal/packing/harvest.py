"""What is harvested for a delivery."""

from dataclasses import dataclass

from sqlalchemy import and_, case, func, select
from sqlalchemy.orm import Session

from portal.catalogue.models import Article, Product, Unit
from portal.rules.selling import Measured, SaleUnit
from portal.shop.models import Order, OrderLine
from portal.shop.sheets import HANDED_OUT, aboard


@dataclass(frozen=True, slots=True)
class Amount:
    """What is harvested of a product: grams, and pieces of what is sold by the piece."""

    grams: int
    pieces: int


def ordered_amounts(session: Session, delivery_id: int) -> dict[int, Amount]:
    """What the orders of a delivery take of each product, for the harvest: product → amount."""
    weighed = OrderLine.sale_unit == SaleUnit.WEIGHT
    of_weight = and_(
        Article.measured == Measured.GRAMS,
        Article.content.is_not(None),
        Product.unit.in_([Unit.KILO, Unit.GRAM]),
    )
    grams = case((weighed, HANDED_OUT), (of_weight, HANDED_OUT * Article.content), else_=0)
    pieces = case((weighed, 0), (of_weight, 0), else_=HANDED_OUT)
    rows = session.execute(
        select(Article.product_id, func.sum(grams), func.sum(pieces))
        .join_from(Order, Order.lines)
        .join(Order.delivery)
        .join(OrderLine.article)
        .join(Article.product)
        .where(aboard([delivery_id]))
        .group_by(Article.product_id)
    )
    return {product_id: Amount(int(grams), int(pieces)) for product_id, grams, pieces in rows}
