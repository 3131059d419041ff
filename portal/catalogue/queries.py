"""Reading formulas."""

from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from portal.catalogue.models import Formula, FormulaPrice, Kind
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


@dataclass(frozen=True, slots=True)
class PricedFormula:
    """A formula with its price by delivery on a day, all taxes included."""

    formula: FormulaView
    price: Money


def view(row: Formula) -> FormulaView:
    return FormulaView(
        id=row.id,
        slug=row.slug,
        name=row.name,
        short_name=row.short_name,
        kind=row.kind,
        description=row.description,
        serves=row.serves,
        drawing=row.drawing,
        position=row.position,
        weight=row.weight,
    )


def formulas(session: Session) -> list[FormulaView]:
    """All formulas in the order in which the farm shows them."""
    return [view(row) for row in session.scalars(select(Formula).order_by(Formula.position))]


def formula_prices(session: Session) -> dict[int, list[DatedPrice]]:
    """The dated prices of every formula: formula → prices, oldest first."""
    prices: dict[int, list[DatedPrice]] = {}
    for row in session.scalars(select(FormulaPrice).order_by(FormulaPrice.formula_id, FormulaPrice.since)):
        prices.setdefault(row.formula_id, []).append(DatedPrice(row.since, row.price, row.vat_basis_points))
    return prices


def priced_formulas(session: Session, day: date) -> list[PricedFormula]:
    """The formulas on sale on a day, with their prices; one without a price is not on sale."""
    rows = session.scalars(select(Formula).order_by(Formula.position).options(selectinload(Formula.prices)))
    priced = []
    for row in rows:
        prices = [DatedPrice(p.since, p.price, p.vat_basis_points) for p in row.prices if p.since <= day]
        if prices:
            priced.append(PricedFormula(view(row), price_on(prices, day).price))
    return priced
