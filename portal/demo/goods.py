"""How the demo farm describes what its shop sells, on which shelves, and which neighbours supply it.

The neighbours are invented, and can be reached as little as anybody here (see `farm`).
"""

from calendar import monthrange
from dataclasses import dataclass

from portal.catalogue.models import Label
from portal.demo.farm import FARM
from portal.demo.vegetables import VEGETABLES, Vegetable
from portal.rules.selling import SaleUnit

FOOD, ORNAMENTAL, STANDARD = 550, 1000, 2000
"""VAT in basis points: what is eaten and what grows to be eaten; flowers; alcohol and confectionery."""

_PRODUCTS = {vegetable.slug: vegetable for vegetable in VEGETABLES}
_LEAP_YEAR = 2028


@dataclass(frozen=True, slots=True)
class Category:
    slug: str
    name: str
    drawing: str


@dataclass(frozen=True, slots=True)
class Supplier:
    name: str
    town: str
    email: str
    phone: str


@dataclass(frozen=True, slots=True)
class Good:
    """A product that is in no box."""

    slug: str
    name: str
    unit: str  # as catalogue.Unit writes it
    price: int  # cents, for a kilogram or a piece
    drawing: str
    storage: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Article:
    """An article of the shop; the content in grams or millilitres. Without `stock` (in all) or `per_delivery`
    nobody counts it; what is left in stock is what is left after the orders of the past."""

    slug: str
    name: str
    product: Vegetable | Good
    category: str
    sale_unit: SaleUnit
    price: int  # cents, for a unit or a kilogram
    description: str
    grams: int | None = None
    millilitres: int | None = None
    variety: str | None = None
    label: Label | None = None
    ingredients: str | None = None
    allergens: str | None = None
    alcohol: bool = False
    perishable: bool = True
    vat: int = FOOD
    stock: int | None = None
    per_delivery: int | None = None
    months: tuple[int, int] | None = None
    lead_days: int | None = None
    not_on: tuple[str, ...] = ()
    supplier: Supplier | None = None
    former_price: int | None = None  # until a few weeks ago
    coming_price: int | None = None  # a few weeks from now

    @property
    def origin(self) -> str:
        """Everybody sells what they have grown or made themselves."""
        town = self.supplier.town if self.supplier else FARM.town
        return f"{town} (05), France"

    @property
    def season(self) -> tuple[int, int] | None:
        """Its first and last day of the year; a vegetable's is known from the field."""
        months = self.months
        if months is None and isinstance(self.product, Vegetable):
            months = _run(self.product.months)
        if months is None:
            return None
        first, last = months
        return first * 100 + 1, last * 100 + monthrange(_LEAP_YEAR, last)[1]


def _run(months: frozenset[int]) -> tuple[int, int] | None:
    """The first and the last of months that follow each other; nothing where it is all the year."""
    firsts = [month for month in months if (month - 2) % 12 + 1 not in months]
    lasts = [month for month in months if month % 12 + 1 not in months]
    if not firsts:
        return None
    (first,), (last,) = firsts, lasts
    return first, last


def vegetable(slug: str) -> Vegetable:
    return _PRODUCTS[slug]


CATEGORIES = (
    Category("legumes", "Légumes", "leek"),
    Category("fruits", "Fruits", "apple"),
    Category("oeufs-et-cremerie", "Œufs et crémerie", "cheese"),
    Category("pains-et-farines", "Pains, farines et grains", "bread"),
    Category("miel-et-douceurs", "Miel et douceurs", "honey"),
    Category("conserves-et-huiles", "Conserves et huiles", "jar"),
    Category("jus-et-boissons", "Jus et boissons", "juice"),
    Category("tisanes-et-plants", "Tisanes, plants et fleurs", "herb-tea"),
)

ORCHARD = Supplier("Vergers du Plan de la Sagne", "Lazer", "vergers@example.org", "06 39 98 30 01")
DAIRY = Supplier("Ferme des Hautes Clapes", "Trescléoux", "hautes-clapes@example.org", "06 39 98 30 02")
BAKERY = Supplier("Fournil et moulin des Aires", "Orpierre", "fournil@example.org", "06 39 98 30 03")
APIARY = Supplier("Rucher de Combe Chaude", "Méreuil", "rucher@example.org", "06 39 98 30 04")
BREWERY = Supplier("Brasserie du Torrent Clair", "Serres", "brasserie@example.org", "06 39 98 30 05")
HERBS = Supplier("Simples et Sentiers", "Saint-André-de-Rosans", "simples@example.org", "06 39 98 30 06")
SUPPLIERS = (ORCHARD, DAIRY, BAKERY, APIARY, BREWERY, HERBS)
