"""Withdrawing from a purchase, reachable from every page (Code de la consommation, D221-5)."""

from datetime import timedelta

from flask import Response, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from wtforms import Form

from portal.accounts.limits import count_try
from portal.infra import clock
from portal.infra.orm import db
from portal.infra.throttle import Limit
from portal.public import blueprint
from portal.rules.cutoffs import local_day
from portal.shop import queries, withdrawals
from portal.web.forms import Typed, email, line
from portal.web.i18n import gettext as _
from portal.web.i18n import lazy_gettext as _l
from portal.web.limits import client_address

MAILS_TO_ADDRESS = Limit("withdrawal links to an address", 3, timedelta(hours=1))
REQUESTS_OF_CLIENT = Limit("withdrawal links asked by a client", 30, timedelta(hours=1))
LONGEST = timedelta(weeks=3)
"""No period to withdraw in is longer: fourteen days, until the next working day."""


class FindOrderForm(Form):
    """What names an order to whoever has it before them."""

    email = Typed(_l("Adresse e-mail"), email, name="email")
    number = Typed(_l("Numéro de commande"), line(20), name="numero")


@blueprint.get("/retractation")
def withdrawal() -> ResponseReturnValue:
    if not current_user.is_authenticated:
        return _page(FindOrderForm())
    today = local_day(clock.now())
    lately = queries.orders_of(db.session(), current_user.id, since=today - LONGEST)
    found = [order for order in lately if order.returnable(today)]
    return render_template("public/withdrawal.html", orders=found, today=today)


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
        withdrawals.send_link(db.session(), form.number.data, form.email.data)
    flash(
        _(
            "Si cette commande a été passée avec cette adresse, un mail vient de partir avec le lien pour"
            " y renoncer."
        ),
        "success",
    )
    return redirect(url_for("public.withdrawal"), 303)


def _page(form: FindOrderForm, status: int = 200, **context: object) -> Response:
    return make_response(render_template("public/withdrawal.html", form=form, **context), status)
