"""What the shop sells: units and quantities, what they cost, when and where they can be had.

A quantity is a whole number of units, or of grams for what is sold by weight.
"""

from enum import StrEnum


class SaleUnit(StrEnum):
    """By what a product is sold; a pack has a fixed weight, weight is ordered in steps and weighed."""

    PIECE = "piece"
    BUNCH = "bunch"
    JAR = "jar"
    PACK = "pack"
    WEIGHT = "weight"


class Measured(StrEnum):
    """In what the content of a unit is measured: a price per kilo or per litre stands beside its own."""

    GRAMS = "g"
    MILLILITRES = "ml"


class StockKind(StrEnum):
    """Whether what is left is counted: not at all, in all, or for each delivery."""

    UNLIMITED = "unlimited"
    COUNTED = "counted"
    BY_DELIVERY = "by_delivery"
