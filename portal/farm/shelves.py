"""The shelves that products stand on, and the neighbours who supply them."""

from typing import Any

from flask import abort, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import UnprocessableEntity
from wtforms import Form, ValidationError
from wtforms.widgets import EmailInput, TelInput

from portal.catalogue import queries, services
from portal.catalogue.queries import CategoryView, SupplierView
from portal.farm import blueprint, staff
from portal.infra import clock
from portal.infra.orm import db
from portal.rules.alphabet import slug_of
from portal.rules.permissions import Permission
from portal.web.forms import Chosen, Typed, choices, email, line, phone, whole
from portal.web.guards import needs
from portal.web.i18n import gettext as _
from portal.web.i18n import lazy_gettext as _l

SHELF = "/produits/rayons/<id:category_id>"
SUPPLIER = "/produits/fournisseurs/<id:supplier_id>"
DRAWINGS = {
    "leek": _l("poireau"),
    "carrot": _l("carotte"),
    "salad": _l("salade"),
    "tomato": _l("tomate"),
    "potato": _l("pomme de terre"),
    "mushroom": _l("champignon"),
    "herb": _l("herbes"),
    "apple": _l("pomme"),
    "melon": _l("melon"),
    "egg": _l("œuf"),
    "cheese": _l("fromage"),
    "bread": _l("pain"),
    "honey": _l("miel"),
    "jar": _l("bocal"),
    "juice": _l("jus"),
    "herb-tea": _l("tisane"),
    "crate": _l("cageot"),
}
"""Drawings that stand for a whole shelf, and for its products until they have their own."""
read_place = whole(1, 1000)


class CategoryForm(Form):
    name = Typed(_l("Nom du rayon"), line(80))
    drawing = Chosen(_l("Dessin"))

    def process(self, *args: Any, **values: Any) -> None:
        self.drawing.choices = choices((name, str(words)) for name, words in DRAWINGS.items())
        super().process(*args, **values)

    def validate_name(self, field: Typed) -> None:
        if field.data and not slug_of(field.data):
            raise ValidationError(field.says(_("au moins une lettre ou un chiffre.")))


class SupplierForm(Form):
    name = Typed(_l("Nom"), line(120))
    email = Typed(_l("Adresse e-mail"), email, needed=False, widget=EmailInput())
    phone = Typed(_l("Téléphone"), phone, needed=False, widget=TelInput())


@blueprint.get("/produits/rayons")
@needs(Permission.SELL)
def shelves() -> ResponseReturnValue:
    page = render_template(
        "farm/products/shelves.html",
        shelves=queries.categories(db.session()),
        nav_current="farm.products",
    )
    return make_response(page)


@blueprint.get("/produits/rayons/ajout")
@needs(Permission.SELL)
def new_shelf() -> ResponseReturnValue:
    return _shelf_page(CategoryForm())


@blueprint.post("/produits/rayons/ajout")
@needs(Permission.SELL)
def add_shelf() -> ResponseReturnValue:
    form = CategoryForm(request.form)
    if not form.validate():
        return _shelf_page(form, status=422)
    added = services.add_category(db.session(), **form.data, at=clock.now(), by=staff().id)
    if added is None:
        form.name.errors = [form.name.says(_("un autre rayon porte déjà ce nom."))]
        return _shelf_page(form, status=422)
    flash(_("Le rayon est ajouté, après les autres."), "success")
    return redirect(url_for("farm.shelves", _anchor=f"rayon-{added.id}"), 303)


@blueprint.get(SHELF)
@needs(Permission.SELL)
def shelf(category_id: int) -> ResponseReturnValue:
    found = _shelf_or_404(category_id)
    return _shelf_page(CategoryForm(obj=found), found)


@blueprint.post(SHELF)
@needs(Permission.SELL)
def save_shelf(category_id: int) -> ResponseReturnValue:
    found, form = _shelf_or_404(category_id), CategoryForm(request.form)
    if not form.validate():
        return _shelf_page(form, found, 422)
    changed = services.change_category(db.session(), category_id, **form.data, at=clock.now(), by=staff().id)
    flash(_("Le rayon est enregistré.") if changed else _("Rien n'a changé."), "success")
    return redirect(url_for("farm.shelves", _anchor=f"rayon-{category_id}"), 303)


@blueprint.post(f"{SHELF}/place")
@needs(Permission.SELL)
def place_shelf(category_id: int) -> ResponseReturnValue:
    """Make it the shelf of that number in the shop, from 1."""
    _shelf_or_404(category_id)
    try:
        [typed] = request.form.getlist("place")
        place = read_place(typed)
    except ValueError:
        raise UnprocessableEntity from None
    services.place_category(db.session(), category_id, place - 1, at=clock.now(), by=staff().id)
    return redirect(url_for("farm.shelves", _anchor=f"rayon-{category_id}"), 303)


@blueprint.get("/produits/fournisseurs")
@needs(Permission.SELL)
def suppliers() -> ResponseReturnValue:
    page = render_template(
        "farm/products/suppliers.html", suppliers=queries.suppliers(db.session()), nav_current="farm.products"
    )
    return make_response(page)


@blueprint.get("/produits/fournisseurs/ajout")
@needs(Permission.SELL)
def new_supplier() -> ResponseReturnValue:
    return _supplier_page(SupplierForm())


@blueprint.post("/produits/fournisseurs/ajout")
@needs(Permission.SELL)
def add_supplier() -> ResponseReturnValue:
    form = SupplierForm(request.form)
    if not form.validate():
        return _supplier_page(form, status=422)
    if services.add_supplier(db.session(), form.data, at=clock.now(), by=staff().id) is None:
        return _name_taken(form)
    flash(_("Le fournisseur est ajouté."), "success")
    return redirect(url_for("farm.suppliers"), 303)


@blueprint.get(SUPPLIER)
@needs(Permission.SELL)
def supplier(supplier_id: int) -> ResponseReturnValue:
    found = _supplier_or_404(supplier_id)
    return _supplier_page(SupplierForm(obj=found), found)


@blueprint.post(SUPPLIER)
@needs(Permission.SELL)
def save_supplier(supplier_id: int) -> ResponseReturnValue:
    found, form = _supplier_or_404(supplier_id), SupplierForm(request.form)
    if not form.validate():
        return _supplier_page(form, found, 422)
    changed = services.change_supplier(db.session(), supplier_id, form.data, at=clock.now(), by=staff().id)
    if changed is None:
        return _name_taken(form, found)
    flash(_("Le fournisseur est enregistré.") if changed else _("Rien n'a changé."), "success")
    return redirect(url_for("farm.suppliers"), 303)


def _shelf_or_404(category_id: int) -> CategoryView:
    return next((c for c in queries.categories(db.session()) if c.id == category_id), None) or abort(404)


def _supplier_or_404(supplier_id: int) -> SupplierView:
    return next((s for s in queries.suppliers(db.session()) if s.id == supplier_id), None) or abort(404)


def _name_taken(form: SupplierForm, supplier: SupplierView | None = None) -> ResponseReturnValue:
    form.name.errors = [form.name.says(_("un autre fournisseur porte déjà ce nom."))]
    return _supplier_page(form, supplier, 422)


def _shelf_page(
    form: CategoryForm, shelf: CategoryView | None = None, status: int = 200
) -> ResponseReturnValue:
    page = render_template(
        "farm/products/shelf.html", form=form, shelf=shelf, drawings=DRAWINGS, nav_current="farm.products"
    )
    return make_response(page, status)


def _supplier_page(
    form: SupplierForm, supplier: SupplierView | None = None, status: int = 200
) -> ResponseReturnValue:
    page = render_template(
        "farm/products/supplier.html", form=form, supplier=supplier, nav_current="farm.products"
    )
    return make_response(page, status)
