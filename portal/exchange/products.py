"""Products from a table, as the boxes and the harvest know them: known by their name."""

from sqlalchemy import select

from portal.catalogue.models import Product, Unit
from portal.catalogue.products import add_product
from portal.exchange.columns import Column, euros, one_of
from portal.exchange.lines import BadLine, Context, Values, Verdict, Written, needs
from portal.infra import audit, locks
from portal.rules.alphabet import slug_of
from portal.web.forms import line, prose, whole
from portal.web.i18n import gettext as _

_UNITS = {
    "kg": Unit.KILO,
    "g": Unit.GRAM,
    "pièce": Unit.PIECE,
    "botte": Unit.BUNCH,
    "kilo": Unit.KILO,
    "gramme": Unit.GRAM,
    "pièces": Unit.PIECE,
    "bottes": Unit.BUNCH,
    "piece": Unit.PIECE,
    "bunch": Unit.BUNCH,
}
_UNDRAWN = {"drawing": "leaf", "storage": ""}


class Writer:
    columns = (
        Column("name", ("Nom", "Produit", "Légume", "Name", "Product"), line(120), "Carottes", needed=True),
        Column("unit", ("Unité", "Unit"), one_of(_UNITS), "kg", needed=True),
        Column("value", ("Valeur", "Prix", "Value", "Price"), euros(999_999), "2,50", needed=True),
        Column("storage", ("Conservation", "Storage"), prose(500), "Au frais, sans fanes."),
        Column("parcel", ("Parcelle", "Parcel"), line(80), "Serre 2"),
        Column("tool", ("Outil", "Tool"), line(80), "fourche-bêche"),
        Column("crate", ("Caisse", "Crate"), line(80), "caisse verte"),
        Column("kept_in", ("Gardé", "Stockage", "Kept in"), line(80), "chambre froide"),
        Column("margin", ("Marge", "Marge en %", "Margin"), whole(0, 100), "5"),
    )
    keys = (("name",),)

    def __init__(self, context: Context) -> None:
        self._context = context

    def write(self, values: Values) -> Written:
        """What is empty stays as it is; the unit of what is there stays, boxes are counted in it."""
        if "name" not in values:
            raise BadLine("name", _("à remplir."))
        session, at, by = self._context.session, self._context.at, self._context.by
        if not slug_of(values["name"]):
            raise BadLine("name", _("des lettres ou des chiffres."))
        product = self._find(values["name"])
        if product is None:
            needs(self.columns, values)
            add_product(session, {**_UNDRAWN, **values}, at=at, by=by)
            return Written(Verdict.CREATED)
        if values.get("unit", product.unit) is not product.unit:
            raise BadLine("unit", _("ce produit est déjà compté autrement ; ajoutez-en un autre."))
        wanted = {key: value for key, value in values.items() if key != "name"}
        changed = audit.change(session, product, wanted, at=at, by=by)
        return Written(Verdict.CHANGED if changed else Verdict.UNCHANGED)

    def _find(self, name: str) -> Product | None:
        """The one that is still grown first; nobody adds another meanwhile."""
        session = self._context.session
        locks.named(session, "product slugs")
        grown_first = select(Product).order_by(Product.retired_at.is_not(None), Product.id)
        every = session.scalars(grown_first)
        found = next((product for product in every if slug_of(product.name) == slug_of(name)), None)
        if found is None:
            return None
        that = select(Product).where(Product.id == found.id)
        return session.scalars(locks.for_update(that, of=Product)).one()
