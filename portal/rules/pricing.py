"""Prices.

A price is shown and stored all taxes included (arrêté du 3 décembre 1987) and dated, as is its VAT rate
(CGI art. 278-0 bis for food, recodified in the CIBS): what was charged once is never recomputed.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from portal.rules.calendar import Rhythm
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


def monthly(price: Money, rhythm: Rhythm) -> Money:
    """About what a month comes to, in whole euros: a year has 52 deliveries, or half as many."""
    euros = price.part(52 if rhythm is Rhythm.WEEKLY else 26, 12).part(1, 100)
    return euros * 100


NOTICE = timedelta(days=30)
"""How long before it begins a higher price is announced to those who will pay it."""


class PriceRefusal(StrEnum):
    """Why a formula's price is not set or taken back; its words are in the templates."""

    OVER = "over"
    TOO_SOON = "too_soon"
    UNEXPLAINED = "unexplained"
    BEGUN = "begun"
    TOLD = "told"


def refusal_of_price(
    known: Iterable[DatedPrice], price: DatedPrice, *, today: date, received: bool, explained: bool
) -> PriceRefusal | None:
    """Why a formula cannot cost that from that day on, or None if it can.

    Where people receive it, another price than they expect is explained to them, and a higher one a month
    ahead: nobody pays more before they had the time to change or leave. A first price concerns nobody yet.
    """
    if price.since < today:
        return PriceRefusal.OVER
    begun = [other for other in known if other.since <= price.since]
    if not received or not begun:
        return None
    before = price_on(begun, price.since)
    if price.price > before.price and price.since < today + NOTICE:
        return PriceRefusal.TOO_SOON
    if price.price != before.price and not explained:
        return PriceRefusal.UNEXPLAINED
    return None
