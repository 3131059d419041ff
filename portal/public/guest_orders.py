"""A guest's order, for whoever holds its signed link. Opening a page changes nothing."""

from flask import abort, redirect, url_for
from flask.typing import ResponseReturnValue

from portal.infra.orm import db
from portal.public import blueprint
from portal.public.buyers import buyer, own_keeper
from portal.shop.pages import OrderPages
from portal.shop.queries import owner
from portal.shop.tokens import order_of_token

ENDPOINTS = {
    "show": "public.guest_order",
    "cancel": "public.cancel_guest_order",
    "amend": "public.amend_guest_order",
    "again": "public.order_again",
    "withdraw": "public.withdraw_guest_order",
    "print": "public.print_guest_order",
    "file": "public.guest_order_file",
}


def _pages(order_token: str) -> OrderPages:
    order_id = order_of_token(order_token)
    if order_id is None:
        abort(404)
    return OrderPages(order_id, None, ENDPOINTS, {"order_token": order_token})


@blueprint.get("/lien/commande/<order_token>")
def guest_order(order_token: str) -> ResponseReturnValue:
    """Or the way to it where it has become an account's: whoever that is signs in there."""
    pages = _pages(order_token)
    if owner(db.session(), pages.order_id) is not None:
        return redirect(url_for("member.order", order_id=pages.order_id), 303)
    return pages.show()


@blueprint.post("/lien/commande/<order_token>/annulation")
def cancel_guest_order(order_token: str) -> ResponseReturnValue:
    return _pages(order_token).cancel()


@blueprint.get("/lien/commande/<order_token>/modification")
def amend_guest_order(order_token: str) -> ResponseReturnValue:
    return _pages(order_token).ask_amendment()


@blueprint.post("/lien/commande/<order_token>/modification")
def amend_guest_order_now(order_token: str) -> ResponseReturnValue:
    return _pages(order_token).amend()


@blueprint.post("/lien/commande/<order_token>/reprise")
def order_again(order_token: str) -> ResponseReturnValue:
    return _pages(order_token).order_again(own_keeper(), buyer())


@blueprint.get("/lien/commande/<order_token>/retractation")
def withdraw_guest_order(order_token: str) -> ResponseReturnValue:
    return _pages(order_token).ask_withdrawal()


@blueprint.post("/lien/commande/<order_token>/retractation")
def withdraw_guest_order_now(order_token: str) -> ResponseReturnValue:
    return _pages(order_token).withdraw()


@blueprint.get("/lien/commande/<order_token>/impression")
def print_guest_order(order_token: str) -> ResponseReturnValue:
    return _pages(order_token).sheet()


@blueprint.get("/lien/commande/<order_token>/commande.pdf")
def guest_order_file(order_token: str) -> ResponseReturnValue:
    return _pages(order_token).file()
