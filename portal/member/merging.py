"""« J'ai deux comptes »: a code to the other's mailbox, what would come over, then one account."""

from datetime import datetime, timedelta
from typing import Any

from flask import Response, flash, make_response, redirect, render_template, request, url_for
from flask import session as current
from flask.typing import ResponseReturnValue
from wtforms import Form
from wtforms.widgets import EmailInput

from portal.accounts import codes
from portal.accounts.limits import CODES_OF_CLIENT, MAILS_OF_CLIENT, count_try
from portal.accounts.models import CodePurpose
from portal.accounts.proofs import fresh_proof_needed
from portal.accounts.queries import normalise_email
from portal.infra import clock, mail, outbox
from portal.infra.orm import db
from portal.infra.throttle import Limit
from portal.member import blueprint, member
from portal.member.proving import ProofCodeForm
from portal.privacy import merging
from portal.privacy.merging import Preview, Refusal
from portal.profile.queries import get_farm
from portal.web import forms
from portal.web.forms import Typed
from portal.web.i18n import gettext as _
from portal.web.i18n import lazy_gettext as _l
from portal.web.limits import client_address

PROVEN_FOR = timedelta(minutes=15)
MERGES_OF_ACCOUNT = Limit("other accounts that an account asks for", 5, timedelta(hours=1))
_KEY = "other_account"


class OtherForm(Form):
    email = Typed(_l("Adresse e-mail de l'autre compte"), forms.email, name="email", widget=EmailInput())


@blueprint.route("/mon-compte/fusion", methods=["GET", "POST"])
@fresh_proof_needed
def merge() -> ResponseReturnValue:
    """The code goes to whatever address is typed: whether it is an account's, only its mailbox learns.

    Nor does the page tell how many codes the address has had.
    """
    form = OtherForm(request.form)
    if request.method != "POST":
        return _page("member/merging/start.html", form=form)
    if not form.validate():
        return _page("member/merging/start.html", 422, form=form)
    email, now = normalise_email(form.email.data), clock.now()
    counts = count_try((MERGES_OF_ACCOUNT, str(member().id)), (MAILS_OF_CLIENT, client_address()), now=now)
    if any(count.exceeded for count in counts):
        form.email.errors = [_("Vous avez demandé trop de codes : attendez une heure.")]
        return _page("member/merging/start.html", 429, form=form)
    _mail_code(email, now)
    current[_KEY] = {"email": email, "into": member().id}
    return redirect(url_for("member.prove_other"), 303)


def _mail_code(email: str, now: datetime) -> None:
    session = db.session()
    code = codes.issue(session, CodePurpose.MERGE, email, codes.browser(), at=now)
    if code is not None:
        written = mail.render("merge_code", code=code, farm=get_farm(session))
        outbox.post(session, to=email, at=now, secret=True, **written.parts)


@blueprint.route("/mon-compte/fusion/code", methods=["GET", "POST"])
@fresh_proof_needed
def prove_other() -> ResponseReturnValue:
    kept, form = _kept(), ProofCodeForm(request.form)
    if not kept:
        return redirect(url_for("member.merge"), 303)
    if request.method != "POST":
        return _page("member/merging/code.html", form=form, email=kept["email"])
    now = clock.now()
    if count_try((CODES_OF_CLIENT, client_address()), now=now)[0].exceeded:
        form.code.errors = [_("Trop d'essais : attendez un quart d'heure.")]
        return _page("member/merging/code.html", 429, form=form, email=kept["email"])
    if not form.validate() or not codes.use(CodePurpose.MERGE, kept["email"], form.code.data, at=now):
        form.code.errors = form.code.errors or [
            _("Ce n'est pas le code de notre dernier mail, ou il est trop vieux.")
        ]
        return _page("member/merging/code.html", 422, form=form, email=kept["email"])
    current[_KEY] = {**kept, "at": now.isoformat()}
    return redirect(url_for("member.confirm_merge"), 303)


@blueprint.route("/mon-compte/fusion/confirmation", methods=["GET", "POST"])
@fresh_proof_needed
def confirm_merge() -> ResponseReturnValue:
    email, session = _proven(clock.now()), db.session()
    if email is None:
        return redirect(url_for("member.merge"), 303)
    seen = merging.preview(session, member(), email)
    if isinstance(seen, Refusal) or request.method != "POST":
        return _preview(seen, email)
    done = merging.merge(session, member().id, seen.account.id, at=clock.now())
    if isinstance(done, Refusal):
        return _preview(done, email)
    current.pop(_KEY)
    flash(
        _("C'est fait : vos deux comptes n'en font plus qu'un. Un mail le confirme aux deux adresses."),
        "success",
    )
    return redirect(url_for("member.account"), 303)


def _proven(now: datetime) -> str | None:
    """The address of the other account, if its code came back a short while ago."""
    kept = _kept()
    return kept["email"] if "at" in kept and now < datetime.fromisoformat(kept["at"]) + PROVEN_FOR else None


def _kept() -> dict[str, Any]:
    """What is being proven for this account: another may have been signed in here meanwhile."""
    kept: dict[str, Any] = current.get(_KEY, {})
    return kept if kept.get("into") == member().id else {}


def _preview(seen: Preview | Refusal, email: str) -> Response:
    refused = seen if isinstance(seen, Refusal) else None
    return _page(
        "member/merging/preview.html",
        422 if refused and request.method == "POST" else 200,
        seen=seen,
        refused=refused,
        email=email,
    )


def _page(template: str, status: int = 200, **context: object) -> Response:
    return make_response(render_template(template, **context), status)
