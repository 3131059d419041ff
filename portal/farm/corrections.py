"""Setting right what a closed delivery brings: who did what and why, and taking it back."""

from datetime import date
from typing import Any

from flask import abort, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from wtforms import BooleanField, Form
from wtforms.widgets import TextArea

from portal.accounts.models import Account
from portal.catalogue.queries import formulas, priced_formulas
from portal.deliveries.queries import DeliveryView, find
from portal.farm import blueprint, staff
from portal.farm.orders import ADDRESS as ORDER
from portal.farm.orders import order_or_404
from portal.infra import clock
from portal.infra.orm import db
from portal.pickup.queries import points
from portal.planning import corrections
from portal.planning.corrected import FOUND_AT_MOST, boxes_corrected, candidates, orders_corrected
from portal.planning.corrections import Correction, stamp, standing
from portal.rules.amounts import AmountRefusal
from portal.rules.corrections import FrozenBox, Wish, refusal_to_work
from portal.rules.permissions import Permission
from portal.rules.preparing import read_weight, write_weight
from portal.rules.selling import SaleUnit
from portal.shop import corrections as of_orders
from portal.shop.corrections import Act
from portal.shop.queries import orders_between
from portal.shop.views import OrderLineView, OrderView
from portal.subscriptions.models import Subscription
from portal.web.forms import Chosen, Typed, choices, prose, whole
from portal.web.guards import needs
from portal.web.i18n import gettext as _
from portal.web.i18n import lazy_gettext as _l

ADDRESS = "/livraisons/<date:day>/<tour>/corrections"
MOST = 9


@blueprint.get(ADDRESS)
@needs(Permission.CORRECT)
def corrections_made(day: date, tour: str) -> ResponseReturnValue:
    return _list(_delivery_or_404(day, tour))


def _list(delivery: DeliveryView, *, status: int = 200, **context: Any) -> ResponseReturnValue:
    session, now = db.session(), clock.now()
    text = " ".join(request.args.get("q", "").split())[:100]
    made = [*boxes_corrected(session, delivery.id), *orders_corrected(session, delivery.id)]
    page = render_template(
        "farm/corrections/list.html",
        delivery=delivery,
        state=delivery.state(now),
        closed=refusal_to_work(delivery.for_rules, now),
        made=sorted(made, key=lambda one: one.signature.at, reverse=True),
        text=text,
        found=candidates(session, delivery, text),
        at_most=FOUND_AT_MOST,
        formulas={formula.id: formula for formula in formulas(session)},
        points={point.id: point for point in points(session)},
        nav_current="farm.deliveries",
        **context,
    )
    return make_response(page, status)


UNDOERS = {"paniers": corrections.undo, "commandes": of_orders.undo}


@blueprint.post(f"{ADDRESS}/<of>/<id:correction_id>/annulation")
@needs(Permission.CORRECT)
def undo_correction(day: date, tour: str, of: str, correction_id: int) -> ResponseReturnValue:
    delivery, undo = _delivery_or_404(day, tour), UNDOERS.get(of) or abort(404)
    outcome = undo(
        db.session(), delivery.id, correction_id, tell="prevenir" in request.form, by=staff().id
    ) or abort(404)
    if outcome.refusal:
        return _list(delivery, refusal=outcome.refusal, status=422)
    if isinstance(outcome, of_orders.Outcome) and outcome.voucher_gone:
        flash(_("Son bon de réduction a servi entre-temps : la commande revient sans remise."), "error")
    return _done(delivery, outcome.changed, _("C'est annulé : de nouveau comme avant."))


class ReasonForm(Form):
    reason = Typed(_l("Pourquoi ?"), prose(300), widget=TextArea())
    tell = BooleanField(_l("Prévenir la personne par mail"))


class BoxForm(ReasonForm):
    formula_id = Chosen(_l("Formule"))
    quantity = Typed(_l("Combien"), whole(0, MOST))
    point_id = Chosen(_l("Point de retrait"))
    farm_fault = Chosen(
        _l("La facture"),
        choices=choices(
            [
                (0, _l("ne change pas : c'était trop tard")),
                (1, _l("suit la correction : c'est une erreur de la ferme")),
            ]
        ),
    )


@blueprint.route(f"{ADDRESS}/<id:subscription_id>", methods=["GET", "POST"])
@needs(Permission.CORRECT)
def correct_box(day: date, tour: str, subscription_id: int) -> ResponseReturnValue:
    """The boxes that a delivery brings a subscription, one form each; or the one that it may be given."""
    delivery = _delivery_or_404(day, tour)
    whose = db.session().get(Subscription, subscription_id) or abort(404)
    boxes = _boxes(delivery, subscription_id)
    if request.method != "POST":
        return _box_page(delivery, whose, boxes)
    week = next((week for week in boxes if week.isoformat() == request.form.get("semaine")), None)
    form = _form(delivery, whose, boxes[week] if week else None)
    if week is None:
        abort(422)
    form.process(request.form)
    if not form.validate():
        return _box_page(delivery, whose, boxes, {week: form}, status=422)
    asked = Correction(
        week,
        Wish(form.formula_id.data, form.quantity.data, form.point_id.data),
        request.form.get("vu", ""),
        form.reason.data,
        farm_fault=bool(form.farm_fault.data),
        tell=form.tell.data,
    )
    outcome = corrections.correct(db.session(), delivery.id, subscription_id, asked, by=staff().id)
    assert outcome is not None, "there is one"
    if outcome.refusal:
        return _box_page(
            delivery,
            whose,
            _boxes(delivery, subscription_id),
            {week: form},
            status=422,
            refusal=outcome.refusal,
            unpriced=outcome.unpriced,
        )
    return _done(delivery, outcome.changed, _("C'est corrigé."))


def _boxes(delivery: DeliveryView, subscription_id: int) -> dict[date, FrozenBox | None]:
    return {**standing(db.session(), delivery, subscription_id)} or {delivery.week: None}


def _form(delivery: DeliveryView, whose: Subscription, box: FrozenBox | None) -> BoxForm:
    """As the box stands; one that is added, as by the subscription's terms. Either may keep what is retired."""
    session = db.session()
    term = next((t for t in reversed(whose.terms) if t.monday <= delivery.week), whose.terms[0])
    formula_id, point_id = (box.formula_id, box.point_id) if box else (term.formula_id, term.pickup_point_id)
    form = BoxForm()
    form.formula_id.choices = choices(
        (priced.formula.id, priced.formula.name)
        for priced in priced_formulas(session, delivery.day, retired=True)
        if priced.formula.id == formula_id or not priced.formula.retired
    )
    form.point_id.choices = choices(
        (point.id, point.name)
        for point in points(session)
        if point.id == point_id or (point.tour_id == delivery.tour_id and not point.retired)
    )
    form.formula_id.data, form.point_id.data = formula_id, point_id
    form.quantity.data, form.farm_fault.data = box.quantity if box else 1, 0
    return form


def _box_page(
    delivery: DeliveryView,
    whose: Subscription,
    boxes: dict[date, FrozenBox | None],
    typed: dict[date, BoxForm] | None = None,
    *,
    status: int = 200,
    **context: Any,
) -> ResponseReturnValue:
    now = clock.now()
    forms = [
        (week, box, stamp(box), (typed or {}).get(week) or _form(delivery, whose, box))
        for week, box in boxes.items()
    ]
    for week, _box, _stamp, form in forms[1:]:
        for field in form:
            field.id = f"{field.id}-{week}"
    made = boxes_corrected(db.session(), delivery.id)
    page = render_template(
        "farm/corrections/box.html",
        delivery=delivery,
        state=delivery.state(now),
        closed=refusal_to_work(delivery.for_rules, now),
        account=db.session().get_one(Account, whose.account_id),
        subscription_id=whose.id,
        forms=forms,
        made=[one for one in made if one.subscription_id == whose.id],
        orders=[
            order
            for order in orders_between(db.session(), whose.account_id, delivery.day, delivery.day)
            if order.delivery.id == delivery.id
        ],
        formulas={formula.id: formula for formula in formulas(db.session())},
        points={point.id: point for point in points(db.session())},
        nav_current="farm.deliveries",
        **context,
    )
    return make_response(page, status)


@blueprint.route(f"{ORDER}/correction", methods=["GET", "POST"])
@needs(Permission.CORRECT)
def correct_order(order_id: int) -> ResponseReturnValue:
    found, form = order_or_404(order_id), ReasonForm(request.form)
    if request.method != "POST":
        return _order_page(found, form)
    act = request.form.get("act")
    if act not in set(Act):
        abort(422)
    shares, errors = _shares(found) if act == Act.CHANGE else ({}, {})
    if not form.validate() or errors:
        return _order_page(found, form, status=422, errors=errors)
    asked = of_orders.Correction(
        Act(act), request.form.get("vu", ""), form.reason.data, shares, tell=form.tell.data
    )
    outcome = of_orders.correct(db.session(), order_id, asked, by=staff().id) or abort(404)
    if outcome.refusal:
        return _order_page(found, form, status=422, refusal=outcome.refusal)
    flash(_("C'est corrigé.") if outcome.changed else _("C'était déjà fait : rien n'a changé."), "success")
    return redirect(url_for("farm.order", order_id=order_id), 303)


def _shares(order: OrderView) -> tuple[dict[int, int], dict[int, str]]:
    """What is typed line by line, and what is wrong with it."""
    shares, errors = {}, {}
    for line in order.lines:
        if not line.quantity or line.kept_back:
            continue
        text, most = request.form.get(f"ligne-{line.id}", "").strip(), max(line.quantity, line.paid)
        read = _read(text, line, most)
        if isinstance(read, str):
            errors[line.id] = read
        else:
            shares[line.id] = read
    return shares, errors


def _read(text: str, line: OrderLineView, most: int) -> int | str:
    if line.sale_unit is SaleUnit.WEIGHT:
        grams = 0 if text == "0" else read_weight(text)
        if grams is None or isinstance(grams, AmountRefusal) or grams > most:
            return _("un poids jusqu'à %(most)s kg, comme 0,480.", most=write_weight(most))
        return grams
    try:
        return int(whole(0, most)(text))
    except ValueError as error:
        return str(error)


def written(line: OrderLineView) -> str:
    return write_weight(line.paid) if line.sale_unit is SaleUnit.WEIGHT else str(line.paid)


def _order_page(
    order: OrderView,
    form: ReasonForm,
    *,
    status: int = 200,
    errors: dict[int, str] | None = None,
    **context: Any,
) -> ResponseReturnValue:
    now = clock.now()
    page = render_template(
        "farm/corrections/order.html",
        order=order,
        delivery=order.delivery,
        state=order.delivery.state(now),
        closed=refusal_to_work(order.delivery.for_rules, now),
        form=form,
        errors=errors or {},
        typed={line.id: request.form.get(f"ligne-{line.id}", written(line)) for line in order.lines},
        seen=of_orders.stamp(order),
        nav_current="farm.orders",
        **context,
    )
    return make_response(page, status)


def _done(delivery: DeliveryView, changed: bool, said: str) -> ResponseReturnValue:
    flash(said if changed else _("C'était déjà fait : rien n'a changé."), "success")
    return redirect(url_for("farm.corrections_made", day=delivery.day, tour=delivery.tour_slug), 303)


def _delivery_or_404(day: date, tour: str) -> DeliveryView:
    return find(db.session(), day, tour) or abort(404)
