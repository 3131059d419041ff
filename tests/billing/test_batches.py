"""The bank's files: who is in which, with how much, and for how long they can be taken back (BAR K13, M4)."""

from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import LargeBinary as Raw
from sqlalchemy import select, type_coerce
from sqlalchemy.orm import Session
from time_machine import Traveller

from portal.billing import batches, mandates, payments
from portal.billing.batches import Made, Refusal
from portal.billing.models import DebitBatch, DebitState, DirectDebit
from portal.infra.audit import AuditEvent
from portal.rules.money import Money
from portal.rules.sepa import MandateEnd, Sequence
from tests.billing.debiting import (
    DAY,
    IN_TIME,
    LATER,
    ON_THE_DAY,
    TOO_LATE,
    announced,
    bank,
    filed,
    inside,
    office,
    presented,
)
from tests.billing.signing import IBAN, OTHER_IBAN, collecting, signed
from tests.billing.writing import customer, paid
from tests.world import CAMILLE, NOW, YACINE


@pytest.fixture
def camille(session: Session) -> DirectDebit:
    """Somebody's debit of 38,60 €, announced at a farm that collects."""
    signed(session)
    bank(session)
    return announced(session)


def test_a_file_collects_what_was_announced_and_keeps_its_numbers_sealed(
    session: Session, clock: Traveller, camille: DirectDebit
) -> None:
    signed(session, YACINE, OTHER_IBAN)
    announced(session, 1200, YACINE)
    clock.move_to(IN_TIME)
    batch = filed(session)
    assert inside(batch) == {"F2026-00001-1": ("38.60", "FRST"), "F2026-00002-1": ("12.00", "FRST")}
    assert (batch.count, batch.total, batch.collected_on) == (2, Money(5060), DAY)
    assert batch.message_id.encode() in batch.data and IBAN.encode() in batch.data
    session.expire_all()
    raw = session.scalars(select(type_coerce(DebitBatch.data, Raw))).one()
    assert IBAN.encode() not in bytes(raw)
    assert batches.make(session, DAY, by=office(session)) == Made(0, 0, Money(0), 0), (
        "everything is in a file"
    )


def test_no_more_is_collected_than_is_open_and_nothing_of_what_is_paid(
    session: Session, clock: Traveller, camille: DirectDebit
) -> None:
    signed(session, YACINE)
    of_yacine = announced(session, 1200, YACINE)
    payments.pay(session, paid(1000, customer(session)), at=NOW, by=None)
    payments.pay(session, paid(1200, customer(session, YACINE)), at=NOW, by=None)
    clock.move_to(IN_TIME)
    made = batches.make(session, DAY, by=office(session))
    assert made == Made(files=1, debits=1, total=Money(2860), dropped=1)
    assert (camille.amount, camille.state) == (Money(2860), DebitState.IN_FILE)
    assert of_yacine.state is DebitState.DROPPED


def test_the_first_under_a_mandate_is_first_and_every_later_one_recurring(
    session: Session, clock: Traveller, camille: DirectDebit
) -> None:
    second = announced(session, 500)
    clock.move_to(IN_TIME)
    presented(session)
    assert (camille.sequence, second.sequence) == (Sequence.FIRST, Sequence.RECURRENT)
    settings = collecting(session)
    settings.collection_day = 24
    later = announced(session, 700, at=IN_TIME)
    clock.move_to(ON_THE_DAY)
    assert filed(session, later.collected_on).count == 1
    assert later.sequence is Sequence.RECURRENT, "the first is at the bank"


def test_large_files_are_split(session: Session, clock: Traveller, camille: DirectDebit) -> None:
    announced(session, 500), announced(session, 600)
    collecting(session).debits_a_file = 2
    clock.move_to(IN_TIME)
    made = batches.make(session, DAY, by=office(session))
    assert made == Made(files=2, debits=3, total=Money(4960), dropped=0)
    parts = [inside(batch) for batch in session.scalars(select(DebitBatch).order_by(DebitBatch.id))]
    assert [len(part) for part in parts] == [2, 1]
    assert len(parts[0].keys() | parts[1].keys()) == 3


@pytest.mark.parametrize(
    ("at", "refusal"), [(NOW, Refusal.TOO_EARLY), (TOO_LATE, Refusal.TOO_LATE), (LATER, Refusal.TOO_LATE)]
)
def test_a_file_is_made_when_banks_take_it(
    session: Session, clock: Traveller, camille: DirectDebit, at: Any, refusal: Refusal
) -> None:
    clock.move_to(at)
    assert batches.make(session, DAY, by=office(session)) is refusal
    assert camille.state is DebitState.ANNOUNCED


def test_whom_no_mail_has_told_in_time_is_collected_on_a_later_day(
    session: Session, clock: Traveller, camille: DirectDebit
) -> None:
    late, untold = announced(session, 500), announced(session, 600)
    late.told_at, untold.told_at = NOW + timedelta(days=17), None
    camille.told_at = NOW + timedelta(days=16)
    clock.move_to(IN_TIME)
    made = batches.make(session, DAY, by=office(session))
    assert made == Made(files=1, debits=1, total=Money(3860), dropped=0, moved=2)
    for debit in (late, untold):
        assert (debit.state, debit.collected_on, debit.told_at) == (
            DebitState.ANNOUNCED,
            date(2026, 8, 10),
            None,
        )


def test_a_farm_without_an_account_makes_no_file(
    session: Session, clock: Traveller, camille: DirectDebit
) -> None:
    collecting(session).iban = None
    clock.move_to(IN_TIME)
    assert batches.make(session, DAY, by=office(session)) is Refusal.NO_CREDITOR


def test_a_file_is_taken_back_until_the_bank_has_it(
    session: Session, clock: Traveller, camille: DirectDebit
) -> None:
    clock.move_to(IN_TIME)
    by, first = office(session), filed(session)
    assert batches.take_back(session, first.id, by=by) is None
    assert (camille.state, camille.batch_id, camille.sequence) == (DebitState.ANNOUNCED, None, None)
    assert batches.present(session, first.id, by=by) is Refusal.TAKEN_BACK
    second = filed(session)
    assert second.message_id != first.message_id
    assert batches.present(session, second.id, by=by) is None
    assert batches.present(session, second.id, by=by) is None, "said twice"
    assert batches.take_back(session, second.id, by=by) is Refusal.PRESENTED
    assert camille.state is DebitState.PRESENTED
    session.flush()
    trail = select(AuditEvent.action).where(AuditEvent.subject_type == "debit_batch").order_by(AuditEvent.id)
    assert [action.partition(".")[2] for action in session.scalars(trail)] == [
        "make",
        "take_back",
        "make",
        "present",
    ]


def test_who_ends_their_mandate_meanwhile_keeps_the_file_from_the_bank(
    session: Session, clock: Traveller, camille: DirectDebit
) -> None:
    clock.move_to(IN_TIME)
    by, batch = office(session), filed(session)
    account = customer(session, CAMILLE).account
    assert account
    mandates.end(session, account, MandateEnd.REVOKED, at=IN_TIME, by=by)
    assert batches.present(session, batch.id, by=by) is Refusal.MANDATE_ENDED
    batches.take_back(session, batch.id, by=by)
    assert camille.state is DebitState.DROPPED


def test_a_file_that_has_grown_old_is_given_to_the_bank_by_nobody_unless_it_has_it(
    session: Session, clock: Traveller, camille: DirectDebit
) -> None:
    clock.move_to(IN_TIME)
    by, batch = office(session), filed(session)
    payments.pay(session, paid(1000, customer(session)), at=IN_TIME, by=None)
    assert batches.present(session, batch.id, by=by) is Refusal.PAID_SINCE
    batches.take_back(session, batch.id, by=by)
    again = filed(session)
    assert inside(again) == {"F2026-00001-1": ("28.60", "FRST")}
    batches.take_back(session, again.id, by=by)
    assert camille.amount == Money(3860), "as it was announced: what was paid may be taken back"
    again = filed(session)
    clock.move_to(TOO_LATE)
    assert batches.present(session, again.id, by=by) is Refusal.TOO_LATE
    assert camille.state is DebitState.IN_FILE
    assert batches.present(session, again.id, given=True, by=by) is None


def test_who_changes_banks_meanwhile_is_collected_from_the_new_one(
    session: Session, clock: Traveller, camille: DirectDebit
) -> None:
    clock.move_to(IN_TIME)
    by, batch = office(session), filed(session)
    newer = signed(session, iban=OTHER_IBAN, at=IN_TIME)
    assert batches.present(session, batch.id, by=by) is Refusal.MANDATE_ENDED
    batches.take_back(session, batch.id, by=by)
    assert (camille.mandate_id, camille.state) == (newer.id, DebitState.ANNOUNCED)
    assert OTHER_IBAN.encode() in filed(session).data
