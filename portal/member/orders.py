"""A subscriber's orders."""

from datetime import date
from typing import Any

from flask import abort, render_template, request
from flask.typing import ResponseReturnValue

from portal.accounts.acting import hands as hands_of_staff
from portal.infra import clock
from portal.infra.orm import db
from portal.member import blueprint, holder, member
from portal.rules.cutoffs import local_day
from portal.shop import queries
from portal.shop.claiming import unclaimed
from portal.shop.drafts import keeper
from portal.shop.pages import OrderPages
from portal.shop.queries import OrderView
from portal.shop.vouchers import Person
from portal.web.forms import day
from portal.web.htmx import is_htmx, render_fragments

ENDPOINTS = {
    "show": "member.order",
    "cancel": "member.cancel_order",
    "amend": "member.amend_order",
    "again": "member.order_again",
    "withdraw": "member.withdraw_order",
    "print": "member.print_order",
    "file": "member.order_file",
}


def _pages(order_id: int) -> OrderPages:
    return OrderPages(order_id, holder().id, ENDPOINTS, {"order_id": order_id}, by=member().id)


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


@blueprint.get("/commandes/<id:order_id>.pdf")
def order_file(order_id: int) -> ResponseReturnValue:
    return _pages(order_id).file()
