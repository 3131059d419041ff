"""Withdrawing from a purchase or a subscription, reachable from every page (Code de la consommation, D221-5)."""

from datetime import timedelta

from flask import Response, abort, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from wtforms import Form

from portal.accounts import answers
from portal.accounts.acting import hands
from portal.accounts.limits import count_try
from portal.accounts.models import MailWish
from portal.infra import clock
from portal.infra.orm import db
from portal.infra.throttle import Limit
from portal.planning import renouncing
from portal.planning.papers import words
from portal.planning.renouncing import Renounceable
from portal.public import blueprint
from portal.rules.cutoffs import local_day
from portal.shop import queries
from portal.shop.pages import RECEIPTS_TO_ADDRESS, WITHDRAWALS_OF_CLIENT
from portal.web.forms import Typed, email, line
from portal.web.i18n import gettext as _
from portal.web.i18n import lazy_gettext as _l
from portal.web.limits import client_address

MAILS_TO_ADDRESS = Limit("withdrawal links to an address", 3, timedelta(hours=1))
REQUESTS_OF_CLIENT = Limit("withdrawal links asked by a client", 30, timedelta(hours=1))
LONGEST = timedelta(weeks=3)
"""No period to withdraw in is longer: fourteen days, until the next working day."""


class FindOrderForm(Form):
    """What names an order, or a contract, to whoever has it before them."""

    email = Typed(_l("Adresse e-mail"), email, name="email")
    number = Typed(_l("Numéro de commande ou de contrat"), line(20), name="numero")


@blueprint.get("/retractation")
def withdrawal() -> ResponseReturnValue:
    if not current_user.is_authenticated:
        return _page(FindOrderForm())
    today = local_day(clock.now())
    lately = queries.orders_of(db.session(), current_user.holder.id, since=today - LONGEST)
    found = [order for order in lately if order.returnable(today)]
    contracts = renouncing.of_account(db.session(), current_user.id, clock.now())
    return render_template(
        "public/withdrawal.html", orders=found, contracts=contracts, token=renouncing.token, today=today
    )


@blueprint.post("/retractation")
def find_order() -> ResponseReturnValue:
    """The same answer to everybody: the way to an order goes to the address that it was placed with."""
    form = FindOrderForm(request.form)
    if not form.validate():
        return _page(form, 422)
    of_client, of_address = count_try(
        (REQUESTS_OF_CLIENT, client_address()),
        (MAILS_TO_ADDRESS, form.email.data.casefold()),
        now=clock.now(),
    )
    if of_client.exceeded:
        return _page(form, 429, busy=True)
    if not of_address.exceeded:
        wanted = MailWish.WITHDRAWAL, form.email.data
        answers.ask(db.session(), *wanted, number=form.number.data, at=clock.now())
    flash(
        _("Si cette commande ou ce contrat est à cette adresse, un mail part avec le lien pour y renoncer."),
        "success",
    )
    return redirect(url_for("public.withdrawal"), 303)


class RenounceForm(Form):
    """What the law asks for: who, and where the receipt goes."""

    name = Typed(_l("Nom"), line(160), name="nom")
    email = Typed(_l("Adresse e-mail"), email, name="email")


@blueprint.get("/retractation/<contract_token>")
def renounce_contract(contract_token: str) -> ResponseReturnValue:
    found = _contract(contract_token)
    return _contract_page(
        found, RenounceForm(data={"name": found.account.full_name, "email": found.account.email})
    )


@blueprint.post("/retractation/<contract_token>")
def renounce_contract_now(contract_token: str) -> ResponseReturnValue:
    found, form = _contract(contract_token), RenounceForm(request.form)
    if not form.validate():
        return _contract_page(found, form, 422)
    counts = count_try(
        (WITHDRAWALS_OF_CLIENT, client_address()),
        (RECEIPTS_TO_ADDRESS, form.email.data.casefold()),
        now=clock.now(),
    )
    if any(count.exceeded for count in counts):
        return _contract_page(found, form, 429, busy=True)
    if not renouncing.renounce(
        db.session(), found.id, name=form.name.data, email=form.email.data, by=hands()
    ):
        return _contract_page(_contract(contract_token), form, 422)
    return redirect(url_for("public.renounce_contract", contract_token=contract_token), 303)


def _contract(contract_token: str) -> Renounceable:
    contract_id = renouncing.contract_of_token(contract_token) or abort(404)
    return renouncing.find(db.session(), contract_id, clock.now()) or abort(404)


def _contract_page(found: Renounceable, form: RenounceForm, status: int = 200, **context: object) -> Response:
    page = render_template(
        "public/renounce.html",
        contract=found,
        form=form,
        words=words,
        today=local_day(clock.now()),
        **context,
    )
    response = make_response(page, status)
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Robots-Tag"] = "noindex"
    return response


def _page(form: FindOrderForm, status: int = 200, **context: object) -> Response:
    return make_response(render_template("public/withdrawal.html", form=form, **context), status)
