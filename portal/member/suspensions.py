"""Suspending a range of days: seen first, then confirmed; and ending it early."""

from dataclasses import dataclass
from datetime import date, timedelta
from html import unescape

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict

from portal.boxes.queries import with_changes
from portal.infra import clock
from portal.infra.orm import db
from portal.member import blueprint, hands, holder
from portal.member.forms import read_aboard, read_day, read_ids
from portal.member.planning import ask_about_orders
from portal.planning import suspensions
from portal.planning.overview import is_live
from portal.planning.suspensions import Outcome, Preview
from portal.rules.cutoffs import local_day
from portal.rules.planning import term_in_force
from portal.shop.queries import orders_between
from portal.shop.views import OrderView
from portal.subscriptions.queries import Holding, of_account
from portal.web.filters import day as day_words
from portal.web.htmx import is_htmx
from portal.web.i18n import gettext as _

LONGEST = timedelta(days=366)
"""As far as deliveries are known."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What was typed, what it means, and what is wrong with it, by field."""

    first_text: str
    last_text: str
    first: date | None
    last: date | None
    chosen: tuple[int, ...]
    errors: dict[str, str]

    @property
    def days(self) -> tuple[date, date] | None:
        """The range, once nothing is wrong with it."""
        return (self.first, self.last) if self.first and self.last and not self.errors else None


def _read(fields: MultiDict[str, str], today: date) -> Asked:
    """The range and the subscriptions that a form names; a first day gone by is today."""
    texts = {name: fields.get(name, "").strip() for name in ("du", "au")}
    days = {name: read_day(fields, name) for name in texts}
    errors = {}
    if days["du"] is None:
        errors["du"] = _("Indiquez le premier jour sans panier.")
    if days["au"] is None:
        errors["au"] = _("Indiquez le dernier jour sans panier.")
    first, last = days["du"], days["au"]
    if first and last and not errors:
        if last < max(first, today):
            errors["au"] = _("Le dernier jour doit suivre le premier, et ne pas être passé.")
        elif last > today + LONGEST:
            errors["au"] = _("Une suspension peut aller jusqu'à un an d'ici.")
        first = max(first, today)
    chosen = tuple(read_ids(fields, "abonnement"))
    if not chosen:
        errors["abonnement"] = _("Cochez au moins un abonnement.")
    return Asked(texts["du"], texts["au"], first, last, chosen, errors)


@blueprint.get("/planning/suspension")
def suspension() -> ResponseReturnValue:
    """The form; with a range, what it would come to: a GET, so that nothing is written before it is seen."""
    today = local_day(clock.now())
    asked = _read(request.args, today) if "du" in request.args else None
    return _page(asked)


def _page(asked: Asked | None, status: int = 200) -> ResponseReturnValue:
    session, now = db.session(), clock.now()
    today = local_day(now)
    live = [holding for holding in of_account(session, holder().id) if is_live(holding, today)]
    holdings = with_changes(session, live, today.replace(day=1))
    preview: Preview | None = None
    aboard: list[OrderView] = []
    if asked and asked.days:
        if not set(asked.chosen) <= {holding.id for holding in holdings}:
            abort(404)
        first, last = asked.days
        preview = suspensions.preview(session, holdings, asked.chosen, first=first, last=last, now=now)
        away = {box.delivery.id for line in preview.lines for box in line.suspended}
        ordered = orders_between(session, holder().id, first, last)
        aboard = [order for order in ordered if order.with_box and order.delivery.id in away]
    fragment = is_htmx() and request.method == "GET"
    template = "member/suspensions/_preview.html" if fragment else "member/suspensions/page.html"
    page = render_template(
        template,
        asked=asked,
        preview=preview,
        aboard=aboard,
        choices=[(holding.id, _name(holding, today)) for holding in holdings],
        today=today,
        longest=today + LONGEST,
    )
    return page, status


def _name(holding: Holding, today: date) -> str:
    term = term_in_force(holding.plan.terms, today) or holding.plan.terms[0]
    name = f"{holding.formulas[term.formula_id].name}, {holding.points[term.point_id].name}"
    return f"{term.quantity}\u00a0× {name}" if term.quantity > 1 else name


@blueprint.post("/planning/suspension")
def suspend() -> ResponseReturnValue:
    asked = _read(request.form, local_day(clock.now()))
    if asked.days is None:
        return _page(asked, 422)
    first, last = asked.days
    orders = read_aboard(request.form)
    outcome = suspensions.suspend(
        db.session(), holder(), asked.chosen, first, last, by=hands(), orders=orders
    )
    if outcome is None:
        abort(404)
    if outcome.orders.question:
        back = url_for("member.suspension", du=first, au=last, abonnement=asked.chosen)
        what = _("Suspension du %(first)s au %(last)s", first=day_words(first), last=day_words(last))
        return ask_about_orders(outcome.orders.question, back, what)
    if outcome.refusal:
        return _page(asked, 422)
    return _done("suspended", outcome, first=first, last=last)


@blueprint.post("/planning/suspension/fin")
def resume() -> ResponseReturnValue:
    asked = read_ids(request.form, "suspension")
    if not asked:
        abort(404)
    outcome = suspensions.resume(db.session(), holder(), asked, by=hands())
    if outcome is None:
        abort(404)
    return _done("resumed", outcome)


def _done(act: str, outcome: Outcome, **context: object) -> ResponseReturnValue:
    said = render_template("member/suspensions/_said.txt", act=act, outcome=outcome, **context)
    flash(unescape(said).strip(), "success")  # the page escapes it
    return redirect(url_for("member.planning"), 303)
