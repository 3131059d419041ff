"""What somebody owes, what of each invoice is open, and what they paid: read off the ledger."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import (
    CTE,
    Result,
    Subquery,
    bindparam,
    case,
    cast,
    func,
    literal,
    or_,
    select,
)
from sqlalchemy.orm import Session, aliased, defer

from portal.billing.customers import UNEVEN, belongs_to
from portal.billing.models import (
    ALIVE,
    Customer,
    DirectDebit,
    EntryKind,
    Invoice,
    InvoiceBuyer,
    LedgerEntry,
)
from portal.infra.orm import Cents, among
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
    pays_id: int | None = None
    """The invoice that it names."""


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
        counted, left, found = list[MoneyLine](), self._open(bill, ()), []
        for line in sorted(self.payments, key=lambda line: (line.day, line.number)):
            if line.reversed_by is None and line.reverses is None:
                counted.append(line)
                before, left = left, self._open(bill, counted)
                if left != before:
                    found.append((line, before - left))
        return found

    def _open(self, bill: Bill, lines: Iterable[MoneyLine]) -> Money:
        return _settle(self.bills, lines).open[bill.id]


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
"""Whose money pays whose invoices: an account's customers are one, a guest is one, by a negative id."""


_ENTRIES = (
    select(LedgerEntry, Invoice)
    .join(LedgerEntry.customer)
    .outerjoin(LedgerEntry.invoice)
    .options(defer(Invoice.seller))
    .order_by(LedgerEntry.number.desc())
)
_OF_ACCOUNT = _ENTRIES.where(belongs_to(bindparam("account_id")))


def books_of(session: Session, account_id: int) -> Books:
    return _books(session.execute(_OF_ACCOUNT, {"account_id": account_id}))


def books_of_customer(session: Session, customer_id: int) -> Books:
    """With whatever else is the same account's."""
    account_id = select(Customer.account_id).where(Customer.id == customer_id).scalar_subquery()
    whose = or_(Customer.id == customer_id, Customer.account_id == account_id)
    return _books(session.execute(_ENTRIES.where(whose)))


def books_of_payer(session: Session, account_id: int | None, order_id: int | None) -> Books:
    """An account's, or a guest's by their order."""
    if account_id is not None:
        return books_of(session, account_id)
    return _books(session.execute(_ENTRIES.where(Customer.order_id == order_id)))


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
    session: Session, payer_ids: Collection[int] | None = None, *, late_on: date | None = None
) -> list[OpenInvoice]:
    """Everybody's, or these holders', or what is late of it; what is due first comes first."""
    unpaid = _unpaid(_uneven() if payer_ids is None else _these(payer_ids))
    newer = unpaid.c.through - unpaid.c.left
    rows = (
        select(
            Invoice.id,
            Invoice.number,
            Invoice.customer_id,
            Customer.account_id,
            Customer.order_id,
            func.coalesce(InvoiceBuyer.name, ""),
            Invoice.issued_on,
            Invoice.due_on,
            Invoice.means,
            Invoice.total,
            case((unpaid.c.through <= unpaid.c.balance, unpaid.c.left), else_=unpaid.c.balance - newer),
        )
        .join(unpaid, unpaid.c.id == Invoice.id)
        .join(Invoice.customer)
        .outerjoin(Invoice.buyer)
        .where(newer < unpaid.c.balance)
        .order_by(Invoice.due_on, Invoice.id)
    )
    if late_on is not None:
        rows = rows.where(Invoice.due_on < late_on)
    return [OpenInvoice(*row) for row in session.execute(rows)]


def _these(payer_ids: Collection[int]) -> CTE:
    guests = among(Customer.id, [-each for each in payer_ids if each < 0]) & Customer.account_id.is_(None)
    theirs = or_(among(Customer.account_id, [each for each in payer_ids if each > 0]), guests)
    return select(Customer.id, HOLDER.label("holder")).where(theirs).cte("theirs")


def _uneven() -> CTE:
    """Whose books are not even: of an account whole, as what one of its customers paid may pay for another."""
    accounts = select(Customer.account_id).where(UNEVEN)
    theirs = select(Customer.id, HOLDER.label("holder")).where(Customer.account_id.in_(accounts))
    guests = select(Customer.id, HOLDER).where(Customer.account_id.is_(None), UNEVEN)
    return theirs.union_all(guests).cte("theirs")


def _unpaid(theirs: CTE) -> Subquery:
    """What credit notes and payments that name them leave of invoices, and what that comes to from the newest back.

    Other money pays the oldest (`rules.settling`): open is what comes to the balance, and no more is ever read.
    """
    balance = func.sum(LedgerEntry.amount)
    owing = (
        select(theirs.c.holder, balance.label("balance"))
        .join(LedgerEntry, LedgerEntry.customer_id == theirs.c.id)
        .group_by(theirs.c.holder)
        .having(balance > NONE)
    )
    who, note, paid = owing.subquery(), aliased(Invoice), aliased(LedgerEntry)
    off = (
        select(func.sum(note.total)).where(note.corrects_id == Invoice.id).scalar_subquery(),
        select(func.sum(paid.amount)).where(paid.pays_id == Invoice.id).scalar_subquery(),
    )
    left = cast(sum((func.coalesce(each, literal(NONE, Cents)) for each in off), start=Invoice.total), Cents)
    billed = (
        select(Invoice.id, Invoice.due_on, left.label("left"), who.c.holder, who.c.balance)
        .join(theirs, theirs.c.id == Invoice.customer_id)
        .join(who, who.c.holder == theirs.c.holder)
        .where(Invoice.total > NONE)
    ).subquery()
    newest_first = (billed.c.due_on.desc(), billed.c.id.desc())
    through = func.sum(billed.c.left).over(partition_by=billed.c.holder, order_by=newest_first)
    return select(billed, through.label("through")).where(billed.c.left > NONE).subquery()


def credited(session: Session) -> dict[int, tuple[Money, Money]]:
    """What invoices that were credited came to, and what was taken off them (`rules.settling`)."""
    note, whose = aliased(Invoice), aliased(Customer)
    taken = (
        select(note.corrects_id, Invoice.total, func.sum(note.total))
        .join(Invoice, Invoice.id == note.corrects_id)
        .join(Invoice.customer)
        .join(whose, whose.id == note.customer_id)
        .where(note.corrects_id.is_not(None), func.coalesce(whose.account_id, -whose.id) == HOLDER)
        .group_by(note.corrects_id, Invoice.total)
    )
    return {each: (total, min(total, NONE - off)) for each, total, off in session.execute(taken) if each}


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


def _books(found: Result[LedgerEntry, Invoice]) -> Books:
    entries = found.all()
    invoices = [invoice for _entry, invoice in entries if invoice]
    rows = [entry for entry, invoice in entries if not invoice]
    settled = _settle(invoices, rows)
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
                pays_id=row.pays_id,
            )
            for row in rows
        ],
    )


def _settle(invoices: Iterable[Invoice | Bill], lines: Iterable[LedgerEntry | MoneyLine]) -> Settlement:
    money = defaultdict[int | None, Money](Money.zero)
    for line in lines:
        money[line.pays_id] -= line.amount
    documents = (Document(each.id, each.due_on, each.total, each.corrects_id) for each in invoices)
    return settle(documents, money.pop(None, NONE), {key: paid for key, paid in money.items() if key})
