"""What comes back: a debit that the bank rejects, or that its person has had refunded; and a slip taken back."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import Select, exists, select, update
from sqlalchemy.orm import Session, aliased

from portal.accounts.models import Account
from portal.billing import ledger, mandates, payments
from portal.billing.balances import open_invoices
from portal.billing.debits import announce, collect, held
from portal.billing.models import DebitState, DirectDebit, EntryKind, LedgerEntry
from portal.infra import audit, clock, locks, mail, outbox
from portal.profile.queries import get_farm
from portal.rules.collecting import (
    ATTEMPTS,
    AfterReturn,
    after_return,
    first_day_to_file,
    is_for_family,
)
from portal.rules.cutoffs import local_day
from portal.rules.sepa import MandateEnd, ReturnCode


class Refusal(StrEnum):
    """Why nothing was entered; its words are in the templates."""

    NOT_PRESENTED = "not_presented"
    """The bank does not have it."""
    FUTURE_DAY = "future_day"
    BEFORE_IT = "before_it"
    """No bank had it by then."""
    NEXT_AT_BANK = "next_at_bank"
    """The next attempt is in a file already."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What follows, and on which day it is tried again."""

    after: AfterReturn
    again_on: date | None
    told: bool


def enter(
    session: Session, debit_id: int, code: ReturnCode, day: date, *, by: int
) -> Outcome | Refusal | None:
    """What the ledger has of it is reversed, and its person told what follows. None where it was entered before."""
    [debit] = held(session, DirectDebit.id == debit_id)
    now = clock.now()
    if debit.state is DebitState.RETURNED:
        return None
    if debit.state not in {DebitState.PRESENTED, DebitState.COLLECTED}:
        return Refusal.NOT_PRESENTED
    if day > local_day(now):
        return Refusal.FUTURE_DAY
    if day < first_day_to_file(debit.collected_on):
        return Refusal.BEFORE_IT
    locks.checked()
    debit.state, debit.returned_on, debit.return_code = DebitState.RETURNED, day, code
    said = {"code": code, "day": day.isoformat()}
    audit.record(session, "direct_debit.return", ("direct_debit", debit.id), at=now, by=by, after=said)
    account = debit.customer.account
    assert account is not None, "nobody else signs mandates"
    after = _what_follows(session, debit, account, code, at=now, by=by)
    _reverse(session, debit, code, day, at=now, by=by)
    following = None
    if after is AfterReturn.AGAIN:
        following = announce(session, debit.invoice, at=now, attempt=debit.attempt + 1)
        if following is None and _is_open(session, debit, account):
            after = AfterReturn.OTHER_MEANS  # they let nothing be collected any more
    told = not is_for_family(code) and not account.erased_at
    if told:
        _tell(session, "debit_returned", account, at=now, debit=debit, after=after, following=following)
    return Outcome(after, following.collected_on if following else None, told)


def _is_open(session: Session, debit: DirectDebit, account: Account) -> bool:
    return any(invoice.id == debit.invoice_id for invoice in open_invoices(session, [account.id]))


def _what_follows(
    session: Session, debit: DirectDebit, account: Account, code: ReturnCode, *, at: datetime, by: int
) -> AfterReturn:
    """A mandate ends with its account, unless it was replaced before: then the new one is tried."""
    after = after_return(code, debit.attempt)
    if after is not AfterReturn.MANDATE_ENDS:
        return after
    if debit.mandate.ended_at is None:
        mandates.end(session, account, MandateEnd.REFUSED, at=at, by=by, told=False)
        return after
    return AfterReturn.AGAIN if debit.attempt < ATTEMPTS else AfterReturn.OTHER_MEANS


def _reverse(
    session: Session, debit: DirectDebit, code: ReturnCode, day: date, *, at: datetime, by: int
) -> None:
    """A rejection before the day of collection finds nothing to reverse."""
    paid = session.scalar(_payments_of(debit).where(~_REVERSED))
    if paid is None:
        return
    opens = ledger.first_open_day(session)
    done = payments.reverse(session, paid, day=max(day, opens or day), reason=code, at=at, by=by)
    assert not isinstance(done, payments.Refusal), "its day is over, and its month open"


_REVERSAL = aliased(LedgerEntry)
_REVERSED = exists().where(_REVERSAL.reverses_id == LedgerEntry.id)


def _payments_of(debit: DirectDebit) -> Select[LedgerEntry]:
    return select(LedgerEntry).where(LedgerEntry.debit_id == debit.id, LedgerEntry.kind == EntryKind.PAYMENT)


def undo(session: Session, debit_id: int, *, by: int) -> Refusal | None:
    """It had not come back: it is paid again, under the mandate that was ended for it, and is not tried again."""
    [debit] = held(session, DirectDebit.id == debit_id)
    if debit.state is not DebitState.RETURNED:
        return None
    assert debit.return_code is not None
    following = held(session, DirectDebit.invoice_id == debit.invoice_id, DirectDebit.id > debit.id)
    if any(each.state not in {DebitState.ANNOUNCED, DebitState.DROPPED} for each in following):
        return Refusal.NEXT_AT_BANK
    now, code = clock.now(), debit.return_code
    locks.checked()
    for each in following:
        each.state = DebitState.DROPPED
    session.flush()
    if debit.mandate.end is MandateEnd.REFUSED and after_return(code, ATTEMPTS) is AfterReturn.MANDATE_ENDS:
        _revive(session, debit, now)
    debit.state, debit.returned_on, debit.return_code = DebitState.PRESENTED, None, None
    audit.record(
        session, "direct_debit.undo_return", ("direct_debit", debit.id), at=now, by=by, before={"code": code}
    )
    if session.scalar(_payments_of(debit).limit(1)):
        collect(session, [debit], at=now, by=by)
    account = debit.customer.account
    if account and not account.erased_at and not is_for_family(code):
        _tell(session, "debit_kept", account, at=now, debit=debit)
    return None


def _revive(session: Session, debit: DirectDebit, at: datetime) -> None:
    """With what was announced under the mandate when it ended, unless there is another by now."""
    own = select(Account).where(Account.id == debit.mandate.account_id)
    session.scalars(locks.for_update(own, of=Account)).one()  # as whoever signs does
    if mandates.live_mandate(session, debit.mandate.account_id):
        return
    debit.mandate.ended_at = debit.mandate.end = None
    dropped = update(DirectDebit).where(
        DirectDebit.mandate_id == debit.mandate_id,
        DirectDebit.invoice_id != debit.invoice_id,
        DirectDebit.state == DebitState.DROPPED,
        DirectDebit.collected_on > local_day(at),
    )
    session.execute(dropped.values(state=DebitState.ANNOUNCED))


def _tell(session: Session, name: str, account: Account, *, at: datetime, **words: object) -> None:
    written = mail.render(name, farm=get_farm(session), first_name=account.first_name, **words)
    outbox.post(session, to=account.email, at=at, **written.parts)
