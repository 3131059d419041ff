"""How subscribers pay."""

from enum import StrEnum


class PaymentMeans(StrEnum):
    DIRECT_DEBIT = "direct_debit"
    TRANSFER = "transfer"
    CHEQUE = "cheque"
    CASH = "cash"
    CARD = "card"
    """By terminal, at the farm."""
