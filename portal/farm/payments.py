"""Payments: looking through them, entering one, taking one back."""

from math import ceil
from typing import Any
from uuid import uuid4

from flask import abort, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from wtforms import Form
from wtforms.widgets import DateInput, HiddenInput, TextArea

from portal.billing import ledger, matching, payments, receipts, received
from portal.billing.balances import Books, balances, books_of_payer
from portal.billing.models import LedgerEntry
from portal.billing.payers import Payer, customer_for, find_payer, find_payers, gone_ahead
from portal.billing.payments import Payment, Refusal
from portal.billing.received import PaymentLine, Wanted
from portal.farm import blueprint, staff
from portal.infra import clock
from portal.infra.orm import db
from portal.rules.cutoffs import local_day
from portal.rules.money import Money
from portal.rules.paying import PaymentMeans
from portal.rules.permissions import Permission
from portal.web.filters import day_year, money
from portal.web.forms import Chosen, Reader, Typed, choices, day, euros, line, prose, slug, whole, write_euros
from portal.web.guards import needs
from portal.web.htmx import is_htmx
from portal.web.i18n import gettext as _
from portal.web.i18n import lazy_gettext as _l

ADDRESS = "/reglements/<id:entry_number>"
A_PAGE = 50
LONGEST = 80
MOST_CENTS = 9_999_999
MEANS = {
    PaymentMeans.CHEQUE: _l("chèque"),
    PaymentMeans.TRANSFER: _l("virement"),
    PaymentMeans.CASH: _l("espèces"),
    PaymentMeans.CARD: _l("carte"),
}
"""What staff enter; a debit is entered by its day."""


def new_key() -> str:
    return uuid4().hex


OF_DAY = (Refusal.FUTURE_DAY, Refusal.MONTH_CLOSED, Refusal.LONG_AGO)


class MoneyForm(Form):
    """How much, on which day; `key` is the form's own: sent twice, it enters once."""

    key = Typed("", slug(40), widget=HiddenInput())
    amount = Typed(_l("Montant en euros"), euros(1, MOST_CENTS), write=write_euros)
    day = Typed(_l("Jour"), day, widget=DateInput())

    def refuse(self, refusal: Refusal) -> None:
        """Say why beside the field; pressed again, it is a form of its own."""
        field = self.day if refusal in OF_DAY else self.amount
        field.errors = [field.says(refusal_words(refusal))]
        self.key.raw_data = [new_key()]


class PaymentForm(MoneyForm):
    means = Chosen(_l("Moyen"))
    reference = Typed(_l("Numéro du chèque ou du virement"), line(40), needed=False)

    def process(self, *args: Any, **values: Any) -> None:
        self.means.choices = choices(
            [("", _("Choisir…")), *((means, str(said)) for means, said in MEANS.items())]
        )
        super().process(*args, **values)

    def payment(self, customer_id: int) -> Payment:
        """Once it is valid."""
        return Payment(
            customer_id,
            PaymentMeans(self.means.data),
            self.amount.data,
            self.day.data,
            self.reference.data,
            key=self.key.data,
        )


class ReversalForm(Form):
    day = Typed(_l("Jour"), day, widget=DateInput())
    reason = Typed(_l("Pourquoi ?"), prose(300), widget=TextArea())


def refusal_words(refusal: Refusal) -> str:
    opens = ledger.first_open_day(db.session())
    words = {
        Refusal.FUTURE_DAY: _("ce jour n'est pas encore venu."),
        Refusal.LONG_AGO: _("ce jour est passé depuis plus d'un an : est-ce la bonne année ?"),
        Refusal.MORE_THAN_CREDIT: _("cette personne n'a pas tant d'avance."),
        Refusal.MORE_THAN_OWED: _("cette personne ne doit pas tant."),
        Refusal.FORM_USED: _(
            "ce formulaire a déjà noté un autre montant. Pressez de nouveau si c'en est un de plus."
        ),
        Refusal.NOT_REVERSIBLE: _("cette écriture ne s'annule pas."),
    }
    if opens and refusal is Refusal.MONTH_CLOSED:
        return _("ce mois est clos : au plus tôt le %(day)s.", day=day_year(opens))
    return words[refusal]


@blueprint.get("/reglements")
@needs(Permission.READ_BILLS)
def payments_list() -> ResponseReturnValue:
    """The list; as an answer to HTMX, what is left of it by what is being typed."""
    wanted, page = wanted_payments(), (_asked("page", whole(1, 99_999)) or 1) - 1
    found = received.find_received(db.session(), wanted, page=page, size=A_PAGE)
    return render_template(
        "farm/payments/_list.html" if is_htmx() else "farm/payments/list.html",
        found=found,
        gone=[] if is_htmx() else gone_ahead(db.session()),
        wanted=wanted,
        asked={name: value for name, value in request.args.items() if value and name != "page"},
        page=page,
        pages=max(1, ceil(found.count / A_PAGE)),
        longest=LONGEST,
        htmx=is_htmx(),
        nav_current="farm.index",
    )


def wanted_payments() -> Wanted:
    """What cannot be meant narrows nothing."""
    means = request.args.get("moyen", "")
    return Wanted(
        text=" ".join(request.args.get("q", "").split())[:LONGEST],
        means=PaymentMeans(means) if means in set(PaymentMeans) else None,
        first=_asked("du", day),
        last=_asked("au", day),
    )


def _asked(name: str, read: Reader) -> Any:
    try:
        return read(request.args.get(name, ""))
    except ValueError:
        return None


@blueprint.get("/reglements/ajout")
@needs(Permission.READ_BILLS)
def new_payment() -> ResponseReturnValue:
    """Who pays; then what."""
    session = db.session()
    text = " ".join(request.args.get("de", request.args.get("q", "")).split())[:LONGEST]
    payer = find_payer(session, text)
    if payer:
        return _entry_page(payer)
    found = find_payers(session, text) if text else []
    return render_template(
        "farm/payments/_who.html" if is_htmx() else "farm/payments/who.html",
        text=text,
        found=found,
        owed=balances(session, [payer.account_id for payer in found if payer.account_id]),
        longest=LONGEST,
        htmx=is_htmx(),
        nav_current="farm.index",
    )


@blueprint.post("/reglements/ajout")
@needs(Permission.READ_BILLS)
def enter_payment() -> ResponseReturnValue:
    session = db.session()
    payer = find_payer(session, request.form.get("de", "")) or abort(404)
    form = PaymentForm(request.form)
    if not form.validate():
        return _entry_page(payer, form)
    customer = customer_for(session, payer)
    entered = receipts.receive(session, [form.payment(customer.id)], at=clock.now(), by=staff().id)
    if isinstance(entered, Refusal):
        form.refuse(entered)
        return _entry_page(payer, form)
    said = _("%(amount)s de %(name)s : c'est noté.", amount=money(form.amount.data), name=payer.name)
    flash(f"{said} {standing_words(payer)}", "success")
    return redirect(url_for("farm.payments_list", _anchor=f"ecriture-{entered[0].number}"), 303)


def standing_words(payer: Payer) -> str:
    """How the person stands now."""
    balance = books_of_payer(db.session(), payer.account_id, payer.order_id).balance
    if balance > Money.zero():
        return _("Reste à payer : %(left)s.", left=money(balance))
    if balance < Money.zero():
        return _("%(left)s d'avance restent à son compte.", left=money(balance * -1))
    return _("Son compte est à jour.")


def _entry_page(payer: Payer, form: PaymentForm | None = None) -> ResponseReturnValue:
    books = books_of_payer(db.session(), payer.account_id, payer.order_id)
    page = render_template(
        "farm/payments/new.html",
        payer=payer,
        books=books,
        form=form or _proposed(books),
        today=local_day(clock.now()),
        nav_current="farm.index",
    )
    return make_response(page, 422 if form else 200)


def _proposed(books: Books) -> PaymentForm:
    """All that is owed, today, by the means of last time."""
    last = next((line.means for line in books.payments if line.means in MEANS), "")
    owed = books.balance if books.balance > Money.zero() else None
    return PaymentForm(data={"key": new_key(), "amount": owed, "day": local_day(clock.now()), "means": last})


@blueprint.get(ADDRESS)
@needs(Permission.READ_BILLS)
def payment(entry_number: int) -> ResponseReturnValue:
    return _payment_page(_line_or_404(entry_number), ReversalForm(data={"day": local_day(clock.now())}))


@blueprint.post(f"{ADDRESS}/annulation")
@needs(Permission.BILL)
def reverse_payment(entry_number: int) -> ResponseReturnValue:
    session, line, form = db.session(), _line_or_404(entry_number), ReversalForm(request.form)
    if line.debit_id:
        abort(404)
    if not form.validate():
        return _payment_page(line, form, 422)
    entry = session.get_one(LedgerEntry, line.id)
    done = matching.reverse(
        session, entry, day=form.day.data, reason=form.reason.data, at=clock.now(), by=staff().id
    )
    if isinstance(done, Refusal):
        form.day.errors = [form.day.says(refusal_words(done))]
        return _payment_page(line, form, 422)
    flash(_("C'est annulé : l'écriture %(number)s le dit.", number=done.number), "success")
    return redirect(url_for("farm.payment", entry_number=entry_number), 303)


def _line_or_404(number: int) -> PaymentLine:
    return received.find_line(db.session(), number) or abort(404)


def _payment_page(line: PaymentLine, form: ReversalForm, status: int = 200) -> ResponseReturnValue:
    page = render_template(
        "farm/payments/page.html",
        line=line,
        form=form,
        reason=payments.reason_of(db.session(), line.number),
        nav_current="farm.index",
    )
    return make_response(page, status)
