"""The kinds of boxes: how they are described and ordered, and what they cost from which day on."""

from datetime import date
from typing import Any

from flask import abort, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from werkzeug.exceptions import UnprocessableEntity
from wtforms import Form
from wtforms.widgets import DateInput, TextArea

from portal.catalogue import formulas as services
from portal.catalogue.models import Formula, Kind
from portal.farm import blueprint, staff
from portal.farm.drawings import FORMULAS
from portal.farm.product_forms import VAT
from portal.infra import clock
from portal.infra.orm import db
from portal.planning.announcements import receivers
from portal.rules.cutoffs import local_day
from portal.rules.permissions import Permission
from portal.rules.pricing import NOTICE, DatedPrice, PriceRefusal
from portal.web import filters
from portal.web.forms import (
    Chosen,
    Typed,
    choices,
    day,
    euros,
    line,
    paragraphs,
    prose,
    whole,
    write_euros,
)
from portal.web.guards import needs
from portal.web.i18n import gettext as _
from portal.web.i18n import lazy_gettext as _l

ADDRESS = "/formules/<id:formula_id>"
MOST_CENTS = 99_999
KINDS = {Kind.VEGETABLES: _l("des légumes"), Kind.EGGS: _l("des œufs")}
read_place = whole(1, 1000)


class FormulaForm(Form):
    """Its kind is settled once: people have subscribed to it as what it is."""

    name = Typed(_l("Nom"), line(80))
    short_name = Typed(_l("Nom court"), line(20))
    kind = Chosen(_l("Contient"))
    description = Typed(_l("Description"), paragraphs(1000), widget=TextArea())
    serves = Typed(_l("Pour qui"), line(80))
    drawing = Chosen(_l("Dessin"))
    weight = Typed(_l("Places prises à un point de retrait"), whole(0, 20))
    per_crate = Typed(_l("Paniers par caisse"), whole(1, 200), needed=False)

    def __init__(self, formdata: Any, formula: Formula | None = None) -> None:
        self._formula = formula
        usual = {"kind": Kind.VEGETABLES, "drawing": "box-small", "weight": 1}
        super().__init__(formdata, obj=formula, data=usual)
        if formula:
            del self.kind

    def process(self, *args: Any, **values: Any) -> None:
        drawn = {name: str(words) for name, words in FORMULAS.items()}
        if self._formula:
            drawn.setdefault(self._formula.drawing, self._formula.name)
        self.drawing.choices = choices(drawn.items())
        self.kind.choices = choices((kind, str(words)) for kind, words in KINDS.items())
        super().process(*args, **values)


class FormulaPriceForm(Form):
    price = Typed(_l("Prix TTC par livraison"), euros(0, MOST_CENTS), write=write_euros)
    vat = Chosen(_l("TVA"), default=VAT[0])
    since = Typed(_l("À partir du"), day, widget=DateInput())
    notice = Typed(_l("Pourquoi"), prose(300), needed=False)

    def process(self, *args: Any, **values: Any) -> None:
        self.vat.choices = choices((rate, filters.percent(rate)) for rate in VAT)
        super().process(*args, **values)

    @property
    def dated(self) -> DatedPrice:
        return DatedPrice(self.since.data, self.price.data, self.vat.data)

    def refuse(self, refusal: PriceRefusal) -> None:
        """Beside the field that is concerned."""
        field, problem = {
            PriceRefusal.OVER: (self.since, _("aujourd'hui ou plus tard.")),
            PriceRefusal.TOO_SOON: (
                self.since,
                _("une hausse s'annonce au moins %(days)s jours avant.", days=NOTICE.days),
            ),
            PriceRefusal.UNEXPLAINED: (self.notice, _("à remplir : les abonné·es concerné·es le liront.")),
        }[refusal]
        field.errors = [field.says(problem)]


@blueprint.get("/formules")
@needs(Permission.SELL, Permission.PRICES)
def formulas() -> ResponseReturnValue:
    session, today = db.session(), local_day(clock.now())
    every = session.scalars(select(Formula).order_by(Formula.position, Formula.id)).all()
    return render_template(
        "farm/formulas/list.html",
        formulas=every,
        receivers=receivers(session, today),
        today=today,
        nav_current="farm.index",
    )


@blueprint.get("/formules/ajout")
@needs(Permission.SELL)
def new_formula() -> ResponseReturnValue:
    return _page(FormulaForm(None))


@blueprint.post("/formules/ajout")
@needs(Permission.SELL)
def add_formula() -> ResponseReturnValue:
    form = FormulaForm(request.form)
    if not form.validate():
        return _page(form, status=422)
    added = services.add_formula(db.session(), form.data, at=clock.now(), by=staff().id)
    flash(_("La formule est ajoutée. Elle sera proposée dès qu'elle aura un prix."), "success")
    return redirect(url_for("farm.formula", formula_id=added.id), 303)


@blueprint.get(ADDRESS)
@needs(Permission.SELL, Permission.PRICES)
def formula(formula_id: int) -> ResponseReturnValue:
    found = _formula_or_404(formula_id)
    return _page(FormulaForm(None, found), found)


@blueprint.post(ADDRESS)
@needs(Permission.SELL)
def save_formula(formula_id: int) -> ResponseReturnValue:
    found = _formula_or_404(formula_id)
    form = FormulaForm(request.form, found)
    if not form.validate():
        return _page(form, found, status=422)
    changed = services.change_formula(db.session(), formula_id, form.data, at=clock.now(), by=staff().id)
    flash(_("La formule est enregistrée.") if changed else _("Rien n'a changé."), "success")
    return redirect(url_for("farm.formula", formula_id=formula_id), 303)


@blueprint.post(f"{ADDRESS}/place")
@needs(Permission.SELL)
def place_formula(formula_id: int) -> ResponseReturnValue:
    """Make it the formula of that number wherever formulas are listed, from 1."""
    _formula_or_404(formula_id)
    try:
        [typed] = request.form.getlist("place")
        place = read_place(typed)
    except ValueError:
        raise UnprocessableEntity from None
    services.place_formula(db.session(), formula_id, place - 1, at=clock.now(), by=staff().id)
    return redirect(url_for("farm.formulas", _anchor=f"formule-{formula_id}"), 303)


@blueprint.post(f"{ADDRESS}/retrait")
@needs(Permission.SELL)
def retire_formula(formula_id: int) -> ResponseReturnValue:
    _formula_or_404(formula_id)
    services.set_formula_retired(db.session(), formula_id, True, at=clock.now(), by=staff().id)
    flash(_("Cette formule n'est plus proposée à personne. Qui la reçoit la garde."), "success")
    return redirect(url_for("farm.formula", formula_id=formula_id), 303)


@blueprint.post(f"{ADDRESS}/retour")
@needs(Permission.SELL)
def reinstate_formula(formula_id: int) -> ResponseReturnValue:
    _formula_or_404(formula_id)
    services.set_formula_retired(db.session(), formula_id, False, at=clock.now(), by=staff().id)
    flash(_("Cette formule est de nouveau proposée."), "success")
    return redirect(url_for("farm.formula", formula_id=formula_id), 303)


@blueprint.post(f"{ADDRESS}/prix")
@needs(Permission.PRICES)
def set_formula_price(formula_id: int) -> ResponseReturnValue:
    found, form = _formula_or_404(formula_id), FormulaPriceForm(request.form)
    if not form.validate():
        return _page(FormulaForm(None, found), found, price_form=form, status=422)
    received = formula_id in receivers(db.session(), form.since.data)
    outcome = services.set_formula_price(
        db.session(),
        formula_id,
        form.dated,
        form.notice.data,
        received=received,
        at=clock.now(),
        by=staff().id,
    )
    if isinstance(outcome, PriceRefusal):
        form.refuse(outcome)
        return _page(FormulaForm(None, found), found, price_form=form, status=422)
    if not outcome:
        flash(_("C'est déjà le prix de ce jour-là."), "success")
    elif received and form.notice.data:
        flash(_("Le prix est enregistré. Qui reçoit cette formule l'apprend par un mail."), "success")
    else:
        flash(_("Le prix est enregistré."), "success")
    return redirect(url_for("farm.formula", formula_id=formula_id, _anchor="prix"), 303)


@blueprint.post(f"{ADDRESS}/prix/<date:since>/suppression")
@needs(Permission.PRICES)
def withdraw_formula_price(formula_id: int, since: date) -> ResponseReturnValue:
    found = _formula_or_404(formula_id)
    refusal = services.withdraw_formula_price(db.session(), formula_id, since, at=clock.now(), by=staff().id)
    if refusal:
        return _page(FormulaForm(None, found), found, price_refusal=refusal, status=422)
    flash(_("Le prix prévu le %(day)s est retiré.", day=filters.day(since)), "success")
    return redirect(url_for("farm.formula", formula_id=formula_id, _anchor="prix"), 303)


def _formula_or_404(formula_id: int) -> Formula:
    return db.session().get(Formula, formula_id) or abort(404)


def _page(
    form: FormulaForm,
    formula: Formula | None = None,
    *,
    price_form: FormulaPriceForm | None = None,
    status: int = 200,
    **context: Any,
) -> ResponseReturnValue:
    today = local_day(clock.now())
    page = render_template(
        "farm/formulas/page.html",
        form=form,
        formula=formula,
        price_form=price_form or FormulaPriceForm(),
        receivers=receivers(db.session(), today).get(formula.id, 0) if formula else 0,
        notice_days=NOTICE.days,
        today=today,
        nav_current="farm.index",
        **context,
    )
    return make_response(page, status)
