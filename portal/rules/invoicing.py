"""What is billed, to the cent; what an invoice must say; what of it is paid.

Prices are all taxes included, so VAT is what a rate's total holds, once an invoice (CGI 242 nonies A, annexe II;
recodified in the CIBS): the lines' net amounts are shared out of it and add up to it.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from portal.rules.money import Money


class DocumentKind(StrEnum):
    INVOICE = "invoice"
    CREDIT_NOTE = "credit_note"


class VatRegime(StrEnum):
    """Whether the farm's sales bear VAT."""

    LIABLE = "liable"
    FRANCHISE = "franchise"
    """Below the thresholds (CGI 293 B, recodified in the CIBS)."""
    EXEMPT = "exempt"
    """An association whose sales are exempt (CGI 261, 7, 1°)."""


class LineKind(StrEnum):
    BOX = "box"
    ARTICLE = "article"
    DISCOUNT = "discount"
    """A voucher's, or part of one, at one VAT rate."""
    GESTURE = "gesture"
    """Taken off by staff, with a reason."""


@dataclass(frozen=True, slots=True)
class Charge:
    """What is to be billed of one source, as it stands: a box of a week, a line of an order, a voucher's share.

    `source` names it for ever (« box/12/2026-06-01 », « line/345 », « off/77/550 »). A weight is in grams and its
    unit price a kilo's. `total` is all taxes included, negative for what is taken off.
    """

    source: str
    kind: LineKind
    day: date
    label: str
    quantity: int
    weighed: bool
    unit_price: Money
    vat_basis_points: int
    total: Money
    delivery_id: int | None = None
    subscription_id: int | None = None
    order_id: int | None = None


def month_of(day: date) -> date:
    """The first day of its month."""
    return day.replace(day=1)


def next_month(month: date) -> date:
    return month_of(month.replace(day=28) + timedelta(days=4))
