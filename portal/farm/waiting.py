"""Who waits for a place at a pickup point; inviting them."""

from flask import abort, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from portal.farm import blueprint, staff
from portal.farm.points import ADDRESS
from portal.infra.orm import db
from portal.pickup import queries
from portal.pickup.queries import PointView
from portal.planning import waiting
from portal.planning.terms import Answer
from portal.rules.permissions import Permission
from portal.web.guards import needs
from portal.web.i18n import gettext as _


@blueprint.get(f"{ADDRESS}/attente")
@needs(Permission.PEOPLE)
def waiting_list(point_id: int) -> ResponseReturnValue:
    point = _point_or_404(point_id)
    waits = waiting.of_point(db.session(), point_id)
    return render_template("farm/points/waiting.html", point=point, waits=waits, nav_current="farm.index")


@blueprint.post(f"{ADDRESS}/attente/<id:account_id>")
@needs(Permission.PEOPLE)
def invite_waiting(point_id: int, account_id: int) -> ResponseReturnValue:
    """Keep a place for somebody; usually who has waited longest."""
    point = _point_or_404(point_id)
    outcome = waiting.invite(db.session(), account_id, point_id, by=staff().id)
    if outcome is None:
        flash(_("Cette personne n'attend plus."), "warning")
    elif outcome.answer is Answer.ALREADY:
        flash(_("C'était déjà fait : une place lui est gardée."), "success")
    else:
        flash(_("C'est fait : une place est gardée, un mail part."), "success")
        if outcome.full:
            flash(_("%(point)s dépasse maintenant ses places.", point=point.name), "warning")
    return redirect(url_for("farm.waiting_list", point_id=point_id), 303)


def _point_or_404(point_id: int) -> PointView:
    return queries.find(db.session(), point_id) or abort(404)
