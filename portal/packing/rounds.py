"""What the driver has in hand: stop after stop, what is unloaded and whom one calls."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby

from sqlalchemy.orm import Session

from portal.deliveries.queries import DeliveryView
from portal.packing.prints import Entry
from portal.packing.queries import Item, PackingList, Stop, packing_list
from portal.pickup.queries import Reception, receptions


@dataclass(frozen=True, slots=True)
class Load:
    """Boxes of a formula at a stop, and the crates that they are stacked in, where they are."""

    item: Item
    crates: int | None


@dataclass(frozen=True, slots=True)
class RoundStop:
    """A stop of the round: what is unloaded there, and the numbers of those who collect it."""

    stop: Stop
    reception: Reception
    loads: tuple[Load, ...]
    orders: int
    numbers: tuple[tuple[int, int], ...]
    """From one to another, both included."""

    @property
    def boxes(self) -> int:
        return sum(load.item.quantity for load in self.loads)

    @property
    def crates(self) -> int:
        return sum(load.crates or 0 for load in self.loads)

    @property
    def key(self) -> str:
        return f"s{self.stop.point.id}"

    @property
    def says(self) -> tuple[object, ...]:
        point = self.stop.point
        place = (point.name, point.address, point.postcode, point.town, point.opens, point.closes)
        loads = tuple((load.item.formula.id, load.item.quantity, load.crates) for load in self.loads)
        return place, self.reception, loads, self.orders, self.numbers


@dataclass(frozen=True, slots=True)
class RoundSheet:
    """The stops in the order of the round; the van is loaded the other way round."""

    stops: tuple[RoundStop, ...]

    @property
    def empty(self) -> bool:
        return not self.stops

    @property
    def loading(self) -> tuple[RoundStop, ...]:
        return self.stops[::-1]

    @property
    def entries(self) -> dict[str, Entry]:
        return {stop.key: Entry((place, *stop.says)) for place, stop in enumerate(self.stops)}


def round_sheet(session: Session, delivery: DeliveryView) -> RoundSheet:
    packed = packing_list(session, delivery)
    received = receptions(session, [stop.point.id for stop in packed.stops])
    return RoundSheet(tuple(_stop(packed, stop, received[stop.point.id]) for stop in packed.stops))


def _stop(packed: PackingList, stop: Stop, reception: Reception) -> RoundStop:
    loads = []
    for formula in packed.counts.formulas:
        if boxes := packed.counts.tally.count(formula=formula, point=stop.point):
            crates = -(-boxes // formula.per_crate) if formula.per_crate else None
            loads.append(Load(Item(formula, boxes), crates))
    return RoundStop(
        stop,
        reception,
        tuple(loads),
        packed.counts.orders.get(stop.point.id, 0),
        runs(recipient.number for recipient in stop.recipients),
    )


def runs(numbers: Iterable[int]) -> tuple[tuple[int, int], ...]:
    """Numbers that follow each other, from the first to the last of them."""
    grouped = groupby(enumerate(sorted(numbers)), key=lambda placed: placed[1] - placed[0])
    following = [[number for _, number in run] for _, run in grouped]
    return tuple((run[0], run[-1]) for run in following)
