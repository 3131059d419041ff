"""Becoming a subscriber, a question a page: formula, pickup point, deliveries, account, summary.

What is chosen is kept from page to page, and through a registration; nothing is ordered before the last button.
"""

from dataclasses import asdict, replace
from datetime import datetime
from typing import Any

from flask import flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal.accounts import acting
from portal.accounts.addresses import (
    AddressView,
    KeptAddress,
    address_book,
    keep_billing_address,
    offered,
)
from portal.accounts.models import Account
from portal.billing import mandates
from portal.infra import audit, clock
from portal.infra.orm import db
from portal.planning.drafts import Choice
from portal.planning.joining import Joining, JoiningPreview, preview_joining
from portal.planning.subscribing import subscribe
from portal.planning.terms import Answer
from portal.profile.queries import has_conditions
from portal.public import blueprint
from portal.public.choosing import (
    AT_ONCE,
    NOTHING,
    DeliveriesForm,
    FormulaForm,
    OrderForm,
    Stall,
    own_account,
    own_choice,
    stall,
)
from portal.public.points import chooser
from portal.rules.calendar import Rhythm
from portal.rules.changes import Refusal
from portal.rules.paying import PaymentMeans
from portal.rules.pricing import monthly
from portal.web.filters import day as day_words
from portal.web.guards import payer_only
from portal.web.i18n import gettext as _

ADDRESS = "/abonnement/nouveau"


@blueprint.route(ADDRESS, methods=["GET", "POST"])
@payer_only
def join() -> ResponseReturnValue:
    """Which formula; pages that show one, or a pickup point, lead here with its name."""
    session = db.session()
    found = _led(stall(session))
    if request.method != "POST":
        open_ = has_conditions(session)
        return _step("public/joining/formula.html", found, form=FormulaForm(None, found), open=open_)
    form = FormulaForm(request.form, found)
    if not form.validate():
        return _step("public/joining/formula.html", found, 422, form=form, open=True)
    beside = form.beside.data if form.beside else NOTHING
    return _go_on(
        replace(
            found.choice,
            formula_id=form.formula.data,
            quantity=form.quantity.data,
            beside_id=beside or None,
        )
    )


def _led(found: Stall) -> Stall:
    slugs = {item.formula.slug: item.formula.id for item in found.formulas}
    points = {point.slug: point.id for point in found.points}
    choice = replace(
        found.choice,
        formula_id=slugs.get(request.args.get("formule", ""), found.choice.formula_id),
        point_id=points.get(request.args.get("point", ""), found.choice.point_id),
    )
    return replace(found, choice=choice)


@blueprint.route(f"{ADDRESS}/point-de-retrait", methods=["GET", "POST"])
@payer_only
def join_point() -> ResponseReturnValue:
    found = stall(db.session())
    if found.formula is None:
        return redirect(url_for("public.join"), 303)
    if request.method == "POST":
        wanted = request.form.getlist("point")
        point = next((point for point in found.points if [str(point.id)] == wanted), None)
        if point and found.offers(point):
            return _go_on(replace(found.choice, point_id=point.id))
    refused = request.method == "POST"
    status = 422 if refused else 200
    return chooser("public/joining/point.html", status=status, stall=found, refused=refused)


@blueprint.route(f"{ADDRESS}/livraisons", methods=["GET", "POST"])
@payer_only
def join_deliveries() -> ResponseReturnValue:
    """How often, and from when: said by the dates of the point that is chosen."""
    found = stall(db.session())
    if found.wanted is None:
        return redirect(url_for(found.lacking or "public.join"), 303)
    weekly = replace(found, choice=replace(found.choice, rhythm=Rhythm.WEEKLY, since=None))
    preview = _preview(weekly, clock.now())
    form = DeliveriesForm(request.form if request.method == "POST" else None, found.choice, preview.starts)
    if request.method == "POST" and form.validate() and not preview.refusal:
        since = None if form.since.data == AT_ONCE else form.since.data
        return _go_on(replace(found.choice, rhythm=Rhythm(form.rhythm.data), since=since))
    status = 422 if request.method == "POST" else 200
    return _step(
        "public/joining/deliveries.html", found, status, form=form, preview=preview, rhythms=list(Rhythm)
    )


@blueprint.get(f"{ADDRESS}/compte")
@payer_only
def join_account() -> ResponseReturnValue:
    """Who has no account makes one, or signs in, and goes on with what was chosen."""
    found = stall(db.session())
    if found.lacking != "public.join_account":
        return redirect(url_for(found.lacking or "public.join_summary"), 303)
    return _step("public/joining/account.html", found, here=url_for("public.join_summary"))


@blueprint.route(f"{ADDRESS}/recapitulatif", methods=["GET", "POST"])
@payer_only
def join_summary() -> ResponseReturnValue:
    """What is about to be ordered; the button orders just that."""
    found, account = stall(db.session()), own_account()
    if request.method == "POST" and account and found.choice == Choice():
        return redirect(url_for("member.subscriptions"), 303)  # the same form again: what it chose is ordered
    if found.lacking or account is None:
        return redirect(url_for(found.lacking or "public.join_account"), 303)
    if request.method == "POST":
        return _order(found, account)
    book = address_book(db.session(), account.id)
    form = OrderForm(None, data=_known(account, book), debits=_collects())
    return _summary_page(found, form, book)


def _collects() -> bool:
    return mandates.creditor(db.session()) is not None


def _known(account: Account, book: list[KeptAddress]) -> dict[str, Any]:
    """What was given before."""
    kept = offered(book, request.args.get("adresse"))
    known = asdict(kept.address) if kept else {"name": account.full_name}
    return {**known, "phone": account.phone, "means": account.payment_means}


def _order(found: Stall, account: Account) -> ResponseReturnValue:
    form, wanted, session = OrderForm(request.form, debits=_collects()), found.wanted, db.session()
    assert wanted is not None
    if not form.validate():
        return _summary_page(found, form, address_book(session, account.id), 422)
    by = acting.hands() or account
    _remember(account, form, by, clock.now())
    outcome = subscribe(
        session,
        account,
        wanted,
        request.form.get("vu", ""),
        beside=found.wanted_beside,
        since=found.choice.since,
        by=by,
    )
    if isinstance(outcome, Refusal) or outcome is Answer.OTHERWISE:
        return _summary_page(found, form, address_book(session, account.id), 422, refusal=outcome)
    own_choice().forget()
    if isinstance(outcome, Joining):
        first, mailed = day_words(outcome.boxes[0].delivery.day), acting.mailed()
        said = _("C'est fait : %(what)s, premier panier le %(day)s.", what=outcome.label, day=first)
        flash(f"{said} {mailed}", "success")
    else:
        flash(_("C'était déjà fait : vous avez cet abonnement."), "success")
    return redirect(url_for(_next(account)), 303)


def _next(account: Account) -> str:
    """To the mandate, where one is still to be signed; nobody signs it in their place."""
    if not mandates.awaits_signature(db.session(), account):
        return "member.subscriptions"
    if acting.hands() is None:
        return "member.mandate"
    flash(_("Il lui reste à signer le mandat de prélèvement : c'est demandé à sa prochaine visite."), "info")
    return "member.subscriptions"


def _remember(account: Account, form: OrderForm, by: Account, at: datetime) -> None:
    """What is asked once is there the next time, and stands in the contract."""
    values = {"phone": form.phone.data, "payment_means": PaymentMeans(form.means.data)}
    audit.change(db.session(), account, values, at=at, by=by.id, unsaid={"phone"})
    address = AddressView(form.name.data, form.street.data, form.postcode.data, form.town.data)
    keep_billing_address(db.session(), account.id, address, at=at, by=by.id)


def _summary_page(
    found: Stall,
    form: OrderForm,
    book: list[KeptAddress],
    status: int = 200,
    refusal: Refusal | Answer | None = None,
) -> ResponseReturnValue:
    preview = _preview(found, clock.now())
    joining = preview.joining
    return _step(
        "public/joining/summary.html",
        found,
        status,
        form=form,
        book=book,
        preview=preview,
        joining=joining,
        month=monthly(joining.total, joining.wanted.rhythm) if joining else None,
        refusal=refusal,
        collects=_collects(),
    )


def _preview(found: Stall, now: datetime) -> JoiningPreview:
    assert found.wanted is not None
    account = own_account()
    return preview_joining(
        db.session(),
        found.wanted,
        now,
        beside=found.wanted_beside,
        since=found.choice.since,
        account_id=account.id if account else None,
        by_farm=acting.hands() is not None,
    )


def _go_on(choice: Choice) -> ResponseReturnValue:
    """To the first page whose question is still open."""
    own_choice().save(choice, clock.now())
    found = stall(db.session(), choice)
    return redirect(url_for(found.lacking or "public.join_summary"), 303)


def _step(template: str, found: Stall, status: int = 200, **context: Any) -> ResponseReturnValue:
    page = render_template(template, stall=found, **context)
    return make_response(page, status)
