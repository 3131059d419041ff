"""Contracts that end: who left, when and why; what nobody could be found for; what is renounced."""

from collections.abc import Iterator

from flask import abort, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from wtforms import Form
from wtforms.widgets import TextArea

from portal.farm import blueprint, staff
from portal.farm.downloads import download
from portal.infra import clock
from portal.infra.orm import db
from portal.planning import departures, renouncing, terminations
from portal.planning.departures import Departing, Stage
from portal.planning.ending import Leave
from portal.planning.papers import words
from portal.rules.permissions import Permission
from portal.web.forms import Typed, paragraphs
from portal.web.guards import needs
from portal.web.i18n import gettext as _
from portal.web.i18n import lazy_gettext as _l
from portal.web.transaction import reads_only

AT_MOST = 100
"""Shown of those that are past; the export has all."""
STAGES = {
    Stage.OPEN: _l("à traiter"),
    Stage.ASKED: _l("à confirmer"),
    Stage.SETTLED: _l("traitée"),
    Stage.ENDED: _l("résiliée"),
}


class SettlementForm(Form):
    made_of_it = Typed(_l("Ce que nous en avons fait"), paragraphs(1000), name="suite", widget=TextArea())


@blueprint.get("/resiliations")
@needs(Permission.PEOPLE)
def departures_list() -> ResponseReturnValue:
    return _page()


@blueprint.post("/resiliations/<id:termination_id>")
@needs(Permission.PEOPLE)
def settle_termination(termination_id: int) -> ResponseReturnValue:
    form = SettlementForm(request.form)
    if not form.validate():
        return _page(422, form=form, form_of=termination_id)
    made = form.made_of_it.data
    terminations.settle(db.session(), termination_id, made, at=clock.now(), by=staff()) or abort(404)
    flash(_("C'est noté."), "success")
    return redirect(url_for("farm.departures_list"), 303)


@blueprint.post("/resiliations/renonciations/<id:withdrawal_id>")
@needs(Permission.PEOPLE)
def settle_renouncing(withdrawal_id: int) -> ResponseReturnValue:
    renouncing.settle(db.session(), withdrawal_id, at=clock.now(), by=staff()) or abort(404)
    flash(_("La rétractation est réglée."), "success")
    return redirect(url_for("farm.departures_list"), 303)


@blueprint.post("/resiliations/export")
@needs(Permission.PEOPLE)
@reads_only
def export_departures() -> ResponseReturnValue:
    columns = {
        _("Reçue le"): lambda row: row[0].receipt.notified_at,
        _("État"): lambda row: str(STAGES[row[0].stage]),
        _("Nom"): lambda row: row[0].person or row[0].receipt.notice.name,
        _("Contrat"): lambda row: row[1].what if row[1] else row[0].receipt.notice.reference,
        _("Point de retrait"): lambda row: row[1] and row[1].point,
        _("Fin"): lambda row: row[1] and row[1].last_day,
        _("Dernier panier"): lambda row: row[1] and row[1].last,
        _("Pourquoi"): lambda row: row[0].receipt.reason,
        _("Suite"): lambda row: row[0].settlement,
    }
    return download(_("resiliations"), columns, _lines())


def _lines() -> Iterator[tuple[Departing, Leave | None]]:
    """One a subscription; one for what has not ended."""
    for one in departures.terminations(db.session()):
        for leave in one.receipt.leaves or (None,):
            yield one, leave


def _page(
    status: int = 200, form: SettlementForm | None = None, form_of: int | None = None
) -> ResponseReturnValue:
    session = db.session()
    waiting = departures.terminations(session, past=False)
    page = render_template(
        "farm/departures/list.html",
        to_do=[one for one in waiting if one.stage is Stage.OPEN],
        asked=[one for one in waiting if one.stage is Stage.ASKED],
        past=departures.terminations(session, past=True, at_most=AT_MOST),
        at_most=AT_MOST,
        renounced=departures.renounced(session),
        words=words,
        form=form or SettlementForm(),
        form_of=form_of,
        nav_current="farm.index",
    )
    return make_response(page, status)
