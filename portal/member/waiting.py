"""Waiting for a place at a pickup point that is full."""

from typing import Any

from flask import abort, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from wtforms import Form

from portal.catalogue.queries import PricedFormula, priced_formulas
from portal.infra import clock
from portal.infra.orm import db
from portal.member import blueprint, hands, holder
from portal.member.forms import MOST
from portal.pickup.queries import PointView, offered_points
from portal.planning import waiting
from portal.planning.drafts import keeper
from portal.rules.cutoffs import local_day
from portal.subscriptions.queries import withheld
from portal.web.forms import Chosen, choices
from portal.web.i18n import gettext as _
from portal.web.i18n import lazy_gettext as _l

ADDRESS = "/liste-d-attente/<slug>"


class WaitForm(Form):
    formula = Chosen(_l("Formule"), name="formule")
    quantity = Chosen(_l("Quantité"), name="quantite")

    def __init__(self, sent: Any, formulas: list[PricedFormula], **values: Any) -> None:
        self._formulas = formulas
        super().__init__(sent, **values)

    def process(self, *args: Any, **values: Any) -> None:
        self.formula.choices = choices((item.formula.id, item.formula.name) for item in self._formulas)
        self.quantity.choices = choices((n, str(n)) for n in range(1, MOST + 1))
        super().process(*args, **values)


@blueprint.route(ADDRESS, methods=["GET", "POST"])
def wait(slug: str) -> ResponseReturnValue:
    """Ask to be told when there is room, for what."""
    session, account, now = db.session(), holder(), clock.now()
    point, missing = _point_or_404(slug), withheld(session)
    offered = [
        item
        for item in priced_formulas(session, local_day(now))
        if item.formula.weight and (point.id, item.formula.id) not in missing
    ]
    if request.method == "POST":
        form = WaitForm(request.form, offered)
        if form.validate():
            waiting.ask(
                session, account, point.id, form.formula.data, form.quantity.data, at=now, by=hands().id
            )
            said = _("C'est noté : un mail partira dès qu'une place se libère (%(point)s).", point=point.name)
            flash(said, "success")
            return redirect(url_for("member.subscriptions"), 303)
    else:
        chosen = keeper(session, account.id).read()
        form = WaitForm(None, offered, formula=chosen.formula_id, quantity=chosen.quantity)
    page = render_template("member/wait.html", point=point, form=form, formulas=offered)
    return make_response(page, 422 if request.method == "POST" else 200)


@blueprint.post(f"{ADDRESS}/depart")
def stop_waiting(slug: str) -> ResponseReturnValue:
    point = _point_or_404(slug)
    if waiting.leave(db.session(), holder().id, point.id, at=clock.now(), by=hands().id):
        flash(_("C'est fait : vous n'êtes plus sur la liste de %(point)s.", point=point.name), "success")
    else:
        flash(
            _("C'était déjà fait : vous n'êtes pas sur la liste de %(point)s.", point=point.name), "success"
        )
    return redirect(url_for("member.subscriptions"), 303)


def _point_or_404(slug: str) -> PointView:
    return next((p for p in offered_points(db.session()) if p.slug == slug), None) or abort(404)
