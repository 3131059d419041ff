"""Who owes what is due: everybody whom nothing is being collected from for it."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import case, func, null, select
from sqlalchemy.orm import Session

from portal.accounts.models import Account, customer_number
from portal.billing.balances import OpenInvoice, open_invoices
from portal.billing.models import ALIVE, Customer, DebitState, DirectDebit, Mandate, PaymentReminder
from portal.infra.orm import View, among
from portal.rules.cutoffs import local_day
from portal.rules.dunning import Age, Late, age_of
from portal.rules.money import Money
from portal.rules.paying import PaymentMeans
from portal.shop.models import Order, order_number


@dataclass(frozen=True, slots=True)
class LateInvoice:
    """An invoice that was due and is not paid, with the last step of its reminders."""

    id: int
    number: str
    customer_id: int
    due_on: date
    late_since: date
    """When it was due, or what was to collect it came to nothing."""
    open: Money
    reminded: int = 0
    reminded_at: datetime | None = None

    @property
    def for_rules(self) -> Late:
        return Late(self.id, self.late_since, self.reminded)


@dataclass(frozen=True, slots=True)
class Contact:
    """How somebody is reached; without a mail address they are nobody any more."""

    name: str
    first_name: str
    email: str
    phone: str | None
    means: PaymentMeans | None


NOBODY = Contact("", "", "", None, None)


@dataclass(frozen=True, slots=True)
class Debt:
    """What somebody owes that is due, the oldest invoice first; the id is an account's, a guest's is negative."""

    payer_id: int
    name: str
    number: str
    order_id: int | None
    contact: Contact
    invoices: tuple[LateInvoice, ...]

    @property
    def amount(self) -> Money:
        return sum((invoice.open for invoice in self.invoices), Money.zero())

    @property
    def since(self) -> date:
        return min(invoice.late_since for invoice in self.invoices)

    @property
    def reminded_at(self) -> datetime | None:
        return max(filter(None, (invoice.reminded_at for invoice in self.invoices)), default=None)

    @property
    def reminded(self) -> int:
        return max(invoice.reminded for invoice in self.invoices)

    @property
    def last_reminder(self) -> date | None:
        return local_day(self.reminded_at) if self.reminded_at else None

    def days(self, today: date) -> int:
        return (today - self.since).days


@dataclass(frozen=True, slots=True)
class Debts:
    """All of them, what they come to by age, and what is left out because it is being collected."""

    debts: list[Debt]
    by_age: dict[Age, Money]
    collecting: Money

    @property
    def total(self) -> Money:
        return sum(self.by_age.values(), Money.zero())


def debts(session: Session, today: date, payer_ids: Collection[int] | None = None) -> Debts:
    """Everybody's, or these payers'; in a constant number of statements."""
    unpaid = open_invoices(session, payer_ids, late_on=today)
    due = [invoice for invoice in unpaid if invoice.due_on < today]
    alive = select(DirectDebit.invoice_id).where(DirectDebit.state.in_(ALIVE))
    collected = set(session.scalars(alive)) if due else set()
    owed = [invoice for invoice in due if invoice.id not in collected]
    since = _late_since(session, owed)
    by_age = dict.fromkeys(Age, Money.zero())
    for invoice in owed:
        by_age[age_of((today - since[invoice.id]).days)] += invoice.open
    collecting = sum((invoice.open for invoice in due if invoice.id in collected), Money.zero())
    return Debts(_by_person(session, owed, since), by_age, collecting)


def _late_since(session: Session, owed: Iterable[OpenInvoice]) -> dict[int, date]:
    """Who let it be collected is not late before that has failed."""
    since = {invoice.id: invoice.due_on for invoice in owed}
    ended = case((DirectDebit.state == DebitState.DROPPED, Mandate.ended_at))
    failed = select(DirectDebit.invoice_id, DirectDebit.returned_on, ended).join(DirectDebit.mandate)
    gone = failed.where(
        among(DirectDebit.invoice_id, since),
        DirectDebit.state.in_([DebitState.RETURNED, DebitState.DROPPED]),
    )
    for invoice_id, returned_on, ended_at in session.execute(gone) if since else ():
        day = returned_on or (local_day(ended_at) if ended_at else None)
        if day and invoice_id in since:
            since[invoice_id] = max(since[invoice_id], day)
    return since


def _by_person(session: Session, owed: Iterable[OpenInvoice], since: Mapping[int, date]) -> list[Debt]:
    whose: dict[int, list[OpenInvoice]] = defaultdict(list)
    for invoice in owed:
        whose[invoice.account_id or -invoice.customer_id].append(invoice)
    if not whose:
        return []
    sent = _reminders(session, [invoice.id for invoices in whose.values() for invoice in invoices])
    contacts = _contacts(session, whose)
    found = []
    for payer_id, invoices in whose.items():
        contact = contacts.get(payer_id, NOBODY)
        order_id = invoices[0].order_id if payer_id < 0 else None
        late = (
            LateInvoice(
                each.id,
                each.number,
                each.customer_id,
                each.due_on,
                since[each.id],
                each.open,
                *sent.get(each.id, ()),
            )
            for each in invoices
        )
        number = customer_number(payer_id) if order_id is None else order_number(order_id)
        found.append(Debt(payer_id, invoices[0].name or contact.name, number, order_id, contact, tuple(late)))
    return found


def _reminders(session: Session, invoice_ids: Collection[int]) -> dict[int, tuple[int, datetime]]:
    rows = session.execute(
        select(
            PaymentReminder.invoice_id,
            func.max(PaymentReminder.position),
            func.max(PaymentReminder.sent_at, type_=PaymentReminder.sent_at.type),
        )
        .where(among(PaymentReminder.invoice_id, invoice_ids))
        .group_by(PaymentReminder.invoice_id)
    )
    return {invoice_id: (position, at) for invoice_id, position, at in rows}


def _contacts(session: Session, payer_ids: Collection[int]) -> dict[int, Contact]:
    person = View(
        Contact,
        name=Account.first_name + " " + Account.last_name,
        first_name=Account.first_name,
        email=Account.email,
        phone=Account.phone,
        means=Account.payment_means,
    )
    guest = View(
        Contact, name=Order.name, first_name=Order.name, email=Order.email, phone=Order.phone, means=null()
    )
    people = select(Account.id, person).where(among(Account.id, payer_ids), Account.erased_at.is_(None))
    guests = (
        select(-Customer.id, guest)
        .join(Customer.order)
        .where(among(Customer.id, [-payer_id for payer_id in payer_ids]), Customer.account_id.is_(None))
    )
    return {payer_id: said for rows in (people, guests) for payer_id, said in session.execute(rows)}
