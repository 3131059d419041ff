"""Labels for boxes and orders, on sheets of the sizes that are sold."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from portal.catalogue.queries import FormulaView
from portal.compositions.queries import ExclusionView
from portal.packing.queries import PackingList, Recipient, Stop
from portal.pickup.queries import PointView
from portal.shop.sheets import Bag


class Format(StrEnum):
    """A sheet of labels, by its columns and rows."""

    S24 = "3x8"
    S21 = "3x7"
    S14 = "2x7"
    S8 = "2x4"


@dataclass(frozen=True, slots=True)
class Sheet:
    """An A4 sheet, in tenths of a millimetre: each label's size, the margins, and from one column to the next."""

    columns: int
    rows: int
    width: int
    height: int
    top: int
    left: int
    pitch: int

    @property
    def labels(self) -> int:
        return self.columns * self.rows


SHEETS: Mapping[Format, Sheet] = {
    Format.S24: Sheet(3, 8, 635, 339, 129, 72, 660),
    Format.S21: Sheet(3, 7, 635, 381, 151, 72, 660),
    Format.S14: Sheet(2, 7, 991, 381, 151, 47, 1016),
    Format.S8: Sheet(2, 4, 991, 677, 131, 47, 1016),
}


@dataclass(frozen=True, slots=True)
class Label:
    """One box, or an order that is handed out without one; which of how many its person collects."""

    recipient: Recipient
    stop: Stop
    formula: FormulaView | None
    place: int
    of: int

    @property
    def point(self) -> PointView:
        return self.stop.point

    @property
    def exclusions(self) -> list[ExclusionView]:
        """What the box does not hold at its point."""
        return self.stop.excluded(self.formula) if self.formula else []

    @property
    def orders(self) -> tuple[Bag, ...]:
        """On the first label of their person alone: there they are put."""
        return self.recipient.orders if self.place == 1 else ()


def labels(packed: PackingList) -> list[Label]:
    """In the order of the packing list: stop by stop, name by name."""
    return [label for stop in packed.stops for recipient in stop.recipients for label in _of(recipient, stop)]


def _of(recipient: Recipient, stop: Stop) -> Iterable[Label]:
    boxes: list[FormulaView | None] = [item.formula for item in recipient.items for _ in range(item.quantity)]
    things = boxes or [None]
    return (
        Label(recipient, stop, formula, place, len(things)) for place, formula in enumerate(things, start=1)
    )


def sheets(found: list[Label], sheet: Sheet, start: int) -> list[list[Label | None]]:
    """Label by label onto sheets; the first `start - 1` places of a used one stay empty."""
    placed: list[Label | None] = [*[None] * (start - 1), *found]
    return [placed[at : at + sheet.labels] for at in range(0, len(placed), sheet.labels)]
