"""What an invoice says, as a digest that the ledger seals with its entry.

Its buyer is forgotten one day: the invoice has a digest of them too, with a salt that goes when they go, so that what
is left tells nobody's name.
"""

from collections.abc import Iterable, Mapping
from hashlib import sha256
from secrets import token_hex
from typing import Any

from portal.billing.ledger import as_text

OF_INVOICE = (
    "number", "kind", "customer_id", "month", "corrects_id", "reason", "issued_at", "issued_on", "issued_by",
    "first_day", "last_day", "due_on", "means", "net", "vat", "total", "seller", "buyer_digest",
)  # fmt: skip
OF_LINE = (
    "position", "kind", "source", "corrects_id", "delivery_id", "subscription_id", "order_id", "day", "label",
    "quantity", "weighed", "unit_price", "vat_basis_points", "net", "total",
)  # fmt: skip
OF_RATE = ("vat_basis_points", "net", "vat", "total")
OF_BUYER = (
    "salt", "kept_until", "name", "street", "postcode", "town", "email", "company", "vat_number", "siren",
    "purchase_reference", "delivered_to",
)  # fmt: skip
Row = Mapping[Any, Any]


def new_salt() -> str:
    return token_hex(16)


def digest_of(invoice: Row, lines: Iterable[Row], rates: Iterable[Row]) -> str:
    """Lines and rates in their order."""
    said = [_text(OF_INVOICE, invoice)]
    said += [_text(OF_LINE, line) for line in lines]
    said += [_text(OF_RATE, rate) for rate in rates]
    return _digest("\n".join(said))


def digest_of_buyer(buyer: Row) -> str:
    return _digest(_text(OF_BUYER, buyer))


def _text(names: Iterable[str], row: Row) -> str:
    return as_text({name: row[name] for name in names})


def _digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()
