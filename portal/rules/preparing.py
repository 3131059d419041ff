"""Preparing orders: weights as they are typed at the scale, and what is shared out where something is short."""

import re
from collections.abc import Sequence

from portal.rules.amounts import GRAMS, KILOS, AmountRefusal, read_amount

NO_GRAMS = 20
"""A whole number up to this one is meant in kilos: nothing so light is weighed."""

_WITH_UNIT = re.compile(r"(.*?)\s*(k?g)", re.IGNORECASE | re.ASCII)


def read_weight(text: str) -> int | AmountRefusal | None:
    """« 0,480 », « 0,48 kg », « 480 » and « 480 g » are 480 grams; nothing written is no weight."""
    text = text.strip()
    if not text:
        return None
    if written := _WITH_UNIT.fullmatch(text):
        number, unit = written[1], written[2].lower()
        if not number:
            return AmountRefusal.NOT_A_NUMBER
        return read_amount(number, KILOS if unit == "kg" else GRAMS)
    if "," in text or "." in text:
        return read_amount(text, KILOS)
    grams = read_amount(text, GRAMS)
    return grams * 1000 if isinstance(grams, int) and grams <= NO_GRAMS else grams


def write_weight(grams: int | None) -> str:
    """As `read_weight` reads it: « 0,480 », all grams written as a scale shows them."""
    return "" if grams is None else f"{grams // 1000},{grams % 1000:03}"


def is_far(ordered: int, weighed: int) -> bool:
    """Whether a weight is so far from what was ordered that it looks like a slip: by more than a third."""
    return 3 * abs(weighed - ordered) > ordered


def fair_shares(wanted: Sequence[int], left: int, step: int = 1) -> list[int]:
    """What each gets where there is too little: all alike, nobody more than wanted, in whole steps.

    What cannot be shared further goes to those who come first.
    """
    shares = [0] * len(wanted)
    hungry = [place for place, most in enumerate(wanted) if most >= step]
    while hungry and left >= step:
        each = max(left // len(hungry) // step * step, step)
        for place in hungry:
            portion = min(each, (wanted[place] - shares[place]) // step * step, left // step * step)
            shares[place] += portion
            left -= portion
        hungry = [place for place in hungry if shares[place] + step <= wanted[place]]
    return shares
