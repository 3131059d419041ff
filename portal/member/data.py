"""« Mes données »: taking them away, closing the account for a while or for good."""

from flask import Response, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import logout_user
from wtforms import Form
from wtforms.widgets import TextArea

from portal.accounts.proofs import fresh_proof_needed
from portal.billing.ledger import balance
from portal.infra import clock
from portal.infra.orm import db
from portal.member import blueprint, member
from portal.planning import waiting
from portal.privacy import export, leaving
from portal.privacy.leaving import Closed
from portal.profile.queries import get_farm
from portal.rules.cutoffs import local_day
from portal.rules.money import Money
from portal.web import forms
from portal.web.forms import Chosen, Typed
from portal.web.guards import own_hands_only
from portal.web.i18n import gettext as _
from portal.web.i18n import lazy_gettext as _l

FOR_GOOD, FOR_A_WHILE = "effacer", "dormir"


class LeavingForm(Form):
    how = Chosen(
        _l("Que faire"), name="comment", choices=forms.choices((how, "") for how in (FOR_A_WHILE, FOR_GOOD))
    )
    reason = Typed(
        _l("Pourquoi partez-vous ? Rien ne vous oblige à le dire."),
        forms.prose(1000),
        name="raison",
        needed=False,
        widget=TextArea(),
    )


@blueprint.get("/mon-compte/donnees")
@own_hands_only
def data() -> ResponseReturnValue:
    return render_template("member/data/page.html")


@blueprint.get("/mon-compte/donnees/mes-donnees.zip")
@fresh_proof_needed
def take_data() -> ResponseReturnValue:
    session, now = db.session(), clock.now()
    response = make_response(export.archive(session, member().id, farm=get_farm(session), at=now))
    response.mimetype = "application/zip"
    response.headers["Content-Disposition"] = 'attachment; filename="mes-donnees.zip"'
    return response


@blueprint.route("/mon-compte/fermeture", methods=["GET", "POST"])
@fresh_proof_needed
def leave() -> ResponseReturnValue:
    form, now = LeavingForm(request.form), clock.now()
    if request.method != "POST":
        return _leaving(form)
    if not form.validate():
        return _leaving(form, 422)
    left = leaving.close(
        db.session(), member(), for_good=form.how.data == FOR_GOOD, reason=form.reason.data, at=now
    )
    if not isinstance(left, Closed):
        return _leaving(form, 422)
    logout_user()
    flash(
        _("Votre compte est fermé, sur tous vos appareils. Un mail vous dit comment le rouvrir."), "success"
    )
    return redirect(url_for("public.home"), 303)


def _leaving(form: LeavingForm, status: int = 200) -> Response:
    page = render_template(
        "member/data/leave.html",
        form=form,
        hindrances=leaving.hindrances(db.session(), member(), clock.now()),
        credit=Money.zero() - balance(db.session(), member().id),  # who owes something cannot leave
        waits=waiting.of_account(db.session(), member().id),
        last_day=local_day(clock.now() + leaving.MAY_RETURN),
    )
    return make_response(page, status)
