"""Which invoice is paid by what.

A credit note first takes off the invoice that it corrects, then who pays says for which invoice (C. civ., 1342-10).
What is left of both is money, as what names no invoice is: it pays what was due first, and what no invoice needs
stays to the person's credit.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType

from portal.rules.money import Money


@dataclass(frozen=True, slots=True)
class Document:
    """An invoice, or a credit note, whose total is negative and which may correct one."""

    id: int
    due_on: date
    total: Money
    corrects_id: int | None = None


@dataclass(frozen=True, slots=True)
class Settlement:
    """What is open of each invoice. The balance is `open` and `beyond`, less `credit`; none of them is negative."""

    open: dict[int, Money]
    credited: dict[int, Money]
    """What credit notes took off each invoice that some correct."""
    credit: Money
    beyond: Money
    """Owed for no invoice: something was given back, and then the payment that it came from did."""


def settle(
    documents: Iterable[Document], money: Money, named: Mapping[int, Money] = MappingProxyType({})
) -> Settlement:
    """The documents are one person's, and so is what they paid: for invoices that they `named`, by id, and for none,
    less what was given back to them."""
    invoices, credits = [], defaultdict[int | None, Money](Money.zero)
    for document in documents:
        if document.total > Money.zero():
            invoices.append(document)
        else:
            credits[document.corrects_id] -= document.total
    open_, credited, spare = dict[int, Money](), dict[int, Money](), dict(named)
    for invoice in sorted(invoices, key=lambda each: (each.due_on, each.id)):
        taken = min(invoice.total, credits[invoice.id])
        if taken > Money.zero():
            credited[invoice.id] = taken
            credits[invoice.id] -= taken
        left = invoice.total - taken
        paid = min(left, spare.get(invoice.id, Money.zero()))
        open_[invoice.id] = left - paid
        spare[invoice.id] = spare.get(invoice.id, Money.zero()) - paid
    money = sum((*credits.values(), *spare.values()), money)
    for invoice_id, left in open_.items():
        paid = max(Money.zero(), min(left, money))
        open_[invoice_id] = left - paid
        money -= paid
    return Settlement(open_, credited, max(money, Money.zero()), max(Money.zero() - money, Money.zero()))
