"""The demo farm's books: billed month by month, paid, and whole."""

from sqlalchemy import func, select

from portal.accounts.models import Account, Address
from portal.billing.checking import verify
from portal.billing.models import (
    Customer,
    DebitState,
    DirectDebit,
    Invoice,
    InvoiceFile,
    LedgerEntry,
    Mandate,
)
from portal.demo import people
from portal.infra.outbox import Mail, MailState
from portal.rules.invoicing import DocumentKind, month_of
from portal.rules.money import Money
from portal.subscriptions.models import Subscription
from tests.demo.conftest import Demo


def test_the_months_behind_are_billed_and_mostly_paid(demo: Demo) -> None:
    months = set(demo.all(select(Invoice.month).where(Invoice.month.is_not(None))))
    assert 1 <= len(months) <= 2 and max(months) < month_of(demo.today)
    billed = demo.session.scalar(select(func.sum(Invoice.total))) or Money(0)
    owed = demo.session.scalar(select(func.sum(LedgerEntry.amount))) or Money(0)
    assert Money(0) < owed < billed
    assert verify(demo.session).broken is None
    assert demo.all(select(Invoice.kind).where(Invoice.kind == DocumentKind.CREDIT_NOTE))


def test_people_are_collected_from_and_two_debits_came_back(demo: Demo) -> None:
    states = demo.all(select(DirectDebit.state))
    returned = demo.session.scalar(
        select(func.count(DirectDebit.id)).where(DirectDebit.state == DebitState.RETURNED)
    )
    assert DebitState.COLLECTED in states and returned == 2
    own = select(Mandate.id).join(Mandate.account).where(Account.email == people.SUBSCRIBER.email)
    assert len(demo.all(own)) == 1


def test_everybody_who_is_billed_lives_somewhere_and_nobody_is_mailed_of_the_past(demo: Demo) -> None:
    housed = select(Address.account_id).where(Address.billing)
    assert demo.all(select(Subscription.account_id).where(Subscription.account_id.not_in(housed))) == []
    assert demo.all(select(Customer.id).where(Customer.account_id.is_(None))) != []
    assert demo.all(select(InvoiceFile.invoice_id).where(InvoiceFile.told_at.is_(None))) == []
    waiting = demo.all(select(Mail.subject).where(Mail.state == MailState.WAITING))
    assert not [subject for subject in waiting if "mandat" in subject.lower() or "facture" in subject.lower()]
