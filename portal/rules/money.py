"""Amounts of money.

No float reaches a price or an invoice: an amount is a whole number of euro cents.
"""

from dataclasses import dataclass
from typing import Literal, Self


def _require_int(value: object, what: str) -> None:
    if type(value) is not int:  # a bool is an int, but True is no amount
        raise TypeError(f"{what} must be an int, not {type(value).__name__}")


@dataclass(frozen=True, slots=True, order=True)
class Money:
    """An amount in euro cents, negative for a credit. Raises TypeError for anything but a plain int."""

    cents: int

    def __post_init__(self) -> None:
        _require_int(self.cents, "cents")

    @classmethod
    def zero(cls) -> Self:
        return cls(0)

    def __add__(self, other: "Money") -> "Money":
        if not isinstance(other, Money):
            return NotImplemented
        return Money(self.cents + other.cents)

    def __radd__(self, other: Literal[0]) -> "Money":
        # sum() starts from 0
        if type(other) is not int or other != 0:
            return NotImplemented
        return self

    def __sub__(self, other: "Money") -> "Money":
        if not isinstance(other, Money):
            return NotImplemented
        return Money(self.cents - other.cents)

    def __mul__(self, count: int) -> "Money":
        _require_int(count, "a factor of money")
        return Money(self.cents * count)

    __rmul__ = __mul__

    def part(self, numerator: int, denominator: int) -> "Money":
        """So much of it in whole cents, half a cent up; a credit mirrors its bill."""
        cents = (2 * abs(self.cents) * numerator + denominator) // (2 * denominator)
        return Money(cents if self.cents >= 0 else -cents)
