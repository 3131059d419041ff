"""Money that came in or went out, as the farm looks through it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.orm import Session, aliased

from portal.accounts.models import Account, customer_number
from portal.billing.models import Customer, EntryKind, LedgerEntry
from portal.billing.payers import find_payer
from portal.billing.payments import REVERSIBLE
from portal.infra.orm import View, narrowing
from portal.planning.people import is_found_by
from portal.rules.alphabet import search_words
from portal.rules.money import Money
from portal.rules.paying import PaymentMeans
from portal.shop.models import Order, order_number


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a list of payments is narrowed to."""

    text: str = ""
    means: PaymentMeans | None = None
    first: date | None = None
    last: date | None = None

    def __bool__(self) -> bool:
        return self != Wanted()


@dataclass(frozen=True, slots=True)
class PaymentLine:
    """A payment, what takes one back, a refund or a write-off, with whose it is."""

    id: int
    number: int
    kind: EntryKind
    day: date
    amount: Money
    """What is owed more by it."""
    means: PaymentMeans | None
    reference: str | None
    customer_id: int
    account_id: int | None
    order_id: int | None
    name: str
    reverses: int | None
    reversed_by: int | None
    debit_id: int | None
    entered_at: datetime
    entered_by: str | None

    @property
    def reversible(self) -> bool:
        """By hand: a debit comes back by its own page."""
        return self.kind in REVERSIBLE and self.reversed_by is None and self.debit_id is None

    @property
    def payer_number(self) -> str:
        if self.account_id is not None:
            return customer_number(self.account_id)
        assert self.order_id is not None
        return order_number(self.order_id)


@dataclass(frozen=True, slots=True)
class Received:
    """A page of them, how many there are, and what came in by them."""

    lines: list[PaymentLine]
    count: int
    total: Money


def find_received(session: Session, wanted: Wanted, *, page: int, size: int) -> Received:
    """One page, from 0, the newest first."""
    which = list(_conditions(session, wanted))
    counted = select(func.count(LedgerEntry.id), func.sum(LedgerEntry.amount)).where(*which)
    count, amount = session.execute(counted).one()
    lines = session.scalars(_lines().where(*which).offset(page * size).limit(size)).all()
    return Received(list(lines), count, Money.zero() - (amount or Money.zero()))


def find_line(session: Session, number: int) -> PaymentLine | None:
    return session.scalars(_lines().where(_IS_MONEY, LedgerEntry.number == number)).first()


_IS_MONEY = narrowing(LedgerEntry.invoice_id).is_(None)


def _conditions(session: Session, wanted: Wanted) -> Iterable[ColumnElement[bool]]:
    yield _IS_MONEY
    if wanted.means:
        yield LedgerEntry.means == wanted.means
    if wanted.first:
        yield LedgerEntry.day >= wanted.first
    if wanted.last:
        yield LedgerEntry.day <= wanted.last
    if not wanted.text:
        return
    payer = find_payer(session, wanted.text)
    if payer:
        whose = (
            Customer.account_id == payer.account_id
            if payer.account_id
            else Customer.order_id == payer.order_id
        )
    else:
        whose = Customer.account_id.in_(
            select(Account.id).where(*map(is_found_by, search_words(wanted.text)))
        )
    mine = LedgerEntry.customer_id.in_(select(Customer.id).where(whose))
    yield or_(mine, LedgerEntry.reference == wanted.text)


def _lines() -> Select[Any]:
    taken_back, reversal, by = aliased(LedgerEntry), aliased(LedgerEntry), aliased(Account)
    shape = View(
        PaymentLine,
        id=LedgerEntry.id,
        number=LedgerEntry.number,
        kind=LedgerEntry.kind,
        day=LedgerEntry.day,
        amount=LedgerEntry.amount,
        means=LedgerEntry.means,
        reference=LedgerEntry.reference,
        customer_id=Customer.id,
        account_id=Customer.account_id,
        order_id=Customer.order_id,
        name=func.coalesce(Account.first_name + " " + Account.last_name, Order.name, ""),
        reverses=taken_back.number,
        reversed_by=reversal.number,
        debit_id=LedgerEntry.debit_id,
        entered_at=LedgerEntry.entered_at,
        entered_by=by.first_name + " " + by.last_name,
    )
    return (
        select(shape)
        .select_from(LedgerEntry)
        .join(LedgerEntry.customer)
        .outerjoin(Account, Account.id == Customer.account_id)
        .outerjoin(Order, Order.id == Customer.order_id)
        .outerjoin(taken_back, taken_back.id == LedgerEntry.reverses_id)
        .outerjoin(reversal, reversal.reverses_id == LedgerEntry.id)
        .outerjoin(by, by.id == LedgerEntry.entered_by)
        .order_by(LedgerEntry.number.desc())
    )
