"""Reading what is packed: sums, and the list of each pickup point."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from operator import attrgetter

from sqlalchemy.orm import Session

from portal.accounts.models import customer_number
from portal.boxes import carried as boxes
from portal.boxes.carried import PackedBox
from portal.catalogue.queries import FormulaView, formulas
from portal.deliveries.queries import DeliveryView
from portal.pickup.queries import PointView, points
from portal.rules.alphabet import french_order
from portal.shop.sheets import Bag, bags, orders_by_point


@dataclass(frozen=True, slots=True)
class Tally:
    """How many boxes of which formula go to which point: (formula, point) → boxes."""

    boxes: Mapping[tuple[int, int], int]

    def count(self, *, formula: FormulaView | None = None, point: PointView | None = None) -> int:
        """Of a formula, at a point, of a formula at a point, or of all."""
        return sum(
            number
            for (formula_id, point_id), number in self.boxes.items()
            if (formula is None or formula.id == formula_id) and (point is None or point.id == point_id)
        )


@dataclass(frozen=True, slots=True)
class Item:
    """So many boxes of a formula."""

    formula: FormulaView
    quantity: int


@dataclass(frozen=True, slots=True)
class Recipient:
    """Who collects what; the customer number tells two people of one name apart and is left out otherwise."""

    last_name: str
    first_name: str
    customer_number: str | None
    items: tuple[Item, ...]
    orders: tuple[Bag, ...] = ()


@dataclass(frozen=True, slots=True)
class Stop:
    """A pickup point where something is collected, with those who do in alphabetical order."""

    point: PointView
    recipients: tuple[Recipient, ...]


@dataclass(frozen=True, slots=True)
class Counts:
    """The formulas that a delivery carries, all points that it serves, and how many go where; orders by point."""

    formulas: tuple[FormulaView, ...]
    points: tuple[PointView, ...]
    tally: Tally
    orders: Mapping[int, int]

    @property
    def empty(self) -> bool:
        return not self.formulas and not self.orders


@dataclass(frozen=True, slots=True)
class PackingList:
    """What is packed and signed by: the sums, then stop by stop in the order of the round."""

    counts: Counts
    stops: tuple[Stop, ...]


def tallies(session: Session, delivery_ids: Collection[int]) -> dict[int, Tally]:
    """The boxes of deliveries: frozen ones where the list is closed, else what is expected at this moment."""
    return {
        delivery_id: Tally({(c.formula_id, c.pickup_point_id): c.boxes for c in counted})
        for delivery_id, counted in boxes.counts(session, delivery_ids).items()
    }


def counts(session: Session, delivery: DeliveryView) -> Counts:
    orders = orders_by_point(session, delivery.id)
    return _counts(session, delivery, tallies(session, [delivery.id])[delivery.id], orders)


def packing_list(
    session: Session, delivery: DeliveryView, *, although_cancelled: bool = False
) -> PackingList:
    """Its sums are those of its names: one reading makes both. A cancelled delivery's is empty, unless asked."""
    numbers: Counter[tuple[int, int]] = Counter()
    by_point: dict[int, list[PackedBox]] = {}
    for box in boxes.packing(session, delivery.id, although_cancelled=although_cancelled):
        numbers[box.formula_id, box.pickup_point_id] += box.quantity
        by_point.setdefault(box.pickup_point_id, []).append(box)
    bags_there: dict[int, list[Bag]] = {}
    for bag in bags(session, delivery.id, although_cancelled=although_cancelled):
        bags_there.setdefault(bag.pickup_point_id, []).append(bag)
    orders = {point_id: len(there) for point_id, there in bags_there.items()}
    found = _counts(session, delivery, Tally(numbers), orders)
    stops = tuple(
        Stop(point, _recipients(by_point.get(point.id, ()), bags_there.get(point.id, ()), found.formulas))
        for point in found.points
        if point.id in by_point or point.id in bags_there
    )
    return PackingList(found, stops)


def _counts(session: Session, delivery: DeliveryView, tally: Tally, orders: Mapping[int, int]) -> Counts:
    """The points are the tour's and, for what is frozen or ordered, any that has left the tour since."""
    used = {point_id for _, point_id in tally.boxes} | orders.keys()
    served = (point for point in points(session) if point.tour_id == delivery.tour_id or point.id in used)
    return Counts(
        formulas=tuple(formula for formula in formulas(session) if tally.count(formula=formula)),
        points=tuple(sorted(served, key=attrgetter("position"))),
        tally=tally,
        orders=orders,
    )


def _recipients(
    packed: Iterable[PackedBox], ordered: Iterable[Bag], carried: Iterable[FormulaView]
) -> tuple[Recipient, ...]:
    """One line a person, whatever they collect; each order of a guest is a line of its own."""
    whose: dict[int | str, tuple[str, str]] = {}
    quantities: dict[int | str, dict[int, int]] = {}
    orders: dict[int | str, list[Bag]] = {}
    for box in packed:
        whose[box.account_id] = (box.last_name, box.first_name)
        quantities.setdefault(box.account_id, {})[box.formula_id] = box.quantity
    for bag in ordered:
        key = bag.account_id or bag.number
        whose[key] = (bag.last_name, bag.first_name)
        orders.setdefault(key, []).append(bag)
    namesakes = Counter(whose.values())
    recipients = [
        Recipient(
            *name,
            customer_number=customer_number(key) if namesakes[name] > 1 and isinstance(key, int) else None,
            items=tuple(Item(f, quantities[key][f.id]) for f in carried if f.id in quantities.get(key, ())),
            orders=tuple(orders.get(key, ())),
        )
        for key, name in whose.items()
    ]
    return tuple(
        sorted(recipients, key=lambda r: (french_order(r.last_name, r.first_name), r.customer_number or ""))
    )
