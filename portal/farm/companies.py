"""Staff say whether an account is a company's."""

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from portal.accounts import companies
from portal.accounts.models import CompanyState
from portal.farm import blueprint, staff
from portal.farm.people import ADDRESS, editable_or_403
from portal.infra import clock
from portal.infra.orm import db
from portal.rules.permissions import Permission
from portal.web.guards import needs
from portal.web.i18n import gettext as _

LONGEST_REASON = 500


@blueprint.post(f"{ADDRESS}/entreprise/accord")
@needs(Permission.PEOPLE)
def approve_company(account_id: int) -> ResponseReturnValue:
    return _decide(account_id, CompanyState.APPROVED, _("C'est un compte pro. Un mail le lui dit."))


@blueprint.post(f"{ADDRESS}/entreprise/refus")
@needs(Permission.PEOPLE)
def refuse_company(account_id: int) -> ResponseReturnValue:
    return _decide(account_id, CompanyState.REFUSED, _("La demande est refusée. Un mail le lui dit."))


def _decide(account_id: int, wanted: CompanyState, done: str) -> ResponseReturnValue:
    account, asked = editable_or_403(account_id), request.form.get("demande", "")
    reason = " ".join(request.form.get("motif", "").split())[:LONGEST_REASON] or None
    if companies.decide(
        db.session(), account, wanted, asked_at=asked, reason=reason, at=clock.now(), by=staff().id
    ):
        flash(done, "success")
    else:
        flash(_("La demande a changé entre-temps : la voici."), "warning")
    return redirect(url_for("farm.person", account_id=account_id, _anchor="entreprise"), 303)
