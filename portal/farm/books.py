"""Somebody's account with the farm; the ledger, its closings, and taking it away."""

from datetime import date
from typing import Any

from flask import abort, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import UnprocessableEntity
from wtforms.widgets import TextArea

from portal.accounts.models import Account
from portal.billing import archive, checking, closings, debits, ledger, payments
from portal.billing.balances import books_of_payer
from portal.billing.payers import Payer, customer_for, find_payer
from portal.billing.payments import Refusal
from portal.farm import blueprint, staff
from portal.farm.downloads import download
from portal.farm.payments import MoneyForm, PaymentForm, new_key, standing_words
from portal.infra import clock
from portal.infra.orm import db
from portal.rules.cutoffs import local_day
from portal.rules.money import Money
from portal.rules.permissions import Permission
from portal.web.filters import money
from portal.web.forms import Typed, prose, whole
from portal.web.guards import needs
from portal.web.i18n import gettext as _
from portal.web.i18n import lazy_gettext as _l
from portal.web.transaction import reads_only

ADDRESS = "/reglements/compte/<payer>"
_read_year = whole(2000, 2999)


class RefundForm(PaymentForm):
    reason = Typed(_l("Pourquoi ?"), prose(300), widget=TextArea())


class WriteOffForm(MoneyForm):
    reason = Typed(_l("Pourquoi ?"), prose(300), widget=TextArea())


@blueprint.get(ADDRESS)
@needs(Permission.READ_BILLS)
def payer_account(payer: str) -> ResponseReturnValue:
    return _page(_payer_or_404(payer))


@blueprint.post(f"{ADDRESS}/remboursement")
@needs(Permission.BILL)
def refund_payer(payer: str) -> ResponseReturnValue:
    session, found, form = db.session(), _payer_or_404(payer), RefundForm(request.form, prefix="rendu-")
    if not form.validate():
        return _page(found, refund=form)
    given = form.payment(customer_for(session, found).id)
    entered = payments.refund(session, given, reason=form.reason.data, at=clock.now(), by=staff().id)
    if isinstance(entered, Refusal):
        form.refuse(entered)
        return _page(found, refund=form)
    return _done(found, _("%(amount)s rendus à %(name)s.", amount=money(form.amount.data), name=found.name))


@blueprint.post(f"{ADDRESS}/abandon")
@needs(Permission.BILL)
def write_off_debt(payer: str) -> ResponseReturnValue:
    session, found, form = db.session(), _payer_or_404(payer), WriteOffForm(request.form, prefix="abandon-")
    if not form.validate():
        return _page(found, write_off=form)
    entered = payments.write_off(
        session,
        customer_for(session, found).id,
        form.amount.data,
        day=form.day.data,
        reason=form.reason.data,
        key=form.key.data,
        at=clock.now(),
        by=staff().id,
    )
    if isinstance(entered, Refusal):
        form.refuse(entered)
        return _page(found, write_off=form)
    said = _("%(amount)s ne sont plus demandés à %(name)s.", amount=money(form.amount.data), name=found.name)
    return _done(found, said)


@blueprint.post(f"{ADDRESS}/prelevement")
@needs(Permission.COLLECT)
def collect_open(payer: str) -> ResponseReturnValue:
    """What was billed before they signed; sent twice it is announced once."""
    session, found = db.session(), _payer_or_404(payer)
    account = session.get(Account, found.account_id) if found.account_id else None
    debits.announce_open(session, account or abort(404), at=clock.now(), by=staff().id)
    flash(_("C'est annoncé ; la personne l'apprend par mail."), "success")
    return redirect(url_for("farm.payer_account", payer=payer), 303)


def _payer_or_404(number: str) -> Payer:
    return find_payer(db.session(), number) or abort(404)


def _done(payer: Payer, said: str) -> ResponseReturnValue:
    flash(f"{said} {standing_words(payer)}", "success")
    return redirect(url_for("farm.payer_account", payer=payer.number), 303)


def _page(
    payer: Payer, refund: RefundForm | None = None, write_off: WriteOffForm | None = None
) -> ResponseReturnValue:
    session, now = db.session(), clock.now()
    books, today = books_of_payer(session, payer.account_id, payer.order_id), local_day(now)
    account = session.get(Account, payer.account_id) if payer.account_id else None
    open_ = debits.collectable(session, account) if account else []
    page = render_template(
        "farm/payments/account.html",
        payer=payer,
        books=books,
        refund=refund or RefundForm(prefix="rendu-", data=_proposed(books.credit, today)),
        write_off=write_off or WriteOffForm(prefix="abandon-", data=_proposed(books.balance, today)),
        today=today,
        collectable=sum((invoice.open for invoice in open_), Money.zero()),
        collected_on=debits.next_day(session, now),
        nav_current="farm.people" if payer.account_id else "farm.orders",
    )
    return make_response(page, 422 if refund or write_off else 200)


def _proposed(amount: Money, today: date) -> dict[str, Any]:
    return {"key": new_key(), "amount": amount, "day": today}


@blueprint.get("/reglements/journal")
@needs(Permission.READ_BILLS)
def books() -> ResponseReturnValue:
    """The closings; with ?verifier, what came after the last is read; with ?clore, one is asked about once more."""
    session, today = db.session(), local_day(clock.now())
    closable = closings.closable(session, today)
    made = closings.closings(session)
    return render_template(
        "farm/payments/books.html",
        verdict=checking.verify(session, whole=False) if "verifier" in request.args else None,
        closings=made,
        closable=closable,
        asks="clore" in request.args,
        opens=ledger.first_open_day(session),
        years=ledger.years(session),
        nav_current="farm.index",
    )


@blueprint.post("/reglements/journal/cloture")
@needs(Permission.BILL)
def close_month() -> ResponseReturnValue:
    try:
        month = date.fromisoformat(f"{request.form.get('mois', '')}-01")
    except ValueError:
        raise UnprocessableEntity from None
    made = closings.close(db.session(), month, at=clock.now(), by=staff().id)
    if made is closings.Refusal.NOT_OVER:
        raise UnprocessableEntity
    flash(_("C'est clos. Plus rien ne s'y note."), "success")
    return redirect(url_for("farm.books"), 303)


@blueprint.post("/reglements/journal/export")
@needs(Permission.BILL)
@reads_only
def export_books() -> ResponseReturnValue:
    try:
        year = _read_year(request.args.get("annee", ""))
    except ValueError:
        year = None
    name = _("journal-%(year)s", year=year) if year else _("journal-des-factures")
    return download(name, archive.columns(), archive.entries_of(db.session(), year))
