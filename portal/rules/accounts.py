"""Double entry: which accounts an entry of the ledger moves, for the accountant (plan comptable général, 2014-03).

Debits and credits of an entry are equal, whatever it is.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from portal.rules.invoicing import Rate
from portal.rules.money import Money
from portal.rules.paying import PaymentMeans


class Journal(StrEnum):
    SALES = "VE"
    BANK = "BQ"
    CASH = "CA"
    OTHER = "OD"


class Role(StrEnum):
    """What an account is for; its number is the accountant's, its name in the templates."""

    CUSTOMERS = "customers"
    SALES_NONE = "sales_0"
    SALES_LOW = "sales_550"
    SALES_MIDDLE = "sales_1000"
    SALES_FULL = "sales_2000"
    VAT_LOW = "vat_550"
    VAT_MIDDLE = "vat_1000"
    VAT_FULL = "vat_2000"
    BANK = "bank"
    CHEQUES = "cheques"
    CARDS = "cards"
    CASH = "cash"
    LOSSES = "losses"


USUAL: Mapping[Role, str] = {
    Role.CUSTOMERS: "411000",
    Role.SALES_NONE: "701000",
    Role.SALES_LOW: "701550",
    Role.SALES_MIDDLE: "701100",
    Role.SALES_FULL: "701200",
    Role.VAT_LOW: "445715",
    Role.VAT_MIDDLE: "445711",
    Role.VAT_FULL: "445712",
    Role.BANK: "512000",
    Role.CHEQUES: "511200",
    Role.CARDS: "511500",
    Role.CASH: "530000",
    Role.LOSSES: "654000",
}
_PAID_INTO = {
    PaymentMeans.DIRECT_DEBIT: (Journal.BANK, Role.BANK),
    PaymentMeans.TRANSFER: (Journal.BANK, Role.BANK),
    PaymentMeans.CHEQUE: (Journal.BANK, Role.CHEQUES),
    PaymentMeans.CARD: (Journal.BANK, Role.CARDS),
    PaymentMeans.CASH: (Journal.CASH, Role.CASH),
}


@dataclass(frozen=True, slots=True)
class Posting:
    """What one account gets of an entry; one of both amounts is nothing."""

    role: Role
    debit: Money
    credit: Money


def of_invoice(total: Money, rates: Iterable[Rate]) -> list[Posting]:
    """The customer's account against sales and VAT by rate; a credit note goes the other way."""
    postings = [_posting(Role.CUSTOMERS, total)]
    for rate in rates:
        postings.append(_posting(Role(f"sales_{rate.basis_points}"), Money.zero() - rate.net))
        if rate.vat.cents:
            postings.append(_posting(Role(f"vat_{rate.basis_points}"), Money.zero() - rate.vat))
    return [posting for posting in postings if posting.debit.cents or posting.credit.cents]


def of_money(amount: Money, means: PaymentMeans | None) -> tuple[Journal, list[Posting]]:
    """The customer's account against where the money is; without means it is lost."""
    journal, other = _PAID_INTO[means] if means else (Journal.OTHER, Role.LOSSES)
    return journal, [_posting(other, Money.zero() - amount), _posting(Role.CUSTOMERS, amount)]


def _posting(role: Role, amount: Money) -> Posting:
    """A debit, or a credit where it is negative."""
    nothing = Money.zero()
    return Posting(role, amount, nothing) if amount > nothing else Posting(role, nothing, nothing - amount)
