"""What the shop sells: units and quantities, what they cost, when and where they can be had.

A quantity is a whole number of units, or of grams for what is sold by weight. Naive datetimes raise ValueError.
"""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from portal.rules.cutoffs import Lead, cutoff_instant, is_past, local_day
from portal.rules.money import Money

KILO = 1000
MOST_UNITS = 50
MOST_GRAMS = 20_000
FEW = 5


class SaleUnit(StrEnum):
    """By what a product is sold; a pack has a fixed weight, weight is ordered in steps and weighed."""

    PIECE = "piece"
    BUNCH = "bunch"
    JAR = "jar"
    PACK = "pack"
    WEIGHT = "weight"


class Measured(StrEnum):
    """In what the content of a unit is measured: a price per kilo or per litre stands beside its own."""

    GRAMS = "g"
    MILLILITRES = "ml"


class StockKind(StrEnum):
    """Whether what is left is counted: not at all, in all, or for each delivery."""

    UNLIMITED = "unlimited"
    COUNTED = "counted"
    BY_DELIVERY = "by_delivery"


class Missing(StrEnum):
    """Why something cannot be had; its words are in the templates."""

    NOT_SOLD = "not_sold"
    CANCELLED = "cancelled"
    PAST_CUTOFF = "past_cutoff"
    CLOSED_EARLIER = "closed_earlier"
    OUT_OF_SEASON = "out_of_season"
    NOT_ON_TOUR = "not_on_tour"
    SOLD_OUT = "sold_out"
    TOO_FEW = "too_few"


class QuantityRefusal(StrEnum):
    """Why so much cannot be ordered; its words are in the templates."""

    NOT_A_STEP = "not_a_step"
    NOT_POSITIVE = "not_positive"
    TOO_MUCH = "too_much"


@dataclass(frozen=True, slots=True)
class Season:
    """From one day of the year to another, both included, as month × 100 + day; over the new year where the
    first is the later one."""

    first: int
    last: int

    def has(self, day: date) -> bool:
        that = day.month * 100 + day.day
        if self.first <= self.last:
            return self.first <= that <= self.last
        return that >= self.first or that <= self.last


@dataclass(frozen=True, slots=True)
class Goods:
    """How an article is sold. `not_on` are the tours that do not carry it; with a lead it closes by itself."""

    sale_unit: SaleUnit
    step: int | None
    content: int | None
    measured: Measured | None
    stock_kind: StockKind
    season: Season | None
    not_on: frozenset[int]
    lead: Lead | None
    retired: bool


@dataclass(frozen=True, slots=True)
class Journey:
    """The delivery that an order travels with."""

    day: date
    tour_id: int
    cutoff_at: datetime
    cancelled: bool


# When and where


def closes_at(goods: Goods, journey: Journey) -> datetime:
    """The first instant at which it cannot be ordered for that delivery: its own cutoff, if that is earlier."""
    if goods.lead is None:
        return journey.cutoff_at
    return min(journey.cutoff_at, cutoff_instant(journey.day, goods.lead))


def why_missing(
    goods: Goods,
    journey: Journey | None,
    now: datetime,
    *,
    price_known: bool = True,
    left: int | None = None,
    wanted: int | None = None,
) -> Missing | None:
    """Why it cannot be had with that delivery, or at all today where none is chosen; None if it can.

    What lasts longer is said first. `left` is None where it is not counted; `wanted` is the least by default.
    """
    if goods.retired or not price_known:
        return Missing.NOT_SOLD
    if journey and (missing := _missing_aboard(goods, journey, now)):
        return missing
    if goods.season and not goods.season.has(journey.day if journey else local_day(now)):
        return Missing.OUT_OF_SEASON
    if journey and is_past(closes_at(goods, journey), now):
        return Missing.CLOSED_EARLIER
    return _missing_from_stock(goods, left, wanted)


def _missing_aboard(goods: Goods, journey: Journey, now: datetime) -> Missing | None:
    if journey.cancelled:
        return Missing.CANCELLED
    if is_past(journey.cutoff_at, now):
        return Missing.PAST_CUTOFF
    return Missing.NOT_ON_TOUR if journey.tour_id in goods.not_on else None


def _missing_from_stock(goods: Goods, left: int | None, wanted: int | None) -> Missing | None:
    if left is None:
        return None
    if left < least(goods):
        return Missing.SOLD_OUT
    return Missing.TOO_FEW if wanted and left < wanted else None


# How much


def least(goods: Goods) -> int:
    """The least that can be ordered: a unit, or a step."""
    return goods.step or 1


def refusal_of_quantity(goods: Goods, quantity: int) -> QuantityRefusal | None:
    """Why so much cannot be ordered of it at once, or None if it can, as long as it lasts."""
    if quantity <= 0:
        return QuantityRefusal.NOT_POSITIVE
    if quantity > (MOST_GRAMS if goods.sale_unit is SaleUnit.WEIGHT else MOST_UNITS):
        return QuantityRefusal.TOO_MUCH
    return QuantityRefusal.NOT_A_STEP if quantity % least(goods) else None


def is_low(goods: Goods, left: int | None) -> bool:
    """Whether so little is left that the shop says how much."""
    return left is not None and least(goods) <= left <= FEW * least(goods)


# For how much


def amount(unit_price: Money, sale_unit: SaleUnit, quantity: int) -> Money:
    """What a quantity costs; by weight the price is that of a kilo."""
    return unit_price.part(quantity, KILO) if sale_unit is SaleUnit.WEIGHT else unit_price * quantity


def per_measure(unit_price: Money, content: int) -> Money:
    """The price of a kilo or a litre of what holds so many grams or millilitres (Code de la consommation,
    L112-1; arrêté du 16 novembre 1999)."""
    return unit_price.part(KILO, content)
