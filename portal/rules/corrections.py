"""What staff may do once a delivery has closed: correct its boxes and orders, say which steps are done.

Nothing here reopens a delivery. Naive datetimes raise ValueError.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from portal.rules.cutoffs import is_past, local_day
from portal.rules.money import Money
from portal.rules.planning import Delivery
from portal.rules.pricing import DatedPrice

AFTERWARDS = timedelta(days=31)
"""How long after its day what a delivery brought can still be set right; later it is a credit note's business."""


class Refusal(StrEnum):
    """Why nothing is corrected; its words are in the templates."""

    CANCELLED = "cancelled"
    CHANGED_SINCE = "changed_since"
    EMPTY = "empty"
    NEWER = "newer"
    NOTHING_LEFT = "nothing_left"
    OTHER_BOX = "other_box"
    OTHER_ROUND = "other_round"
    PRICE_MISSING = "price_missing"
    STILL_OPEN = "still_open"
    TOO_LATE = "too_late"


def refusal_to_work(delivery: Delivery, now: datetime) -> Refusal | None:
    """Why a delivery is not one that staff prepare or set right, or None: it has closed, and not long ago."""
    if delivery.cancelled:
        return Refusal.CANCELLED
    if not delivery.frozen and not is_past(delivery.cutoff, now):
        return Refusal.STILL_OPEN
    return Refusal.TOO_LATE if local_day(now) > delivery.day + AFTERWARDS else None


@dataclass(frozen=True, slots=True)
class Wish:
    """What staff want of a box: none with a quantity of nothing."""

    formula_id: int
    quantity: int
    point_id: int


@dataclass(frozen=True, slots=True)
class FrozenBox:
    """A box as it was frozen or corrected; `billed` is what is paid of it, at its price."""

    formula_id: int
    quantity: int
    point_id: int
    unit_price: Money
    vat_basis_points: int
    billed: int

    @property
    def wish(self) -> Wish:
        return Wish(self.formula_id, self.quantity, self.point_id)

    @property
    def nothing(self) -> bool:
        """Neither received nor billed."""
        return not self.quantity and not self.billed


def corrected(before: FrozenBox | None, wish: Wish, price: DatedPrice, *, farm_fault: bool) -> FrozenBox:
    """The box as staff want it; `price` is that of its formula on the delivery's day.

    The bill stays what it was: past the cutoff what is forgotten is billed. It follows what is received where
    the fault was the farm's, and where the farm adds a box: nothing was billed for it yet, and what is delivered
    is billed.
    """
    if before is None or farm_fault or (before.nothing and wish.quantity):
        return FrozenBox(
            wish.formula_id,
            wish.quantity,
            wish.point_id,
            price.price,
            price.vat_basis_points,
            billed=wish.quantity,
        )
    return replace(before, formula_id=wish.formula_id, quantity=wish.quantity, point_id=wish.point_id)
