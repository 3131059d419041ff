"""What is harvested for a delivery."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import and_, case, func, select
from sqlalchemy.orm import Session

from portal.boxes import carried
from portal.boxes.carried import Count
from portal.catalogue.models import Article, Product, Unit
from portal.catalogue.queries import FormulaView, formulas
from portal.compositions.models import Composition, CompositionLine, CompositionState
from portal.compositions.queries import exclusions
from portal.deliveries.queries import DeliveryView
from portal.infra.orm import View
from portal.packing.prints import Entry
from portal.rules.alphabet import french_order
from portal.rules.contents import at_point
from portal.rules.selling import Measured, SaleUnit
from portal.shop.models import Order, OrderLine
from portal.shop.sheets import HANDED_OUT, aboard


@dataclass(frozen=True, slots=True)
class Amount:
    """What is harvested of a product: grams, and pieces of what is sold by the piece."""

    grams: int = 0
    pieces: int = 0

    def __add__(self, other: "Amount") -> "Amount":
        return Amount(self.grams + other.grams, self.pieces + other.pieces)

    def __bool__(self) -> bool:
        return bool(self.grams or self.pieces)

    def with_margin(self, percent: int) -> "Amount":
        """So much more, rounded up to whole grams and pieces."""
        times = 100 + percent
        return Amount(-(-self.grams * times // 100), -(-self.pieces * times // 100))

    def to_bring_in(self) -> "Amount":
        """As one weighs in a field: up to the next 50 grams, beyond five kilos the next 100."""
        step = 100 if self.grams > 5000 else 50
        return Amount(-(-self.grams // step) * step, self.pieces)


@dataclass(frozen=True, slots=True)
class Crop:
    """A product as it is harvested; the margin is in percent."""

    id: int
    name: str
    unit: Unit
    drawing: str
    parcel: str | None
    tool: str | None
    crate: str | None
    kept_in: str | None
    margin: int
    bought: bool
    """A neighbour brings it."""

    @property
    def counted(self) -> bool:
        return self.unit in {Unit.PIECE, Unit.BUNCH}


@dataclass(frozen=True, slots=True)
class Part:
    """So many boxes of a formula that hold as much each."""

    formula: FormulaView
    boxes: int
    amount: int


@dataclass(frozen=True, slots=True)
class Picking:
    """What is harvested of a product, and what for."""

    crop: Crop
    boxed: Amount
    ordered: Amount
    parts: tuple[Part, ...]

    @property
    def needed(self) -> Amount:
        return self.boxed + self.ordered

    @property
    def total(self) -> Amount:
        return self.needed.with_margin(self.crop.margin).to_bring_in()

    @property
    def key(self) -> str:
        return f"p{self.crop.id}"

    @property
    def entry(self) -> Entry:
        parts = tuple((part.formula.id, part.boxes, part.amount) for part in self.parts)
        return Entry((self.crop, self.total, parts))


@dataclass(frozen=True, slots=True)
class HarvestList:
    """What is brought in for a delivery, field by field; `unwritten` are the boxes that nobody has composed yet."""

    pickings: tuple[Picking, ...]
    unwritten: tuple[FormulaView, ...]
    drafts: tuple[FormulaView, ...]

    @property
    def empty(self) -> bool:
        return not self.pickings

    @property
    def entries(self) -> dict[str, Entry]:
        return {picking.key: picking.entry for picking in self.pickings}


_CROP = View(
    Crop,
    id=Product.id,
    name=Product.name,
    unit=Product.unit,
    drawing=Product.drawing,
    parcel=Product.parcel,
    tool=Product.tool,
    crate=Product.crate,
    kept_in=Product.kept_in,
    margin=Product.margin,
    bought=select(Article.id)
    .where(Article.product_id == Product.id, Article.supplier_id.is_not(None))
    .correlate(Product)
    .exists(),
)


def harvest_list(session: Session, delivery: DeliveryView) -> HarvestList:
    """Boxes and orders together; what neighbours bring for orders alone is on their own sheets."""
    boxes = carried.counts(session, [delivery.id])[delivery.id]
    holding = contents(session, delivery.id, boxes)
    ordered = ordered_amounts(session, delivery.id)
    crops = session.scalars(select(_CROP).where(Product.id.in_({*holding.parts, *ordered}))).all()
    known = {formula.id: formula for formula in formulas(session)}
    pickings = []
    for crop in crops:
        parts = tuple(
            Part(known[formula_id], number, amount)
            for (formula_id, amount), number in sorted(
                holding.parts.get(crop.id, Counter()).items(), key=lambda part: known[part[0][0]].position
            )
        )
        if crop.bought and not parts:
            continue
        boxed = _amount(crop, sum(part.boxes * part.amount for part in parts))
        pickings.append(Picking(crop, boxed, ordered.get(crop.id, Amount()), parts))
    carried_formulas = [f for f in known.values() if f.id in {count.formula_id for count in boxes}]
    return HarvestList(
        tuple(sorted(pickings, key=_by_field)),
        unwritten=tuple(f for f in carried_formulas if f.id not in holding.states),
        drafts=tuple(f for f in carried_formulas if holding.states.get(f.id) is CompositionState.DRAFT),
    )


def needs(session: Session, delivery_id: int) -> dict[int, Amount]:
    """What a delivery needs of each product, for its boxes and its orders, before any margin: product → amount."""
    boxes = carried.counts(session, [delivery_id])[delivery_id]
    parts = contents(session, delivery_id, boxes).parts
    needed = ordered_amounts(session, delivery_id)
    for crop in session.scalars(select(_CROP).where(Product.id.in_(parts))):
        boxed = _amount(crop, sum(n * amount for (_, amount), n in parts[crop.id].items()))
        needed[crop.id] = needed.get(crop.id, Amount()) + boxed
    return needed


@dataclass(frozen=True, slots=True)
class Holding:
    """What boxes hold: product → how many boxes of which formula hold how much of it; where each formula stands."""

    parts: Mapping[int, Counter[tuple[int, int]]]
    states: Mapping[int, CompositionState]


def contents(session: Session, delivery_id: int, boxes: Iterable[Count]) -> Holding:
    """What these boxes of a delivery hold, each point's as they are composed there."""
    amounts: dict[int, dict[int, int]] = {}
    states: dict[int, CompositionState] = {}
    for formula_id, state, product_id, amount in session.execute(
        select(Composition.formula_id, Composition.state, CompositionLine.product_id, CompositionLine.amount)
        .join(Composition.lines)
        .where(Composition.delivery_id == delivery_id)
    ):
        states[formula_id] = state
        amounts.setdefault(formula_id, {})[product_id] = amount
    swaps = {box: [x.swap for x in there] for box, there in exclusions(session, delivery_id).items()}
    parts: dict[int, Counter[tuple[int, int]]] = {}
    for count in boxes:
        box = (count.formula_id, count.pickup_point_id)
        for product_id, amount in at_point(amounts.get(count.formula_id, {}), swaps.get(box, ())).items():
            parts.setdefault(product_id, Counter())[count.formula_id, amount] += count.boxes
    return Holding(parts, states)


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


def _amount(crop: Crop, number: int) -> Amount:
    return Amount(pieces=number) if crop.counted else Amount(grams=number)


def _by_field(picking: Picking) -> tuple[bool, object, object]:
    """One walks from field to field."""
    crop = picking.crop
    return (crop.parcel is None, french_order(crop.parcel or ""), french_order(crop.name))
