"""Invoices at the desk: a month at a glance, finding one, and all that there is about it."""

from datetime import date
from io import BytesIO
from math import ceil
from typing import Any

from flask import abort, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from wtforms import Form

from portal.billing import credits, files, months, queries, runs
from portal.billing.explaining import explain
from portal.billing.models import Invoice
from portal.billing.months import LONGEST, Wanted, Wished
from portal.billing.papers import e_invoice_name, file_name
from portal.billing.queries import InvoiceView
from portal.deliveries.models import Delivery
from portal.farm import blueprint, staff
from portal.farm.downloads import attachment
from portal.infra import audit, clock
from portal.infra.orm import db
from portal.infra.pdf import CONTENT_TYPE
from portal.rules.cutoffs import local_day
from portal.rules.invoicing import Refusal, month_of, previous_month
from portal.rules.permissions import Permission
from portal.web.doubles import arrived_before
from portal.web.filters import day_month, money
from portal.web.forms import Chosen, Typed, choices, euros, prose, write_euros
from portal.web.guards import needs
from portal.web.htmx import is_htmx
from portal.web.i18n import gettext as _
from portal.web.i18n import lazy_gettext as _l

OF_MONTH = "/factures/<month:month>"
ADDRESS = "/factures/<invoice_number>"
A_PAGE = 50
WHOLE = 0
"""In place of a line's id."""


class ReasonForm(Form):
    reason = Typed(_l("Raison"), prose(300))


class CancelForm(ReasonForm):
    """An invoice is taken back whole."""

    rebill = Chosen(_l("Ensuite"))

    def process(self, *args: Any, **values: Any) -> None:
        self.rebill.choices = choices(
            [
                (False, _("ne plus jamais facturer ce qui y est")),
                (True, _("facturer de nouveau ce qui y est, une fois corrigé")),
            ]
        )
        super().process(*args, **values)


class GestureForm(ReasonForm):
    """Something is taken off a line, or off all of it."""

    line = Chosen(_l("Sur"))
    amount = Typed(_l("Montant TTC du geste"), euros(1, 9_999_99), write=write_euros)

    def __init__(self, formdata: Any, view: InvoiceView) -> None:
        lines = [
            (
                line.id,
                _(
                    "%(what)s du %(day)s, %(total)s",
                    what=line.label,
                    day=day_month(line.day),
                    total=money(line.total),
                ),
            )
            for line in view.lines
            if line.total.cents > 0
        ]
        self.offered = choices([(WHOLE, _("toute la facture")), *lines])
        super().__init__(formdata, line=WHOLE)

    @property
    def line_name(self) -> str:
        return next(str(choice.label) for choice in self.offered if choice.value == self.line.data)

    def process(self, *args: Any, **values: Any) -> None:
        self.line.choices = self.offered
        super().process(*args, **values)


@blueprint.get("/factures")
@needs(Permission.READ_BILLS)
def invoices() -> ResponseReturnValue:
    """The last whole month; or the invoices that one looks for."""
    wanted = wanted_invoices()
    if wanted:
        return _found_page(wanted)
    return _month_page(previous_month(local_day(clock.now())))


@blueprint.get(OF_MONTH)
@needs(Permission.READ_BILLS)
def invoice_month(month: date) -> ResponseReturnValue:
    """The page; as an answer to HTMX, how far its run is, and all of it anew once that is over."""
    if is_htmx() and (view := runs.latest(db.session(), month)):
        if not view.working:
            return make_response("", {"HX-Refresh": "true"})
        return render_template("farm/invoices/_run.html", month=month, run=view)
    return _month_page(month)


def _month_page(month: date) -> ResponseReturnValue:
    session, today = db.session(), local_day(clock.now())
    return render_template(
        "farm/invoices/month.html",
        month=month,
        now=month_of(today),
        glance=months.glance(session, month, today),
        run=runs.latest(session, month),
        missing=runs.missing(session, month, today),
        failed_files=files.failed_files(session),
        delivered=runs.delivered(session, month, today),
        billed=months.billed_months(session),
        wished=Wished,
        longest=LONGEST,
        nav_current="farm.invoices",
    )


def wanted_invoices() -> Wanted:
    """What cannot be meant narrows nothing."""
    state, rate = request.args.get("etat", ""), request.args.get("taux", "")
    return Wanted(
        text=" ".join(request.args.get("q", "").split())[:LONGEST],
        state=Wished(state) if state in set(Wished) else None,
        month=_month(request.args.get("mois", "")),
        vat_basis_points=int(rate) if rate.isascii() and rate.isdecimal() and len(rate) < 5 else None,
        everything=request.args.get("toutes") == "oui",
    )


def _month(text: str) -> date | None:
    try:
        return date.fromisoformat(f"{text}-01") if len(text) == len("2026-01") else None
    except ValueError:
        return None


def _found_page(wanted: Wanted) -> ResponseReturnValue:
    page = max(request.args.get("page", 1, type=int), 1) - 1
    found = months.find_invoices(
        db.session(), wanted, local_day(clock.now()), page=min(page, 9999), size=A_PAGE
    )
    return render_template(
        "farm/invoices/list.html",
        found=found,
        wanted=wanted,
        asked={
            name: request.args[name]
            for name in ("q", "etat", "mois", "taux", "toutes")
            if request.args.get(name)
        },
        page=page,
        pages=max(1, ceil(found.count / A_PAGE)),
        wished=Wished,
        longest=LONGEST,
        months=months.billed_months(db.session()),
        nav_current="farm.invoices",
    )


@blueprint.get(ADDRESS)
@needs(Permission.READ_BILLS)
def invoice(invoice_number: str) -> ResponseReturnValue:
    session, view = db.session(), _invoice_or_404(invoice_number)
    ids = {line.delivery_id for line in view.lines if line.delivery_id}
    deliveries = session.scalars(select(Delivery).where(Delivery.id.in_(ids)))
    return render_template(
        "farm/invoices/page.html",
        invoice=view,
        told=explain(session, view),
        standing=months.standing_of(session, view, local_day(clock.now())),
        deliveries={delivery.id: delivery for delivery in deliveries},
        credit_notes=months.credit_notes_of(session, view.id),
        may=staff().may,
        nav_current="farm.invoices",
    )


@blueprint.get(f"{ADDRESS}.pdf")
@needs(Permission.READ_BILLS)
def invoice_file(invoice_number: str) -> ResponseReturnValue:
    view = _invoice_or_404(invoice_number)
    data = files.file_of(db.session(), view.id) or abort(404)
    return attachment(BytesIO(data), file_name(view.number, view.kind), CONTENT_TYPE)


@blueprint.get(f"{ADDRESS}.xml")
@needs(Permission.READ_BILLS)
def e_invoice(invoice_number: str) -> ResponseReturnValue:
    """The Factur-X alone, for a company's programs."""
    view = _invoice_or_404(invoice_number)
    data = files.e_invoice_of(db.session(), view.id) if view.electronic else None
    return attachment(BytesIO(data or abort(404)), e_invoice_name(view.number), "application/xml")


@blueprint.post("/factures/pdf/reprise")
@needs(Permission.BILL)
def remake_files() -> ResponseReturnValue:
    """Have the worker make those that failed; what is made stays."""
    session, at = db.session(), clock.now()
    if count := files.try_again(session, at):
        audit.record(
            session, "invoice_file.retry", ("invoice_file", 0), at=at, by=staff().id, after={"files": count}
        )
    flash(_("Les PDF se préparent."), "success")
    return redirect(url_for("farm.invoices"), 303)


@blueprint.get(f"{ADDRESS}/avoir")
@needs(Permission.BILL)
def crediting(invoice_number: str) -> ResponseReturnValue:
    return _credit_page(_creditable_or_404(invoice_number), CancelForm(rebill=False))


@blueprint.post(f"{ADDRESS}/avoir")
@needs(Permission.BILL)
def credit_invoice(invoice_number: str) -> ResponseReturnValue:
    view, form = _creditable_or_404(invoice_number), CancelForm(request.form)
    if not form.validate():
        return _credit_page(view, form, 422)
    again = form.rebill.data
    made = credits.cancel(db.session(), view.id, form.reason.data, rebill=again, by=staff().id)
    return _credited(
        view, form, made, _("Ce qui est à refacturer vient avec la prochaine facture.") if again else ""
    )


@blueprint.get(f"{ADDRESS}/geste")
@needs(Permission.BILL)
def gesture(invoice_number: str) -> ResponseReturnValue:
    view = _creditable_or_404(invoice_number)
    return _credit_page(view, GestureForm(None, view))


@blueprint.post(f"{ADDRESS}/geste")
@needs(Permission.BILL)
def make_gesture(invoice_number: str) -> ResponseReturnValue:
    """Shown as it will be before it is issued: nothing takes it back."""
    view = _creditable_or_404(invoice_number)
    form = GestureForm(request.form, view)
    if not form.validate():
        return _credit_page(view, form, 422)
    line_id, act = form.line.data or None, request.form.get("act")
    left = credits.left_of(db.session(), view.id, line_id)
    if form.amount.data > left:
        form.amount.errors = [form.amount.says(_("il n'en reste que %(left)s.", left=money(left)))]
        return _credit_page(view, form, 422)
    if act != "issue":
        return _credit_page(view, form, sure=act == "look")
    if arrived_before():
        return _to(view.number)
    made = credits.gesture(
        db.session(), view.id, form.amount.data, form.reason.data, line_id=line_id, by=staff().id
    )
    return _credited(view, form, made)


def _credited(
    view: InvoiceView, form: ReasonForm, made: Invoice | Refusal | None, more: str = ""
) -> ResponseReturnValue:
    if isinstance(made, Refusal):
        return _credit_page(view, form, 422, refusal=made)
    if made is None:
        flash(_("Il ne reste rien à rendre de cette facture."), "warning")
        return _to(view.number)
    said = _("L'avoir %(number)s est fait ; il part par mail.", number=made.number)
    flash(f"{said} {more}".strip(), "success")
    now = months.standing_of(db.session(), view, local_day(clock.now()))
    if now.debit and (over := now.debit.too_much(now.open)).cents:
        day, amount = day_month(now.debit.collected_on), money(now.debit.amount)
        flash(
            _(
                "Le prélèvement du %(day)s, déjà à la banque, prendra %(amount)s : %(over)s de trop "
                "resteront à son crédit.",
                day=day,
                amount=amount,
                over=money(over),
            ),
            "info",
        )
    return _to(made.number)


def _credit_page(view: InvoiceView, form: ReasonForm, status: int = 200, **more: Any) -> ResponseReturnValue:
    notes = months.credit_notes_of(db.session(), view.id)
    page = render_template(
        "farm/invoices/credit.html",
        invoice=view,
        form=form,
        whole=isinstance(form, CancelForm),
        left=sum((note.total for note in notes), view.total),
        standing=months.standing_of(db.session(), view, local_day(clock.now())),
        nav_current="farm.invoices",
        **more,
    )
    return make_response(page, status)


def _invoice_or_404(invoice_number: str) -> InvoiceView:
    return queries.find_invoice(db.session(), None, invoice_number) or abort(404)


def _creditable_or_404(invoice_number: str) -> InvoiceView:
    view = _invoice_or_404(invoice_number)
    return abort(404) if view.is_credit else view


def _to(invoice_number: str) -> ResponseReturnValue:
    return redirect(url_for("farm.invoice", invoice_number=invoice_number), 303)
