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


@dataclass(frozen=True, slots=True)
class Stop:
    """A pickup point that has boxes, with those who collect them in alphabetical order."""

    point: PointView
    recipients: tuple[Recipient, ...]


@dataclass(frozen=True, slots=True)
class Counts:
    """The formulas that a delivery carries, all points that it serves, and how many go where."""

    formulas: tuple[FormulaView, ...]
    points: tuple[PointView, ...]
    tally: Tally


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
    return _counts(session, delivery, tallies(session, [delivery.id])[delivery.id])


def packing_list(
    session: Session, delivery: DeliveryView, *, although_cancelled: bool = False
) -> PackingList:
    """Its sums are those of its names: one reading makes both. A cancelled delivery's is empty, unless asked."""
    numbers: Counter[tuple[int, int]] = Counter()
    by_point: dict[int, list[PackedBox]] = {}
    for box in boxes.packing(session, delivery.id, although_cancelled=although_cancelled):
        numbers[box.formula_id, box.pickup_point_id] += box.quantity
        by_point.setdefault(box.pickup_point_id, []).append(box)
    found = _counts(session, delivery, Tally(numbers))
    stops = tuple(
        Stop(point, _recipients(by_point[point.id], found.formulas))
        for point in found.points
        if point.id in by_point
    )
    return PackingList(found, stops)


def _counts(session: Session, delivery: DeliveryView, tally: Tally) -> Counts:
    """The points are the tour's and, for frozen boxes, any that has left the tour since."""
    used = {point_id for _, point_id in tally.boxes}
    served = (point for point in points(session) if point.tour_id == delivery.tour_id or point.id in used)
    return Counts(
        formulas=tuple(formula for formula in formulas(session) if tally.count(formula=formula)),
        points=tuple(sorted(served, key=attrgetter("position"))),
        tally=tally,
    )


def _recipients(packed: Iterable[PackedBox], carried: Iterable[FormulaView]) -> tuple[Recipient, ...]:
    of_account: dict[int, list[PackedBox]] = {}
    for box in packed:
        of_account.setdefault(box.account_id, []).append(box)
    namesakes = Counter((rows[0].last_name, rows[0].first_name) for rows in of_account.values())
    recipients = []
    for account_id, rows in of_account.items():
        quantities = {box.formula_id: box.quantity for box in rows}
        name = (rows[0].last_name, rows[0].first_name)
        recipients.append(
            Recipient(
                *name,
                customer_number=customer_number(account_id) if namesakes[name] > 1 else None,
                items=tuple(Item(f, quantities[f.id]) for f in carried if f.id in quantities),
            )
        )
    return tuple(
        sorted(recipients, key=lambda r: (french_order(r.last_name, r.first_name), r.customer_number or ""))
    )
