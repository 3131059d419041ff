"""What an account's bills hold open, and what goes with it when it becomes another's."""

from datetime import date, timedelta

from sqlalchemy import select

from portal.billing import months
from portal.billing.debts import debts
from portal.billing.issuing import issue, issue_for_order
from portal.billing.ledger import Entry, append, balance
from portal.billing.mandates import mandates_of
from portal.billing.models import BillingSettings, EntryKind, Invoice
from portal.planning.people import Wanted, find_people
from portal.privacy.erasing import erase
from portal.privacy.leaving import Hindrance, hindrances
from portal.privacy.merging import merge
from portal.rules.invoicing import Refusal
from portal.rules.money import Money
from portal.rules.orders import OrderState
from portal.rules.paying import PaymentMeans
from portal.rules.sepa import MandateEnd
from portal.shop.claiming import claim
from portal.shop.models import Order
from portal.subscriptions.models import Subscription
from tests.billing.books import JUNE, MAY, able_to_bill, account, invoiced
from tests.billing.signing import OTHER_IBAN, signed
from tests.pages import text_of
from tests.shop.making import article, order
from tests.world import ADMIN, CAMILLE, NOW, TODAY, YACINE


def held(session, email: str) -> set[Hindrance]:
    return set(hindrances(session, account(session, email), NOW))


def test_who_owes_something_or_waits_for_a_bill_cannot_close_the_account(session) -> None:
    invoice = invoiced(session, CAMILLE, month=MAY)
    for subscription in session.scalars(select(Subscription)):
        subscription.last_day = date(2026, 6, 1)
    assert held(session, CAMILLE) == {Hindrance.DEBT, Hindrance.UNBILLED}  # June's boxes came
    session.add(BillingSettings(id=1, bills_from=TODAY))
    session.flush()
    assert held(session, CAMILLE) == {Hindrance.DEBT}
    assert held(session, YACINE) == set()
    paid = Entry(
        EntryKind.PAYMENT, invoice.customer_id, TODAY, Money.zero() - invoice.total, means=PaymentMeans.CASH
    )
    append(session, [paid], at=NOW, by=None)
    assert held(session, CAMILLE) == set()


def test_of_two_accounts_that_become_one_a_single_mandate_stays(session) -> None:
    kept, ended = signed(session, CAMILLE, at=NOW), signed(session, YACINE, OTHER_IBAN, at=NOW)
    camille = account(session, CAMILLE)
    camille.email_proven_at = NOW
    session.flush()
    merge(session, camille.id, account(session, YACINE).id, at=NOW)
    found = {mandate.reference: mandate.end for mandate in mandates_of(session, camille.id)}
    assert found == {kept.reference: MandateEnd.REPLACED, ended.reference: None}


def test_a_guests_order_brings_its_bill_to_the_account_that_it_becomes(session) -> None:
    able_to_bill(session)
    placed = order(
        session, {article(session): 1}, email=None, day=date(2026, 6, 9), state=OrderState.DELIVERED
    )
    placed.email = CAMILLE
    session.flush()
    invoice = issue_for_order(session, placed.id, by=None)
    assert isinstance(invoice, Invoice)
    camille = account(session, CAMILLE)
    assert balance(session, camille.id) == Money.zero()
    assert claim(session, CAMILLE, camille.id, by=camille.id) == 1
    assert balance(session, camille.id) == invoice.total
    assert session.get_one(Order, placed.id).account_id == camille.id


def test_whoever_is_erased_is_named_on_invoices_alone_and_billed_no_more(client, session) -> None:
    invoice = invoiced(session, CAMILLE, month=MAY)
    camille = account(session, CAMILLE)
    erase(session, camille.id, at=NOW)
    session.flush()
    found = months.find_invoices(session, months.Wanted(text="aubert"), TODAY, page=0, size=9).lines
    assert [(line.number, line.name) for line in found] == [(invoice.number, "Camille Aubert")]
    assert find_people(session, Wanted(text="aubert"), TODAY, page=0, size=9).total == 0
    assert issue(session, camille.id, through=TODAY, month=JUNE, by=None) is Refusal.ERASED
    assert [debt.contact.email for debt in debts(session, TODAY + timedelta(days=60)).debts] == [""]
    session.commit()
    client.sign_in(ADMIN)
    assert "Compte effacé : pas facturé" in text_of(client.get("/ferme/factures/2026-06/apercu"))
