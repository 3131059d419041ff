"""The one-off changes of a delivery: who does not receive as usual, since when, by whom; each can be taken back."""

from datetime import date
from typing import Any

from flask import abort, flash, make_response, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from portal.deliveries.queries import DeliveryView, find
from portal.farm import blueprint, staff
from portal.infra import clock
from portal.infra.orm import db
from portal.planning import one_offs
from portal.planning.one_offs import Kind
from portal.rules.permissions import Permission
from portal.web.guards import needs
from portal.web.i18n import gettext as _

ADDRESS = "/livraisons/<date:day>/<tour>/changements"


@blueprint.get(ADDRESS)
@needs(Permission.CORRECT)
def one_off_changes(day: date, tour: str) -> ResponseReturnValue:
    return _page(_delivery_or_404(day, tour))


@blueprint.post(f"{ADDRESS}/<kind>/<id:subscription_id>/<date:week>")
@needs(Permission.CORRECT)
def take_back_change(
    day: date, tour: str, kind: str, subscription_id: int, week: date
) -> ResponseReturnValue:
    delivery = _delivery_or_404(day, tour)
    if kind not in set(Kind):
        abort(404)
    outcome = one_offs.take_back(db.session(), Kind(kind), subscription_id, week, by=staff())
    if outcome is None:
        abort(404)
    if outcome.refusal:
        return _page(delivery, refusal=outcome.refusal, status=422)
    if outcome.changed:
        flash(_("C'est annulé : de nouveau comme d'habitude. La personne reçoit un mail."), "success")
    else:
        flash(_("C'était déjà fait : rien n'a changé."), "success")
    return redirect(url_for("farm.one_off_changes", day=day, tour=tour), 303)


def _page(delivery: DeliveryView, *, status: int = 200, **context: Any) -> ResponseReturnValue:
    now = clock.now()
    page = render_template(
        "farm/deliveries/one_offs.html",
        delivery=delivery,
        state=delivery.state(now),
        changes=one_offs.of_delivery(db.session(), delivery, now),
        nav_current="farm.deliveries",
        **context,
    )
    return make_response(page, status)


def _delivery_or_404(day: date, tour: str) -> DeliveryView:
    return find(db.session(), day, tour) or abort(404)
