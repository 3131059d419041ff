"""The pages of an order: the same for a subscriber, who is signed in, and for a guest, who holds its link.

What is asked and what is answered stands here; who may ask, in the faces.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from flask import (
    Response,
    abort,
    flash,
    get_template_attribute,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict
from wtforms import Form

from portal.accounts.acting import mailed
from portal.accounts.companies import Identity, named_on_papers
from portal.accounts.limits import count_try
from portal.infra import clock, pdf
from portal.infra.orm import db
from portal.infra.throttle import Limit
from portal.profile.queries import get_farm
from portal.rules.cutoffs import local_day
from portal.rules.money import Money
from portal.rules.selling import MOST_GRAMS, SaleUnit
from portal.shop import amending, queries, withdrawals
from portal.shop.amending import Fault, Objection, Outcome
from portal.shop.drafts import Keeper
from portal.shop.papers import company_lines, order_file
from portal.shop.reordering import order_again
from portal.shop.settings import get_rules
from portal.shop.views import OrderLineView, OrderView
from portal.shop.vouchers import Person
from portal.web.forms import ChosenMany, Typed, choices, email, line, whole
from portal.web.htmx import is_htmx
from portal.web.i18n import gettext as _
from portal.web.i18n import lazy_gettext as _l
from portal.web.limits import client_address

WITHDRAWALS_OF_CLIENT = Limit("withdrawals of a client", 30, timedelta(hours=1))
RECEIPTS_TO_ADDRESS = Limit("withdrawal receipts to an address", 6, timedelta(hours=1))

CHOICES = 20
"""Quantities that are offered beyond none, or more where more is ordered."""

_read_quantity = whole(0, MOST_GRAMS)
_read_cents = whole(0, 999_999_999)


class WithdrawalForm(Form):
    """What the law asks for: who, what, and where the receipt goes."""

    lines = ChosenMany(_l("Produits"), name="ligne")
    name = Typed(_l("Nom"), line(160), name="nom")
    email = Typed(_l("Adresse e-mail"), email, name="email")


@dataclass(frozen=True, slots=True)
class Asked:
    """Quantities as they were sent: line → units or grams, what was typed, and what cannot be read."""

    wanted: Mapping[int, int] = field(default_factory=dict)
    typed: Mapping[int, str] = field(default_factory=dict)
    faults: Mapping[int, Fault] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class OrderPages:
    """One order, an account's or a guest's. `endpoints` says in which face, `values` how it is named there."""

    order_id: int
    account_id: int | None
    endpoints: Mapping[str, str]
    values: Mapping[str, Any]
    by: int | None = None
    """Who acts, where that is not whose order it is."""
    beside: Callable[[OrderView], Mapping[str, Any]] = field(default=lambda _order: {})
    """What the face shows on the page beside the order itself: its invoice."""

    def ways(self) -> dict[str, str]:
        """Where its pages and acts are."""
        return {name: url_for(endpoint, **self.values) for name, endpoint in self.endpoints.items()}

    def show(self, status: int = 200, **context: Any) -> Response:
        order = self._order()
        return self._page("orders/page.html", order, status, **self.beside(order), **context)

    def cancel(self) -> ResponseReturnValue:
        outcome = amending.cancel(db.session(), self.order_id, self.account_id, by=self.by)
        if outcome is None:
            abort(404)
        if outcome.refusal:
            return self.show(422, refusal=outcome.refusal)
        if outcome.done:
            flash(_("Votre commande est annulée. %(mailed)s", mailed=mailed()), "success")
        return self._back()

    def ask_amendment(self) -> ResponseReturnValue:
        """The quantities, and what they would come to: nothing is changed yet."""
        order = self._order()
        if refusal := order.refusal_to_amend(clock.now()):
            words = get_template_attribute("components/order.html", "order_refusal")
            flash(str(words(refusal, order)), "warning")
            return make_response("", {"HX-Redirect": self.ways()["show"]}) if is_htmx() else self._back()
        asked = read_quantities(request.args, order, all_of_them=False)
        return self._amendment(order, asked)

    def amend(self) -> ResponseReturnValue:
        order = self._order()
        asked = read_quantities(request.form, order, all_of_them=True)
        if asked.faults:
            return self._amendment(order, asked, 422)
        outcome = amending.amend(
            db.session(),
            self.order_id,
            self.account_id,
            asked.wanted,
            _read_total(request.form),
            by=self.by,
        )
        if outcome is None:
            abort(404)
        if outcome.refused:
            if refusal := self._order().refusal_to_amend(clock.now()):
                return self.show(422, refusal=refusal)
            return self._amendment(self._order(), asked, 422, outcome)
        if outcome.done:
            flash(_("Votre commande est modifiée. %(mailed)s", mailed=mailed()), "success")
        return self._back()

    def order_again(self, keeper: Keeper, person: Person) -> ResponseReturnValue:
        left_out = order_again(db.session(), self._order(), keeper, person)
        if left_out:
            flash(
                _("Ne se commande pas pour l'instant : %(names)s.", names=", ".join(left_out)),
                "warning",
            )
        return redirect(url_for("public.cart"), 303)

    def ask_withdrawal(self) -> ResponseReturnValue:
        order = self._order()
        return self._withdrawal(order, WithdrawalForm(data={"name": order.name, "email": order.email}))

    def withdraw(self) -> ResponseReturnValue:
        order = self._order()
        form = WithdrawalForm()
        form.lines.choices = choices((line.id, line.name) for line in order.lines)
        form.process(request.form)
        if not form.validate():
            return self._withdrawal(order, form, 422)
        counts = count_try(
            (WITHDRAWALS_OF_CLIENT, client_address()),
            (RECEIPTS_TO_ADDRESS, form.email.data.casefold()),
            now=clock.now(),
        )
        if any(count.exceeded for count in counts):
            return self._withdrawal(order, form, 429, busy=True)
        declared = withdrawals.declare(
            db.session(),
            self.order_id,
            self.account_id,
            form.lines.data or (),
            name=form.name.data,
            email=form.email.data,
            by=self.by,
        )
        if declared is None:
            abort(404)
        if declared.refusal:
            return self._withdrawal(declared.order, form, 422, refusal=declared.refusal)
        flash(_("Votre rétractation est reçue. Son accusé de réception part à l'instant."), "success")
        return self._back()

    def sheet(self) -> Response:
        """For paper."""
        company = self._company()
        lines = company_lines(company) if company else []
        return self._page("orders/print.html", self._order(), company=lines)

    def file(self) -> Response:
        found = order_file(self._order(), get_farm(db.session()), self._company())
        response = private(Response(found.data, mimetype=pdf.CONTENT_TYPE))
        response.headers["Content-Disposition"] = f'inline; filename="{found.name}"'
        return response

    def _company(self) -> Identity | None:
        return named_on_papers(db.session(), self.account_id) if self.account_id else None

    def _order(self) -> OrderView:
        return queries.order(db.session(), self.order_id, self.account_id) or abort(404)

    def _amendment(
        self, order: OrderView, asked: Asked, status: int = 200, outcome: Outcome | None = None
    ) -> Response:
        outcome = outcome or amending.preview(db.session(), order, asked.wanted, clock.now())
        template = "orders/_amended.html" if is_htmx() and request.method == "GET" else "orders/amend.html"
        return self._page(
            template,
            order,
            status,
            outcome=outcome,
            minimum=_minimum(order) if outcome.refusal is Objection.BELOW_MINIMUM else None,
            faults={**outcome.faults, **asked.faults},
            typed=asked.typed,
            choices={line.id: _quantities(line) for line in order.lines},
        )

    def _withdrawal(
        self, order: OrderView, form: WithdrawalForm, status: int = 200, **context: Any
    ) -> Response:
        today = local_day(clock.now())
        return self._page(
            "orders/withdraw.html", order, status, form=form, returnable=order.returnable(today), **context
        )

    def _page(self, template: str, order: OrderView, status: int = 200, **context: Any) -> Response:
        now = clock.now()
        page = render_template(
            template,
            order=order,
            ways=self.ways(),
            guest=self.account_id is None,
            now=now,
            today=local_day(now),
            **context,
        )
        return private(make_response(page, status))

    def _back(self) -> ResponseReturnValue:
        return redirect(self.ways()["show"], 303)


def _minimum(order: OrderView) -> Money:
    """Below which a guest's order does not go; it may have been less before."""
    return min(get_rules(db.session()).guest_minimum, order.subtotal)


def private(response: Response) -> Response:
    """It is somebody's, though perhaps nobody is signed in."""
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Robots-Tag"] = "noindex"
    return response


def read_quantities(sent: MultiDict[str, str], order: OrderView, *, all_of_them: bool) -> Asked:
    """What was sent for each line; what is left out stays as it is, unless all of them are needed."""
    wanted, typed, faults = {}, {}, {}
    for ordered in order.lines:
        values = sent.getlist(f"quantite-{ordered.id}")
        if not values and not all_of_them:
            continue
        typed[ordered.id] = values[0] if values else ""
        try:
            [value] = values
            wanted[ordered.id] = _read_quantity(value.strip())
        except ValueError:
            faults[ordered.id] = Fault(Objection.UNREADABLE)
    return Asked(wanted, typed, faults)


def _read_total(sent: MultiDict[str, str]) -> Money | None:
    """The sum that the page has shown, in cents."""
    try:
        [value] = sent.getlist("total")
        return Money(_read_cents(value))
    except ValueError:
        return None


def _quantities(ordered: OrderLineView) -> list[int]:
    step = ordered.step if ordered.sale_unit is SaleUnit.WEIGHT and ordered.step else 1
    most = max(CHOICES, -(-ordered.quantity // step))
    return sorted({*range(0, (most + 1) * step, step), ordered.quantity})
