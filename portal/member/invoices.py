"""« Mes factures »: month by month, one with what it is for, as files.

They are whoever's they were made out to: who shares a household sees their own of before, the payer all the others.
"""

from collections.abc import Iterable
from io import BytesIO
from itertools import groupby

from flask import abort, redirect, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue

from portal.billing.announced import debits_of
from portal.billing.balances import Bill, BillState, books_of
from portal.billing.explaining import explain
from portal.billing.files import e_invoice_of, file_of, unmade, yearly_zip
from portal.billing.mandates import live_mandate
from portal.billing.outlook import outlook
from portal.billing.papers import e_invoice_name, file_name
from portal.billing.queries import InvoiceView, find_invoice
from portal.deliveries.queries import upcoming
from portal.infra import clock, pdf
from portal.infra.orm import db
from portal.member import blueprint, member
from portal.rules.cutoffs import local_day

STATES = {
    "a-payer": {BillState.DUE, BillState.PARTLY, BillState.LATE},
    "payees": {BillState.PAID},
    "avoirs": {BillState.CREDIT_NOTE},
}


@blueprint.get("/factures")
def invoices() -> ResponseReturnValue:
    session, account, now = db.session(), member(), clock.now()
    today = local_day(now)
    state, year = request.args.get("etat"), request.args.get("annee", type=int)
    books = books_of(session, account.id)
    wanted = [
        bill
        for bill in books.bills
        if (state not in STATES or bill.state(today) in STATES[state])
        and (year is None or bill.issued_on.year == year)
    ]
    return render_template(
        "member/invoices/list.html",
        books=books,
        shown=_by_year(wanted),
        years=[one for one, _bills in _by_year(books.bills)],
        state=state if state in STATES else None,
        year=year,
        debits={debit.invoice_id: debit for debit in debits_of(session, account.id)},
        unmade=unmade(session, account.id),
        payer=account.payer,
        outlook=None if account.payer_id else outlook(session, account.id, now),
        mandate=live_mandate(session, account.id),
        today=today,
    )


def _by_year(bills: Iterable[Bill]) -> list[tuple[int, list[Bill]]]:
    """Newest first, as the books are."""
    return [(year, list(found)) for year, found in groupby(bills, key=lambda bill: bill.issued_on.year)]


@blueprint.get("/factures/<invoice_number>")
def invoice(invoice_number: str) -> ResponseReturnValue:
    session, account = db.session(), member()
    found = _own(invoice_number)
    books = books_of(session, account.id)
    own = next(bill for bill in books.bills if bill.id == found.id)
    return render_template(
        "member/invoices/page.html",
        invoice=found,
        bill=own,
        paid=[] if found.is_credit else books.paid_for(own),
        corrected_by=[bill for bill in books.bills if bill.corrects_id == found.id],
        debits=[debit for debit in debits_of(session, account.id) if debit.invoice_id == found.id],
        why=explain(session, found),
        file=url_for("member.invoice_file", invoice_number=found.number),
        e_invoice=url_for("member.e_invoice", invoice_number=found.number) if found.electronic else None,
        deliveries={view.id: view for view in upcoming(session, found.first_day, found.last_day)},
        today=local_day(clock.now()),
    )


@blueprint.get("/factures/<invoice_number>.pdf")
def invoice_file(invoice_number: str) -> ResponseReturnValue:
    """Or its page, which says so, where the worker has not made it yet."""
    found = _own(invoice_number)
    data = file_of(db.session(), found.id)
    if data is None:
        return redirect(url_for("member.invoice", invoice_number=found.number), 303)
    return _download(data, pdf.CONTENT_TYPE, file_name(found.number, found.kind))


@blueprint.get("/factures/<invoice_number>.xml")
def e_invoice(invoice_number: str) -> ResponseReturnValue:
    """The Factur-X alone, for a company's programs."""
    found = _own(invoice_number)
    data = e_invoice_of(db.session(), found.id) if found.electronic else None
    return _download(data or abort(404), "application/xml", e_invoice_name(found.number))


@blueprint.get("/factures/<int:year>.zip")
def invoices_of_year(year: int) -> ResponseReturnValue:
    """All files that were issued in it."""
    session, account = db.session(), member()
    if not any(bill.issued_on.year == year for bill in books_of(session, account.id).bills):
        abort(404)
    with yearly_zip(session, account.id, year) as zipped:
        data = zipped.read()
    return _download(data, "application/zip", f"factures-{year}.zip")


def _download(data: bytes, mimetype: str, name: str) -> ResponseReturnValue:
    return send_file(BytesIO(data), mimetype=mimetype, as_attachment=True, download_name=name)


def _own(number: str) -> InvoiceView:
    return find_invoice(db.session(), member().id, number) or abort(404)
