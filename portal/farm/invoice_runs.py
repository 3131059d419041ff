"""Billing a month: what it will come to, then the worker is asked to do it; and billing one person at once."""

from datetime import date
from math import ceil

from flask import flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal.billing import previews, runs
from portal.billing.charges import unbilled
from portal.billing.drafting import drafts_of
from portal.billing.issuing import issue
from portal.billing.previews import Anomaly
from portal.billing.settings import seller_lacks
from portal.farm import blueprint, staff
from portal.farm.invoices import OF_MONTH
from portal.farm.people import ADDRESS as PERSON
from portal.farm.people import account_or_404
from portal.infra import clock
from portal.infra.orm import db
from portal.rules.cutoffs import local_day
from portal.rules.invoicing import Refusal
from portal.rules.permissions import Permission
from portal.web.guards import needs
from portal.web.i18n import gettext as _

A_PAGE = 100


@blueprint.get(f"{OF_MONTH}/apercu")
@needs(Permission.BILL)
def invoice_preview(month: date) -> ResponseReturnValue:
    return _preview_page(month)


def _preview_page(month: date, status: int = 200) -> ResponseReturnValue:
    session, today = db.session(), local_day(clock.now())
    found = previews.preview(session, month, today)
    asked = request.args.get("anomalie", "")
    anomaly = Anomaly(asked) if asked in set(Anomaly) else None
    lines = [line for line in found.lines if anomaly is None or anomaly in line.anomalies]
    page = min(max(request.args.get("page", 1, type=int), 1), 9999) - 1
    shown = render_template(
        "farm/invoices/preview.html",
        month=month,
        preview=found,
        lines=lines[page * A_PAGE : (page + 1) * A_PAGE],
        count=len(lines),
        anomaly=anomaly,
        page=page,
        pages=max(1, ceil(len(lines) / A_PAGE)),
        missing=runs.missing(session, month, today),
        run=runs.latest(session, month),
        refused=status != 200,
        nav_current="farm.invoices",
    )
    return make_response(shown, status)


@blueprint.post(f"{OF_MONTH}/facturation")
@needs(Permission.BILL)
def bill_month(month: date) -> ResponseReturnValue:
    if runs.start(db.session(), month, at=clock.now(), by=staff().id) is None:
        return _preview_page(month, 422)
    return _to_month(month)


@blueprint.post(f"{OF_MONTH}/arret")
@needs(Permission.BILL)
def stop_billing(month: date) -> ResponseReturnValue:
    runs.stop(db.session(), month, at=clock.now(), by=staff().id)
    return _to_month(month)


def _to_month(month: date) -> ResponseReturnValue:
    return redirect(url_for("farm.invoice_month", month=month), 303)


@blueprint.get(f"{PERSON}/facturation")
@needs(Permission.BILL)
def billing_person(account_id: int) -> ResponseReturnValue:
    return _person_page(account_id)


@blueprint.post(f"{PERSON}/facturation")
@needs(Permission.BILL)
def bill_person(account_id: int) -> ResponseReturnValue:
    """What is delivered by today; pressed again there is nothing left."""
    account_or_404(account_id)
    made = issue(db.session(), account_id, through=local_day(clock.now()), by=staff().id)
    if isinstance(made, Refusal):
        return _person_page(account_id, made)
    if made is None:
        flash(_("Tout est déjà facturé."), "success")
        return redirect(url_for("farm.person", account_id=account_id), 303)
    flash(_("La facture %(number)s est faite ; elle part par mail.", number=made.number), "success")
    return redirect(url_for("farm.invoice", invoice_number=made.number), 303)


def _person_page(account_id: int, refusal: Refusal | None = None) -> ResponseReturnValue:
    session, today = db.session(), local_day(clock.now())
    charges = unbilled(session, [account_id], through=today)
    page = render_template(
        "farm/invoices/person.html",
        person=account_or_404(account_id),
        papers=drafts_of(session, charges).get(account_id, []),
        refusal=refusal,
        lacks=seller_lacks(session, today),
        nav_current="farm.people",
    )
    return make_response(page, 422 if refusal else 200)
