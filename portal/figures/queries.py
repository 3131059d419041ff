"""What a season comes to: one aggregate statement a figure, from what was frozen.

A box that a correction took off has a quantity of nothing and is none; a cancelled delivery brought none.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import TypeVar

from sqlalchemy import BigInteger, ColumnElement, and_, case, cast, func, select, type_coerce
from sqlalchemy.orm import Session

from portal.boxes.carried import absent
from portal.boxes.models import Basket, BoxChange
from portal.catalogue.models import Article, Formula, Product, Unit
from portal.compositions.models import Composition, CompositionLine
from portal.deliveries.models import Delivery
from portal.rules.amounts import gap
from portal.rules.calendar import WEEK, monday_of
from portal.rules.money import Money
from portal.rules.orders import LIVE
from portal.rules.selling import KILO, SaleUnit
from portal.shop.models import Order, OrderLine
from portal.subscriptions.models import Subscription, Term

Key = TypeVar("Key", int, str)


@dataclass(frozen=True, slots=True)
class Period:
    """Whole weeks, given by their Mondays, both included."""

    first: date
    last: date

    @property
    def weeks(self) -> list[date]:
        return [self.first + n * WEEK for n in range((self.last - self.first).days // 7 + 1)]


@dataclass(frozen=True, slots=True)
class Weekly:
    """Several counts, week by week: each one's name, and its number in every week."""

    weeks: list[date]
    series: list[tuple[str, list[int]]]

    @property
    def total(self) -> int:
        return sum(sum(numbers) for _name, numbers in self.series)

    @property
    def rows(self) -> list[tuple[date, list[int]]]:
        return [(week, [numbers[n] for _, numbers in self.series]) for n, week in enumerate(self.weeks)]


def boxes(session: Session, period: Period) -> Weekly:
    """By week and formula, those that went out."""
    rows = session.execute(
        select(Delivery.week, Formula.id, Formula.name, func.sum(Basket.quantity))
        .select_from(Basket)
        .join(Delivery, Delivery.id == Basket.delivery_id)
        .join(Formula, Formula.id == Basket.formula_id)
        .where(_within(period), Basket.quantity > 0)
        .group_by(Delivery.week, Formula.id, Formula.name, Formula.position)
        .order_by(Formula.position, Formula.id)
    ).all()
    counts = {(formula_id, week): int(number) for week, formula_id, _name, number in rows}
    return _weekly(period, {formula_id: name for _week, formula_id, name, _number in rows}, counts)


def absences(session: Session, period: Period, *, skipped: str, suspended: str) -> Weekly:
    """Boxes that were owed and did not come, by week: a skip beats the suspension that it lies in."""
    skip = func.coalesce(BoxChange.skip, False).is_(True)
    rows = session.execute(
        absent(
            Delivery.week,
            func.sum(case((skip, Term.quantity), else_=0)),
            func.sum(case((skip, 0), else_=Term.quantity)),
        )
        .where(_within(period))
        .group_by(Delivery.week)
    ).all()
    counts = {(skipped, week): int(number) for week, number, _ in rows}
    counts |= {(suspended, week): int(number) for week, _, number in rows}
    return _weekly(period, {skipped: skipped, suspended: suspended}, counts)


def comings_and_goings(session: Session, period: Period, *, new: str, ended: str) -> Weekly:
    """Subscriptions by the week of their first box and of their last day."""
    first = select(func.min(Term.monday).label("day")).group_by(Term.subscription_id).subquery()
    until = period.last + WEEK
    began = select(first.c.day, func.count()).where(first.c.day >= period.first, first.c.day < until)
    over = select(Subscription.last_day, func.count()).where(
        Subscription.last_day >= period.first, Subscription.last_day < until
    )
    counts: Counter[tuple[str, date]] = Counter()
    for day, number in session.execute(began.group_by(first.c.day)):
        counts[new, monday_of(day)] += number
    for day, number in session.execute(over.group_by(Subscription.last_day)):
        assert day is not None, "it lies in the period"
        counts[ended, monday_of(day)] += number
    return _weekly(period, {new: new, ended: ended}, counts)


@dataclass(frozen=True, slots=True)
class Given:
    """What a formula's boxes were worth, and what was paid for them, of those whose contents are known."""

    formula: str
    boxes: int
    worth: Money
    price: Money

    @property
    def gap(self) -> int | None:
        return gap(self.worth, self.price)


def given(session: Session, period: Period) -> list[Given]:
    """By formula; at what products are worth today, since values are not dated."""
    weighed = Product.unit.in_([Unit.KILO, Unit.GRAM])
    amount = cast(CompositionLine.amount, BigInteger) * case((weighed, 1), else_=1000)
    worth = (
        select(
            Composition.delivery_id,
            Composition.formula_id,
            func.sum(amount * type_coerce(Product.value, BigInteger)).label("thousandths"),
        )
        .join(Composition.lines)
        .join(Product, Product.id == CompositionLine.product_id)
        .group_by(Composition.delivery_id, Composition.formula_id)
        .subquery()
    )
    quantity = cast(Basket.quantity, BigInteger)
    # first the boxes, by delivery and formula: their contents are then met by few rows
    boxes = (
        select(
            Basket.delivery_id,
            Basket.formula_id,
            func.sum(quantity).label("number"),
            func.sum(quantity * type_coerce(Basket.unit_price, BigInteger)).label("cents"),
        )
        .join(Delivery, Delivery.id == Basket.delivery_id)
        .where(_within(period), Basket.quantity > 0)
        .group_by(Basket.delivery_id, Basket.formula_id)
        .subquery()
    )
    same = and_(worth.c.delivery_id == boxes.c.delivery_id, worth.c.formula_id == boxes.c.formula_id)
    rows = session.execute(
        select(
            Formula.name,
            func.sum(boxes.c.number),
            func.sum(boxes.c.number * worth.c.thousandths),
            func.sum(boxes.c.cents),
        )
        .select_from(boxes)
        .join(worth, same)
        .join(Formula, Formula.id == boxes.c.formula_id)
        .group_by(Formula.id, Formula.name, Formula.position)
        .order_by(Formula.position, Formula.id)
    )
    return [
        Given(name, int(number), Money((int(thousandths) + 500) // 1000), Money(int(cents)))
        for name, number, thousandths, cents in rows
    ]


@dataclass(frozen=True, slots=True)
class Sale:
    """An article of the shop: what was handed out of it, in grams or pieces, before vouchers."""

    article: str
    by_weight: bool
    orders: int
    quantity: int
    amount: Money


def sales(session: Session, period: Period) -> list[Sale]:
    """By product, the best-sold first; what was refused or cancelled, or could not be given, is no sale."""
    paid = func.coalesce(OrderLine.given, OrderLine.quantity)
    whole = cast(paid, BigInteger) * type_coerce(OrderLine.unit_price, BigInteger)
    by_weight = OrderLine.sale_unit == SaleUnit.WEIGHT
    # as `Money.part` rounds: half a cent up
    cents = func.sum(case((by_weight, (2 * whole + KILO) // (2 * KILO)), else_=whole))
    rows = session.execute(
        select(Article.name, by_weight, func.count(OrderLine.order_id.distinct()), func.sum(paid), cents)
        .select_from(OrderLine)
        .join(Order, Order.id == OrderLine.order_id)
        .join(Delivery, Delivery.id == Order.delivery_id)
        .join(Article, Article.id == OrderLine.article_id)
        .where(_within(period), Order.state.in_(sorted(LIVE)), paid > 0)
        .group_by(Article.id, Article.name, by_weight)
        .order_by(cents.desc(), Article.name)
    )
    return [
        Sale(name, bool(weighed), number, int(quantity), Money(int(amount)))
        for name, weighed, number, quantity, amount in rows
    ]


def _within(period: Period) -> ColumnElement[bool]:
    return and_(
        Delivery.week.between(period.first, period.last),
        Delivery.frozen_at.is_not(None),
        Delivery.cancelled_at.is_(None),
    )


def _weekly(period: Period, names: Mapping[Key, str], counts: Mapping[tuple[Key, date], int]) -> Weekly:
    weeks = period.weeks
    series = [(name, [counts.get((key, week), 0) for week in weeks]) for key, name in names.items()]
    return Weekly(weeks, series)
