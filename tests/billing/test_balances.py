from dataclasses import replace
from datetime import date

from sqlalchemy.orm import Session

from portal.billing import ledger, payments
from portal.billing.balances import BillState, balances, books_of, books_of_customer, open_invoices
from portal.billing.models import Customer, EntryKind, LedgerEntry
from portal.rules.money import Money
from tests.billing.writing import customer, paid, written
from tests.shop.making import article, order
from tests.world import CAMILLE, NOW, TODAY, YACINE

MAY, JUNE = date(2026, 5, 31), date(2026, 6, 30)


def test_the_books_say_what_is_owed_what_is_open_and_what_was_paid(session: Session) -> None:
    camille = customer(session)
    older, newer = written(session, 4000, due=MAY), written(session, 3000, due=JUNE)
    written(session, -500, corrects=newer)
    first = payments.pay(session, paid(4500, camille), at=NOW, by=None)
    assert camille.account_id
    books = books_of(session, camille.account_id)
    assert (books.balance, books.credit) == (Money(2000), Money(0))
    assert {bill.number: (bill.open, bill.state(TODAY)) for bill in books.bills} == {
        "F2026-00001": (Money(0), BillState.PAID),
        "F2026-00002": (Money(2000), BillState.PARTLY),
        "A2026-00001": (Money(0), BillState.CREDIT_NOTE),
    }
    paid_by = {bill.number: books.paid_for(bill) for bill in books.bills if bill.total > Money(0)}
    assert {number: [amount for _line, amount in parts] for number, parts in paid_by.items()} == {
        "F2026-00001": [Money(4000)],
        "F2026-00002": [Money(500)],
    }
    payments.reverse(session, first, day=TODAY, reason="Chèque sans provision.", at=NOW, by=None)
    books = books_of(session, camille.account_id)
    assert [(bill.open, bill.state(TODAY)) for bill in reversed(books.bills)][:2] == [
        (Money(4000), BillState.LATE),
        (Money(2500), BillState.PARTLY),
    ]
    assert not any(books.paid_for(bill) for bill in books.bills if bill.total > Money(0))
    [reversal, payment] = books.payments
    assert (reversal.kind, reversal.reverses) == (EntryKind.REVERSAL, payment.number)
    assert (payment.amount, payment.reference, payment.reversed_by) == (
        Money(-4500),
        "0012345",
        reversal.number,
    )
    assert ledger.balance(session, camille.account_id) == books.balance == Money(6500)
    assert balances(session, [camille.account_id, 999]) == {camille.account_id: Money(6500)}
    written(session, -4000, corrects=older)
    whole = next(bill for bill in books_of(session, camille.account_id).bills if bill.id == older.id)
    assert (whole.state(TODAY), whole.notes) == (BillState.CREDITED, ("A2026-00002",))


def test_who_names_an_invoice_pays_it_though_an_older_one_is_due(session: Session) -> None:
    camille = customer(session)
    older, newer = written(session, 4000, due=MAY), written(session, 3000, due=JUNE)
    written(session, 1000, to=customer(session, YACINE))
    said = replace(paid(3000, camille), reference="BQ7 Facture 2026 2")
    for reference in ("F2026-00003", "F2026-00001 F2026-00002"):
        other = payments.pay(session, replace(paid(500, camille), reference=reference), at=NOW, by=None)
        assert isinstance(other, LedgerEntry) and other.pays_id is None, "not theirs, or not one"
    entry = payments.pay(session, said, at=NOW, by=None)
    assert isinstance(entry, LedgerEntry) and entry.pays_id == newer.id
    assert {each.id: each.open.cents for each in open_invoices(session, [camille.account_id])} == {
        older.id: 3000
    }
    books = books_of_customer(session, camille.id)
    by_bill = {bill.id: [part.cents for _line, part in books.paid_for(bill)] for bill in books.bills}
    assert by_bill == {older.id: [500, 500], newer.id: [3000]}
    payments.reverse(session, entry, day=TODAY, reason="Erreur.", at=NOW, by=None)
    opened = {each.id: each.open.cents for each in open_invoices(session, [camille.account_id])}
    assert opened == {older.id: 3000, newer.id: 3000}
    assert [each.id for each in open_invoices(session, [camille.account_id], late_on=TODAY)] == [older.id]


def test_what_two_customers_of_one_account_pay_and_owe_is_one(session: Session) -> None:
    camille, yacine = customer(session), customer(session, YACINE)
    written(session, 3000)
    guest = Customer(order_id=order(session, {article(session): 1}, email=None).id)
    session.add(guest)
    session.flush()
    written(session, 1000, to=guest)
    payments.pay(session, paid(1500, guest), at=NOW, by=None)
    assert books_of_customer(session, guest.id).credit == Money(500)
    assert [each.open for each in open_invoices(session)] == [Money(3000)]
    guest.account_id = camille.account_id
    session.flush()
    assert camille.account_id
    assert books_of(session, camille.account_id).balance == Money(2500)
    assert [(each.number, each.open) for each in open_invoices(session)] == [
        ("F2026-00001", Money(1500)),
        ("F2026-00002", Money(1000)),
    ]
    assert books_of(session, yacine.account_id or 0).bills == []


def test_what_is_open_is_read_in_one_query_however_many_owe(session, count_queries) -> None:
    for email in (CAMILLE, YACINE):
        for cents in (1000, 2000, 3000):
            written(session, cents, to=customer(session, email), due=JUNE if cents == 1000 else MAY)
    yacine = customer(session, YACINE)
    payments.pay(session, paid(5500, yacine), at=NOW, by=None)
    session.flush()
    with count_queries() as statements:
        found = open_invoices(session)
    assert len(statements) == 1
    assert [(each.account_id == yacine.account_id, each.open.cents, each.due_on) for each in found] == [
        (False, 2000, MAY),
        (False, 3000, MAY),
        (False, 1000, JUNE),
        (True, 500, JUNE),
    ]
    with count_queries() as statements:
        assert len(open_invoices(session, [yacine.account_id])) == 1
        books_of(session, yacine.account_id)
    assert len(statements) == 2
