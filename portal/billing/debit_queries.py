"""What the desk sees of direct debits: of an account number the end alone."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby
from operator import attrgetter

from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.orm import Session

from portal.accounts.models import Account
from portal.billing.batches import collectable
from portal.billing.debits import NONE, open_amounts
from portal.billing.models import (
    Customer,
    DebitBatch,
    DebitState,
    DirectDebit,
    Invoice,
    InvoiceBuyer,
    Mandate,
)
from portal.infra.orm import View
from portal.rules.alphabet import search_words
from portal.rules.collecting import FileRefusal, first_day_to_file, last_day_to_file, refusal_to_file
from portal.rules.money import Money
from portal.rules.sepa import MandateEnd, ReturnCode, Sequence

FILES = 12
FOUND = 30
A_PAGE = 100
RETURNABLE = (DebitState.PRESENTED, DebitState.COLLECTED)


@dataclass(frozen=True, slots=True)
class DebitLine:
    id: int
    end_to_end: str
    invoice_id: int
    invoice_number: str
    account_id: int
    name: str
    mandate: str
    last_four: str
    mandate_end: MandateEnd | None
    batch_id: int | None
    amount: Money
    collected_on: date
    sequence: Sequence | None
    state: DebitState
    attempt: int
    returned_on: date | None
    return_code: ReturnCode | None

    @property
    def is_first(self) -> bool:
        """Under its mandate."""
        return self.sequence is Sequence.FIRST


@dataclass(frozen=True, slots=True)
class Prospect:
    """What is announced, and how much of it is collected: of what is in no file yet, by one made now."""

    debit: DebitLine
    amount: Money

    @property
    def drops(self) -> bool:
        return self.amount == NONE


@dataclass(frozen=True, slots=True)
class Day:
    """What is collected on a day."""

    day: date
    prospects: list[Prospect]

    @property
    def count(self) -> int:
        return sum(not prospect.drops for prospect in self.prospects)

    @property
    def total(self) -> Money:
        return sum((prospect.amount for prospect in self.prospects), NONE)

    @property
    def different(self) -> list[Prospect]:
        """Who drops out, or is asked for less."""
        return [prospect for prospect in self.prospects if prospect.amount != prospect.debit.amount]

    @property
    def first_day_to_file(self) -> date:
        return first_day_to_file(self.day)

    @property
    def last_day_to_file(self) -> date:
        return last_day_to_file(self.day)

    def refusal(self, today: date) -> FileRefusal | None:
        return refusal_to_file(self.day, today)


@dataclass(frozen=True, slots=True)
class Found:
    """A page of what was found, and how many there are."""

    lines: list[DebitLine]
    count: int


@dataclass(frozen=True, slots=True)
class BatchView:
    """A file for the bank, but for what is in it."""

    id: int
    collected_on: date
    made_at: datetime
    presented_at: datetime | None
    dropped_at: datetime | None
    is_kept: bool
    """Not emptied yet."""
    count: int
    total: Money
    ended: int
    """How many of its mandates have ended since."""
    returned: int
    returned_total: Money | None

    @property
    def waits(self) -> bool:
        """To be taken to the bank, or taken back."""
        return self.presented_at is None and self.dropped_at is None


_LINE = View(
    DebitLine,
    id=DirectDebit.id,
    end_to_end=DirectDebit.end_to_end,
    invoice_id=DirectDebit.invoice_id,
    invoice_number=Invoice.number,
    account_id=Mandate.account_id,
    name=func.coalesce(InvoiceBuyer.name, Mandate.holder),
    mandate=Mandate.reference,
    last_four=Mandate.last_four,
    mandate_end=Mandate.end,
    batch_id=DirectDebit.batch_id,
    amount=DirectDebit.amount,
    collected_on=DirectDebit.collected_on,
    sequence=DirectDebit.sequence,
    state=DirectDebit.state,
    attempt=DirectDebit.attempt,
    returned_on=DirectDebit.returned_on,
    return_code=DirectDebit.return_code,
)


def _lines(*which: ColumnElement[bool]) -> Select[DebitLine]:
    return (
        select(_LINE)
        .join(DirectDebit.invoice)
        .join(DirectDebit.mandate)
        .outerjoin(Invoice.buyer)
        .where(*which)
    )


def find(session: Session, debit_id: int) -> DebitLine | None:
    return session.scalar(_lines(DirectDebit.id == debit_id))


def attempts(session: Session, invoice_id: int) -> list[DebitLine]:
    """All that was announced for an invoice, the newest first."""
    return list(session.scalars(_lines(DirectDebit.invoice_id == invoice_id).order_by(DirectDebit.id.desc())))


def announced(session: Session) -> list[Day]:
    """What is in no file yet, day by day."""
    lines = _lines(DirectDebit.state == DebitState.ANNOUNCED)
    ordered = lines.order_by(DirectDebit.collected_on, DirectDebit.id)
    found = prospects(session, session.scalars(ordered).all())
    return [Day(day, list(some)) for day, some in groupby(found, attrgetter("debit.collected_on"))]


def prospects(session: Session, lines: Collection[DebitLine]) -> list[Prospect]:
    left = open_amounts(session, [line.invoice_id for line in lines])
    return [
        Prospect(line, collectable(line.amount, left.get(line.invoice_id), line.mandate_end is not None))
        for line in lines
    ]


def of_day(session: Session, day: date) -> Day:
    """Whatever its state, by name: what is in a file is collected as it is, what fell out is not."""
    on = DirectDebit.collected_on == day
    some = _lines(on).join(Mandate.account).order_by(Account.search_key, DirectDebit.id)
    lines = session.scalars(some).all()
    announced = [line for line in lines if line.state is DebitState.ANNOUNCED]
    left = {each.debit.id: each for each in prospects(session, announced)}
    held = (Prospect(line, NONE if line.state is DebitState.DROPPED else line.amount) for line in lines)
    return Day(day, [left.get(each.debit.id, each) for each in held])


def files(session: Session, *, limit: int = FILES) -> list[BatchView]:
    """The newest first."""
    back = DirectDebit.state == DebitState.RETURNED
    inside = (
        select(
            DirectDebit.batch_id,
            func.count(Mandate.ended_at).label("ended"),
            func.count().filter(back).label("returned"),
            func.sum(DirectDebit.amount).filter(back).label("returned_total"),
        )
        .join(DirectDebit.mandate)
        .group_by(DirectDebit.batch_id)
        .subquery()
    )
    view = View(
        BatchView,
        id=DebitBatch.id,
        collected_on=DebitBatch.collected_on,
        made_at=DebitBatch.made_at,
        presented_at=DebitBatch.presented_at,
        dropped_at=DebitBatch.dropped_at,
        is_kept=DebitBatch.data.is_not(None),
        count=DebitBatch.count,
        total=DebitBatch.total,
        ended=func.coalesce(inside.c.ended, 0),
        returned=func.coalesce(inside.c.returned, 0),
        returned_total=inside.c.returned_total,
    )
    newest = select(view).outerjoin(inside, inside.c.batch_id == DebitBatch.id)
    return list(session.scalars(newest.order_by(DebitBatch.id.desc()).limit(limit)))


def search(session: Session, text: str, *, cents: int | None, day: date | None, page: int = 0) -> Found:
    """What the bank has or has collected, found by its person, a reference, its amount or its day; newest first."""
    named = [Account.search_key.contains(word, autoescape=True) for word in search_words(text)]
    ways: list[ColumnElement[bool]] = [
        DirectDebit.end_to_end.startswith(text.upper(), autoescape=True),
        Mandate.reference.startswith(text.upper(), autoescape=True),
    ]
    if named:
        ways.append(DirectDebit.customer_id.in_(select(Customer.id).join(Customer.account).where(*named)))
    if cents is not None:
        ways.append(DirectDebit.amount == Money(cents))
    if day:
        ways.append(DirectDebit.collected_on == day)
    found = _lines(DirectDebit.state.in_((*RETURNABLE, DebitState.RETURNED)), or_(*ways))
    newest = found.order_by(DirectDebit.collected_on.desc(), DirectDebit.id.desc())
    lines = list(session.scalars(newest.limit(FOUND).offset(page * FOUND)))
    if not page and len(lines) < FOUND:
        return Found(lines, len(lines))
    return Found(lines, session.scalar(select(func.count()).select_from(found.subquery())) or 0)


def returned(session: Session, *, limit: int = FILES) -> list[DebitLine]:
    """What came back last."""
    found = _lines(DirectDebit.state == DebitState.RETURNED)
    return list(
        session.scalars(found.order_by(DirectDebit.returned_on.desc(), DirectDebit.id.desc()).limit(limit))
    )
