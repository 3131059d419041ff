"""Reading compositions: the staff's grid, and what subscribers see."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, TypeVar

from sqlalchemy import and_, bindparam, or_, select, true
from sqlalchemy.orm import Session, aliased, selectinload

from portal.catalogue.models import Product, Unit
from portal.catalogue.queries import FormulaView, priced_formulas
from portal.compositions.models import (
    Composition,
    CompositionChange,
    CompositionLine,
    CompositionState,
    Exclusion,
    ShortageNotice,
)
from portal.deliveries.models import Delivery
from portal.deliveries.queries import DeliveryView
from portal.deliveries.queries import view as delivery_view
from portal.infra.orm import View
from portal.rules.alphabet import french_order
from portal.rules.amounts import GRAMS, KILOS, PIECES, Measure, gap, worth
from portal.rules.contents import Swap, at_point
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
    retired: bool = False

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
    reason: str | None = None
    """What the farm has said of it, where the product ran short."""

    @property
    def kind(self) -> ChangeKind:
        if not self.before:
            return ChangeKind.NEW
        return ChangeKind.CHANGED if self.after else ChangeKind.ABSENT


@dataclass(frozen=True, slots=True)
class ExclusionView:
    """A product that a formula's boxes do not hold at one point, and what they hold instead, if anything."""

    id: int
    formula_id: int
    point_id: int
    product: ProductView
    instead: ProductView | None
    amount: int | None
    made_at: datetime

    @property
    def swap(self) -> Swap:
        return Swap(self.product.id, self.instead.id if self.instead else None, self.amount or 0)


Box = tuple[int, int]
"""A formula's box at a point: (formula, point)."""


@dataclass(frozen=True, slots=True)
class ShownContents:
    """What subscribers see of a formula's box at a point, by product name."""

    formula_id: int
    point_id: int
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
    shown: bool = False
    """Whether subscribers have seen it, be it a draft again by now."""

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


def _product(table: type[Product]) -> View[ProductView]:
    return View(
        ProductView,
        id=table.id,
        name=table.name,
        unit=table.unit,
        value=table.value,
        drawing=table.drawing,
        storage=table.storage,
        retired=table.retired_at.is_not(None),
    )


PRODUCT = _product(Product)
_Instead = aliased(Product)
_INSTEAD = _product(_Instead)
_SHOWN = (
    select(
        Composition.formula_id,
        Composition.state,
        Composition.shown_at,
        PRODUCT,
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
_EXCLUSIONS = (
    select(
        Exclusion.id,
        Composition.formula_id,
        Exclusion.pickup_point_id,
        PRODUCT,
        _INSTEAD,
        Exclusion.instead_amount,
        Exclusion.made_at,
    )
    .select_from(Exclusion)
    .join(Composition, Composition.id == Exclusion.composition_id)
    .join(Product, Product.id == Exclusion.product_id)
    .outerjoin(_Instead, _Instead.id == Exclusion.instead_id)
    .where(Composition.delivery_id == bindparam("delivery_id"))
    .order_by(Composition.formula_id, Exclusion.pickup_point_id, Exclusion.id)
)
_NOTICES = (
    select(
        ShortageNotice.product_id,
        ShortageNotice.formula_ids,
        ShortageNotice.point_ids,
        ShortageNotice.note,
    )
    .where(ShortageNotice.delivery_id == bindparam("delivery_id"), ShortageNotice.note.is_not(None))
    .order_by(ShortageNotice.id)
)
"""What was said of shortages, the latest last."""


def exclusions(session: Session, delivery_id: int) -> dict[Box, list[ExclusionView]]:
    """What the boxes of a delivery do not hold at some points: (formula, point) → exclusions."""
    found: dict[Box, list[ExclusionView]] = {}
    for row in session.execute(_EXCLUSIONS, {"delivery_id": delivery_id}):
        excluded = ExclusionView(*row)
        found.setdefault((excluded.formula_id, excluded.point_id), []).append(excluded)
    return found


@dataclass(slots=True)
class _Shown:
    """A formula's box as it was first shown and as it is now: product → amount."""

    state: CompositionState
    shown_at: datetime | None
    before: dict[int, int] = field(default_factory=dict)
    after: dict[int, int] = field(default_factory=dict)
    changed: dict[int, datetime] = field(default_factory=dict)


def shown_contents(session: Session, delivery_id: int, boxes: Collection[Box]) -> dict[Box, ShownContents]:
    """What subscribers see of these formulas' boxes at these points; drafts are not there.

    Three statements at most, whatever the number of boxes: a row for each product that is in a box or that was,
    what points do without, and why, where something has changed.
    """
    formulas: dict[int, _Shown] = {}
    products: dict[int, ProductView] = {}
    wanted = {"delivery_id": delivery_id, "formula_ids": [formula_id for formula_id, _ in boxes]}
    for formula_id, state, shown_at, product, amount, changed_at, before in session.execute(_SHOWN, wanted):
        products[product.id] = product
        shown = formulas.setdefault(formula_id, _Shown(state, shown_at))
        if amount:
            shown.after[product.id] = amount
        if first := before if changed_at else amount:
            shown.before[product.id] = first
        if changed_at:
            shown.changed[product.id] = changed_at
    excluded = exclusions(session, delivery_id) if formulas else {}
    for exclusion in (exclusion for there in excluded.values() for exclusion in there):
        for known in (exclusion.product, exclusion.instead):
            if known:
                products[known.id] = known
    contents = {
        box: _at_point(box, formulas[box[0]], excluded.get(box, ()), products)
        for box in boxes
        if box[0] in formulas
    }
    if any(content.changes for content in contents.values()):
        notices = session.execute(_NOTICES, {"delivery_id": delivery_id}).all()
        contents = {box: _explained(content, notices) for box, content in contents.items()}
    return contents


def _at_point(
    box: Box, shown: _Shown, excluded: Collection[ExclusionView], products: Mapping[int, ProductView]
) -> ShownContents:
    """What was excluded before the box was first shown has never changed for anybody."""
    known = [x.swap for x in excluded if shown.shown_at and x.made_at < shown.shown_at]
    before, after = at_point(shown.before, known), at_point(shown.after, [x.swap for x in excluded])
    moments = dict(shown.changed)
    for exclusion in excluded:
        for product in (exclusion.product, exclusion.instead):
            if product:
                moments[product.id] = max(moments.get(product.id, exclusion.made_at), exclusion.made_at)
    return ShownContents(
        *box,
        shown.state,
        _by_name(Line(products[product_id], amount) for product_id, amount in after.items()),
        _by_name(
            Change(products[key], moments[key], before.get(key, 0), after.get(key, 0))
            for key in before.keys() | after.keys()
            if before.get(key) != after.get(key)
        ),
    )


def _explained(content: ShownContents, notices: Collection[Any]) -> ShownContents:
    reasons = {
        notice.product_id: notice.note
        for notice in notices
        if content.formula_id in notice.formula_ids
        and (not notice.point_ids or content.point_id in notice.point_ids)
    }
    return replace(
        content,
        changes=tuple(
            replace(change, reason=reasons.get(change.product.id)) if change.after < change.before else change
            for change in content.changes
        ),
    )


def grid(session: Session, delivery: DeliveryView, received: Collection[int] = ()) -> Grid:
    """The boxes of the formulas on sale that day, written or not; of retired ones those still `received`."""
    products = {product.id: product for product in session.scalars(select(PRODUCT))}
    written = {
        row.formula_id: row
        for row in session.scalars(
            select(Composition)
            .where(Composition.delivery_id == delivery.id)
            .options(selectinload(Composition.lines), selectinload(Composition.changes))
        )
    }
    columns = []
    for priced in priced_formulas(session, delivery.day, retired=True):
        row = written.get(priced.formula.id)
        if priced.formula.retired and not row and priced.formula.id not in received:
            continue
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
                shown=bool(row and row.shown_at),
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
