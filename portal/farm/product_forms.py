"""What staff type about a product of the shop."""

from calendar import monthrange
from datetime import date
from typing import Any

from wtforms import BooleanField, Form, ValidationError
from wtforms.fields import SelectChoice
from wtforms.widgets import DateInput, TextArea, TimeInput

from portal.catalogue.models import Article, Label
from portal.catalogue.queries import CategoryView, SupplierView
from portal.deliveries.queries import TourView
from portal.rules.money import Money
from portal.rules.pricing import DatedPrice
from portal.rules.selling import Measured, SaleUnit, StockKind
from portal.web import filters
from portal.web.forms import (
    Chosen,
    ChosenMany,
    Typed,
    choices,
    day,
    decimal,
    euros,
    line,
    paragraphs,
    prose,
    whole,
    write_clock,
    write_decimal,
    write_euros,
)
from portal.web.forms import clock as clock_time
from portal.web.i18n import gettext as _
from portal.web.i18n import lazy_gettext as _l

LEAP_YEAR = 2028
MOST_CENTS = 999_999
MOST_LEFT = 10_000_000
"""Thousandths: of a unit, or of a kilo, which are grams."""
SALE_UNITS = {
    SaleUnit.PIECE: _l("à la pièce"),
    SaleUnit.BUNCH: _l("à la botte"),
    SaleUnit.JAR: _l("au pot, au bocal ou à la bouteille"),
    SaleUnit.PACK: _l("en sachet ou en barquette, de poids fixe"),
    SaleUnit.WEIGHT: _l("au poids, pesé à la préparation"),
}
LABELS = {None: _l("aucun"), Label.ORGANIC: _l("bio"), Label.CONVERSION: _l("en conversion vers le bio")}
STOCK_KINDS = {
    StockKind.UNLIMITED: _l("autant qu'on en commande"),
    StockKind.COUNTED: _l("un stock, jusqu'à épuisement"),
    StockKind.BY_DELIVERY: _l("tant à chaque livraison"),
}
MEASURES = {Measured.GRAMS: _l("grammes"), Measured.MILLILITRES: _l("millilitres")}
VAT = (550, 1000, 2000)

quantity = decimal(3, 0, MOST_LEFT)
write_quantity = write_decimal(3)
_whole_units = whole(0, MOST_LEFT // 1000)
_read_seen = whole(0, 999_999_999)


def _units(text: str) -> int:
    units: int = _whole_units(text)
    return 1000 * units


def _seen(text: str) -> int:
    """Below nothing where the farm has brought orders over that it must still find goods for."""
    number: int = _read_seen(text.removeprefix("-"))
    return -number if text.startswith("-") else number


class ArticleForm(Form):
    """How an article is described and sold. By weight or not is settled once: its stock and orders count so."""

    name = Typed(_l("Nom"), line(120))
    category_id = Chosen(_l("Rayon"))
    supplier_id = Chosen(_l("Fournisseur"))
    description = Typed(_l("Description"), paragraphs(2000), needed=False, widget=TextArea())
    product_id = Chosen(_l("Dans les paniers, c'est"))
    sale_unit = Chosen(_l("Se vend"))
    content = Typed(_l("Une unité contient"), whole(1, 100_000), needed=False)
    measured = Chosen(_l("Compté en"))
    step = Typed(_l("Se commande par"), whole(10, 5000), needed=False)
    origin = Typed(_l("Origine"), line(80))
    variety = Typed(_l("Variété"), line(80), needed=False)
    label = Chosen(_l("Label"))
    ingredients = Typed(_l("Ingrédients"), paragraphs(2000), needed=False, widget=TextArea())
    allergens = Typed(_l("Allergènes"), prose(200), needed=False)
    alcohol = BooleanField(_l("Contient de l'alcool : ne se vend pas aux mineurs"))
    perishable = BooleanField(_l("Périssable : ne se retourne pas"), default=True)
    stock_kind = Chosen(_l("Stock"))
    delivery_stock = Typed(_l("Par livraison"), quantity, write=write_quantity, needed=False)
    first_day, first_month = Chosen(_l("Premier jour")), Chosen(_l("Premier mois"))
    last_day, last_month = Chosen(_l("Dernier jour")), Chosen(_l("Dernier mois"))
    tours = ChosenMany(_l("Tournées"))
    lead_days = Typed(_l("Jours avant la livraison"), whole(0, 21), needed=False)
    lead_time = Typed(_l("Dernière minute"), clock_time, write=write_clock, needed=False, widget=TimeInput())

    def __init__(
        self,
        formdata: Any,
        *,
        categories: list[CategoryView],
        suppliers: list[SupplierView],
        products: list[tuple[int, str]],
        tours: list[TourView],
        article: Article | None = None,
        not_on: frozenset[int] = frozenset(),
    ) -> None:
        self.article, self._tours = article, tours
        self._offered = {
            "category_id": choices((category.id, category.name) for category in categories),
            "supplier_id": choices([(0, _("la ferme elle-même")), *((s.id, s.name) for s in suppliers)]),
            "product_id": choices([(0, _("un produit de plus, qu'aucun panier n'a eu")), *products]),
            "sale_unit": choices((unit, str(words)) for unit, words in self._sale_units().items()),
            "measured": choices((unit, str(words)) for unit, words in MEASURES.items()),
            "label": choices((label or "", str(words)) for label, words in LABELS.items()),
            "stock_kind": choices((kind, str(words)) for kind, words in STOCK_KINDS.items()),
            "first_day": days_of_month(),
            "first_month": months(),
            "last_day": days_of_month(),
            "last_month": months(),
            "tours": choices((tour.id, tour.name) for tour in tours),
        }
        super().__init__(
            formdata,
            obj=article,
            tours=[tour.id for tour in tours if tour.id not in not_on],
            delivery_stock=_in_thousandths(article),
            **_season_of(article),
        )

    def process(self, *args: Any, **values: Any) -> None:
        for name, offered in self._offered.items():
            self[name].choices = offered
        super().process(*args, **values)

    def validate_content(self, field: Typed) -> None:
        if field.data is None and not field.errors and self.sale_unit.data in {SaleUnit.JAR, SaleUnit.PACK}:
            raise ValidationError(
                field.says(_("à remplir, pour que le prix au kilo ou au litre se calcule."))
            )

    def validate_step(self, field: Typed) -> None:
        if field.data is None and not field.errors and self.sale_unit.data is SaleUnit.WEIGHT:
            raise ValidationError(field.says(_("à remplir, en grammes.")))

    def validate_label(self, field: Chosen) -> None:
        if field.data is Label.CONVERSION and self.ingredients.data:
            raise ValidationError(
                _("Label : la conversion ne se dit que d'une plante seule, sans autre ingrédient.")
            )

    def validate_delivery_stock(self, field: Typed) -> None:
        if field.errors or self.stock_kind.data is not StockKind.BY_DELIVERY:
            return
        if field.data is None:
            raise ValidationError(field.says(_("à remplir.")))
        _need_units(self.sale_unit.data, field)

    def validate_last_day(self, field: Chosen) -> None:
        parts = [self[name].data for name in ("first_month", "first_day", "last_month", "last_day")]
        if any(parts) and not all(parts):
            raise ValidationError(_("Saison : choisissez les deux jours et les deux mois, ou rien."))
        for month, number in (parts[:2], parts[2:]):
            if month and number and number > monthrange(LEAP_YEAR, month)[1]:
                raise ValidationError(_("Saison : ce mois n'a pas autant de jours."))

    def validate_lead_time(self, field: Typed) -> None:
        _need_with(self.lead_days, field)

    def validate_lead_days(self, field: Typed) -> None:
        _need_with(self.lead_time, field)

    @property
    def not_on(self) -> list[int]:
        return [tour.id for tour in self._tours if tour.id not in self.tours.data]

    @property
    def values(self) -> dict[str, Any]:
        """The article's own columns; what does not go with its unit is left out."""
        typed = self.data
        values = {name: typed[name] for name in PLAIN}
        by_weight = typed["sale_unit"] is SaleUnit.WEIGHT
        content = None if by_weight else typed["content"]
        by_delivery = typed["stock_kind"] is StockKind.BY_DELIVERY
        return values | {
            "description": typed["description"] or "",
            "supplier_id": typed["supplier_id"] or None,
            "product_id": typed["product_id"] or None,
            "label": typed["label"] or None,
            "content": content,
            "measured": typed["measured"] if content else None,
            "step": typed["step"] if by_weight else None,
            "per_delivery": _counted(typed["delivery_stock"], typed["sale_unit"]) if by_delivery else None,
            "season_first": _day_of_year(typed["first_month"], typed["first_day"]),
            "season_last": _day_of_year(typed["last_month"], typed["last_day"]),
        }

    def _sale_units(self) -> dict[SaleUnit, Any]:
        if self.article is None:
            return SALE_UNITS
        by_weight = self.article.sale_unit is SaleUnit.WEIGHT
        return {unit: words for unit, words in SALE_UNITS.items() if (unit is SaleUnit.WEIGHT) == by_weight}


PLAIN = (
    "name", "category_id", "sale_unit", "origin", "variety", "ingredients", "allergens", "alcohol", "perishable",
    "stock_kind", "lead_days", "lead_time",
)  # fmt: skip
"""Columns that stand in the form as they are."""


class PriceForm(Form):
    price = Typed(_l("Prix TTC"), euros(1, MOST_CENTS), write=write_euros)
    vat = Chosen(_l("TVA"), default=VAT[0])
    since = Typed(_l("À partir du"), day, widget=DateInput())

    def __init__(self, formdata: Any = None, *, today: date | None = None) -> None:
        super().__init__(formdata, data={"since": today})

    def process(self, *args: Any, **values: Any) -> None:
        self.vat.choices = choices((rate, filters.percent(rate)) for rate in VAT)
        super().process(*args, **values)

    @property
    def dated(self) -> DatedPrice:
        return DatedPrice(self.since.data, self.price.data, self.vat.data)


class NewArticleForm(ArticleForm):
    """With the price and the stock that it begins with."""

    price = Typed(_l("Prix TTC"), euros(1, MOST_CENTS), write=write_euros)
    vat = Chosen(_l("TVA"), default=VAT[0])
    stock = Typed(_l("Il y en a"), quantity, write=write_quantity, needed=False)

    def process(self, *args: Any, **values: Any) -> None:
        self.vat.choices = choices((rate, filters.percent(rate)) for rate in VAT)
        super().process(*args, **values)

    def validate_stock(self, field: Typed) -> None:
        if field.data is not None and self.stock_kind.data is StockKind.COUNTED:
            _need_units(self.sale_unit.data, field)

    @property
    def values(self) -> dict[str, Any]:
        return super().values | {"stock": _counted(self.stock.data, self.sale_unit.data)}

    def first_price(self, today: date) -> DatedPrice:
        price: Money = self.price.data
        return DatedPrice(today, price, self.vat.data)


class StockForm(Form):
    """So much more, so much less, or so much left of what the page showed."""

    quantity = Typed(_l("Quantité"), quantity)
    seen = Typed(_l("Nombre affiché"), _seen)
    act = Chosen(_l("Geste"), choices=[SelectChoice(value=act, label=act) for act in ("add", "take", "left")])

    def __init__(self, formdata: Any, sale_unit: SaleUnit) -> None:
        super().__init__()
        self._sale_unit = sale_unit
        if sale_unit is not SaleUnit.WEIGHT:
            self.quantity.read = _units
        self.process(formdata)

    @property
    def delta(self) -> int:
        number: int = _counted(self.quantity.data, self._sale_unit) or 0
        seen: int = self.seen.data
        return {"add": number, "take": -number, "left": number - seen}[self.act.data]


def _need_units(sale_unit: SaleUnit | None, field: Typed) -> None:
    if sale_unit is not SaleUnit.WEIGHT and field.data and field.data % 1000:
        raise ValidationError(field.says(_("un nombre entier.")))


def _need_with(other: Typed, field: Typed) -> None:
    if other.data is not None and field.data is None and not field.errors:
        raise ValidationError(field.says(_("à remplir aussi, ou laissez les deux vides.")))


def _counted(thousandths: int | None, sale_unit: SaleUnit) -> int | None:
    """In units, or in grams by weight."""
    if thousandths is None or sale_unit is SaleUnit.WEIGHT:
        return thousandths
    return thousandths // 1000


def _in_thousandths(article: Article | None) -> int | None:
    if article is None or article.per_delivery is None:
        return None
    return article.per_delivery * (1 if article.sale_unit is SaleUnit.WEIGHT else 1000)


def _season_of(article: Article | None) -> dict[str, int]:
    first, last = (article.season_first, article.season_last) if article else (None, None)
    first_month, first_day = divmod(first or 0, 100)
    last_month, last_day = divmod(last or 0, 100)
    return {
        "first_day": first_day,
        "first_month": first_month,
        "last_day": last_day,
        "last_month": last_month,
    }


def _day_of_year(month: int, number: int) -> int | None:
    return month * 100 + number if month else None


def days_of_month() -> list[SelectChoice]:
    return choices([(0, _("jour")), (1, _("1er")), *((n, str(n)) for n in range(2, 32))])


def months() -> list[SelectChoice]:
    names = ((n, filters.month_name(n)) for n in range(1, 13))
    return choices([(0, _("mois")), *names])
