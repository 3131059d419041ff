"""Renouncing a subscription within fourteen days (Code de la consommation, L221-18 and L221-21).

What is delivered or closed is billed, what is not falls.
"""

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from flask import Flask, current_app
from itsdangerous import BadSignature, URLSafeSerializer
from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.accounts import answers
from portal.accounts.models import Account
from portal.infra import audit, clock, locks, mail, outbox
from portal.planning import ending
from portal.planning.contracts import FIRST_NUMBER, contract_number
from portal.planning.ending import Leave, foresee
from portal.planning.models import ContractWithdrawal
from portal.planning.papers import words
from portal.profile.queries import get_farm
from portal.rules.cutoffs import local_day
from portal.rules.withdrawals import last_day, may_withdraw
from portal.subscriptions.models import Contract, Subscription

LONGEST = timedelta(weeks=3)
"""No period to withdraw in is longer: fourteen days, until the next working day."""
_NUMBER = re.compile(r"[Aa]([0-9]{5,9})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Renounceable:
    """A contract as the page of its withdrawal shows it; `leave` is what that comes to, while it is possible."""

    id: int
    number: str
    made_day: date
    until: date
    account: Account
    leave: Leave | None
    withdrawn_at: datetime | None


def find(session: Session, contract_id: int, now: datetime) -> Renounceable | None:
    row = session.get(Contract, contract_id)
    return _view(session, row, now) if row else None


def of_account(session: Session, account_id: int, now: datetime) -> list[Renounceable]:
    """Those that may still be renounced."""
    lately = (
        select(Contract)
        .join(Contract.subscription)
        .where(Subscription.account_id == account_id, Contract.made_at > now - LONGEST)
        .where(Contract.withdrawn_at.is_(None))
    )
    found = (_view(session, row, now) for row in session.scalars(lately.order_by(Contract.id)))
    return [one for one in found if one.leave]


def _view(session: Session, row: Contract, now: datetime) -> Renounceable:
    made, account = local_day(row.made_at), row.subscription.account
    runs = row.withdrawn_at is None and may_withdraw(False, made, local_day(now))
    leaves = foresee(session, account.id, local_day(now), now) if runs else {}
    return Renounceable(
        row.id,
        contract_number(row.subscription_id),
        made,
        last_day(made),
        account,
        leaves.get(row.subscription_id),
        row.withdrawn_at,
    )


def renounce(session: Session, contract_id: int, *, name: str, email: str, by: Account | None) -> bool:
    """Take a declaration, end the subscription, mail the receipt; what is renounced already stays so.

    False once the period is over.
    """
    row = session.get_one(Contract, contract_id)
    account = row.subscription.account
    hands, today = by or account, local_day(clock.now())
    done = ending.end_together(session, account, {row.subscription_id: None}, today, by=hands)
    assert done is not None, "the subscription is its own account's"
    session.refresh(row)  # the subscription is held: whoever came first has written it
    if row.withdrawn_at:
        return True
    now = clock.now()
    if not may_withdraw(False, local_day(row.made_at), local_day(now)):
        return False
    row.withdrawn_at = now
    made = ContractWithdrawal(contract_id=row.id, name=name, email=email, made_at=now)
    session.add(made)
    session.flush()
    audit.record(session, "contract.withdraw", ("contract", row.id), at=now, by=hands.id)
    _tell(session, row, made, account, done.leaves[row.subscription_id])
    return True


def _tell(session: Session, row: Contract, made: ContractWithdrawal, account: Account, leave: Leave) -> None:
    at = made.made_at
    receipt = mail.render(
        "contract_withdrawn",
        farm=get_farm(session),
        number=contract_number(row.subscription_id),
        made=made,
        made_day=local_day(row.made_at),
        day=local_day(at),
        leave=leave,
        words=words,
    )
    for to in {address.casefold(): address for address in (account.email, made.email)}.values():
        outbox.post(session, to=to, **receipt.parts, at=at)


def init_app(_app: Flask) -> None:
    answers.withdrawal.connect(send_link)


def send_link(number: str, *, session: Session, email: str) -> None:
    """Mail whoever has a contract the way to renounce it; nothing where the address is not theirs."""
    written = _NUMBER.fullmatch(number)
    held = (
        select(Contract).where(Contract.subscription_id == int(written[1]) - FIRST_NUMBER)
        if written
        else None
    )
    row = session.scalar(held) if held is not None else None
    if row is None or row.subscription.account.email != email.casefold():
        return
    way = mail.link("public.renounce_contract", contract_token=token(row.id))
    number = contract_number(row.subscription_id)
    rendered = mail.render("contract_withdrawal_link", farm=get_farm(session), number=number, way=way)
    outbox.post(session, to=row.subscription.account.email, **rendered.parts, at=clock.now(), secret=True)


def settle(session: Session, withdrawal_id: int, *, at: datetime, by: Account) -> bool:
    """Nothing is left to pay back; False where there is none."""
    row = session.scalar(
        locks.for_update(
            select(ContractWithdrawal).where(ContractWithdrawal.id == withdrawal_id), of=ContractWithdrawal
        )
    )
    if row is None:
        return False
    if row.settled_at is None:
        row.settled_at = at
        audit.record(session, "contract.settle_withdrawal", ("contract", row.contract_id), at=at, by=by.id)
    return True


def token(contract_id: int) -> str:
    return _signer().dumps(contract_id)


def contract_of_token(text: str) -> int | None:
    try:
        contract_id = _signer().loads(text)
    except BadSignature:
        return None
    return contract_id if isinstance(contract_id, int) else None


def _signer() -> URLSafeSerializer:
    return URLSafeSerializer(current_app.config["SECRET_KEY"], salt="contract")
