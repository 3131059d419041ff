"""Who shares one's boxes and orders: invited, taken out again; or with whom one shares."""

from typing import Any

from flask import Response, abort, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from wtforms import Form, ValidationError
from wtforms.widgets import EmailInput

from portal.accounts import household as services
from portal.accounts import proofs
from portal.accounts.limits import count_try
from portal.accounts.models import Account
from portal.accounts.proofs import fresh_proof_needed
from portal.infra import clock
from portal.infra.orm import db
from portal.member import blueprint, member
from portal.web import forms
from portal.web.forms import Typed
from portal.web.guards import own_hands_only
from portal.web.i18n import gettext as _
from portal.web.i18n import lazy_gettext as _l
from portal.web.limits import too_many

ADDRESS = "/mon-compte/foyer"


class InvitationForm(Form):
    email = Typed(_l("Son adresse e-mail"), lambda text: forms.email(text).lower(), widget=EmailInput())
    name = Typed(_l("Son prénom"), forms.line(80), name="prenom", needed=False)

    def validate_email(self, field: Typed) -> None:
        if not field.errors and field.data == member().email:
            raise ValidationError(field.says(_("c'est la vôtre.")))


@blueprint.get(ADDRESS)
@own_hands_only
def household() -> ResponseReturnValue:
    return _page(InvitationForm())


@blueprint.post(ADDRESS)
@fresh_proof_needed
def invite_to_household() -> ResponseReturnValue:
    """The answer is the same whoever has the address."""
    form, now = InvitationForm(request.form), clock.now()
    if member().payer_id:
        abort(404)
    if not form.validate():
        return _page(form, 422)
    counts = count_try(
        (services.INVITATIONS, str(member().id)), (services.INVITATIONS_TO_ADDRESS, form.email.data), now=now
    )
    if refused := [count for count in counts if count.exceeded]:
        return too_many(lambda minutes: _page(form, 429, minutes=minutes), refused[0], now=now)
    if not services.invite(db.session(), member(), form.email.data, form.name.data or "", at=now):
        return _page(form, 422)
    flash(_("L'invitation part à %(address)s.", address=form.email.data), "success")
    return _back()


@blueprint.post(f"{ADDRESS}/invitations/<id:link_id>/annulation")
@own_hands_only
def take_invitation_back(link_id: int) -> ResponseReturnValue:
    services.take_invitation_back(db.session(), member(), link_id, at=clock.now())
    flash(_("L'invitation est annulée : son lien n'ouvre plus rien."), "success")
    return _back()


@blueprint.post(f"{ADDRESS}/<id:account_id>/depart")
@own_hands_only
def part(account_id: int) -> ResponseReturnValue:
    """The payer takes somebody out, or somebody leaves by themselves."""
    account = db.session().get(Account, account_id)
    if account is None or member().id not in {account.id, account.payer_id}:
        abort(404)
    services.part(db.session(), account, at=clock.now(), by=member())
    flash(_("C'est fait, dès maintenant. Un mail vous le confirme à tous les deux."), "success")
    return _back()


def _back() -> ResponseReturnValue:
    return redirect(url_for("member.household"), 303)


def _page(form: InvitationForm, status: int = 200, **context: Any) -> Response:
    session, now, own = db.session(), clock.now(), member()
    others = services.sharers(session, [own.id])[own.id]
    invited = services.invitations(session, own, now)
    page = render_template(
        "member/household.html",
        form=form,
        member=own,
        others=others,
        invited=invited,
        room=services.AT_MOST - len(others) - len(invited),
        most=services.AT_MOST,
        proven=status != 200 or proofs.is_proven(now),
        **context,
    )
    return make_response(page, status)
