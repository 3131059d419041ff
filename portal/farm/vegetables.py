"""The vegetables that boxes hold: how they are counted, drawn, kept, harvested."""

from typing import Any

from flask import abort, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import exists, or_, select
from wtforms import Form
from wtforms.widgets import TextArea

from portal.catalogue import products as services
from portal.catalogue.models import Article, Product, Unit
from portal.compositions.models import CompositionChange, CompositionLine, Exclusion
from portal.farm import blueprint, staff
from portal.farm.drawings import PRODUCTS
from portal.infra import clock
from portal.infra.orm import db
from portal.rules.alphabet import french_order
from portal.rules.permissions import Permission
from portal.web.forms import Chosen, Typed, choices, euros, line, paragraphs, whole, write_euros
from portal.web.guards import needs
from portal.web.i18n import gettext as _
from portal.web.i18n import lazy_gettext as _l

ADDRESS = "/legumes/<id:product_id>"
MOST_CENTS = 99_999
UNITS = {
    Unit.KILO: _l("au kilo"),
    Unit.GRAM: _l("en grammes"),
    Unit.PIECE: _l("à la pièce"),
    Unit.BUNCH: _l("à la botte"),
}


class VegetableForm(Form):
    name = Typed(_l("Nom"), line(120))
    unit = Chosen(_l("Se compte"))
    value = Typed(_l("Valeur"), euros(0, MOST_CENTS), write=write_euros)
    drawing = Chosen(_l("Dessin"))
    storage = Typed(_l("Comment le garder"), paragraphs(1000), needed=False, widget=TextArea())
    parcel = Typed(_l("Parcelle"), line(80), needed=False)
    tool = Typed(_l("Outil"), line(80), needed=False)
    crate = Typed(_l("Caisse"), line(80), needed=False)
    kept_in = Typed(_l("Se range"), line(80), needed=False)
    margin = Typed(_l("Marge à la récolte, en %"), whole(0, 100))

    def __init__(self, formdata: Any, product: Product | None = None) -> None:
        self._product = product
        super().__init__(formdata, obj=product, data={"margin": 0, "unit": Unit.KILO, "drawing": "leaf"})

    def process(self, *args: Any, **values: Any) -> None:
        drawn = {name: str(words) for name, words in PRODUCTS.items()}
        if self._product:  # the shop has drawings of its own
            drawn.setdefault(self._product.drawing, self._product.name)
        self.unit.choices = choices((unit, str(words)) for unit, words in UNITS.items())
        self.drawing.choices = choices(drawn.items())
        super().process(*args, **values)

    @property
    def values(self) -> dict[str, Any]:
        return {**self.data, "storage": self.storage.data or ""}


@blueprint.get("/legumes")
@needs(Permission.COMPOSE)
def vegetables() -> ResponseReturnValue:
    """Those that boxes hold, or may; what has only ever been sold in the shop stands apart."""
    session = db.session()
    every = sorted(session.scalars(select(Product)), key=lambda product: french_order(product.name))
    boxed = set(session.scalars(select(CompositionLine.product_id).distinct()))
    sold = set(session.scalars(select(Article.product_id))) - boxed
    return render_template(
        "farm/vegetables/list.html",
        grown=[product for product in every if not product.retired_at and product.id not in sold],
        sold=[product for product in every if not product.retired_at and product.id in sold],
        retired=[product for product in every if product.retired_at],
        nav_current="farm.index",
    )


@blueprint.get("/legumes/ajout")
@needs(Permission.COMPOSE)
def new_vegetable() -> ResponseReturnValue:
    return _page(VegetableForm(None))


@blueprint.post("/legumes/ajout")
@needs(Permission.COMPOSE)
def add_vegetable() -> ResponseReturnValue:
    form = VegetableForm(request.form)
    if not form.validate():
        return _page(form, status=422)
    added = services.add_product(db.session(), form.values, at=clock.now(), by=staff().id)
    flash(_("Le légume est ajouté : il se choisit dans les paniers."), "success")
    return redirect(url_for("farm.vegetables", _anchor=f"legume-{added.id}"), 303)


@blueprint.get(ADDRESS)
@needs(Permission.COMPOSE)
def vegetable(product_id: int) -> ResponseReturnValue:
    found = _product_or_404(product_id)
    return _page(VegetableForm(None, found), found)


@blueprint.post(ADDRESS)
@needs(Permission.COMPOSE)
def save_vegetable(product_id: int) -> ResponseReturnValue:
    found = _product_or_404(product_id)
    form = VegetableForm(request.form, found)
    if not form.validate():
        return _page(form, found, 422)
    changed = services.change_product(
        db.session(),
        product_id,
        form.values,
        in_use=lambda: _is_used(product_id),
        at=clock.now(),
        by=staff().id,
    )
    if changed is None:
        form.unit.errors = [
            _("Se compte : des paniers ou la boutique le comptent ainsi. Ajoutez plutôt un autre légume.")
        ]
        return _page(form, found, 422)
    flash(_("Le légume est enregistré.") if changed else _("Rien n'a changé."), "success")
    return redirect(url_for("farm.vegetables", _anchor=f"legume-{product_id}"), 303)


@blueprint.post(f"{ADDRESS}/retrait")
@needs(Permission.COMPOSE)
def retire_vegetable(product_id: int) -> ResponseReturnValue:
    _product_or_404(product_id)
    services.set_product_retired(db.session(), product_id, True, at=clock.now(), by=staff().id)
    flash(_("Ce légume ne se choisit plus dans les paniers. Ceux qui en contiennent le gardent."), "success")
    return redirect(url_for("farm.vegetable", product_id=product_id), 303)


@blueprint.post(f"{ADDRESS}/retour")
@needs(Permission.COMPOSE)
def reinstate_vegetable(product_id: int) -> ResponseReturnValue:
    _product_or_404(product_id)
    services.set_product_retired(db.session(), product_id, False, at=clock.now(), by=staff().id)
    flash(_("Ce légume se choisit de nouveau dans les paniers."), "success")
    return redirect(url_for("farm.vegetable", product_id=product_id), 303)


def _product_or_404(product_id: int) -> Product:
    return db.session().get(Product, product_id) or abort(404)


def _is_used(product_id: int) -> bool:
    """Whether amounts of it are written somewhere."""
    columns = (
        CompositionLine.product_id,
        CompositionChange.product_id,
        Exclusion.instead_id,
        Article.product_id,
    )
    return bool(
        db.session().scalar(select(or_(*(exists().where(column == product_id) for column in columns))))
    )


def _page(form: VegetableForm, product: Product | None = None, status: int = 200) -> ResponseReturnValue:
    page = render_template("farm/vegetables/page.html", form=form, product=product, nav_current="farm.index")
    return make_response(page, status)
