"""« Résilier votre contrat », reachable from every page and without an account (Code de la consommation, D215-1)."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any, cast

from flask import Response, abort, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from werkzeug.datastructures import MultiDict
from wtforms import Form, ValidationError
from wtforms.widgets import TextArea

from portal.accounts.acting import hands
from portal.accounts.limits import count_try
from portal.accounts.models import Account
from portal.infra import clock
from portal.infra.orm import db
from portal.infra.throttle import Limit
from portal.planning import terminations
from portal.planning.ending import Leave, foresee
from portal.planning.models import Termination
from portal.planning.papers import Notice, Receipt, words
from portal.planning.terminations import receipt, token, wished
from portal.public import blueprint
from portal.rules.cutoffs import local_day
from portal.rules.leaving import may_confirm
from portal.web.forms import ChosenMany, Typed, choices, email, line, paragraphs
from portal.web.forms import day as read_day
from portal.web.guards import own_hands_only, payer_only
from portal.web.i18n import gettext as _
from portal.web.i18n import lazy_gettext as _l
from portal.web.limits import client_address

OF_CLIENT = Limit("terminations of a client", 30, timedelta(hours=1))
RECEIPTS_TO_ADDRESS = Limit("termination receipts to an address", 6, timedelta(hours=1))
FARTHEST = timedelta(days=365)
"""As far as deliveries are known."""

Leaves = Mapping[int, Leave]


def _contact(text: str) -> str:
    """A mail address; what has several words and no @ is a postal one."""
    return cast(str, line(254)(text) if " " in text and "@" not in text else email(text))


class TerminationForm(Form):
    """What the law asks for, and nothing else; `subscriptions` where one's own are known, else a reference."""

    name = Typed(_l("Nom et prénom"), line(160), name="nom")
    contact = Typed(_l("Adresse e-mail"), _contact, name="adresse")
    subscriptions = ChosenMany(_l("Ce que vous résiliez"), name="abonnement")
    reference = Typed(_l("Votre contrat"), line(80), name="contrat")
    day = Typed(_l("Date souhaitée"), read_day, needed=False, name="jour")

    def __init__(self, account: Account | None, own: Leaves, sent: MultiDict[str, str] | None = None) -> None:
        known: dict[str, Any] = {}
        if account:
            known = {
                "name": account.full_name,
                "contact": account.email,
                "reference": account.customer_number,
            }
        super().__init__(data=known | {"subscriptions": list(own)})
        if own:
            del self.reference
            self.subscriptions.choices = choices((number, leave.what) for number, leave in own.items())
        else:
            del self.subscriptions
        if sent is not None:
            self.process(sent)

    def validate_day(self, field: Typed) -> None:
        today = local_day(clock.now())
        if field.data and not today <= field.data <= today + FARTHEST:
            raise ValidationError(
                field.says(_("entre aujourd'hui et dans un an, ou rien pour le plus tôt possible."))
            )


class ReasonForm(Form):
    reason = Typed(
        _l("Pourquoi partez-vous ?"), paragraphs(2000), needed=False, name="raison", widget=TextArea()
    )


def _account() -> Account | None:
    """Whose page it is, if somebody is signed in."""
    return cast(Account, current_user._get_current_object()) if current_user.is_authenticated else None


def _own(day: date | None = None) -> Leaves:
    now, account = clock.now(), _account()
    return foresee(db.session(), account.id, wished(day, now), now) if account else {}


def _notice(form: TerminationForm) -> Notice:
    account = _account()
    reference = form.reference.data if "reference" in form else cast(Account, account).customer_number
    return Notice(form.name.data, form.contact.data, reference, form.day.data)


@blueprint.get("/resilier")
@payer_only
def termination() -> ResponseReturnValue:
    return _form_page(TerminationForm(_account(), _own()))


@blueprint.post("/resilier")
@payer_only
def sum_up_termination() -> ResponseReturnValue:
    """What it comes to, before it is notified; nothing is kept. « Modifier » leads back with all that was typed."""
    form = TerminationForm(_account(), _own(), request.form)
    if not form.validate():
        return _form_page(form, 422)
    return _form_page(form) if "modifier" in request.form else _summary(form)


@blueprint.post("/resilier/notification")
@payer_only
def notify_termination() -> ResponseReturnValue:
    session, account = db.session(), _account()
    form = TerminationForm(account, _own(), request.form)
    if account and (known := terminations.notified(session, account.id, _sent())):
        return redirect(_receipt_way(known, owner=True), 303)  # in another tab: they are no choice any more
    if not form.validate():
        return _form_page(form, 422)
    notice = _notice(form)
    counts = count_try(
        (OF_CLIENT, client_address()), (RECEIPTS_TO_ADDRESS, notice.contact.casefold()), now=clock.now()
    )
    if any(count.exceeded for count in counts):
        return _form_page(form, 429, busy=True)
    if account is None or "subscriptions" not in form:
        row = terminations.notify(session, notice, at=clock.now())
        return redirect(_receipt_way(row, owner=False), 303)
    expected = _expected(form.subscriptions.data)
    outcome = terminations.notify_and_end(session, account, notice, expected, by=hands() or account)
    if outcome is None:
        abort(404)
    if not isinstance(outcome, Termination):
        return _summary(form, 422, moved=True)
    return redirect(_receipt_way(outcome, owner=True), 303)


def _sent() -> list[int]:
    return [
        int(typed) for typed in request.form.getlist("abonnement") if typed.isdecimal() and len(typed) < 10
    ]


def _expected(chosen: list[int]) -> dict[int, date]:
    """The last days that were seen; what does not say one expects none that there is."""
    expected = {}
    for number in chosen:
        try:
            [typed] = request.form.getlist(f"fin-{number}")
            expected[number] = read_day(typed)
        except ValueError:
            expected[number] = date.min
    return expected


def _form_page(form: TerminationForm, status: int = 200, **context: Any) -> ResponseReturnValue:
    page = render_template("public/termination/form.html", form=form, today=local_day(clock.now()), **context)
    return page, status


def _summary(form: TerminationForm, status: int = 200, **context: Any) -> Response:
    own = _own(form.day.data)
    chosen = {n: leave for n, leave in own.items() if n in form.subscriptions.data} if own else {}
    page = render_template(
        "public/termination/summary.html",
        form=form,
        notice=_notice(form),
        leaves=chosen,
        words=words,
        **context,
    )
    return _private(page, status)


def _receipt_way(row: Termination, *, owner: bool) -> str:
    return url_for("public.termination_receipt", termination_token=token(row.id, owner=owner))


def _found(termination_token: str) -> tuple[Termination, bool]:
    known = terminations.read_token(termination_token) or abort(404)
    row = db.session().get(Termination, known[0]) or abort(404)
    return row, known[1]


@blueprint.get("/resilier/recu/<termination_token>")
def termination_receipt(termination_token: str) -> ResponseReturnValue:
    row, owner = _found(termination_token)
    return _receipt_page(receipt(row), owner, termination_token)


@blueprint.post("/resilier/recu/<termination_token>/raison")
def give_reason(termination_token: str) -> ResponseReturnValue:
    row, owner = _found(termination_token)
    if not (owner and row.confirmed_at):
        abort(404)
    form = ReasonForm(request.form)
    if not form.validate():
        return _receipt_page(receipt(row), owner, termination_token, 422, form=form)
    terminations.give_reason(db.session(), row.id, form.reason.data)
    flash(_("Merci de nous l'avoir dit."), "success")
    return redirect(url_for("public.termination_receipt", termination_token=termination_token), 303)


def _receipt_page(
    found: Receipt, owner: bool, way: str, status: int = 200, form: ReasonForm | None = None
) -> Response:
    page = render_template(
        "public/termination/receipt.html",
        receipt=found,
        leaves=found.leaves if owner else (),
        asked=owner and found.confirmed_at,
        form=form or ReasonForm(data={"reason": found.reason}),
        way=way,
        words=words,
    )
    return _private(page, status)


@blueprint.get("/lien/resiliation/<termination_token>")
@own_hands_only
def confirm_termination(termination_token: str) -> ResponseReturnValue:
    """Looking changes nothing: mail scanners open links too."""
    row, owner = _found(termination_token)
    if not owner or row.account_id is None:
        abort(404)
    if row.confirmed_at:
        return redirect(_receipt_way(row, owner=True), 303)
    return _confirm_page(row)


@blueprint.post("/lien/resiliation/<termination_token>")
@own_hands_only
def confirm_termination_now(termination_token: str) -> ResponseReturnValue:
    row, owner = _found(termination_token)
    if not owner or row.account_id is None:
        abort(404)
    leaves = _leaves_of(row)
    chosen = [number for number in leaves if str(number) in request.form.getlist("abonnement")]
    if not chosen and not row.confirmed_at:
        return _confirm_page(row, 422, nothing=True)
    outcome = terminations.confirm(db.session(), row.id, _expected(chosen))
    if outcome is None:
        return _confirm_page(row, 422)
    if not isinstance(outcome, Termination):
        return _confirm_page(row, 422, moved=True)
    return redirect(_receipt_way(outcome, owner=True), 303)


def _leaves_of(row: Termination) -> Leaves:
    now = clock.now()
    return foresee(db.session(), cast(int, row.account_id), wished(row.wished_day, now), now)


def _confirm_page(row: Termination, status: int = 200, **context: Any) -> Response:
    if not may_confirm(row.notified_at, clock.now()):
        return _private(render_template("public/link_expired.html"), 410)
    page = render_template(
        "public/termination/confirm.html",
        receipt=receipt(row),
        leaves=_leaves_of(row),
        words=words,
        **context,
    )
    return _private(page, status)


def _private(page: str, status: int) -> Response:
    response = make_response(page, status)
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Robots-Tag"] = "noindex"
    return response
