"""A subscriber's orders."""

from datetime import date
from typing import Any

from flask import abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal.accounts.acting import hands as hands_of_staff
from portal.billing.issuing import issue_for_order
from portal.billing.queries import invoices_of_order
from portal.infra import clock
from portal.infra.orm import db
from portal.member import blueprint, holder, member
from portal.rules.cutoffs import local_day
from portal.rules.invoicing import Refusal
from portal.shop import queries
from portal.shop.claiming import unclaimed
from portal.shop.drafts import keeper
from portal.shop.pages import OrderPages
from portal.shop.views import OrderView
from portal.shop.vouchers import Person
from portal.web.forms import day
from portal.web.guards import own_hands_only, payer_only
from portal.web.htmx import is_htmx, render_fragments

ENDPOINTS = {
    "show": "member.order",
    "cancel": "member.cancel_order",
    "amend": "member.amend_order",
    "again": "member.order_again",
    "withdraw": "member.withdraw_order",
    "print": "member.print_order",
    "file": "member.order_file",
    "invoice": "member.invoice_order",
}


def _pages(order_id: int) -> OrderPages:
    values = {"order_id": order_id}
    return OrderPages(order_id, holder().id, ENDPOINTS, values, by=member().id, beside=_invoices)


def _invoices(order: OrderView) -> dict[str, Any]:
    """What bills it; whoever shares what another one pays is told so alone."""
    if holder() is not member():
        return {"invoiced_to": holder()}
    found = invoices_of_order(db.session(), order.id)
    return {"invoices": [(view, url_for("member.invoice", invoice_number=view.number)) for view in found]}


@blueprint.get("/commandes")
def orders() -> ResponseReturnValue:
    """What comes and what came in the last twelve months; or, from a day on, what came before."""
    session, now, until = db.session(), clock.now(), _until()
    since = _a_year_before(until or local_day(now))
    found = queries.orders_of(session, holder().id, since=since, until=until)
    past: dict[date, list[OrderView]] = {}
    for order in reversed(found):
        if not order.to_come(now):
            past.setdefault(order.delivery.day.replace(day=1), []).append(order)
    context: dict[str, Any] = {
        "past": past,
        "older": queries.last_day_before(session, holder().id, since),
        "until": until,
        "now": now,
    }
    if until and is_htmx():
        return render_fragments("member/_past_orders.html", **context)
    coming = [order for order in found if order.to_come(now)]
    asked = member().email_proven_at and holder() is member() and not hands_of_staff()
    others = unclaimed(session, member()) if asked else 0
    return render_template("member/orders.html", coming=coming, others=others, **context)


def _until() -> date | None:
    try:
        return day(request.args["jusqu-au"]) if "jusqu-au" in request.args else None
    except ValueError:
        abort(404)


def _a_year_before(last: date) -> date:
    """Whole months: none is told in two pieces."""
    return last.replace(year=last.year - 1, day=1)


@blueprint.get("/commandes/<id:order_id>")
def order(order_id: int) -> ResponseReturnValue:
    return _pages(order_id).show()


@blueprint.post("/commandes/<id:order_id>/annulation")
def cancel_order(order_id: int) -> ResponseReturnValue:
    return _pages(order_id).cancel()


@blueprint.get("/commandes/<id:order_id>/modification")
def amend_order(order_id: int) -> ResponseReturnValue:
    return _pages(order_id).ask_amendment()


@blueprint.post("/commandes/<id:order_id>/modification")
def amend_order_now(order_id: int) -> ResponseReturnValue:
    return _pages(order_id).amend()


@blueprint.post("/commandes/<id:order_id>/reprise")
def order_again(order_id: int) -> ResponseReturnValue:
    mine = Person(holder().id, holder().email, member().id)
    return _pages(order_id).order_again(keeper(db.session(), mine.account_id), mine)


@blueprint.get("/commandes/<id:order_id>/retractation")
def withdraw_order(order_id: int) -> ResponseReturnValue:
    return _pages(order_id).ask_withdrawal()


@blueprint.post("/commandes/<id:order_id>/retractation")
def withdraw_order_now(order_id: int) -> ResponseReturnValue:
    return _pages(order_id).withdraw()


@blueprint.get("/commandes/<id:order_id>/impression")
def print_order(order_id: int) -> ResponseReturnValue:
    return _pages(order_id).sheet()


@blueprint.post("/commandes/<id:order_id>/facture")
@payer_only
@own_hands_only
def invoice_order(order_id: int) -> ResponseReturnValue:
    """Bill it alone instead of with the month, or show what bills it already."""
    session = db.session()
    queries.order(session, order_id, member().id) or abort(404)
    made = issue_for_order(session, order_id, by=member().id)
    if isinstance(made, Refusal):
        return _pages(order_id).show(422, invoice_refusal=made)
    if made is None:
        return redirect(url_for("member.order", order_id=order_id, _anchor="facture"), 303)
    return redirect(url_for("member.invoice", invoice_number=made.number), 303)


@blueprint.get("/commandes/<id:order_id>.pdf")
def order_file(order_id: int) -> ResponseReturnValue:
    return _pages(order_id).file()
