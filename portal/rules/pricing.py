"""Prices.

A price is shown and stored all taxes included (arrêté du 3 décembre 1987) and dated, as is its VAT rate
(CGI art. 278-0 bis for food, recodified in the CIBS): what was charged once is never recomputed.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from portal.rules.money import Money


@dataclass(frozen=True, slots=True)
class DatedPrice:
    """A price TTC in force from `since` until the next one; the VAT rate in basis points (5.5 % is 550)."""

    since: date
    price: Money
    vat_basis_points: int


def price_on(prices: Iterable[DatedPrice], day: date) -> DatedPrice:
    """The price in force on a day, which for a box is its delivery's actual date.

    Raises LookupError if none is.
    """
    begun = [price for price in prices if price.since <= day]
    if not begun:
        raise LookupError(f"no price in force on {day}")
    return max(begun, key=lambda price: price.since)
