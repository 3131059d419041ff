"""« Est-ce bien vous ? »: who is signed in shows it again, before what matters is changed."""

from datetime import datetime

from flask import Response, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from wtforms import Form, StringField
from wtforms.validators import InputRequired, Length

from portal.accounts import codes, proofs
from portal.accounts.forms import CurrentPasswordForm
from portal.accounts.models import CodePurpose
from portal.infra import clock
from portal.infra.orm import db
from portal.infra.throttle import Count
from portal.member import blueprint, member
from portal.web.guards import is_on_this_site, own_hands_only
from portal.web.i18n import gettext as _
from portal.web.i18n import lazy_gettext as _l
from portal.web.limits import too_many

WRONG = _l("Ce n'est pas le code de notre dernier mail, ou il a servi, ou il est trop vieux.")


class ProofCodeForm(Form):
    code = StringField(
        _l("Code reçu par mail"),
        [InputRequired(_l("Écrivez le code de notre mail.")), Length(max=40, message=WRONG)],
        filters=[lambda typed: "".join((typed or "").split())],
    )


class FactorForm(Form):
    factor = StringField(
        _l("Code de votre application"),
        [
            InputRequired(_l("Écrivez le code que l'application montre.")),
            Length(max=40, message=_l("Ce code n'est pas le bon.")),
        ],
    )


@blueprint.route("/mon-compte/preuve", methods=["GET", "POST"])
@own_hands_only
def prove() -> ResponseReturnValue:
    """By the password, or a mailed code where there is none; then by the second factor, where that is on."""
    now = clock.now()
    if request.method != "POST":
        return redirect(_way_on(), 303) if proofs.is_proven(now) else _page(_form(now))
    form = _form(now)
    if not form.validate():
        return _page(form, 422)
    if isinstance(form, ProofCodeForm):
        right, wrong = codes.use(CodePurpose.PROOF, member().email, form.code.data, at=now), None
        form.code.errors = [str(WRONG)]
    else:
        wrong = _try(form, now)
        right = wrong is None
    if wrong is not None and wrong.used_up:
        return too_many(lambda minutes: _page(form, 429, minutes=minutes), wrong, now=now)
    if not right:
        return _page(form, 422)
    if isinstance(form, FactorForm):
        proofs.note(member(), at=now)
    elif not proofs.note_first(member(), at=now):
        return redirect(url_for("member.prove", next=request.args.get("next")), 303)
    return redirect(_way_on(), 303)


def _try(form: CurrentPasswordForm | FactorForm, now: datetime) -> Count | None:
    if isinstance(form, FactorForm):
        return proofs.try_factor(member(), form.factor, at=now)
    return proofs.try_password(member(), form.password, at=now)


@blueprint.post("/mon-compte/preuve/code")
@own_hands_only
def mail_proof_code() -> ResponseReturnValue:
    if member().password:
        return redirect(url_for("member.prove", next=request.args.get("next")), 303)
    if proofs.mail_code(db.session(), member(), codes.browser(), at=clock.now()):
        flash(_("Le code est parti : il arrive dans quelques instants."), "success")
    else:
        flash(_("Trop de codes sont déjà partis à cette adresse : attendez une heure."), "warning")
    return redirect(url_for("member.prove", next=request.args.get("next"), code="1"), 303)


def _form(now: datetime) -> FactorForm | CurrentPasswordForm | ProofCodeForm:
    if proofs.awaits_factor(now):
        return FactorForm(request.form)
    return CurrentPasswordForm(request.form) if member().password else ProofCodeForm(request.form)


def _way_on() -> str:
    wanted = request.args.get("next", "")
    return wanted if is_on_this_site(wanted) else url_for("member.security")


def _page(form: Form, status: int = 200, **context: object) -> Response:
    page = render_template("member/security/prove.html", form=form, member=member(), **context)
    return make_response(page, status)
