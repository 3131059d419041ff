"""A guest's order, for whoever holds its signed link. Opening a page changes nothing."""

from io import BytesIO
from typing import Any

from flask import abort, make_response, redirect, render_template, send_file, url_for
from flask.typing import ResponseReturnValue

from portal.billing.explaining import explain
from portal.billing.files import file_of
from portal.billing.papers import file_name
from portal.billing.queries import InvoiceView, invoices_of_order
from portal.infra import pdf
from portal.infra.orm import db
from portal.public import blueprint
from portal.public.buyers import buyer, own_keeper
from portal.shop.pages import OrderPages, private
from portal.shop.queries import owner
from portal.shop.tokens import order_of_token
from portal.shop.views import OrderView

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

    def invoices(order: OrderView) -> dict[str, Any]:
        found = invoices_of_order(db.session(), order.id)
        return {"invoices": [(one, _address(order_token, one.number)) for one in found]}

    return OrderPages(order_id, None, ENDPOINTS, {"order_token": order_token}, beside=invoices)


def _address(order_token: str, invoice_number: str) -> str:
    return url_for("public.guest_invoice", order_token=order_token, invoice_number=invoice_number)


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


@blueprint.get("/lien/commande/<order_token>/factures/<invoice_number>")
def guest_invoice(order_token: str, invoice_number: str) -> ResponseReturnValue:
    pages, found = _invoice(order_token, invoice_number)
    file = url_for("public.guest_invoice_file", order_token=order_token, invoice_number=invoice_number)
    page = render_template(
        "public/guest_invoice.html",
        invoice=found,
        why=explain(db.session(), found),
        file=file,
        back=pages.ways()["show"],
        guest=True,
    )
    return private(make_response(page))


@blueprint.get("/lien/commande/<order_token>/factures/<invoice_number>.pdf")
def guest_invoice_file(order_token: str, invoice_number: str) -> ResponseReturnValue:
    """Or its page, which says so, where the worker has not made it yet."""
    _pages, found = _invoice(order_token, invoice_number)
    data = file_of(db.session(), found.id)
    if data is None:
        return redirect(_address(order_token, invoice_number), 303)
    name = file_name(found.number, found.kind)
    return private(
        send_file(BytesIO(data), mimetype=pdf.CONTENT_TYPE, as_attachment=True, download_name=name)
    )


def _invoice(order_token: str, number: str) -> tuple[OrderPages, InvoiceView]:
    """Of a guest's order: one that is an account's is shown to whoever that is."""
    pages, session = _pages(order_token), db.session()
    if owner(session, pages.order_id) is not None:
        abort(404)
    found = (view for view in invoices_of_order(session, pages.order_id) if view.number == number)
    return pages, next(found, None) or abort(404)
