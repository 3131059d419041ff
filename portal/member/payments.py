"""« Mes règlements »: what is owed and how to pay it, what is announced, what was paid."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import groupby

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from portal.billing import debits
from portal.billing.announced import DebitView, debits_of
from portal.billing.balances import Bill, Books, MoneyLine, books_of
from portal.billing.ledger import balance
from portal.billing.models import EntryKind
from portal.billing.settings import billing_settings
from portal.infra import clock
from portal.infra.orm import db
from portal.member import blueprint, member
from portal.rules.cutoffs import local_day
from portal.rules.money import Money
from portal.web.guards import own_hands_only, payer_only
from portal.web.i18n import gettext as _


@dataclass(frozen=True, slots=True)
class Standing:
    """What somebody owes: what they pay themselves, the oldest first, and what is collected."""

    balance: Money
    to_pay: list[Bill]
    announced: list[DebitView]
    too_much: Money
    """Of what is collected: the bank had it when it was paid or credited."""

    @property
    def amount(self) -> Money:
        return sum((bill.open for bill in self.to_pay), Money.zero())


def _standing(books: Books, debits: Iterable[DebitView]) -> Standing:
    open_ = {bill.id: bill for bill in books.bills if bill.open.cents > 0}
    left = {bill.id: bill.open for bill in open_.values()}
    alive = [(debit, left.get(debit.invoice_id)) for debit in debits if debit.alive]
    announced = [
        replace(debit, amount=debit.collects(open)) for debit, open in alive if debit.collects(open).cents
    ]
    too_much = sum((debit.too_much(open) for debit, open in alive), Money.zero())
    collected = {debit.invoice_id for debit in announced}
    to_pay = [bill for bill in open_.values() if bill.id not in collected]
    to_pay.sort(key=lambda bill: (bill.due_on, bill.id))
    return Standing(books.balance, to_pay, announced, too_much)


def standing(session: Session, account_id: int) -> Standing | None:
    """None where nothing is owed or paid ahead: most people, most days."""
    if not balance(session, account_id).cents:
        return None
    return _standing(books_of(session, account_id), debits_of(session, account_id))


@blueprint.get("/paiements")
def payments() -> ResponseReturnValue:
    session, account = db.session(), member()
    books, announced = books_of(session, account.id), debits_of(session, account.id)
    now, at = _standing(books, announced), clock.now()
    open_ = debits.collectable(session, account) if now.to_pay and not account.payer_id else []
    return render_template(
        "member/payments/page.html",
        payer=account.payer,
        standing=now,
        returned={debit.id: debit for debit in announced if debit.returned},
        reference=now.to_pay[0].number if len(now.to_pay) == 1 else account.customer_number,
        settings=billing_settings(session),
        years=_by_year(books.payments),
        collectable=sum((invoice.open for invoice in open_), Money.zero()),
        collected_on=debits.next_day(session, at),
        today=local_day(at),
    )


@blueprint.post("/paiements/prelevement")
@payer_only
@own_hands_only
def collect_open() -> ResponseReturnValue:
    """What was billed before they signed, if they wish."""
    debits.announce_open(db.session(), member(), at=clock.now(), by=member().id)
    flash(_("C'est noté ; le jour et le montant partent par mail."), "success")
    return redirect(url_for("member.payments"), 303)


def _by_year(payments: Iterable[MoneyLine]) -> list[tuple[int, list[MoneyLine]]]:
    """What was paid or given back, newest first; a reversal shows on what it takes back."""
    shown = sorted(
        (line for line in payments if line.kind is not EntryKind.REVERSAL),
        key=lambda line: (line.day, line.number),
        reverse=True,
    )
    return [(year, list(lines)) for year, lines in groupby(shown, key=lambda line: line.day.year)]
