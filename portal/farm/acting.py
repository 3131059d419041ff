"""« Voir comme l'abonné·e »: the way into the members' pages in somebody's place, and back."""

from datetime import date
from typing import Any

from flask import abort, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from portal.accounts import acting
from portal.farm import blueprint, staff
from portal.farm.people import account_or_404
from portal.infra import clock
from portal.infra.orm import db
from portal.rules.calendar import monday_of
from portal.rules.permissions import Permission
from portal.web.forms import day as read_day
from portal.web.guards import needs
from portal.web.i18n import gettext as _

TARGETS = {
    "espace": "member.home",
    "planning": "member.planning",
    "semaine": "member.week",
    "suspension": "member.suspension",
    "abonnements": "member.subscriptions",
    "modifier": "member.change_terms",
    "commandes": "member.orders",
    "boutique": "public.shop",
}
"""Where one lands: the very pages that the person uses."""


@blueprint.post("/abonnes/<id:account_id>/voir-comme")
@needs(Permission.ACT_FOR)
def begin_acting(account_id: int) -> ResponseReturnValue:
    account, target = account_or_404(account_id), request.form.get("vers", "espace")
    if target not in TARGETS:
        abort(422)
    values: dict[str, Any] = {}
    if target == "modifier":
        values["subscription_id"] = request.form.get("abonnement", type=int) or abort(422)
    if target == "semaine":
        values["week"] = monday_of(_day(request.form.get("lundi", "")))
    if not acting.begin(db.session(), staff(), account, at=clock.now()):
        flash(
            _("On ne voit pas le site à la place de quelqu'un de la ferme, ni d'un compte fermé."), "warning"
        )
        return redirect(url_for("farm.person", account_id=account_id), 303)
    return redirect(url_for(TARGETS[target], **values), 303)


def _day(sent: str) -> date:
    try:
        return read_day(sent)
    except ValueError:
        abort(422)


@blueprint.post("/voir-comme/fin")
@needs(Permission.LOOK)
def end_acting() -> ResponseReturnValue:
    account_id = acting.end(db.session(), staff(), at=clock.now())
    if account_id is None:
        return redirect(url_for("farm.people"), 303)
    flash(_("Vous êtes de nouveau vous-même."), "success")
    return redirect(url_for("farm.person", account_id=account_id), 303)
