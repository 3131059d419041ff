"""The shop's orders: what came for which delivery, judged one by one or all at once."""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from urllib.parse import parse_qsl

from flask import abort, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from wtforms import Form
from wtforms.widgets import TextArea

from portal.deliveries.queries import DeliveryView, find, upcoming
from portal.farm import blueprint, staff
from portal.infra import clock
from portal.infra.orm import db
from portal.rules.alphabet import french_order, slug_of
from portal.rules.corrections import refusal_to_work
from portal.rules.cutoffs import is_past, local_day
from portal.rules.orders import OrderState, Refusal, refusal_to_judge, refusal_to_prepare
from portal.rules.permissions import Permission
from portal.shop import preparing, queries, sheets
from portal.shop.claiming import claim_of
from portal.shop.models import FIRST_ORDER_NUMBER, Happening
from portal.shop.preparing import Outcome
from portal.shop.views import OrderView
from portal.web.forms import Typed, prose
from portal.web.guards import needs
from portal.web.i18n import gettext as _
from portal.web.i18n import lazy_gettext as _l
from portal.web.i18n import ngettext

ADDRESS = "/commandes/<id:order_id>"
OF_DELIVERY = "/commandes/<date:day>/<tour>"
BEFORE, AHEAD = timedelta(weeks=3), timedelta(weeks=9)
FOUND_AT_MOST = 50
_NUMBER = re.compile(r"[Bb]?([0-9]{5,9})", re.ASCII)
BUYERS = {"abonnes": False, "invites": True}
"""Whether a guest is meant."""


class ReasonForm(Form):
    reason = Typed(_l("Pourquoi ?"), prose(300), widget=TextArea())


FILTERS = ("etat", "point", "produit", "qui", "q")


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which orders of a delivery are looked at; nothing narrows by itself."""

    state: str
    point: str
    article: str
    buyer: str
    text: str

    @classmethod
    def read(cls) -> "Wanted":
        state, point, article, buyer = (
            request.args.get(name, "") for name in ("etat", "point", "produit", "qui")
        )
        return cls(state, point, article, buyer, _searched())

    def __bool__(self) -> bool:
        return any((self.state, self.point, self.article, self.buyer, self.text))

    def fits(self, order: OrderView) -> bool:
        return (
            self.state in {"", order.state}
            and self.point in {"", str(order.point.id)}
            and (not self.article or any(str(line.article_id) == self.article for line in order.lines))
            and (self.buyer not in BUYERS or BUYERS[self.buyer] == (order.account_id is None))
            and (not self.text or self._is_named(order))
        )

    def _is_named(self, order: OrderView) -> bool:
        letters = slug_of(self.text)
        return bool(letters) and letters in slug_of(f"{order.number} {order.name}")


@blueprint.get("/commandes")
@needs(Permission.READ_ORDERS)
def orders() -> ResponseReturnValue:
    """Delivery by delivery, the next one first; or whom one looks for, whatever the delivery."""
    session, now = db.session(), clock.now()
    text = _searched()
    if (order_id := _read_number(text)) > 0 and queries.find(session, order_id):
        return redirect(url_for("farm.order", order_id=order_id))
    today = local_day(now)
    shown = upcoming(session, today - BEFORE, today + AHEAD)
    work = sheets.work(session, [delivery.id for delivery in shown])
    coming = [d for d in shown if d.day >= today and (d.day < today + timedelta(days=8) or work[d.id].states)]
    past = [d for d in reversed(shown) if d.day < today and work[d.id].states]
    return render_template(
        "farm/orders/list.html",
        coming=coming,
        past=past,
        work=work,
        states={delivery.id: delivery.state(now) for delivery in shown},
        text=text,
        found=queries.orders_named(session, text, limit=FOUND_AT_MOST) if text else [],
        at_most=FOUND_AT_MOST,
        withdrawals=sheets.open_withdrawals(session),
        nav_current="farm.orders",
    )


@blueprint.get(OF_DELIVERY)
@needs(Permission.READ_ORDERS)
def delivery_orders(day: date, tour: str) -> ResponseReturnValue:
    return _delivery_page(delivery_or_404(day, tour))


def wanted_orders(delivery: DeliveryView) -> list[OrderView]:
    """Those of a delivery that the page shows."""
    every = queries.orders_for(db.session(), delivery.id)
    return sorted(filter(Wanted.read().fits, every), key=_by_last_name)


def _delivery_page(
    delivery: DeliveryView, *, status: int = 200, refusal: Refusal | None = None
) -> ResponseReturnValue:
    wanted, now = Wanted.read(), clock.now()
    every = queries.orders_for(db.session(), delivery.id)
    page = render_template(
        "farm/orders/delivery.html",
        delivery=delivery,
        state=delivery.state(now),
        closed=is_past(delivery.cutoff_at, now),
        refusal=refusal,
        wanted=wanted,
        orders=sorted(filter(wanted.fits, every), key=_by_last_name),
        counts=Counter(order.state for order in every),
        work=sheets.work(db.session(), [delivery.id])[delivery.id],
        points=_points(every),
        articles=_articles(every),
        nav_current="farm.orders",
    )
    return make_response(page, status)


@blueprint.post(f"{OF_DELIVERY}/acceptation")
@needs(Permission.ORDERS)
def accept_orders(day: date, tour: str) -> ResponseReturnValue:
    delivery = delivery_or_404(day, tour)
    outcome = preparing.accept_all(db.session(), delivery.id, by=staff().id)
    said = ngettext(
        "Une commande est acceptée, un mail part.",
        "%(n)s commandes sont acceptées, autant de mails partent.",
        outcome.changed,
    )
    flash(said if outcome.changed else _("Aucune commande n'attendait."), "success")
    return back_to(delivery)


@blueprint.post(f"{OF_DELIVERY}/preparation")
@needs(Permission.ORDERS)
def prepare_orders(day: date, tour: str) -> ResponseReturnValue:
    """All of the delivery, or of the point that is named."""
    delivery = delivery_or_404(day, tour)
    [chosen, *others] = request.form.getlist("point") or [""]
    point_ids = {
        str(point_id): point_id for point_id in _points(queries.orders_for(db.session(), delivery.id))
    }
    if others or (chosen and chosen not in point_ids):
        abort(422)
    outcome = preparing.prepare_all(db.session(), delivery.id, point_id=point_ids.get(chosen), by=staff().id)
    if outcome.refusal:
        return _delivery_page(delivery, status=422, refusal=outcome.refusal)
    said = ngettext("Une commande est préparée.", "%(n)s commandes sont préparées.", outcome.changed)
    flash(said if outcome.changed else _("Aucune commande n'était à marquer."), "success")
    if outcome.left:
        left = ngettext(
            "Une commande attend encore la balance.",
            "%(n)s commandes attendent encore la balance.",
            outcome.left,
        )
        flash(left, "warning")
    return back_to(delivery)


@blueprint.get(ADDRESS)
@needs(Permission.READ_ORDERS)
def order(order_id: int) -> ResponseReturnValue:
    return order_page(order_or_404(order_id), ReasonForm())


@blueprint.post(f"{ADDRESS}/acceptation")
@needs(Permission.ORDERS)
def accept_order(order_id: int) -> ResponseReturnValue:
    found = order_or_404(order_id)
    outcome = preparing.judge(db.session(), order_id, OrderState.ACCEPTED, by=staff().id)
    return _answer(found, outcome, _("La commande est acceptée, un mail part."))


@blueprint.post(f"{ADDRESS}/refus")
@needs(Permission.ORDERS)
def refuse_order(order_id: int) -> ResponseReturnValue:
    return _end(order_id, OrderState.REFUSED, _("La commande est refusée, un mail part."))


@blueprint.post(f"{ADDRESS}/annulation")
@needs(Permission.ORDERS)
def cancel_order(order_id: int) -> ResponseReturnValue:
    """As its owner has asked for, and could do."""
    return _end(order_id, OrderState.CANCELLED, _("La commande est annulée, un mail part."))


def _end(order_id: int, to: OrderState, done: str) -> ResponseReturnValue:
    found, form = order_or_404(order_id), ReasonForm(request.form)
    if not form.validate():
        return order_page(found, form, status=422)
    outcome = preparing.judge(db.session(), order_id, to, reason=form.reason.data, by=staff().id)
    return _answer(found, outcome, done, form)


@blueprint.post(f"{ADDRESS}/preparation")
@needs(Permission.ORDERS)
def prepare_order(order_id: int) -> ResponseReturnValue:
    """Mark it as prepared, or undo that: the form says which."""
    found = order_or_404(order_id)
    wanted = request.form.getlist("prete")
    if wanted not in (["oui"], ["non"]):
        abort(422)
    prepared = wanted == ["oui"]
    outcome = preparing.set_prepared(db.session(), order_id, prepared, by=staff().id)
    done = _("La commande est préparée.") if prepared else _("La commande est de nouveau à préparer.")
    return _answer(found, outcome, done)


@blueprint.post(f"{ADDRESS}/retractations/<id:withdrawal_id>")
@needs(Permission.ORDERS)
def settle_withdrawal(order_id: int, withdrawal_id: int) -> ResponseReturnValue:
    found = order_or_404(order_id)
    preparing.settle_withdrawal(
        db.session(), found.id, withdrawal_id, at=clock.now(), by=staff().id
    ) or abort(404)
    flash(_("La rétractation est réglée."), "success")
    return redirect(url_for("farm.order", order_id=order_id), 303)


def order_page(
    found: OrderView, form: ReasonForm, *, status: int = 200, **context: Any
) -> ResponseReturnValue:
    now = clock.now()
    shortage = any(step.what is Happening.SHORT for step in found.steps)
    page = render_template(
        "farm/orders/page.html",
        order=found,
        form=form,
        works=staff().may(Permission.ORDERS),
        to_accept=found.state is OrderState.PLACED,
        refusal_to_refuse=refusal_to_judge(
            found.state, OrderState.REFUSED, found.delivery.cutoff_at, now, shortage=shortage
        ),
        can_cancel=not found.refusal_to_cancel(now),
        refusal_to_prepare=refusal_to_prepare(
            found.state, OrderState.PREPARED, found.delivery.cutoff_at, now, to_weigh=found.estimated
        ),
        can_undo=found.state is OrderState.PREPARED,
        to_weigh=found.estimated and found.state in preparing.AT_THE_SCALE,
        can_correct=not refusal_to_work(found.delivery.for_rules, now) and staff().may(Permission.CORRECT),
        can_be_short=found.state in preparing.SHORT_OF,
        withdrawals=sheets.withdrawals(db.session(), found.id),
        knows_people=staff().may(Permission.PEOPLE),
        claim=claim_of(db.session(), found) if staff().may(Permission.PEOPLE) else None,
        nav_current="farm.orders",
        **context,
    )
    return make_response(page, status)


def _answer(
    found: OrderView, outcome: Outcome | None, done: str, form: ReasonForm | None = None
) -> ResponseReturnValue:
    if outcome is None:
        abort(404)
    if outcome.refusal:
        return order_page(found, form or ReasonForm(), status=422, refusal=outcome.refusal)
    flash(done if outcome.changed else _("C'était déjà fait : rien n'a changé."), "success")
    if "liste" in request.form:
        return _back_to_list(found)
    return redirect(url_for("farm.order", order_id=found.id), 303)


def _back_to_list(order: OrderView) -> ResponseReturnValue:
    """Where it was done in the list: to the same orders, at the same place."""
    shown: dict[str, Any] = {
        name: value for name, value in parse_qsl(request.form["liste"]) if name in FILTERS
    }
    place: dict[str, Any] = {
        "day": order.delivery.day,
        "tour": order.delivery.tour_slug,
        "_anchor": f"commande-{order.id}",
    }
    return redirect(url_for("farm.delivery_orders", **place, **shown), 303)


def _by_last_name(order: OrderView) -> tuple[object, ...]:
    first, _space, last = order.name.rpartition(" ")
    return french_order(last, first), order.id


def _searched() -> str:
    return " ".join(request.args.get("q", "").split())[:100]


def _read_number(text: str) -> int:
    """« B10012 », as papers name an order; 0 for what is no number."""
    written = _NUMBER.fullmatch(text)
    return int(written[1]) - FIRST_ORDER_NUMBER if written else 0


def _points(every: Iterable[OrderView]) -> dict[int, str]:
    found = {order.point.id: order.point for order in every}
    return {point.id: point.name for point in sorted(found.values(), key=lambda point: point.position)}


def _articles(every: Iterable[OrderView]) -> dict[int, str]:
    named = {line.article_id: line.name for order in every for line in order.lines}
    return dict(sorted(named.items(), key=lambda item: slug_of(item[1])))


def order_or_404(order_id: int) -> OrderView:
    return queries.find(db.session(), order_id) or abort(404)


def delivery_or_404(day: date, tour: str) -> DeliveryView:
    return find(db.session(), day, tour) or abort(404)


def back_to(delivery: DeliveryView) -> ResponseReturnValue:
    return redirect(url_for("farm.delivery_orders", day=delivery.day, tour=delivery.tour_slug), 303)
