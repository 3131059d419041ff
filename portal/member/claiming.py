"""Orders placed without an account become the account's once a code has proven the mailbox."""

from flask import Response, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal.accounts import codes, proofs
from portal.accounts.limits import CODES_OF_CLIENT, count_try
from portal.accounts.models import CodePurpose
from portal.infra import clock
from portal.infra.orm import db
from portal.member import blueprint, member
from portal.member.proving import WRONG, ProofCodeForm
from portal.shop.claiming import claim, unclaimed
from portal.web.guards import own_hands_only
from portal.web.i18n import gettext as _
from portal.web.i18n import ngettext
from portal.web.limits import client_address, too_many

ADDRESS = "/commandes/rattachement"


@blueprint.get(ADDRESS)
@own_hands_only
def claiming() -> ResponseReturnValue:
    return _page(ProofCodeForm()) if unclaimed(db.session(), member()) else _back()


@blueprint.post(ADDRESS)
@own_hands_only
def claim_own_orders() -> ResponseReturnValue:
    if not proofs.mailbox_is_proven(member()):
        form, now = ProofCodeForm(request.form), clock.now()
        if not form.validate():
            return _page(form, 422)
        [count] = count_try((CODES_OF_CLIENT, client_address()), now=now)
        if count.exceeded:
            return too_many(lambda minutes: _page(form, 429, minutes=minutes), count, now=now)
        if not codes.use(CodePurpose.PROOF, member().email, form.code.data, at=now):
            form.code.errors = [str(WRONG)]
            return _page(form, 422)
        proofs.note_mailbox(member())
    n = claim(db.session(), member().email, member().id, by=member().id)
    said = ngettext(
        "Une commande est maintenant à votre compte.",
        "%(n)s commandes sont maintenant à votre compte.",
        n,
    )
    flash(said if n else _("C'était déjà fait : rien n'a changé."), "success")
    return _back()


@blueprint.post(f"{ADDRESS}/code")
@own_hands_only
def mail_claiming_code() -> ResponseReturnValue:
    if proofs.mail_code(db.session(), member(), codes.browser(), at=clock.now()):
        flash(_("Le code est parti : il arrive dans quelques instants."), "success")
    else:
        flash(_("Trop de codes sont déjà partis à cette adresse : attendez une heure."), "warning")
    return redirect(url_for("member.claiming", code="1"), 303)


def _back() -> ResponseReturnValue:
    return redirect(url_for("member.orders"), 303)


def _page(form: ProofCodeForm, status: int = 200, **context: object) -> Response:
    page = render_template(
        "member/claiming.html",
        form=form,
        member=member(),
        n=unclaimed(db.session(), member()),
        proven=proofs.mailbox_is_proven(member()),
        sent="code" in request.args or status != 200,
        **context,
    )
    return make_response(page, status)
