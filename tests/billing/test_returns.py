"""What comes back, what follows of it, and a slip taken back."""

from datetime import date

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session
from time_machine import Traveller

from portal.billing import ledger, mandates, payments, returns
from portal.billing.debits import collect_due
from portal.billing.mandates import live_mandate
from portal.billing.models import DebitState, DirectDebit, EntryKind, LedgerEntry
from portal.billing.returns import Outcome, Refusal
from portal.infra.outbox import Mail
from portal.rules.collecting import AfterReturn
from portal.rules.money import Money
from portal.rules.paying import PaymentMeans
from portal.rules.sepa import MandateEnd, ReturnCode
from tests.billing.debiting import (
    DAY,
    IN_TIME,
    LATER,
    ON_THE_DAY,
    announced,
    bank,
    filed,
    office,
    presented,
)
from tests.billing.signing import OTHER_IBAN, signed
from tests.billing.writing import customer, paid

BACK = date(2026, 7, 14)
OWED = Money(3860)


@pytest.fixture
def collected(session: Session, clock: Traveller) -> DirectDebit:
    signed(session)
    bank(session)
    debit = announced(session)
    clock.move_to(IN_TIME)
    presented(session)
    session.commit()
    clock.move_to(ON_THE_DAY)
    collect_due()
    clock.move_to(LATER)
    session.expire_all()
    return debit


def enter(session: Session, debit: DirectDebit, code: ReturnCode) -> Outcome | Refusal | None:
    done = returns.enter(session, debit.id, code, BACK, by=office(session))
    session.flush()
    return done


def balance(session: Session) -> Money:
    return ledger.balance(session, customer(session).account_id or 0)


def money(session: Session) -> list[tuple[EntryKind, int, date]]:
    rows = select(LedgerEntry).where(LedgerEntry.kind != EntryKind.INVOICE).order_by(LedgerEntry.number)
    return [(entry.kind, entry.amount.cents, entry.day) for entry in session.scalars(rows)]


def next_of(session: Session, debit: DirectDebit) -> DirectDebit | None:
    return session.scalar(select(DirectDebit).where(DirectDebit.id > debit.id))


def last_mail(session: Session) -> str:
    mail = session.scalars(select(Mail).order_by(Mail.id.desc()).limit(1)).one()
    return f"{mail.subject}\n{mail.text}".replace("\xa0", " ").replace("\u202f", " ")


def test_an_empty_account_is_tried_once_more_then_another_means_is_asked_for(
    session: Session, clock: Traveller, collected: DirectDebit
) -> None:
    assert balance(session) == Money(0)
    assert enter(session, collected, ReturnCode.AM04) == Outcome(AfterReturn.AGAIN, date(2026, 8, 10), True)
    assert enter(session, collected, ReturnCode.AM04) is None, "said twice"
    assert (collected.state, collected.returned_on) == (DebitState.RETURNED, BACK)
    assert money(session) == [(EntryKind.PAYMENT, -3860, DAY), (EntryKind.REVERSAL, 3860, BACK)]
    again = next_of(session, collected)
    assert again and (again.amount, again.attempt, again.end_to_end) == (OWED, 2, "F2026-00001-2")
    assert "présenté de nouveau le lundi 10 août" in last_mail(session)
    clock.move_to(again.collected_on.replace(day=5))
    presented(session, again.collected_on)
    outcome = returns.enter(session, again.id, ReturnCode.AM04, date(2026, 8, 5), by=office(session))
    assert outcome == Outcome(AfterReturn.OTHER_MEANS, None, True)
    assert "reste à payer" in last_mail(session)
    assert balance(session) == OWED, "it was rejected before its day: nothing to reverse"
    assert len(money(session)) == 2


def test_a_closed_account_ends_its_mandate_and_a_death_is_told_to_nobody(
    session: Session, collected: DirectDebit
) -> None:
    sent = len(session.scalars(select(Mail.id)).all())
    assert enter(session, collected, ReturnCode.MD07) == Outcome(AfterReturn.MANDATE_ENDS, None, False)
    assert len(session.scalars(select(Mail.id)).all()) == sent
    returns.undo(session, collected.id, by=office(session))
    assert len(session.scalars(select(Mail.id)).all()) == sent
    assert enter(session, collected, ReturnCode.AC04) == Outcome(AfterReturn.MANDATE_ENDS, None, True)
    assert collected.mandate.end is MandateEnd.REFUSED
    assert next_of(session, collected) is None
    assert "votre mandat a pris fin" in last_mail(session)
    assert len(session.scalars(select(Mail.id)).all()) == sent + 1, "one mail says it all"


def test_an_account_that_was_closed_for_a_new_one_is_tried_there(
    session: Session, collected: DirectDebit
) -> None:
    newer = signed(session, iban=OTHER_IBAN, at=LATER)
    assert enter(session, collected, ReturnCode.AC04) == Outcome(AfterReturn.AGAIN, date(2026, 8, 10), True)
    again = next_of(session, collected)
    assert again and again.mandate_id == newer.id
    assert live_mandate(session, newer.account_id) == newer


def test_who_lets_nothing_be_collected_any_more_is_told_what_is_to_be_paid(
    session: Session, collected: DirectDebit
) -> None:
    account = collected.customer.account
    assert account
    cheque = PaymentMeans.CHEQUE
    mandates.end(session, account, MandateEnd.REVOKED, at=LATER, by=None, means=cheque, told=False)
    assert enter(session, collected, ReturnCode.AM04) == Outcome(AfterReturn.OTHER_MEANS, None, True)
    assert "cette facture reste à payer" in last_mail(session)


def test_who_has_paid_what_came_back_is_told_that_nothing_is_to_be_done(
    session: Session, collected: DirectDebit
) -> None:
    payments.pay(session, paid(3860, collected.customer), at=LATER, by=None)
    enter(session, collected, ReturnCode.AM04)
    assert "déjà payée" in last_mail(session)


def test_a_refund_within_eight_weeks_is_not_collected_again(session: Session, collected: DirectDebit) -> None:
    assert enter(session, collected, ReturnCode.MD06) == Outcome(AfterReturn.OTHER_MEANS, None, True)
    assert balance(session) == OWED
    assert live_mandate(session, collected.mandate.account_id)


def test_a_return_entered_by_mistake_is_taken_back(session: Session, collected: DirectDebit) -> None:
    other = announced(session, 900, at=ON_THE_DAY)
    enter(session, collected, ReturnCode.AC04)
    session.refresh(other)
    assert other.state is DebitState.DROPPED
    by = office(session)
    assert returns.undo(session, collected.id, by=by) is None
    assert returns.undo(session, collected.id, by=by) is None, "said twice"
    session.refresh(other)
    assert (collected.state, collected.return_code, other.state) == (
        DebitState.COLLECTED,
        None,
        DebitState.ANNOUNCED,
    )
    assert live_mandate(session, collected.mandate.account_id)
    assert [kind for kind, _, _ in money(session)] == [
        EntryKind.PAYMENT,
        EntryKind.REVERSAL,
        EntryKind.PAYMENT,
    ]
    assert balance(session) == Money(900)
    assert "est bien passé" in last_mail(session)
    enter(session, collected, ReturnCode.AM04)
    assert balance(session) == Money(4760), "the second payment is what a second return reverses"


def test_a_return_is_not_taken_back_once_the_next_attempt_is_in_a_file(
    session: Session, clock: Traveller, collected: DirectDebit
) -> None:
    enter(session, collected, ReturnCode.AM04)
    by, again = office(session), next_of(session, collected)
    assert again
    clock.move_to(again.collected_on.replace(day=5))
    batch = filed(session, again.collected_on)
    assert returns.undo(session, collected.id, by=by) is Refusal.NEXT_AT_BANK
    assert again.batch_id == batch.id


def test_only_what_the_bank_has_can_come_back_and_not_tomorrow(session: Session, clock: Traveller) -> None:
    signed(session)
    bank(session)
    debit, by = announced(session), office(session)
    assert returns.enter(session, debit.id, ReturnCode.AM04, DAY, by=by) is Refusal.NOT_PRESENTED
    clock.move_to(IN_TIME)
    presented(session)
    for day, refusal in ((DAY, Refusal.FUTURE_DAY), (date(2025, 7, 6), Refusal.BEFORE_IT)):
        assert returns.enter(session, debit.id, ReturnCode.AM04, day, by=by) is refusal
