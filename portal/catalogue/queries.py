"""Reading formulas, the shelves of the shop, and who supplies it."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from portal.catalogue.models import (
    Article,
    Category,
    DeliveryStock,
    Formula,
    FormulaPrice,
    Kind,
    Product,
    Supplier,
)
from portal.infra.orm import View
from portal.rules.alphabet import french_order
from portal.rules.money import Money
from portal.rules.pricing import DatedPrice, price_on


@dataclass(frozen=True, slots=True)
class FormulaView:
    """A formula as the pages name it."""

    id: int
    slug: str
    name: str
    short_name: str
    kind: Kind
    description: str
    serves: str
    drawing: str
    position: int
    weight: int
    per_crate: int | None = None
    retired: bool = False
    """Offered to nobody; who receives it keeps it."""


@dataclass(frozen=True, slots=True)
class PricedFormula:
    """A formula with its price by delivery on a day, all taxes included."""

    formula: FormulaView
    price: Money


FORMULA = View(
    FormulaView,
    id=Formula.id,
    slug=Formula.slug,
    name=Formula.name,
    short_name=Formula.short_name,
    kind=Formula.kind,
    description=Formula.description,
    serves=Formula.serves,
    drawing=Formula.drawing,
    position=Formula.position,
    weight=Formula.weight,
    per_crate=Formula.per_crate,
    retired=Formula.retired_at.is_not(None),
)


def formulas(session: Session) -> list[FormulaView]:
    """All formulas in the order in which the farm shows them."""
    return list(session.scalars(select(FORMULA).order_by(Formula.position, Formula.id)))


_SOLD_FROM = select(FormulaPrice.formula_id, func.min(FormulaPrice.since)).group_by(FormulaPrice.formula_id)
_PRICES = select(
    FormulaPrice.formula_id, FormulaPrice.since, FormulaPrice.price, FormulaPrice.vat_basis_points
).order_by(FormulaPrice.formula_id, FormulaPrice.since)


def sold_from(session: Session) -> dict[int, date]:
    """The day of each formula's first price: formula → day; one without a price is not sold."""
    return dict(session.execute(_SOLD_FROM).all())


def formula_prices(session: Session) -> dict[int, list[DatedPrice]]:
    """The dated prices of every formula: formula → prices, oldest first."""
    prices: dict[int, list[DatedPrice]] = {}
    for formula_id, since, price, vat in session.execute(_PRICES):
        prices.setdefault(formula_id, []).append(DatedPrice(since, price, vat))
    return prices


def priced_formulas(session: Session, day: date, *, retired: bool = False) -> list[PricedFormula]:
    """The formulas on offer on a day, with their prices, `retired` ones too if asked; none without a price."""
    prices = formula_prices(session)
    priced = []
    for formula in formulas(session):
        known = [price for price in prices.get(formula.id, ()) if price.since <= day]
        if known and (retired or not formula.retired):
            priced.append(PricedFormula(formula, price_on(known, day).price))
    return priced


@dataclass(frozen=True, slots=True)
class CategoryView:
    """A shelf of the shop; `articles` stand on it, sold or not."""

    id: int
    slug: str
    name: str
    drawing: str
    articles: int


@dataclass(frozen=True, slots=True)
class SupplierView:
    """A neighbour whose goods the farm sells."""

    id: int
    name: str
    email: str | None
    phone: str | None
    articles: int


def categories(session: Session) -> list[CategoryView]:
    """All shelves in their order."""
    on_it = select(func.count()).where(Article.category_id == Category.id).scalar_subquery()
    category = View(
        CategoryView,
        id=Category.id,
        slug=Category.slug,
        name=Category.name,
        drawing=Category.drawing,
        articles=on_it,
    )
    return list(session.scalars(select(category).order_by(Category.position, Category.id)))


def suppliers(session: Session) -> list[SupplierView]:
    """All of them, by name."""
    of_it = select(func.count()).where(Article.supplier_id == Supplier.id).scalar_subquery()
    supplier = View(
        SupplierView,
        id=Supplier.id,
        name=Supplier.name,
        email=Supplier.email,
        phone=Supplier.phone,
        articles=of_it,
    )
    return sorted(session.scalars(select(supplier)), key=lambda supplier: french_order(supplier.name))


def remaining_of(session: Session, article_id: int, delivery_ids: Collection[int]) -> dict[int, int]:
    """What is left of an article for the deliveries where that has been counted: delivery → units or grams."""
    rows = session.execute(
        select(DeliveryStock.delivery_id, DeliveryStock.remaining).where(
            DeliveryStock.article_id == article_id, DeliveryStock.delivery_id.in_(delivery_ids)
        )
    )
    return dict(rows.all())


def product_names(session: Session) -> list[tuple[int, str]]:
    """Everything that boxes or the shop can hold, by name."""
    named = session.execute(select(Product.id, Product.name)).all()
    return sorted(((key, name) for key, name in named), key=lambda named: french_order(named[1]))
