"""Reading what is packed: sums, and the list of each pickup point."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.accounts.models import Account, customer_number
from portal.boxes import carried as boxes
from portal.boxes.carried import PackedBox
from portal.boxes.handovers import Handed, handed_on
from portal.boxes.models import Basket, BasketCorrection
from portal.catalogue.models import Product
from portal.catalogue.queries import FormulaView, formulas
from portal.compositions.queries import ExclusionView, exclusions
from portal.deliveries.queries import DeliveryView
from portal.packing.before import beginners
from portal.packing.prints import Entry, Standing, known_numbers, numbered
from portal.pickup.models import PickupPoint
from portal.pickup.queries import PointView, points
from portal.rules.alphabet import french_order
from portal.shop.models import Order, OrderCorrection
from portal.shop.sheets import Bag, bags, orders_by_point
from portal.subscriptions.models import Subscription


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
    """Who collects what; the customer number tells two people of one name apart and is left out otherwise.

    `number` stands on the list, on the labels and on the round sheet; `key` names the line on all versions of them.
    """

    key: str
    last_name: str
    first_name: str
    customer_number: str | None
    items: tuple[Item, ...]
    orders: tuple[Bag, ...] = ()
    number: int = 0
    account_id: int | None = None
    """Nobody's for a guest."""
    beginner: bool = False
    """One of the first two deliveries: packed with more care."""
    corrected: bool = False
    """By staff, after the delivery had closed."""
    handed: Handed | None = None
    """To whom it goes instead; what is given away bears the partner's name."""

    @property
    def short_name(self) -> str:
        """For a list that hangs where everybody reads it."""
        if not self.first_name:
            return self.last_name
        return f"{self.first_name} {self.last_name[:1]}.".strip()

    @property
    def entry(self) -> Entry:
        items = tuple((item.formula.id, item.quantity) for item in self.items)
        orders = tuple((bag.id, bag.portions) for bag in self.orders)
        handed = (self.handed.name, self.handed.code) if self.handed else ()
        return Entry((self.last_name, self.first_name, items, orders, *handed), self.number)


@dataclass(frozen=True, slots=True)
class Stop:
    """A pickup point where something is collected, with those who do in alphabetical order."""

    point: PointView
    recipients: tuple[Recipient, ...]
    exclusions: tuple[ExclusionView, ...] = ()
    """What the boxes that come here do not hold."""

    @property
    def given(self) -> dict[str, int]:
        """The boxes that go to the farm's partner: its name → how many."""
        boxes: Counter[str] = Counter()
        for recipient in self.recipients:
            if recipient.handed and recipient.handed.given:
                boxes[recipient.handed.name] += sum(item.quantity for item in recipient.items)
        return boxes

    def excluded(self, formula: FormulaView) -> list[ExclusionView]:
        return [excluded for excluded in self.exclusions if excluded.formula_id == formula.id]


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

    @property
    def empty(self) -> bool:
        return not self.stops

    @property
    def entries(self) -> dict[str, Entry]:
        return {recipient.key: recipient.entry for stop in self.stops for recipient in stop.recipients}


def tallies(session: Session, delivery_ids: Collection[int]) -> dict[int, Tally]:
    """The boxes of deliveries: frozen ones where the list is closed, else what is expected at this moment."""
    return {
        delivery_id: Tally({(c.formula_id, c.pickup_point_id): c.boxes for c in counted})
        for delivery_id, counted in boxes.counts(session, delivery_ids).items()
    }


def counts(session: Session, delivery: DeliveryView) -> Counts:
    orders = orders_by_point(session, delivery.id)
    kept = known_numbers(session, delivery.id, delivery.cutoff_at)
    return _counts(session, delivery, tallies(session, [delivery.id])[delivery.id], orders, kept)


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
    kept = known_numbers(session, delivery.id, delivery.cutoff_at)
    found = _counts(session, delivery, Tally(numbers), orders, kept)
    marks = _marks(session, delivery, although_cancelled=although_cancelled)
    without = exclusions(session, delivery.id)
    stops = tuple(
        Stop(
            point,
            _recipients(
                point, by_point.get(point.id, ()), bags_there.get(point.id, ()), found.formulas, marks
            ),
            tuple(
                excluded
                for formula in found.formulas
                if found.tally.count(formula=formula, point=point)
                for excluded in without.get((formula.id, point.id), ())
            ),
        )
        for point in found.points
        if point.id in by_point or point.id in bags_there
    )
    return PackingList(found, _numbered(stops, kept))


@dataclass(frozen=True, slots=True)
class _Marks:
    """What sets some lines apart: the accounts of beginners, the accounts and orders that were corrected, and by
    account and point what goes to somebody else.
    """

    beginners: Collection[int]
    accounts: Collection[int]
    orders: Collection[int]
    handed: Mapping[tuple[int, int], Handed]


def _marks(session: Session, delivery: DeliveryView, *, although_cancelled: bool) -> _Marks:
    of_boxes = (
        select(Subscription.account_id)
        .join(Basket, Basket.subscription_id == Subscription.id)
        .join(BasketCorrection, BasketCorrection.basket_id == Basket.id)
        .where(BasketCorrection.delivery_id == delivery.id, BasketCorrection.undone_at.is_(None))
    )
    of_orders = select(OrderCorrection.order_id).where(
        OrderCorrection.delivery_id == delivery.id, OrderCorrection.undone_at.is_(None)
    )
    return _Marks(
        beginners(session, delivery),
        set(session.scalars(of_boxes)),
        set(session.scalars(of_orders)),
        {
            key: to
            for key, (to, _) in handed_on(session, delivery.id, although_cancelled=although_cancelled).items()
        },
    )


def _numbered(stops: tuple[Stop, ...], kept: Mapping[str, int]) -> tuple[Stop, ...]:
    """In the order of the list, but for those whose number has been printed since the delivery closed."""
    numbers = numbered((recipient.key for stop in stops for recipient in stop.recipients), kept)
    return tuple(
        replace(stop, recipients=tuple(replace(r, number=numbers[r.key]) for r in stop.recipients))
        for stop in stops
    )


@dataclass(frozen=True, slots=True)
class Gone:
    """A line that is on a printed list and no longer on this one; who collects elsewhere has a line there."""

    name: str
    point_id: int | None = None
    point: str = ""
    to: str = ""
    now: Recipient | None = None


def gone_lines(session: Session, standing: Standing, stops: Iterable[Stop]) -> tuple[Gone, ...]:
    """People, guests, products and stops by name; people with the point that they have left."""
    ids: dict[str, set[int]] = {"account": set(), "order": set(), "p": set(), "s": set()}
    named = {key: _named(key) for key in standing.gone}
    for point_id, kind, number in named.values():
        ids[kind].add(number)
        if point_id:
            ids["s"].add(point_id)
    names: dict[tuple[str, int], str] = {}
    for kind, name, column in (
        ("account", Account.last_name + " " + Account.first_name, Account.id),
        ("order", Order.name, Order.id),
        ("p", Product.name, Product.id),
        ("s", PickupPoint.name, PickupPoint.id),
    ):
        if ids[kind]:
            for number, said in session.execute(select(column, name).where(column.in_(ids[kind]))):
                names[kind, number] = said
    marked = {
        _named(r.key)[1:]: (stop.point.name, r)
        for stop in stops
        for r in stop.recipients
        if standing.mark(r.key)
    }
    gone = (
        Gone(names[kind, n], point, names.get(("s", point or 0), ""), *marked.get((kind, n), ("", None)))
        for point, kind, n in named.values()
        if (kind, n) in names
    )
    return tuple(sorted(gone, key=lambda line: french_order(line.name, line.point)))


def _named(key: str) -> tuple[int | None, str, int]:
    """The point, the kind and the number that a line's key stands for."""
    point, of_person, whose = key.partition("-")
    if not of_person:
        return None, key[0], int(key[1:])
    if whose.isdigit():
        return int(point), "account", int(whose)
    return int(point), "order", int(whose[1:])


def _counts(
    session: Session, delivery: DeliveryView, tally: Tally, orders: Mapping[int, int], kept: Mapping[str, int]
) -> Counts:
    """The points are the tour's and, for what is frozen or ordered, any that has left the tour since.

    Those whose numbers have been printed since it closed come as they were printed, whatever becomes of the tour.
    """
    used = {point_id for _, point_id in tally.boxes} | orders.keys()
    served = (point for point in points(session) if point.tour_id == delivery.tour_id or point.id in used)
    first: dict[int, int] = {}
    for key, number in kept.items():
        point_id = int(key.partition("-")[0])
        first[point_id] = min(number, first.get(point_id, number))
    last = max(kept.values(), default=0) + 1
    return Counts(
        formulas=tuple(formula for formula in formulas(session) if tally.count(formula=formula)),
        points=tuple(sorted(served, key=lambda point: (first.get(point.id, last), point.position))),
        tally=tally,
        orders=orders,
    )


def _recipients(
    point: PointView,
    packed: Iterable[PackedBox],
    ordered: Iterable[Bag],
    carried: Iterable[FormulaView],
    marks: _Marks,
) -> tuple[Recipient, ...]:
    """One line a person, whatever they collect; each order of a guest is a line of its own."""
    whose: dict[int | str, tuple[str, str]] = {}
    quantities: dict[int | str, dict[int, int]] = {}
    orders: dict[int | str, list[Bag]] = {}
    for box in packed:
        whose[box.account_id] = (box.last_name, box.first_name)
        quantities.setdefault(box.account_id, {})[box.formula_id] = box.quantity
    for bag in ordered:
        key = bag.account_id or f"o{bag.id}"
        whose[key] = (bag.last_name, bag.first_name)
        orders.setdefault(key, []).append(bag)
    namesakes = Counter(whose.values())
    handed: dict[int | str, Handed | None] = {
        key: marks.handed.get((key, point.id)) for key in whose if isinstance(key, int)
    }
    given: dict[int | str, tuple[str, str]] = {
        key: (to.name, "") for key, to in handed.items() if to and to.given
    }
    recipients = [
        Recipient(
            f"{point.id}-{key}",
            *given.get(key, name),
            customer_number=customer_number(key)
            if namesakes[name] > 1 and isinstance(key, int) and key not in given
            else None,
            items=tuple(Item(f, quantities[key][f.id]) for f in carried if f.id in quantities.get(key, ())),
            orders=tuple(orders.get(key, ())),
            account_id=key if isinstance(key, int) else None,
            beginner=key in marks.beginners and key in quantities,
            corrected=key in marks.accounts or any(bag.id in marks.orders for bag in orders.get(key, ())),
            handed=handed.get(key),
        )
        for key, name in whose.items()
    ]
    return tuple(
        sorted(recipients, key=lambda r: (french_order(r.last_name, r.first_name), r.customer_number or ""))
    )
