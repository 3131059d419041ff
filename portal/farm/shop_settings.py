"""How the shop sells, and on which conditions: version after version, each as it was agreed to."""

from typing import Any

from flask import abort, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from wtforms import Form
from wtforms.widgets import TextArea

from portal.farm import blueprint, staff
from portal.infra import clock
from portal.infra.orm import db
from portal.profile import queries, services
from portal.profile.queries import ConditionsView
from portal.rules.permissions import Permission
from portal.shop import settings as shop
from portal.shop.settings import ShopRules
from portal.web.forms import Chosen, Typed, choices, euros, paragraphs, prose, write_euros
from portal.web.guards import needs
from portal.web.i18n import gettext as _
from portal.web.i18n import lazy_gettext as _l

CONDITIONS = "/reglages/conditions"


class ShopForm(Form):
    accepts_at_once = Chosen(_l("Une commande est acceptée"))
    guests_welcome = Chosen(_l("Commander sans compte"))
    guest_minimum = Typed(_l("Sans compte, à partir de"), euros(0, 99_999), write=write_euros)
    payment_means = Typed(_l("Moyens de paiement au retrait"), prose(120), needed=False)

    def process(self, *args: Any, **values: Any) -> None:
        self.accepts_at_once.choices = choices(
            [(True, _("aussitôt")), (False, _("quand la ferme l'accepte"))]
        )
        self.guests_welcome.choices = choices([(True, _("possible")), (False, _("impossible"))])
        super().process(*args, **values)


class ConditionsForm(Form):
    text = Typed(_l("Conditions de vente"), paragraphs(30_000), widget=TextArea())


@blueprint.get("/reglages/boutique")
@needs(Permission.SETTINGS)
def shop_settings() -> ResponseReturnValue:
    return _shop_page(ShopForm(obj=shop.get_rules(db.session())))


@blueprint.post("/reglages/boutique")
@needs(Permission.SETTINGS)
def save_shop_settings() -> ResponseReturnValue:
    form = ShopForm(request.form)
    if not form.validate():
        return _shop_page(form, 422)
    changed = shop.save(db.session(), ShopRules(**form.data), at=clock.now(), by=staff().id)
    flash(_("Les réglages de la boutique sont enregistrés.") if changed else _("Rien n'a changé."), "success")
    return redirect(url_for("farm.shop_settings"), 303)


@blueprint.get(CONDITIONS)
@needs(Permission.SETTINGS)
def conditions() -> ResponseReturnValue:
    return _versions_page(queries.conditions_in_force(db.session()))


@blueprint.get(f"{CONDITIONS}/<id:conditions_id>")
@needs(Permission.SETTINGS)
def conditions_version(conditions_id: int) -> ResponseReturnValue:
    return _versions_page(queries.find_conditions(db.session(), conditions_id) or abort(404))


@blueprint.get(f"{CONDITIONS}/ajout")
@needs(Permission.SETTINGS)
def new_conditions() -> ResponseReturnValue:
    return _conditions_page(ConditionsForm(obj=queries.conditions_in_force(db.session())))


@blueprint.post(f"{CONDITIONS}/ajout")
@needs(Permission.SETTINGS)
def publish_conditions() -> ResponseReturnValue:
    """Shown as they will read before they are published."""
    form, at = ConditionsForm(request.form), clock.now()
    if not form.validate():
        return _conditions_page(form, status=422)
    if request.form.get("act") != "publish":
        return _conditions_page(form, preview=ConditionsView(0, at, form.text.data))
    changed = services.publish_conditions(db.session(), form.text.data, at=at, by=staff().id)
    flash(
        _("Les conditions sont publiées : elles valent pour les commandes à venir.")
        if changed
        else _("Rien n'a changé : c'est le texte en vigueur."),
        "success",
    )
    return redirect(url_for("farm.conditions"), 303)


def _shop_page(form: ShopForm, status: int = 200) -> ResponseReturnValue:
    page = render_template(
        "farm/settings/shop.html",
        form=form,
        open_to_orders=queries.has_conditions(db.session()),
        nav_current="farm.index",
    )
    return make_response(page, status)


def _versions_page(shown: ConditionsView | None) -> ResponseReturnValue:
    page = render_template(
        "farm/settings/conditions.html",
        shown=shown,
        versions=queries.all_conditions(db.session()),
        nav_current="farm.index",
    )
    return make_response(page)


def _conditions_page(
    form: ConditionsForm, *, preview: ConditionsView | None = None, status: int = 200
) -> ResponseReturnValue:
    page = render_template(
        "farm/settings/new_conditions.html", form=form, preview=preview, nav_current="farm.index"
    )
    return make_response(page, status)
