"""« Mes règlements »: what is owed and how to pay it, what is announced, what was paid."""

from collections.abc import Iterable
from itertools import groupby

from flask import render_template
from flask.typing import ResponseReturnValue

from portal.billing.announced import DebitView, debits_of
from portal.billing.balances import Bill, Books, MoneyLine, books_of
from portal.billing.models import EntryKind
from portal.billing.settings import billing_settings
from portal.infra import clock
from portal.infra.orm import db
from portal.member import blueprint, member
from portal.rules.cutoffs import local_day
from portal.rules.money import Money


@blueprint.get("/paiements")
def payments() -> ResponseReturnValue:
    session, account, today = db.session(), member(), local_day(clock.now())
    books, debits = books_of(session, account.id), debits_of(session, account.id)
    announced = [debit for debit in debits if debit.alive]
    to_pay = owed(books, announced)
    return render_template(
        "member/payments/page.html",
        books=books,
        announced=announced,
        returned={debit.id: debit for debit in debits if debit.returned},
        to_pay=to_pay,
        amount=sum((bill.open for bill in to_pay), Money.zero()),
        reference=to_pay[0].number if len(to_pay) == 1 else account.customer_number,
        settings=billing_settings(session),
        years=_by_year(books.payments),
        account=account,
        today=today,
    )


def owed(books: Books, announced: Iterable[DebitView]) -> list[Bill]:
    """What is to be paid by oneself, the oldest first: nothing that is collected."""
    collected = {debit.invoice_id for debit in announced}
    bills = (bill for bill in books.bills if bill.open.cents > 0 and bill.id not in collected)
    return sorted(bills, key=lambda bill: (bill.due_on, bill.id))


def _by_year(payments: Iterable[MoneyLine]) -> list[tuple[int, list[MoneyLine]]]:
    """What was paid or given back, newest first; a reversal shows on what it takes back."""
    shown = sorted(
        (line for line in payments if line.kind is not EntryKind.REVERSAL),
        key=lambda line: (line.day, line.number),
        reverse=True,
    )
    return [(year, list(lines)) for year, lines in groupby(shown, key=lambda line: line.day.year)]
