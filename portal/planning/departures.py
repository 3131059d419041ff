"""Who leaves, for staff: contracts that are ended, what waits to be confirmed or dealt with, what is renounced."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from portal.accounts.models import Account
from portal.planning.contracts import contract_number
from portal.planning.models import ContractWithdrawal, Termination
from portal.planning.papers import Receipt
from portal.planning.terminations import receipt
from portal.subscriptions.models import Contract, Subscription


class Stage(StrEnum):
    """How far a notification is."""

    OPEN = "open"
    """Whose it is could not be found: staff deal with it."""
    ASKED = "asked"
    """Its owner has been mailed, and has not confirmed."""
    SETTLED = "settled"
    """Staff have dealt with it."""
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Departing:
    """A notification in the staff's list."""

    receipt: Receipt
    stage: Stage
    account_id: int | None
    person: str | None
    settled_at: datetime | None
    settlement: str | None


@dataclass(frozen=True, slots=True)
class Renounced:
    """A contract that was renounced."""

    id: int
    number: str
    account_id: int
    person: str
    made_at: datetime
    settled_at: datetime | None


def waiting(session: Session) -> int:
    """How much staff have still to deal with."""
    unknown = (
        Termination.searched_at.is_not(None),
        Termination.account_id.is_(None),
        Termination.settled_at.is_(None),
    )
    counts = select(
        select(func.count()).select_from(Termination).where(*unknown).scalar_subquery(),
        select(func.count())
        .select_from(ContractWithdrawal)
        .where(ContractWithdrawal.settled_at.is_(None))
        .scalar_subquery(),
    )
    return sum(session.execute(counts).one())


_PAST = or_(Termination.confirmed_at.is_not(None), Termination.settled_at.is_not(None))


def terminations(
    session: Session, *, past: bool | None = None, at_most: int | None = None
) -> list[Departing]:
    """The newest first: those that are past, that are not, or all."""
    every = (
        select(Termination, Account)
        .outerjoin(Account, Account.id == Termination.account_id)
        .order_by(Termination.id.desc())
        .limit(at_most)
    )
    rows = session.execute(every if past is None else every.where(_PAST if past else ~_PAST))
    return [
        Departing(
            receipt(row),
            _stage(row),
            row.account_id,
            account.full_name if account else None,
            row.settled_at,
            row.settlement,
        )
        for row, account in rows
    ]


def _stage(row: Termination) -> Stage:
    if row.confirmed_at:
        return Stage.ENDED
    if row.settled_at:
        return Stage.SETTLED
    return Stage.ASKED if row.account_id or row.searched_at is None else Stage.OPEN


def renounced(session: Session) -> list[Renounced]:
    """What is still to be settled first, then the newest."""
    rows = session.execute(
        select(ContractWithdrawal, Contract.subscription_id, Account)
        .join(Contract, Contract.id == ContractWithdrawal.contract_id)
        .join(Subscription, Subscription.id == Contract.subscription_id)
        .join(Account, Account.id == Subscription.account_id)
        .order_by(ContractWithdrawal.settled_at.is_not(None), ContractWithdrawal.id.desc())
    )
    return [
        Renounced(row.id, contract_number(number), account.id, account.full_name, row.made_at, row.settled_at)
        for row, number, account in rows
    ]
