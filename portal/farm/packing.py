"""The shed: the steps of a delivery, and the packing mode, where everybody ticks what is done."""

from datetime import date
from typing import Any

from flask import abort, flash, jsonify, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal.deliveries.models import Step
from portal.deliveries.queries import DeliveryView, find
from portal.deliveries.steps import done, set_step
from portal.farm import blueprint, staff
from portal.infra import clock
from portal.infra.orm import db
from portal.packing import ticks
from portal.rules.corrections import Refusal, refusal_to_work
from portal.rules.permissions import Permission
from portal.web.guards import needs
from portal.web.htmx import is_htmx
from portal.web.i18n import gettext as _

OF_DELIVERY = "/livraisons/<date:day>/<tour>"
ANSWERS = {"oui": True, "non": False}
STEPS = {"recolte": Step.HARVESTED, "emballage": Step.PACKED, "livraison": Step.DELIVERED}


@blueprint.post(f"{OF_DELIVERY}/etapes/<step>")
@needs(Permission.PACK)
def take_step(day: date, tour: str, step: str) -> ResponseReturnValue:
    """Say that a step is done, or was not: the form says which."""
    delivery, wanted = _delivery_or_404(day, tour), ANSWERS.get(request.form.get("fait", ""))
    if step not in STEPS:
        abort(404)
    if wanted is None:
        abort(422)
    back = "farm.packing" if "emballage" in request.form else "farm.delivery"
    if refusal := set_step(db.session(), delivery.id, STEPS[step], wanted, by=staff().id):
        return _page(delivery, refusal=refusal, status=422)
    flash(_("C'est noté."), "success")
    return redirect(url_for(back, day=delivery.day, tour=delivery.tour_slug), 303)


@blueprint.get(f"{OF_DELIVERY}/preparation")
@needs(Permission.PACK)
def packing(day: date, tour: str) -> ResponseReturnValue:
    return _page(_delivery_or_404(day, tour))


@blueprint.get(f"{OF_DELIVERY}/preparation/coches")
@needs(Permission.PACK)
def ticks_done(day: date, tour: str) -> ResponseReturnValue:
    """What everybody has ticked by now, and which lines there are."""
    session, delivery = db.session(), _delivery_or_404(day, tour)
    ticked = ticks.ticked(session, delivery.id)
    return jsonify({key: key in ticked for key in ticks.keys(session, delivery)})


@blueprint.post(f"{OF_DELIVERY}/preparation")
@needs(Permission.PACK)
def tick(day: date, tour: str) -> ResponseReturnValue:
    """One line's wanted state; sent twice, it stays."""
    delivery = _delivery_or_404(day, tour)
    key, _colon, answer = request.form.get("coche", "").rpartition(":")
    if answer not in ANSWERS or len(request.form.getlist("coche")) != 1:
        abort(422)
    refusal = ticks.tick(db.session(), delivery.id, key, ANSWERS[answer], by=staff().id)
    if is_htmx():  # which then asks for what there is by now, when this one holds nobody up any more
        return "", 422 if refusal else 204
    if refusal:
        return _page(delivery, refusal=refusal, status=422)
    places: dict[str, Any] = {"day": delivery.day, "tour": delivery.tour_slug}
    return redirect(url_for("farm.packing", **places, partie=key.partition("-")[0], _anchor=key), 303)


def _page(
    delivery: DeliveryView, *, refusal: Refusal | None = None, status: int = 200
) -> ResponseReturnValue:
    session, now = db.session(), clock.now()
    found = ticks.packing(session, delivery)
    ticked = ticks.ticked(session, delivery.id).intersection(found.keys)
    page = render_template(
        "farm/packing/page.html",
        delivery=delivery,
        state=delivery.state(now),
        closed=refusal_to_work(delivery.for_rules, now),
        packing=found,
        ticked=ticked,
        opened=request.args.get("partie") or found.next_part(ticked),
        steps=done(session, [delivery.id])[delivery.id],
        refusal=refusal,
        nav_current="farm.deliveries",
    )
    return make_response(page, status)


def _delivery_or_404(day: date, tour: str) -> DeliveryView:
    return find(db.session(), day, tour) or abort(404)
