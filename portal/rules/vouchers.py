"""Vouchers: whether one counts, what it takes off an order, and off which VAT rate.

A discount lowers what VAT is due on (CGI art. 267, II, recodified in the CIBS), so it is shared over the rates of
what it is given on.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from portal.rules.money import Money

WHOLE = 10_000


class VoucherRefusal(StrEnum):
    """Why a voucher takes nothing off; its words are in the templates."""

    UNKNOWN = "unknown"
    NOT_YET = "not_yet"
    EXPIRED = "expired"
    MINIMUM = "minimum"
    USED_UP = "used_up"
    USED_BY_YOU = "used_by_you"


@dataclass(frozen=True, slots=True)
class Terms:
    """What a voucher takes off, an amount or a share in basis points, and when; its days are both included.

    `uses` is how often in all, `per_person` how often for one; without a number as often as one likes.
    """

    amount: Money | None
    share: int | None
    first_day: date
    last_day: date
    minimum: Money
    uses: int | None
    per_person: int | None
    withdrawn: bool


def refusal(terms: Terms, day: date, total: Money, used: int, used_by_person: int) -> VoucherRefusal | None:
    """Why a voucher does not count for an order of that total, or None if it does.

    A fuller order is asked for last, when nothing else stands in the way.
    """
    if terms.withdrawn:
        return VoucherRefusal.UNKNOWN
    if day < terms.first_day:
        return VoucherRefusal.NOT_YET
    if day > terms.last_day:
        return VoucherRefusal.EXPIRED
    if terms.per_person is not None and used_by_person >= terms.per_person:
        return VoucherRefusal.USED_BY_YOU
    if terms.uses is not None and used >= terms.uses:
        return VoucherRefusal.USED_UP
    return VoucherRefusal.MINIMUM if total < terms.minimum else None


def discount(terms: Terms, total: Money) -> Money:
    """What it takes off a total, and never more than that."""
    off = terms.amount if terms.amount is not None else total.part(terms.share or 0, WHOLE)
    return min(off, total)


def discount_on(terms: Terms, ordered: Money, given: Money) -> Money:
    """What it takes off what could be given: nothing where what was ordered is below its minimum."""
    return discount(terms, given) if ordered >= terms.minimum else Money.zero()


def shared(discount: Money, totals: Mapping[int, Money]) -> dict[int, Money]:
    """A discount in proportion to the totals by VAT rate: whole cents, the last ones to the largest remainders.

    Of one above all of them together, what there is to take off.
    """
    whole = sum(total.cents for total in totals.values())
    off = min(discount.cents, whole)
    parts = {rate: divmod(off * total.cents, whole or 1) for rate, total in totals.items()}
    missing = off - sum(cents for cents, _ in parts.values())
    rounded_up = sorted(parts, key=lambda rate: (-parts[rate][1], rate))[:missing]
    return {rate: Money(cents + (rate in rounded_up)) for rate, (cents, _) in parts.items()}


def vat_within(total: Money, basis_points: int) -> Money:
    """The VAT that a total TTC holds."""
    return total.part(basis_points, WHOLE + basis_points)
