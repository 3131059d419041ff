"""What somebody owes, what of each invoice is open, and what they paid: read off the ledger, never kept beside it."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import ColumnElement, case, func, select
from sqlalchemy.orm import Session, aliased, defer

from portal.billing.customers import belongs_to
from portal.billing.models import (
    ALIVE,
    Customer,
    DirectDebit,
    EntryKind,
    Invoice,
    InvoiceBuyer,
    LedgerEntry,
)
from portal.rules.invoicing import DocumentKind
from portal.rules.money import Money
from portal.rules.paying import PaymentMeans
from portal.rules.settling import Document, Settlement, settle

NONE = Money.zero()


class BillState(StrEnum):
    """Where an invoice stands; its word is in the templates."""

    PAID = "paid"
    PARTLY = "partly"
    DUE = "due"
    LATE = "late"
    CREDIT_NOTE = "credit_note"
    CREDITED = "credited"
    """Taken back whole: neither paid nor to be."""


@dataclass(frozen=True, slots=True)
class Bill:
    """An invoice or a credit note in somebody's books, and what is still open of it."""

    id: int
    number: str
    kind: DocumentKind
    month: date | None
    issued_on: date
    due_on: date
    total: Money
    open: Money
    credited: Money = NONE
    """What credit notes took off it."""
    notes: tuple[str, ...] = ()
    """Their numbers."""
    corrects_id: int | None = None
    corrects: str | None = None
    """The number of the invoice that a credit note takes back from."""

    def state(self, today: date) -> BillState:
        if self.kind is DocumentKind.CREDIT_NOTE:
            return BillState.CREDIT_NOTE
        if self.credited == self.total:
            return BillState.CREDITED
        if self.open <= NONE:
            return BillState.PAID
        if self.due_on < today:
            return BillState.LATE
        return BillState.PARTLY if self.open < self.total else BillState.DUE


@dataclass(frozen=True, slots=True)
class MoneyLine:
    """An entry that is no invoice: a payment, its reversal, a refund, a write-off."""

    number: int
    kind: EntryKind
    day: date
    amount: Money
    """What is owed more by it: negative for a payment."""
    means: PaymentMeans | None
    reference: str | None
    reverses: int | None
    """The number of the entry that it takes back."""
    reversed_by: int | None
    entered_at: datetime
    entered_by: int | None
    debit_id: int | None = None


@dataclass(frozen=True, slots=True)
class Books:
    """Somebody's, both lists newest first."""

    balance: Money
    """What they owe; negative where they are ahead."""
    bills: list[Bill]
    payments: list[MoneyLine]

    @property
    def credit(self) -> Money:
        """What they have paid ahead."""
        return max(NONE - self.balance, NONE)

    def paid_for(self, bill: Bill) -> list[tuple[MoneyLine, Money]]:
        """What pays an invoice, as it stands, in the order in which it came in."""
        money, left, found = NONE, self._open(bill, NONE), []
        for line in sorted(self.payments, key=lambda line: (line.day, line.number)):
            if line.reversed_by is None and line.reverses is None:
                money -= line.amount
                before, left = left, self._open(bill, money)
                if left != before:
                    found.append((line, before - left))
        return found

    def _open(self, bill: Bill, money: Money) -> Money:
        return _settle(self.bills, money).open[bill.id]


@dataclass(frozen=True, slots=True)
class OpenInvoice:
    """An invoice that is not wholly paid."""

    id: int
    number: str
    customer_id: int
    account_id: int | None
    order_id: int | None
    """A guest's."""
    name: str
    """To whom it is made out."""
    issued_on: date
    due_on: date
    means: PaymentMeans | None
    total: Money
    open: Money


HOLDER = func.coalesce(Customer.account_id, -Customer.id)
"""Whose money pays whose invoices: an account's customers are one, a guest is one."""


def books_of(session: Session, account_id: int) -> Books:
    return _books(session, belongs_to(account_id))


def books_of_customer(session: Session, customer_id: int) -> Books:
    """With whatever else is the same account's."""
    mine = select(HOLDER).where(Customer.id == customer_id).scalar_subquery()
    return _books(session, mine == HOLDER)


def books_of_payer(session: Session, account_id: int | None, order_id: int | None) -> Books:
    """An account's, or a guest's by their order."""
    if account_id is not None:
        return books_of(session, account_id)
    return _books(session, Customer.order_id == order_id)


def balances(session: Session, account_ids: Collection[int]) -> dict[int, Money]:
    """Of those who have an entry."""
    sums = (
        select(Customer.account_id, func.sum(LedgerEntry.amount))
        .join(LedgerEntry.customer)
        .where(Customer.account_id.in_(account_ids))
        .group_by(Customer.account_id)
    )
    return {account_id: balance for account_id, balance in session.execute(sums) if account_id is not None}


def open_invoices(
    session: Session, account_ids: Collection[int] | None = None, *, late_on: date | None = None
) -> list[OpenInvoice]:
    """Everybody's, or these accounts', or theirs who may have something late; what is due first comes first."""
    owing = select(HOLDER).select_from(LedgerEntry).join(LedgerEntry.customer)
    owing = owing.group_by(HOLDER).having(func.sum(LedgerEntry.amount) > NONE)
    if late_on is not None:
        was_due = (Invoice.kind == DocumentKind.INVOICE) & (Invoice.due_on < late_on)
        counts = case((Invoice.id.is_(None) | was_due, LedgerEntry.amount))
        owing = owing.outerjoin(LedgerEntry.invoice).having(func.sum(counts) > NONE)
    if account_ids is not None:
        owing = owing.where(Customer.account_id.in_(account_ids))
    rows = session.execute(
        select(HOLDER, Invoice, Customer, func.coalesce(InvoiceBuyer.name, ""))
        .select_from(LedgerEntry)
        .join(LedgerEntry.invoice)
        .join(LedgerEntry.customer)
        .outerjoin(Invoice.buyer)
        .where(HOLDER.in_(owing))
        .options(defer(Invoice.seller))
        .order_by(Invoice.due_on, Invoice.id)
    ).all()
    paid = (
        select(HOLDER, func.sum(LedgerEntry.amount))
        .join(LedgerEntry.customer)
        .where(HOLDER.in_(owing), LedgerEntry.invoice_id.is_(None))
        .group_by(HOLDER)
    )
    money = {holder: NONE - amount for holder, amount in session.execute(paid)}
    documents = defaultdict[int, list[Invoice]](list)
    for holder, invoice, _customer, _name in rows:
        documents[holder].append(invoice)
    left = {
        invoice_id: amount
        for holder, invoices in documents.items()
        for invoice_id, amount in _settle(invoices, money.get(holder, NONE)).open.items()
    }
    return [
        OpenInvoice(
            id=invoice.id,
            number=invoice.number,
            customer_id=customer.id,
            account_id=customer.account_id,
            order_id=customer.order_id,
            name=name,
            issued_on=invoice.issued_on,
            due_on=invoice.due_on,
            means=invoice.means,
            total=invoice.total,
            open=left[invoice.id],
        )
        for _holder, invoice, customer, name in rows
        if left.get(invoice.id, NONE) > NONE
    ]


def credited(session: Session) -> dict[int, tuple[Money, Money]]:
    """What invoices that were credited came to, and what was taken off them (`rules.settling`)."""
    note, whose = aliased(Invoice), aliased(Customer)
    taken = (
        select(Invoice.id, Invoice.total, func.sum(note.total))
        .join(Invoice.customer)
        .join(note, note.corrects_id == Invoice.id)
        .join(whose, whose.id == note.customer_id)
        .where(func.coalesce(whose.account_id, -whose.id) == HOLDER)
        .group_by(Invoice.id, Invoice.total)
    )
    return {each: (total, min(total, NONE - off)) for each, total, off in session.execute(taken)}


@dataclass(frozen=True, slots=True)
class Owed:
    """What somebody has to pay by themselves, and until when; less than nothing where they are ahead."""

    amount: Money
    due_on: date | None = None


def owed(session: Session, account_ids: Collection[int]) -> dict[int, Owed]:
    """Of those who owe something that is not being collected, or are ahead."""
    found = {
        account_id: Owed(balance)
        for account_id, balance in balances(session, account_ids).items()
        if balance < NONE
    }
    collected = set(session.scalars(select(DirectDebit.invoice_id).where(DirectDebit.state.in_(ALIVE))))
    for invoice in open_invoices(session, account_ids):
        if invoice.account_id is not None and invoice.id not in collected:
            before = found.get(invoice.account_id, Owed(NONE, invoice.due_on))
            found[invoice.account_id] = Owed(before.amount + invoice.open, before.due_on)
    return found


def _books(session: Session, whose: ColumnElement[bool]) -> Books:
    entries = session.execute(
        select(LedgerEntry, Invoice)
        .join(LedgerEntry.customer)
        .outerjoin(LedgerEntry.invoice)
        .where(whose)
        .options(defer(Invoice.seller))
        .order_by(LedgerEntry.number.desc())
    ).all()
    invoices = [invoice for _entry, invoice in entries if invoice]
    rows = [entry for entry, invoice in entries if not invoice]
    settled = _settle(invoices, sum((NONE - row.amount for row in rows), NONE))
    named = {invoice.id: invoice.number for invoice in invoices}
    notes = defaultdict[int | None, list[str]](list)
    for invoice in reversed(invoices):
        notes[invoice.corrects_id].append(invoice.number)
    numbers = {row.id: row.number for row in rows}
    reversals = {row.reverses_id: row.number for row in rows if row.reverses_id}
    return Books(
        balance=sum((entry.amount for entry, _invoice in entries), NONE),
        bills=[
            Bill(
                id=invoice.id,
                number=invoice.number,
                kind=invoice.kind,
                month=invoice.month,
                issued_on=invoice.issued_on,
                due_on=invoice.due_on,
                total=invoice.total,
                open=settled.open.get(invoice.id, NONE),
                credited=settled.credited.get(invoice.id, NONE),
                notes=tuple(notes[invoice.id]),
                corrects_id=invoice.corrects_id,
                corrects=named.get(invoice.corrects_id) if invoice.corrects_id else None,
            )
            for invoice in invoices
        ],
        payments=[
            MoneyLine(
                number=row.number,
                kind=row.kind,
                day=row.day,
                amount=row.amount,
                means=row.means,
                reference=row.reference,
                reverses=numbers[row.reverses_id] if row.reverses_id else None,
                reversed_by=reversals.get(row.id),
                entered_at=row.entered_at,
                entered_by=row.entered_by,
                debit_id=row.debit_id,
            )
            for row in rows
        ],
    )


def _settle(invoices: Iterable[Invoice | Bill], money: Money) -> Settlement:
    return settle((Document(each.id, each.due_on, each.total, each.corrects_id) for each in invoices), money)
