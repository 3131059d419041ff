"""Reading compositions: the staff's grid, and what subscribers see."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TypeVar

from sqlalchemy import and_, bindparam, or_, select, true
from sqlalchemy.orm import Session, selectinload

from portal.catalogue.models import Product, Unit
from portal.catalogue.queries import FormulaView, priced_formulas
from portal.compositions.models import Composition, CompositionChange, CompositionLine, CompositionState
from portal.deliveries.models import Delivery
from portal.deliveries.queries import DeliveryView
from portal.deliveries.queries import view as delivery_view
from portal.infra.orm import View
from portal.rules.alphabet import french_order
from portal.rules.amounts import GRAMS, KILOS, PIECES, Measure, gap, worth
from portal.rules.money import Money

MEASURES = {Unit.KILO: KILOS, Unit.GRAM: GRAMS, Unit.PIECE: PIECES, Unit.BUNCH: PIECES}


class ChangeKind(StrEnum):
    """How a product differs from what was first shown; its word is in the templates."""

    NEW = "new"
    CHANGED = "changed"
    ABSENT = "absent"


@dataclass(frozen=True, slots=True)
class ProductView:
    """A product as boxes name it."""

    id: int
    name: str
    unit: Unit
    value: Money
    drawing: str
    storage: str

    @property
    def measure(self) -> Measure:
        return MEASURES[self.unit]


@dataclass(frozen=True, slots=True)
class Line:
    """So much of a product: grams, pieces or bunches."""

    product: ProductView
    amount: int


@dataclass(frozen=True, slots=True)
class Change:
    """A product that differs from what was first shown; 0 stands for absent."""

    product: ProductView
    at: datetime
    before: int
    after: int

    @property
    def kind(self) -> ChangeKind:
        if not self.before:
            return ChangeKind.NEW
        return ChangeKind.CHANGED if self.after else ChangeKind.ABSENT


@dataclass(frozen=True, slots=True)
class ShownContents:
    """What subscribers see of a formula's box, by product name."""

    formula_id: int
    state: CompositionState
    lines: tuple[Line, ...]
    changes: tuple[Change, ...]

    @property
    def confirmed(self) -> bool:
        return self.state is CompositionState.CONFIRMED


@dataclass(frozen=True, slots=True)
class Column:
    """A formula's box as staff compose it; `state` is None while nothing has been written."""

    formula: FormulaView
    price: Money
    state: CompositionState | None
    lines: tuple[Line, ...]
    changes: tuple[Change, ...]

    @property
    def worth(self) -> Money:
        return worth((line.amount, line.product.value, line.product.measure) for line in self.lines)

    @property
    def gap(self) -> int | None:
        return gap(self.worth, self.price)

    def amount(self, product_id: int) -> int:
        return next((line.amount for line in self.lines if line.product.id == product_id), 0)


@dataclass(frozen=True, slots=True)
class Grid:
    """A delivery's boxes, formula by formula, and all products by name."""

    columns: tuple[Column, ...]
    products: tuple[ProductView, ...]

    def used(self) -> tuple[ProductView, ...]:
        """The products that some box holds, by name."""
        ids = {line.product.id for column in self.columns for line in column.lines}
        return tuple(product for product in self.products if product.id in ids)


_PRODUCT = View(
    ProductView,
    id=Product.id,
    name=Product.name,
    unit=Product.unit,
    value=Product.value,
    drawing=Product.drawing,
    storage=Product.storage,
)
_SHOWN = (
    select(
        Composition.formula_id,
        Composition.state,
        _PRODUCT,
        CompositionLine.amount,
        CompositionChange.at,
        CompositionChange.before,
    )
    .select_from(Composition)
    .join(Product, true())
    .outerjoin(
        CompositionLine,
        and_(CompositionLine.composition_id == Composition.id, CompositionLine.product_id == Product.id),
    )
    .outerjoin(
        CompositionChange,
        and_(CompositionChange.composition_id == Composition.id, CompositionChange.product_id == Product.id),
    )
    .where(
        Composition.delivery_id == bindparam("delivery_id"),
        Composition.formula_id.in_(bindparam("formula_ids", expanding=True)),
        Composition.state != CompositionState.DRAFT,
        or_(CompositionLine.id.is_not(None), CompositionChange.id.is_not(None)),
    )
)


def shown_contents(
    session: Session, delivery_id: int, formula_ids: Collection[int]
) -> dict[int, ShownContents]:
    """What subscribers see of these formulas' boxes, by formula; drafts are not there.

    One statement, whatever the number of formulas: a row for each product that is in a box or that was.
    """
    found: dict[int, tuple[CompositionState, list[Line], list[Change]]] = {}
    wanted = {"delivery_id": delivery_id, "formula_ids": list(formula_ids)}
    for formula_id, state, product, amount, changed_at, before in session.execute(_SHOWN, wanted):
        _, lines, changes = found.setdefault(formula_id, (state, [], []))
        if amount:
            lines.append(Line(product, amount))
        if changed_at:
            changes.append(Change(product, changed_at, before, amount or 0))
    return {
        formula_id: ShownContents(formula_id, state, _by_name(lines), _by_name(changes))
        for formula_id, (state, lines, changes) in found.items()
    }


def grid(session: Session, delivery: DeliveryView) -> Grid:
    """The boxes of the formulas on sale that day, written or not."""
    products = {product.id: product for product in session.scalars(select(_PRODUCT))}
    written = {
        row.formula_id: row
        for row in session.scalars(
            select(Composition)
            .where(Composition.delivery_id == delivery.id)
            .options(selectinload(Composition.lines), selectinload(Composition.changes))
        )
    }
    columns = []
    for priced in priced_formulas(session, delivery.day):
        row = written.get(priced.formula.id)
        columns.append(
            Column(
                formula=priced.formula,
                price=priced.price,
                state=row.state if row else None,
                lines=_by_name(Line(products[x.product_id], x.amount) for x in (row.lines if row else ())),
                changes=_by_name(
                    Change(products[x.product_id], x.at, x.before, x.after)
                    for x in (row.changes if row else ())
                ),
            )
        )
    return Grid(tuple(columns), tuple(sorted(products.values(), key=lambda p: french_order(p.name))))


def progress(session: Session, delivery_ids: Collection[int]) -> dict[int, dict[int, CompositionState]]:
    """By delivery, then by formula: where each box that holds something stands."""
    states: dict[int, dict[int, CompositionState]] = {delivery_id: {} for delivery_id in delivery_ids}
    rows = session.execute(
        select(Composition.delivery_id, Composition.formula_id, Composition.state).where(
            Composition.delivery_id.in_(list(delivery_ids)), Composition.lines.any()
        )
    )
    for delivery_id, formula_id, state in rows:
        states[delivery_id][formula_id] = state
    return states


def sources(session: Session, delivery: DeliveryView, limit: int = 12) -> list[DeliveryView]:
    """The latest deliveries, up to this one's day, whose boxes may be copied into it."""
    composed = select(Composition.delivery_id).where(Composition.lines.any())
    rows = session.scalars(
        select(Delivery)
        .where(Delivery.id.in_(composed), Delivery.id != delivery.id, Delivery.day <= delivery.day)
        .order_by(Delivery.day.desc(), Delivery.id.desc())
        .limit(limit)
    )
    return [delivery_view(row) for row in rows]


Item = TypeVar("Item", Line, Change)


def _by_name(items: Iterable[Item]) -> tuple[Item, ...]:
    return tuple(sorted(items, key=lambda item: french_order(item.product.name)))
