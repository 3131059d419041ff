"""What boxes have held so far: their worth since the season began, and what came in the past weeks."""

from collections import Counter
from dataclasses import dataclass
from datetime import date

from sqlalchemy import BigInteger, case, cast, func, select, type_coerce
from sqlalchemy.orm import Session

from portal.catalogue.models import Product, Unit
from portal.catalogue.queries import formula_prices
from portal.compositions.models import Composition, CompositionLine
from portal.compositions.queries import PRODUCT, ProductView
from portal.deliveries.models import Delivery
from portal.deliveries.queries import DELIVERY, DeliveryView
from portal.profile.queries import season_first
from portal.rules.alphabet import french_order
from portal.rules.amounts import gap
from portal.rules.calendar import season_start
from portal.rules.money import Money
from portal.rules.pricing import price_on

WEEKS = 8
"""How many boxes back one looks, so that nothing comes too often."""


@dataclass(frozen=True, slots=True)
class Balance:
    """What a formula's boxes of a tour were worth in a season, and what they cost, all of them together."""

    since: date
    boxes: int
    worth: Money
    price: Money

    @property
    def gap(self) -> int | None:
        return gap(self.worth, self.price)


def balances(session: Session, delivery: DeliveryView) -> dict[int, Balance]:
    """The season up to a delivery, that one as it is composed included: formula → balance.

    Counted for who has taken every box of the tour: one box a delivery, whatever the number of people; at what
    products are worth today, since values are not dated, and at the price of each day.
    """
    since = season_start(season_first(session), delivery.day)
    weighed = Product.unit.in_([Unit.KILO, Unit.GRAM])
    amount = cast(CompositionLine.amount, BigInteger) * case((weighed, 1), else_=1000)
    rows = session.execute(
        select(
            Composition.formula_id, Delivery.day, func.sum(amount * type_coerce(Product.value, BigInteger))
        )
        .join(Delivery, Delivery.id == Composition.delivery_id)
        .join(Composition.lines)
        .join(Product, Product.id == CompositionLine.product_id)
        .where(
            Delivery.tour_id == delivery.tour_id,
            Delivery.day.between(since, delivery.day),
            Delivery.cancelled_at.is_(None),
        )
        .group_by(Composition.formula_id, Delivery.id, Delivery.day)
    )
    prices = formula_prices(session)
    worth: Counter[int] = Counter()
    paid: Counter[int] = Counter()
    boxes: Counter[int] = Counter()
    for formula_id, day, thousandths in rows:
        known = [price for price in prices.get(formula_id, ()) if price.since <= day]
        if known:
            worth[formula_id] += (int(thousandths) + 500) // 1000
            paid[formula_id] += price_on(known, day).price.cents
            boxes[formula_id] += 1
    return {key: Balance(since, n, Money(worth[key]), Money(paid[key])) for key, n in boxes.items()}


@dataclass(frozen=True, slots=True)
class Row:
    """A product through the weeks: how much of it the box of each one held."""

    product: ProductView
    amounts: tuple[int, ...]

    @property
    def times(self) -> int:
        """But for the one that is composed."""
        return sum(map(bool, self.amounts[1:]))


@dataclass(frozen=True, slots=True)
class History:
    """What a formula's boxes of a tour held: first the one that is composed, then those before it, latest first."""

    deliveries: tuple[DeliveryView, ...]
    rows: tuple[Row, ...]


def history(session: Session, delivery: DeliveryView, formula_id: int) -> History:
    """The formula's past eight boxes on the delivery's tour and its own; what came most often first."""
    held = (
        Delivery.tour_id == delivery.tour_id,
        Delivery.day < delivery.day,
        Delivery.cancelled_at.is_(None),
    )
    written = select(Composition.delivery_id).where(
        Composition.formula_id == formula_id, Composition.lines.any()
    )
    past = session.scalars(
        select(DELIVERY)
        .join(Delivery.tour)
        .where(*held, Delivery.id.in_(written))
        .order_by(Delivery.day.desc())
        .limit(WEEKS)
    )
    deliveries = [delivery, *past]
    found: dict[int, Counter[int]] = {}
    products: dict[int, ProductView] = {}
    for product, delivery_id, amount in session.execute(
        select(PRODUCT, Composition.delivery_id, CompositionLine.amount)
        .select_from(CompositionLine)
        .join(Composition, Composition.id == CompositionLine.composition_id)
        .join(Product, Product.id == CompositionLine.product_id)
        .where(Composition.formula_id == formula_id, Composition.delivery_id.in_([d.id for d in deliveries]))
    ):
        products[product.id] = product
        found.setdefault(product.id, Counter())[delivery_id] = amount
    rows = [Row(products[key], tuple(amounts[d.id] for d in deliveries)) for key, amounts in found.items()]
    rows.sort(key=lambda row: (-row.times, french_order(row.product.name)))
    return History(tuple(deliveries), tuple(rows))
