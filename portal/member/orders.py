"""A subscriber's orders."""

from datetime import date

from flask import render_template
from flask.typing import ResponseReturnValue

from portal.infra import clock
from portal.infra.orm import db
from portal.member import blueprint, member
from portal.shop import queries
from portal.shop.drafts import keeper
from portal.shop.pages import OrderPages
from portal.shop.queries import OrderView
from portal.shop.vouchers import Person

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
    return OrderPages(order_id, member().id, ENDPOINTS, {"order_id": order_id})


@blueprint.get("/commandes")
def orders() -> ResponseReturnValue:
    now = clock.now()
    found = queries.orders_of(db.session(), member().id)
    coming = [order for order in found if order.to_come(now)]
    past: dict[date, list[OrderView]] = {}
    for order in reversed(found):
        if not order.to_come(now):
            past.setdefault(order.delivery.day.replace(day=1), []).append(order)
    return render_template("member/orders.html", coming=coming, past=past, now=now)


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
    mine = Person(member().id, member().email)
    return _pages(order_id).order_again(keeper(db.session(), member().id), mine)


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
