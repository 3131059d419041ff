"""Lines of the bank's statements and what becomes of them: proposed, entered as payments, set aside, undone."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from sqlalchemy import and_, case, func, select
from sqlalchemy.orm import Session, joinedload

from portal.accounts.models import Account, Company, CompanyState, customer_number
from portal.billing import payments
from portal.billing.balances import HOLDER, open_invoices
from portal.billing.customers import customer_of
from portal.billing.ledger import first_open_day
from portal.billing.models import (
    BankLine,
    BankLineState,
    Customer,
    DebitBatch,
    DirectDebit,
    Invoice,
    LedgerEntry,
)
from portal.billing.payers import find_payer, find_payers
from portal.billing.payments import Payment
from portal.infra import audit, locks
from portal.infra.orm import View
from portal.rules.cutoffs import local_day
from portal.rules.matching import (
    BANKS_TAKE,
    Books,
    Collected,
    Confidence,
    Movement,
    Owed,
    Payer,
    Proposal,
    invoice_numbers,
    propose_all,
)
from portal.rules.money import Money
from portal.rules.paying import PaymentMeans

MONTHS_BACK = timedelta(days=400)
"""A debit without a mandate can come back for thirteen months."""


def collected(session: Session, days: Collection[date]) -> list[Collected]:
    """What the farm has collected about these days, whole files and single debits; one that comes back is older."""
    if not days:
        return []
    files = select(DebitBatch.message_id, DebitBatch.collected_on, DebitBatch.total).where(
        DebitBatch.collected_on.between(min(days) - BANKS_TAKE, max(days)),
        DebitBatch.presented_at.is_not(None),
    )
    debits = select(DirectDebit.end_to_end, DirectDebit.collected_on, DirectDebit.amount).where(
        DirectDebit.batch_id.is_not(None),
        DirectDebit.collected_on.between(min(days) - MONTHS_BACK, max(days)),
    )
    return [Collected(*row) for row in (*session.execute(files), *session.execute(debits))]


@dataclass(frozen=True, slots=True)
class LineView:
    """A line in staff's list; whose it is once it is entered, or who is proposed."""

    id: int
    day: date
    amount: Money
    name: str
    label: str
    state: BankLineState
    payer_id: int | None
    settled_at: datetime | None

    @property
    def movement(self) -> Movement:
        return Movement(self.day, self.amount, self.name, self.label)


_LINE = View(
    LineView,
    id=BankLine.id,
    day=BankLine.day,
    amount=BankLine.amount,
    name=BankLine.name,
    label=BankLine.label,
    state=BankLine.state,
    payer_id=case((BankLine.customer_id.is_not(None), HOLDER)),
    settled_at=BankLine.settled_at,
)


class Refusal(StrEnum):
    """Why a line is not entered; the words are in the templates, with those of payments."""

    SETTLED = "settled"
    """For somebody else meanwhile, or set aside."""
    NO_INCOME = "no_income"
    NOBODY = "nobody"


def list_lines(session: Session, state: BankLineState, *, page: int, size: int) -> list[LineView]:
    """One page, from 0,, and one line more where there is another."""
    rows = (
        select(_LINE).outerjoin(Customer, Customer.id == BankLine.customer_id).where(BankLine.state == state)
    )
    rows = rows.order_by(BankLine.day.desc(), BankLine.id.desc())
    return list(session.scalars(rows.offset(page * size).limit(size + 1)))


def find_line(session: Session, line_id: int) -> LineView | None:
    return session.scalar(
        select(_LINE).outerjoin(Customer, Customer.id == BankLine.customer_id).where(BankLine.id == line_id)
    )


def count_lines(session: Session) -> dict[BankLineState, int]:
    rows = session.execute(select(BankLine.state, func.count()).group_by(BankLine.state))
    counts: dict[BankLineState, int] = dict(rows.all())
    return counts


def proposals(session: Session, lines: Sequence[LineView]) -> dict[int, Proposal]:
    """By line, in a constant number of statements."""
    if not lines:
        return {}
    movements = [line.movement for line in lines]
    found = propose_all(movements, _books(session, movements))
    return {line.id: proposal for line, proposal in zip(lines, found, strict=True)}


def _books(session: Session, movements: Sequence[Movement]) -> Books:
    owed: dict[int, list[Owed]] = defaultdict(list)
    guests: dict[int, str] = {}
    for invoice in open_invoices(session):
        payer_id = invoice.account_id or -invoice.customer_id
        owed[payer_id].append(Owed(invoice.number, invoice.open))
        if invoice.account_id is None:
            guests[payer_id] = invoice.name
    people = (
        select(Account.id, Account.first_name, Account.last_name, Company.name)
        .outerjoin(Company, and_(Company.account_id == Account.id, Company.state == CompanyState.APPROVED))
        .where(Account.id.in_(select(Customer.account_id)), Account.erased_at.is_(None))
    )
    payers = [
        Payer(number, customer_number(number), first, last, company, tuple(owed[number]))
        for number, first, last, company in session.execute(people)
    ]
    payers += [Payer(number, "", "", "", name, tuple(owed[number])) for number, name in guests.items()]
    named = {number for movement in movements for number in invoice_numbers(movement.text)}
    billed = select(Invoice.number, HOLDER).join(Invoice.customer).where(Invoice.number.in_(named))
    days = [movement.day for movement in movements]
    return Books(payers, dict(session.execute(billed).all()), collected(session, days))


@dataclass(frozen=True, slots=True)
class PayerView:
    """Who may have paid; what they owe, negative where they are ahead."""

    id: int
    name: str
    number: str
    balance: Money


def payers(session: Session, ids: Collection[int]) -> dict[int, PayerView]:
    """Accounts by their ids, guests by those of their rows in the books, negative."""
    accounts = session.scalars(select(Account).where(Account.id.in_(ids)))
    guests = select(Customer).where(Customer.id.in_([-number for number in ids if number < 0]))
    names = {account.id: (account.full_name, account.customer_number) for account in accounts}
    for guest in session.scalars(guests.options(joinedload(Customer.order))):
        if guest.order:
            names[-guest.id] = (guest.order.name, guest.number)
    owed = select(HOLDER, func.sum(LedgerEntry.amount)).join(LedgerEntry.customer)
    sums = dict(session.execute(owed.where(HOLDER.in_(ids)).group_by(HOLDER)).all())
    return {
        number: PayerView(number, *said, sums.get(number, Money.zero())) for number, said in names.items()
    }


def search(session: Session, text: str) -> list[PayerView]:
    """Who may be meant: by name and address, by their number or an invoice's; whoever shares is their payer."""
    named = find_payer(session, text)
    found = [*([named] if named else []), *find_payers(session, text)]
    guests = select(Customer.order_id, -Customer.id).where(
        Customer.order_id.in_([payer.order_id for payer in found if payer.account_id is None])
    )
    by_order = dict(session.execute(guests).all())
    ids = [payer.account_id or by_order.get(payer.order_id) for payer in found]
    views = payers(session, {number for number in ids if number})
    return [views[number] for number in dict.fromkeys(ids) if number in views]


def enter(
    session: Session, wanted: Mapping[int, int], *, at: datetime, by: int
) -> list[BankLine] | Refusal | payments.Refusal:
    """Lines as payments of these people, all or none. Pressed twice, or by two, what stands already stays."""
    lines = _locked(session, wanted)
    new = [line for line in lines if line.state is BankLineState.OPEN]
    customers = _customers(session, {wanted[line.id] for line in lines})
    for line in lines:
        customer = customers.get(wanted[line.id])
        if customer is None:
            return Refusal.NOBODY
        if line.amount <= Money.zero():
            return Refusal.NO_INCOME
        if line.state is not BankLineState.OPEN and not _is_of(session, line, customer):
            return Refusal.SETTLED
    locks.checked()
    opens, today = first_open_day(session), local_day(at)
    made = payments.pay_all(
        session,
        [
            Payment(
                customers[wanted[line.id]].id,
                PaymentMeans.TRANSFER,
                line.amount,
                min(max(line.day, opens or line.day), today),
                reference=_reference(line),
            )
            for line in new
        ],
        at=at,
        by=by,
    )
    if isinstance(made, payments.Refusal):
        return made
    for line, entry in zip(new, made, strict=True):
        line.state, line.customer_id, line.entry_id = BankLineState.ENTERED, entry.customer_id, entry.id
        line.settled_at, line.settled_by = at, by
        audit.record(
            session, "bank_line.enter", ("bank_line", line.id), at=at, by=by, after={"entry": entry.number}
        )
    return lines


def _reference(line: BankLine) -> str:
    """With the invoice that it names, which it then pays."""
    numbers = invoice_numbers(f"{line.name} {line.label}")
    return " ".join([f"BQ{line.id}", *(numbers if len(numbers) == 1 else ())])


def settle_certain(
    session: Session, wanted: Mapping[int, int | None], *, at: datetime, by: int
) -> tuple[int, int] | Refusal | payments.Refusal:
    """Enter those that are still certain to be these people's, set aside the farm's own; how many of each."""
    locked = [line for line in _locked(session, wanted) if line.state is BankLineState.OPEN]
    views = session.scalars(
        select(_LINE)
        .outerjoin(Customer, Customer.id == BankLine.customer_id)
        .where(BankLine.id.in_([line.id for line in locked]))
    ).all()
    found = {
        number: proposal.payer_id
        for number, proposal in proposals(session, views).items()
        if proposal.confidence is Confidence.CERTAIN and proposal.payer_id == wanted[number]
    }
    theirs = {number: payer_id for number, payer_id in found.items() if payer_id is not None}
    entered = enter(session, theirs, at=at, by=by) if theirs else []
    if isinstance(entered, Refusal | payments.Refusal):
        return entered
    own = [number for number, payer_id in found.items() if payer_id is None]
    for number in own:
        ignore(session, number, at=at, by=by)
    return len(theirs), len(own)


def ignore(session: Session, line_id: int, *, at: datetime, by: int) -> Refusal | None:
    """Set a line aside: it is entered otherwise, or none of the subscribers' business."""
    [line] = _locked(session, [line_id])
    if line.state is BankLineState.ENTERED:
        return Refusal.SETTLED
    if line.state is BankLineState.OPEN:
        line.state, line.settled_at, line.settled_by = BankLineState.IGNORED, at, by
        audit.record(session, "bank_line.ignore", ("bank_line", line_id), at=at, by=by)
    return None


def reopen(session: Session, line_id: int, *, at: datetime, by: int) -> payments.Refusal | None:
    """Take back what was decided; a payment by another entry."""
    [line] = _locked(session, [line_id])
    if line.state is BankLineState.OPEN:
        return None
    if line.entry_id is not None:
        entry = session.get_one(LedgerEntry, line.entry_id)
        undone = payments.reverse(session, entry, day=local_day(at), reason=f"BQ{line.id}", at=at, by=by)
        if isinstance(undone, payments.Refusal):
            return undone
    _open(session, line, at=at, by=by)
    return None


def reverse(
    session: Session, entry: LedgerEntry, *, day: date, reason: str, at: datetime, by: int
) -> LedgerEntry | payments.Refusal:
    """Take an entry back by another; if it came off a statement, whose that money is is open again."""
    own = select(BankLine).where(BankLine.entry_id == entry.id)
    line = session.scalar(locks.for_update(own, of=BankLine))
    undone = payments.reverse(session, entry, day=day, reason=reason, at=at, by=by)
    if line and not isinstance(undone, payments.Refusal):
        _open(session, line, at=at, by=by)
    return undone


def _open(session: Session, line: BankLine, *, at: datetime, by: int) -> None:
    line.state, line.customer_id, line.entry_id = BankLineState.OPEN, None, None
    line.settled_at = line.settled_by = None
    audit.record(session, "bank_line.reopen", ("bank_line", line.id), at=at, by=by)


def _locked(session: Session, ids: Collection[int]) -> list[BankLine]:
    those = select(BankLine).where(BankLine.id.in_(ids)).order_by(BankLine.id)
    return list(session.scalars(locks.for_update(those, of=BankLine)))


def _customers(session: Session, payer_ids: Collection[int]) -> dict[int, Customer]:
    """Their rows in the books, under lock of their accounts; none of who is nobody any more."""
    mine = select(Account).where(Account.id.in_(payer_ids), Account.erased_at.is_(None)).order_by(Account.id)
    accounts = session.scalars(locks.for_update(mine, of=Account)).all()
    guests = select(Customer).where(
        Customer.id.in_([-number for number in payer_ids if number < 0]), Customer.order_id.is_not(None)
    )
    found = {account.id: customer_of(session, account.id) for account in accounts}
    return found | {-guest.id: guest for guest in session.scalars(guests)}


def _is_of(session: Session, line: BankLine, customer: Customer) -> bool:
    if line.customer_id is None:
        return False
    entered = session.get_one(Customer, line.customer_id)
    return entered is customer or (
        entered.account_id is not None and entered.account_id == customer.account_id
    )
