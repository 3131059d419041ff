"""What the shop sells, from a table: known by its name."""

import re
from collections.abc import Mapping
from typing import Any

from sqlalchemy import select

from portal.catalogue import services
from portal.catalogue.models import Article
from portal.catalogue.queries import categories, suppliers
from portal.exchange.columns import Column, euros, one_of
from portal.exchange.lines import BadLine, Context, Values, Verdict, Written, needs
from portal.infra import audit
from portal.rules.alphabet import slug_of
from portal.rules.cutoffs import local_day
from portal.rules.money import Money
from portal.rules.pricing import DatedPrice
from portal.rules.selling import Measured, SaleUnit, StockKind
from portal.web.forms import line, paragraphs, whole
from portal.web.i18n import gettext as _

_UNITS = {
    "pièce": SaleUnit.PIECE,
    "botte": SaleUnit.BUNCH,
    "pot": SaleUnit.JAR,
    "sachet": SaleUnit.PACK,
    "poids": SaleUnit.WEIGHT,
    "bocal": SaleUnit.JAR,
    "bouteille": SaleUnit.JAR,
    "barquette": SaleUnit.PACK,
    "au poids": SaleUnit.WEIGHT,
    "kg": SaleUnit.WEIGHT,
}
_RATES = {"5,5 %": 550, "10 %": 1000, "20 %": 2000, "0,055": 550, "0,1": 1000, "0,2": 2000}
_CONTENT = re.compile(r"([0-9]{1,6})(?:[.,]([0-9]{1,3}))?\s?(kg|g|l|cl|ml)", re.ASCII | re.IGNORECASE)
_THOUSANDTHS = {
    "kg": (1_000_000, Measured.GRAMS),
    "g": (1000, Measured.GRAMS),
    "l": (1_000_000, Measured.MILLILITRES),
    "cl": (10_000, Measured.MILLILITRES),
    "ml": (1000, Measured.MILLILITRES),
}
MOST_CONTENT = 100_000
_FIRST_STEP = 500
_UNSAID: Mapping[str, Any] = {
    "description": "",
    "variety": None,
    "label": None,
    "ingredients": None,
    "allergens": None,
    "alcohol": False,
    "perishable": True,
    "supplier_id": None,
    "product_id": None,
    "per_delivery": None,
    "season_first": None,
    "season_last": None,
    "lead_days": None,
    "lead_time": None,
}
"""What a new one is as long as nobody says otherwise on its page."""


def content(text: str) -> tuple[int, Measured]:
    """« 500 g », « 1,5 kg », « 75 cl »: whole grams or millilitres."""
    written = _CONTENT.fullmatch(text.strip())
    if written:
        unit, measured = _THOUSANDTHS[written[3].lower()]
        thousandths = int(written[1] + (written[2] or "").ljust(3, "0")) * unit // 1000
        if thousandths % 1000 == 0 and 0 < thousandths // 1000 <= MOST_CONTENT:
            return thousandths // 1000, measured
    raise ValueError(_("une contenance, comme 500 g ou 75 cl."))


class Writer:
    keys = (("name",),)

    def __init__(self, context: Context) -> None:
        self._context = context
        shelves = {shelf.name: shelf.id for shelf in categories(context.session)}
        makers = {maker.name: maker.id for maker in suppliers(context.session)}
        self.columns = (
            Column("name", ("Nom", "Article", "Produit", "Name"), line(120), "Miel de printemps", needed=True),
            Column("shelf", ("Rayon", "Shelf", "Category"), one_of(shelves), next(iter(shelves), ""), needed=True),
            Column("unit", ("Se vend", "Unité", "Unit"), one_of(_UNITS), "pot", needed=True),
            Column("content", ("Contenance", "Content"), content, "500 g"),
            Column("origin", ("Origine", "Origin"), line(80), "France", needed=True),
            Column("price", ("Prix TTC", "Prix", "Price"), euros(999_999), "9,50", needed=True),
            Column("vat", ("TVA", "VAT"), one_of(_RATES), "5,5 %", needed=True),
            Column("supplier", ("Fournisseur", "Supplier"), one_of(makers), next(iter(makers), "")),
            Column("variety", ("Variété", "Variety"), line(80), ""),
            Column("description", ("Description",), paragraphs(2000), "Doux et crémeux."),
            Column("stock", ("Stock au départ", "Stock"), whole(0, 10_000), "24"),
        )  # fmt: skip

    def write(self, values: Values) -> Written:
        """What is empty stays as it is; the stock of what is there is counted on its page, where sales show."""
        if "name" not in values:
            raise BadLine("name", _("à remplir."))
        if not slug_of(values["name"]):
            raise BadLine("name", _("des lettres ou des chiffres."))
        article = self._find(values["name"])
        if article is None:
            return self._add(values)
        self._check_unit(article, values)
        wanted = _columns(values)
        session, at, by = self._context.session, self._context.at, self._context.by
        changed = bool(audit.change(session, article, wanted, at=at, by=by, unsaid=services.UNSAID))
        changed |= self._price(article, values)
        return Written(Verdict.CHANGED if changed else Verdict.UNCHANGED)

    def _add(self, values: Values) -> Written:
        needs(self.columns, values)
        unit = values["unit"]
        if unit in {SaleUnit.JAR, SaleUnit.PACK} and "content" not in values:
            raise BadLine("content", _("à remplir, pour que le prix au kilo ou au litre se calcule."))
        counted = "stock" in values
        services.add_article(
            self._context.session,
            {
                **_UNSAID,
                "content": None,
                "measured": None,
                "name": values["name"],
                "step": _FIRST_STEP if unit is SaleUnit.WEIGHT else None,
                "stock_kind": StockKind.COUNTED if counted else StockKind.UNLIMITED,
                "stock": values.get("stock", 0) * (1000 if unit is SaleUnit.WEIGHT else 1),
                **_columns(values),
            },
            self._dated(values["price"], values["vat"]),
            not_on=(),
            at=self._context.at,
            by=self._context.by,
        )
        return Written(Verdict.CREATED)

    def _check_unit(self, article: Article, values: Values) -> None:
        by_weight = values.get("unit", article.sale_unit) is SaleUnit.WEIGHT
        if by_weight is not (article.sale_unit is SaleUnit.WEIGHT):
            raise BadLine("unit", _("cet article est déjà compté autrement ; ajoutez-en un autre."))

    def _price(self, article: Article, values: Values) -> bool:
        begun = [price for price in article.prices if price.since <= local_day(self._context.at)]
        if not ({"price", "vat"} & values.keys() and begun):
            return False
        price = values.get("price", begun[-1].price)
        dated = self._dated(price, values.get("vat", begun[-1].vat_basis_points))
        at, by = self._context.at, self._context.by
        return bool(services.set_price(self._context.session, article.id, dated, at=at, by=by))

    def _dated(self, price: Money, rate: int) -> DatedPrice:
        if not price.cents:
            raise BadLine("price", _("plus que zéro."))
        return DatedPrice(local_day(self._context.at), price, rate)

    def _find(self, name: str) -> Article | None:
        """The one that is still sold first."""
        sold_first = select(Article.id, Article.name).order_by(Article.retired_at.is_not(None), Article.id)
        rows = self._context.session.execute(sold_first)
        found = next((row.id for row in rows if slug_of(row.name) == slug_of(name)), None)
        return None if found is None else services.hold_article(self._context.session, found)


def _columns(values: Values) -> dict[str, Any]:
    """The article's own; of what is sold by weight no unit contains anything."""
    named = {"shelf": "category_id", "supplier": "supplier_id", "unit": "sale_unit"}
    plain = ("shelf", "supplier", "unit", "origin", "variety", "description")
    wanted = {named.get(key, key): values[key] for key in plain if key in values}
    if "content" in values and values.get("unit") is not SaleUnit.WEIGHT:
        wanted["content"], wanted["measured"] = values["content"]
    return wanted
