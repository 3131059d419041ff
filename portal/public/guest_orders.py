"""A guest's order, for whoever holds its signed link. Opening a page changes nothing."""

from flask import abort
from flask.typing import ResponseReturnValue

from portal.public import blueprint
from portal.shop.pages import OrderPages
from portal.shop.tokens import order_of_token

ENDPOINTS = {
    "show": "public.guest_order",
    "cancel": "public.cancel_guest_order",
    "amend": "public.amend_guest_order",
    "withdraw": "public.withdraw_guest_order",
    "print": "public.print_guest_order",
    "file": "public.guest_order_file",
}


def _pages(token: str) -> OrderPages:
    order_id = order_of_token(token)
    if order_id is None:
        abort(404)
    return OrderPages(order_id, None, ENDPOINTS, {"token": token})


@blueprint.get("/lien/commande/<token>")
def guest_order(token: str) -> ResponseReturnValue:
    return _pages(token).show()


@blueprint.post("/lien/commande/<token>/annulation")
def cancel_guest_order(token: str) -> ResponseReturnValue:
    return _pages(token).cancel()


@blueprint.get("/lien/commande/<token>/modification")
def amend_guest_order(token: str) -> ResponseReturnValue:
    return _pages(token).ask_amendment()


@blueprint.post("/lien/commande/<token>/modification")
def amend_guest_order_now(token: str) -> ResponseReturnValue:
    return _pages(token).amend()


@blueprint.get("/lien/commande/<token>/retractation")
def withdraw_guest_order(token: str) -> ResponseReturnValue:
    return _pages(token).ask_withdrawal()


@blueprint.post("/lien/commande/<token>/retractation")
def withdraw_guest_order_now(token: str) -> ResponseReturnValue:
    return _pages(token).withdraw()


@blueprint.get("/lien/commande/<token>/impression")
def print_guest_order(token: str) -> ResponseReturnValue:
    return _pages(token).sheet()


@blueprint.get("/lien/commande/<token>/commande.pdf")
def guest_order_file(token: str) -> ResponseReturnValue:
    return _pages(token).file()
