"""Amounts of products in a box: how staff write them, what they are worth.

An amount is a whole number of grams, pieces or bunches. No float reads one: 0.29 kg is 290 g and never 289.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from portal.rules.money import Money


@dataclass(frozen=True, slots=True)
class Measure:
    """How a product is counted: the decimals of what is written, the most that a box may hold (in grams or
    pieces, against slips of the hand), and for how many of these its value is meant."""

    decimals: int
    most: int
    valued_by: int


KILOS = Measure(decimals=3, most=50_000, valued_by=1000)
GRAMS = Measure(decimals=0, most=50_000, valued_by=1000)
PIECES = Measure(decimals=0, most=500, valued_by=1)


class AmountRefusal(StrEnum):
    """Why what was written is no amount; its words are in the templates."""

    NOT_A_NUMBER = "not_a_number"
    NOT_WHOLE = "not_whole"
    TOO_FINE = "too_fine"
    TOO_MUCH = "too_much"


# ASCII digits only: int() and Decimal() alone would take 1_0, +1, 1e3, NaN and the digits of other scripts.
_WRITTEN = re.compile(r"([0-9]+)(?:[.,]([0-9]+))?", re.ASCII)
_MOST_DIGITS = 9


def read_amount(text: str, measure: Measure) -> int | AmountRefusal:
    """« 0,5 » kilos is 500; nothing written is 0, as a zero is."""
    text = text.strip()
    if not text:
        return 0
    written = _WRITTEN.fullmatch(text)
    if written is None:
        return AmountRefusal.NOT_A_NUMBER
    whole, fraction = written[1].lstrip("0"), (written[2] or "").rstrip("0")
    if len(fraction) > measure.decimals:
        return AmountRefusal.TOO_FINE if measure.decimals else AmountRefusal.NOT_WHOLE
    if len(whole) > _MOST_DIGITS:
        return AmountRefusal.TOO_MUCH
    amount = int(whole + fraction.ljust(measure.decimals, "0") or "0")
    return amount if amount <= measure.most else AmountRefusal.TOO_MUCH


def write_amount(amount: int, measure: Measure) -> str:
    """As `read_amount` reads it: « 0,5 »; nothing for 0."""
    if not amount:
        return ""
    if not measure.decimals:
        return str(amount)
    whole, fraction = divmod(amount, 10**measure.decimals)
    decimals = f"{fraction:0{measure.decimals}}".rstrip("0")
    return f"{whole},{decimals}" if decimals else str(whole)


def worth(contents: Iterable[tuple[int, Money, Measure]]) -> Money:
    """What a box is worth: amounts with the value of a kilo, a piece or a bunch; rounded once, on the sum."""
    thousandths = sum(amount * value.cents * 1000 // measure.valued_by for amount, value, measure in contents)
    return Money((thousandths + 500) // 1000)


def equal_worth(amount: int, of: tuple[Money, Measure], filler: tuple[Money, Measure]) -> int:
    """How much of another product is worth as much, to the nearest 50 g or piece, and never nothing."""
    value, measure = filler
    if value.cents <= 0:
        return 0
    lost = amount * of[0].cents * 1000 // of[1].valued_by
    wanted = lost * measure.valued_by // (value.cents * 1000)
    step = 50 if measure.valued_by > 1 else 1
    return min(measure.most, max(step, (wanted * 2 + step) // (2 * step) * step))


def gap(value: Money, price: Money) -> int | None:
    """By how much a box is worth more than its price, in basis points of the price, to a tenth of a percent.

    Half a tenth goes away from the price. None for a box without a price.
    """
    if price.cents <= 0:
        return None
    difference = value.cents - price.cents
    tenths = (abs(difference) * 2000 + price.cents) // (2 * price.cents)
    return tenths * 10 * (1 if difference > 0 else -1)
