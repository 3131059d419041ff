"""Issuing invoices: what they say, for whom, once."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import time_machine
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from portal.accounts.models import Account, Address, Company, CompanyState, VatState
from portal.billing import issuing
from portal.billing.checking import verify
from portal.billing.issuing import issue, issue_for_order, issue_many
from portal.billing.jobs import bill_guests
from portal.billing.ledger import balance
from portal.billing.models import (
    BillingSettings,
    Customer,
    FileState,
    Invoice,
    InvoiceFile,
    NumberSeries,
    TaxStatus,
)
from portal.billing.numbers import take
from portal.billing.parties import Seller
from portal.billing.queries import InvoiceView, find_invoice, invoices_of_order
from portal.infra.audit import AuditEvent
from portal.profile.models import FarmProfile
from portal.rules.invoicing import Charge, LineKind, Refusal
from portal.rules.mentions import Mention, VatRegime
from portal.rules.money import Money
from portal.rules.orders import OrderState
from portal.rules.paying import PaymentMeans
from portal.rules.selling import SaleUnit
from portal.shop.models import Order
from tests.billing import books
from tests.billing.books import JUNE, MAY, able_to_bill, account, delivered, invoiced, invoices_of
from tests.shop import making
from tests.world import CAMILLE, NOW, TODAY, YACINE


def seen(session: Session, made: object) -> InvoiceView:
    assert isinstance(made, Invoice), made
    session.flush()
    view = find_invoice(session, None, made.number)
    assert view
    return view


def test_a_month_is_billed_box_by_box(session: Session) -> None:
    account(session).payment_means = PaymentMeans.TRANSFER
    view = seen(session, invoiced(session, by=3))
    assert (view.number, view.month, view.account_id) == ("F2026-00001", MAY, account(session).id)
    assert [(line.label, line.net.cents, line.total.cents) for line in view.lines] == [
        ("Grand panier", 1848, 1950),
        ("Œufs", 228, 240),
    ]
    assert [(rate.basis_points, rate.net.cents, rate.vat.cents) for rate in view.rates] == [(550, 2076, 114)]
    assert (view.net.cents, view.vat.cents, view.total.cents) == (2076, 114, 2190)
    assert (view.issued_on, view.due_on, view.means) == (TODAY, date(2026, 6, 25), PaymentMeans.TRANSFER)
    assert (view.first_day, view.last_day) == (date(2026, 5, 26), date(2026, 5, 26))
    assert view.buyer and (view.buyer.name, view.buyer.town) == ("Camille Aubert", "Serres")
    assert view.buyer.kept_until == date(2036, 12, 31)
    assert view.buyer.delivered_to == "Halle de Serres, 1 place du Village, 05700 Serres"
    assert view.seller.siret == books.SELLER["siret"] and list(view.seller.mentions) == [Mention.NATURE]
    assert (view.file, balance(session, account(session).id)) == (FileState.WAITING, view.total)
    event = session.scalars(select(AuditEvent).where(AuditEvent.action == "invoice.issue")).one()
    assert (event.subject_id, event.account_id) == (str(view.id), 3)
    assert event.after == {"number": "F2026-00001", "total": 2190, "month": "2026-05-01"}


def test_a_month_is_billed_once_and_each_delivery_in_one(session: Session) -> None:
    invoiced(session)
    mine = account(session).id
    making.order(session, {making.article(session): 1}, day=date(2026, 5, 26))
    late = issue(session, mine, through=date(2026, 5, 31), month=MAY, by=None)
    assert late is None, "what is set right later comes with the next one"
    june = issue(session, mine, through=date(2026, 6, 30), month=JUNE, by=None)
    assert seen(session, june).total.cents == 2 * 2190 + 650
    assert issue(session, mine, through=TODAY, by=None) is None
    lines = [line.source for view in invoices_of(session, mine) for line in view.lines]
    assert len(lines) == len(set(lines)) == 7
    assert not verify(session).broken


def test_what_is_closed_and_still_to_come_is_not_billed(session: Session) -> None:
    delivered(session, through=date(2026, 6, 12))
    making.order(session, {making.article(session): 1}, email=YACINE, day=date(2026, 6, 11), point="mairie")
    view = seen(session, issue(session, account(session, YACINE).id, through=date(2026, 6, 30), by=None))
    assert view.last_day < TODAY


def test_nothing_that_changes_later_changes_what_is_issued(session: Session) -> None:
    view = seen(session, invoiced(session))
    session.execute(update(FarmProfile).values(legal_name="Autre", siret="0"))
    session.execute(update(Address).values(street="9 rue Neuve", archived_at=NOW))
    session.execute(update(Account).values(last_name="Autre", email=Account.email + ".fr"))
    session.add(TaxStatus(since=date(2026, 1, 1), regime=VatRegime.FRANCHISE, on_debits=False))
    session.flush()
    session.expire_all()
    assert find_invoice(session, view.account_id, view.number) == view


def test_what_lacks_is_said_and_nothing_is_issued(session: Session) -> None:
    delivered(session)
    mine, other = account(session), account(session, YACINE)
    session.execute(update(FarmProfile).values(vat_number=None))
    assert issue(session, mine.id, through=TODAY, by=None) is Refusal.SELLER_INCOMPLETE
    session.add(TaxStatus(since=date(2026, 1, 1), regime=VatRegime.FRANCHISE, on_debits=False))
    session.flush()
    free = seen(session, issue(session, mine.id, through=TODAY, by=None))
    assert (free.vat.cents, free.net) == (0, free.total)
    assert "293 B" in free.seller.mentions[Mention.EXEMPTION]
    session.execute(update(Address).where(Address.account_id == other.id).values(archived_at=NOW))
    assert issue(session, other.id, through=TODAY, by=None) is Refusal.NO_ADDRESS
    other.erased_at = NOW
    assert issue(session, other.id, through=TODAY, by=None) is Refusal.ERASED
    assert len(session.scalars(select(Invoice)).all()) == 1


def test_only_what_bears_no_vat_is_said_to_bear_none(session: Session) -> None:
    """May at its rate, June in franchise; what of May is taken back later as well."""
    delivered(session)
    session.add(TaxStatus(since=date(2026, 6, 1), regime=VatRegime.FRANCHISE, on_debits=False))
    session.flush()
    both = seen(session, issue(session, account(session).id, through=TODAY, by=None))
    assert [rate.basis_points for rate in both.rates] == [0, 550]
    assert both.seller.mentions[Mention.EXEMPTION].endswith("art. 293 B du CGI (ce qui est à 0 %)")
    may = [Charge("", LineKind.BOX, TODAY, "", 1, False, Money(1), 550, Money(1))]
    said = Seller.load(session, TODAY).on(TODAY, may, company=False)
    assert said["regime"] is VatRegime.LIABLE and Mention.EXEMPTION not in said["mentions"]


def test_a_company_has_its_numbers_its_terms_and_the_words_for_it(session: Session) -> None:
    mine = account(session)
    session.add(BillingSettings(id=1, company_due_days=45, late_rate_basis_points=1050))
    company = Company(
        account_id=mine.id,
        name="Cantine du Buëch",
        vat_number="FR44732829320",
        state=CompanyState.ASKED,
        asked_at=NOW,
        vat_state=VatState.UNASKED,
        vat_tries=0,
        purchase_reference="BC-7",
    )
    session.add(company)
    session.flush()
    person = seen(session, invoiced(session))
    assert person.buyer and person.buyer.company is None and Mention.RECOVERY not in person.seller.mentions
    company.state = CompanyState.APPROVED
    view = seen(session, invoiced(session, month=JUNE))
    assert view.buyer and (view.buyer.company, view.buyer.siren) == ("Cantine du Buëch", "732829320")
    assert (view.buyer.purchase_reference, view.due_on) == ("BC-7", TODAY + timedelta(days=45))
    assert "10,5 % l'an" in view.seller.mentions[Mention.PENALTIES]
    making.delivery(session, date(2026, 5, 26)).cancelled_at = NOW
    session.flush()
    credit = seen(session, issue(session, mine.id, through=TODAY, by=None))
    assert credit.corrects and credit.corrects.number == person.number
    assert credit.buyer and credit.buyer.company is None, "made out to whom the invoice was"


def test_an_order_is_billed_alone_from_the_day_of_its_delivery(
    session: Session, clock: time_machine.Traveller
) -> None:
    able_to_bill(session)
    carrots = making.article(session, "Carottes", 260, sale_unit=SaleUnit.WEIGHT, step=250)
    order = making.order(session, {carrots: 5000})
    assert issue_for_order(session, order.id, by=1) is Refusal.NOT_YET_DELIVERED
    clock.move_to(datetime(2026, 6, 15, 22, 0, tzinfo=UTC))
    assert issue_for_order(session, order.id, by=1) is Refusal.TO_WEIGH
    order.lines[0].given = 5000
    session.flush()
    view = seen(session, issue_for_order(session, order.id, by=1))
    assert (view.total.cents, view.month, view.lines[0].order_id) == (1300, None, order.id)
    assert issue_for_order(session, order.id, by=1) is None
    assert [found.number for found in invoices_of_order(session, order.id)] == [view.number]
    assert issue(session, account(session).id, through=date(2026, 6, 30), month=JUNE, by=None) is None


def test_a_guest_is_billed_once_served_and_pays_at_once(
    session: Session, clock: time_machine.Traveller
) -> None:
    able_to_bill(session)
    order = making.order(session, {making.article(session): 2}, email=None, day=date(2026, 6, 9))
    free = making.order(session, {}, email=None, day=date(2026, 6, 9), state=OrderState.DELIVERED)
    session.commit()
    bill_guests()
    assert not invoices_of_order(session, order.id)
    session.execute(update(Order).where(Order.id == order.id).values(state=OrderState.DELIVERED))
    session.commit()
    bill_guests()
    bill_guests()
    [view] = invoices_of_order(session, order.id)
    assert (view.account_id, view.due_on, view.customer_number) == (None, TODAY, order.number)
    assert view.buyer and view.buyer.email == "emma@example.org"
    clock.shift(timedelta(hours=1))
    order = session.get_one(Order, order.id)
    order.lines[0].given, order.changed_at = 1, datetime.now(UTC)
    session.commit()
    bill_guests()
    assert [found.total.cents for found in invoices_of_order(session, order.id)] == [-650, 1300]
    assert not invoices_of_order(session, free.id)
    clock.shift(timedelta(hours=1))
    order = session.get_one(Order, order.id)
    order.state, order.changed_at = OrderState.CANCELLED, datetime.now(UTC)
    session.commit()
    bill_guests()
    assert sum(found.total.cents for found in invoices_of_order(session, order.id)) == 0


def test_what_a_guest_was_billed_is_not_billed_to_the_account_that_claims_it(session: Session) -> None:
    able_to_bill(session)
    order = making.order(
        session, {making.article(session): 2}, email=None, day=date(2026, 6, 9), state=OrderState.DELIVERED
    )
    issue_for_order(session, order.id, by=None)
    order.account_id = account(session).id
    session.flush()
    assert issue(session, account(session).id, through=TODAY, by=None) is None


def test_a_number_at_the_turn_of_the_year_is_of_the_year_that_it_says(
    session: Session, clock: time_machine.Traveller
) -> None:
    invoiced(session)
    clock.move_to(datetime(2026, 12, 31, 23, 30, tzinfo=UTC))
    view = seen(session, issue(session, account(session).id, through=date(2026, 12, 31), by=None))
    assert (view.number, view.issued_on) == ("F2027-00001", date(2027, 1, 1))


def test_a_number_that_is_held_over_midnight_is_of_the_last_day_of_its_year(
    session: Session, clock: time_machine.Traveller, monkeypatch: pytest.MonkeyPatch
) -> None:
    def take_long(*asked: Any) -> int:
        clock.shift(2)
        return take(*asked)

    delivered(session)
    clock.move_to(datetime(2026, 12, 31, 22, 59, 59, tzinfo=UTC))
    monkeypatch.setattr(issuing, "take", take_long)
    view = seen(session, issue(session, account(session).id, through=date(2026, 12, 31), by=None))
    assert (view.number, view.issued_on) == ("F2026-00001", date(2026, 12, 31))


def test_many_are_billed_by_as_many_statements_as_few(
    session: Session, count_queries: Callable[[], AbstractContextManager[list[str]]]
) -> None:
    delivered(session)
    ids = [account(session, email).id for email in (CAMILLE, YACINE)]
    session.add_all(Customer(account_id=account_id) for account_id in ids)
    session.add_all(NumberSeries(name=name, last=0) for name in ("F2026", "ledger"))
    session.commit()
    with count_queries() as for_one:
        issue_many(session, ids[:1], through=date(2026, 5, 31), month=MAY, by=None)
    with count_queries() as for_two:
        made = issue_many(session, ids, through=date(2026, 6, 30), month=JUNE, by=None)
    assert {key: len(found) for key, found in made.documents.items()} == dict.fromkeys(ids, 1)
    reads = [[said for said in found if not said.startswith("INSERT")] for found in (for_one, for_two)]
    assert len(reads[1]) == len(reads[0]) <= 24
    assert sum(said.startswith("INSERT INTO invoice_line") for said in for_two) == 1
    assert len(session.scalars(select(InvoiceFile)).all()) == 3
