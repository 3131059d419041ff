"""The packing mode: what goes into the boxes of each formula, then what is taken to each point, ticked as it is done.

A line's key says how much it is about: where that changes, it is to do again.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from zlib import crc32

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.boxes.handovers import Handed, handed_on
from portal.catalogue.queries import FormulaView
from portal.compositions.queries import Column, ProductView, exclusions, grid
from portal.deliveries.models import Delivery
from portal.deliveries.queries import DeliveryView, view
from portal.infra import clock, locks
from portal.infra.orm import insert
from portal.packing.models import PackingTick
from portal.packing.queries import Counts, counts
from portal.pickup.queries import PointView
from portal.rules.contents import Swap, at_point
from portal.rules.corrections import Refusal, refusal_to_work
from portal.shop.sheets import Bag, bags, contents


@dataclass(frozen=True, slots=True)
class Share:
    """So much of a product for each of so many boxes: everywhere, only at some points, or but for some."""

    key: str
    product: ProductView
    amount: int
    boxes: int
    only: tuple[str, ...] = ()
    but: tuple[str, ...] = ()

    @property
    def total(self) -> int:
        return self.amount * self.boxes


@dataclass(frozen=True, slots=True)
class Bench:
    """The boxes of a formula, filled product by product; without shares where nobody has composed them."""

    formula: FormulaView
    boxes: int
    shares: tuple[Share, ...]

    @property
    def part(self) -> str:
        return f"f{self.formula.id}"

    @property
    def keys(self) -> list[str]:
        return [share.key for share in self.shares]


@dataclass(frozen=True, slots=True)
class Load:
    """Boxes of a formula that go to a point, and the crates that they are stacked in, where they are."""

    key: str
    formula: FormulaView
    boxes: int
    crates: int | None


@dataclass(frozen=True, slots=True)
class Parcel:
    """An order that goes to a point."""

    key: str
    bag: Bag


@dataclass(frozen=True, slots=True)
class Place:
    """What is taken to a point."""

    point: PointView
    loads: tuple[Load, ...]
    parcels: tuple[Parcel, ...]
    handed: tuple[tuple[Handed, int], ...] = ()
    """What somebody else has, and how many boxes; the partner's together."""

    @property
    def part(self) -> str:
        return f"s{self.point.id}"

    @property
    def keys(self) -> list[str]:
        return [load.key for load in self.loads] + [parcel.key for parcel in self.parcels]


@dataclass(frozen=True, slots=True)
class Packing:
    """All that is to be ticked of a delivery."""

    benches: tuple[Bench, ...]
    places: tuple[Place, ...]

    @property
    def keys(self) -> list[str]:
        filled = [key for bench in self.benches for key in bench.keys]
        return filled + [key for place in self.places for key in place.keys]

    def next_part(self, ticked: Collection[str]) -> str | None:
        """Where one goes on."""
        parts: list[Bench | Place] = [*self.benches, *self.places]
        return next((part.part for part in parts if not set(part.keys) <= set(ticked)), None)


def packing(session: Session, delivery: DeliveryView) -> Packing:
    found = counts(session, delivery)
    carried, handed = bags(session, delivery.id), handed_on(session, delivery.id)
    places = (_place(found, point, carried, handed) for point in found.points)
    return Packing(_benches(session, delivery, found), tuple(place for place in places if place.keys))


def keys(session: Session, delivery: DeliveryView) -> set[str]:
    """Of all lines that there are, without what a page says of them: asked every few seconds by every phone."""
    found = counts(session, delivery)
    filled = {key for bench in _benches(session, delivery, found) for key in bench.keys}
    loaded = {load.key for point in found.points for load in _loads(found, point)}
    return filled | loaded | {_parcel_key(*bag) for bag in contents(session, delivery.id)}


def _benches(session: Session, delivery: DeliveryView, found: Counts) -> tuple[Bench, ...]:
    columns = grid(session, delivery)
    products = {product.id: product for product in columns.products}
    written = {column.formula.id: column for column in columns.columns}
    swaps = {box: [x.swap for x in there] for box, there in exclusions(session, delivery.id).items()}
    benches = []
    for formula in found.formulas:
        column = written.get(formula.id)
        shares = _shares(found, column, swaps, products) if column else ()
        benches.append(Bench(formula, found.tally.count(formula=formula), tuple(shares)))
    return tuple(benches)


def _shares(
    found: Counts,
    column: Column,
    swaps: Mapping[tuple[int, int], Collection[Swap]],
    products: Mapping[int, ProductView],
) -> Iterable[Share]:
    """Each product once for each amount of it: a point may have another."""
    formula = column.formula
    amounts = {line.product.id: line.amount for line in column.lines}
    there = {point: found.tally.count(formula=formula, point=point) for point in found.points}
    there = {point: boxes for point, boxes in there.items() if boxes}
    boxes: Counter[tuple[int, int]] = Counter()
    where: dict[tuple[int, int], list[str]] = {}
    for point, number in there.items():
        held = at_point(amounts, swaps.get((formula.id, point.id), ()))
        for share in held.items():
            boxes[share] += number
            where.setdefault(share, []).append(point.name)
    order = {product_id: place for place, product_id in enumerate(products)}
    for product_id, amount in sorted(boxes, key=lambda share: order[share[0]]):
        number, names = boxes[product_id, amount], where[product_id, amount]
        missing = [point.name for point in there if point.name not in names]
        few = len(names) <= len(missing)
        yield Share(
            f"f{formula.id}-p{product_id}-{amount}x{number}",
            products[product_id],
            amount,
            number,
            only=tuple(names) if missing and few else (),
            but=tuple(missing) if not few else (),
        )


def _place(
    found: Counts,
    point: PointView,
    carried: Iterable[Bag],
    handed: Mapping[tuple[int, int], tuple[Handed, int]],
) -> Place:
    parcels = [
        Parcel(_parcel_key(bag.id, point.id, [(p.article_id, p.quantity) for p in bag.portions]), bag)
        for bag in carried
        if bag.pickup_point_id == point.id and bag.portions
    ]
    return Place(point, tuple(_loads(found, point)), tuple(parcels), tuple(_handed(point, handed)))


def _handed(
    point: PointView, handed: Mapping[tuple[int, int], tuple[Handed, int]]
) -> Iterable[tuple[Handed, int]]:
    given: dict[str, tuple[Handed, int]] = {}
    for (_, point_id), (to, boxes) in handed.items():
        if point_id != point.id:
            continue
        if to.given:
            given[to.name] = (to, boxes + (given[to.name][1] if to.name in given else 0))
        else:
            yield to, boxes
    yield from given.values()


def _loads(found: Counts, point: PointView) -> Iterable[Load]:
    for formula in found.formulas:
        if boxes := found.tally.count(formula=formula, point=point):
            crates = -(-boxes // formula.per_crate) if formula.per_crate else None
            yield Load(f"s{point.id}-f{formula.id}-{boxes}", formula, boxes, crates)


def _parcel_key(order_id: int, point_id: int, portions: Collection[tuple[int, int]]) -> str:
    """With a digest of what is in it."""
    return f"s{point_id}-b{order_id}-{crc32(repr(sorted(portions)).encode()):08x}"


def ticked(session: Session, delivery_id: int) -> set[str]:
    """The keys of all lines that are done, those too that are no more."""
    own = (PackingTick.delivery_id == delivery_id, PackingTick.done)
    return set(session.scalars(select(PackingTick.key).where(*own)))


def tick(session: Session, delivery_id: int, key: str, wanted: bool, *, by: int) -> Refusal | None:
    """Let a line be done or not, as whoever says it last; a line that has changed since is not this one."""
    own = select(Delivery).where(Delivery.id == delivery_id)
    known = key in keys(session, view(session.scalars(own).one()))  # nobody waits while we look
    delivery, now = view(session.scalars(locks.for_share(own, of=Delivery)).one()), clock.now()
    if refusal := refusal_to_work(delivery.for_rules, now):
        return refusal
    if not known:
        return Refusal.CHANGED_SINCE
    said = {"done": wanted, "at": now, "by_id": by}
    written = insert(session, PackingTick).values(delivery_id=delivery_id, key=key, **said)
    named = [PackingTick.delivery_id, PackingTick.key]
    session.execute(
        written.on_conflict_do_update(index_elements=named, set_=said, where=PackingTick.done.is_not(wanted))
    )
    return None
