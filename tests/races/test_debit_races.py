"""The bank's file made twice at once, while somebody pays or ends their mandate, or killed midway (BAR K13, R1)."""

import base64
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial

import pytest
import time_machine
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from portal.billing import batches, mandates, payments, returns
from portal.billing.balances import books_of_customer
from portal.billing.batches import Made, Refusal, make
from portal.billing.debits import collect_due
from portal.billing.models import DebitBatch, DebitState, DirectDebit, EntryKind, LedgerEntry
from portal.infra.orm import own_transaction
from portal.rules.money import Money
from portal.rules.sepa import MandateEnd, ReturnCode
from tests import forks
from tests.billing.debiting import DAY, IN_TIME, ON_THE_DAY, announced, bank, inside, office, presented
from tests.billing.signing import signed
from tests.billing.writing import customer, paid
from tests.infra.workers import ROUNDS, environment
from tests.races.helpers import EVERY, meetings
from tests.races.killed_books import EVERYTHING, act_and_die_after
from tests.world import YACINE

SELDOM = 1 if EVERY == 1 else 2 * EVERY
"""At how many statements acts meet of which one only waits for the other."""


@pytest.fixture(autouse=True)
def collects(app: Flask, clock: time_machine.Traveller) -> None:
    with app.app_context(), own_transaction() as session:
        bank(session)
        signed(session), signed(session, YACINE)
    clock.move_to(IN_TIME)


def within(app: Flask, act: Callable[[Session], object]) -> object:
    with app.test_request_context(), own_transaction() as session:
        return act(session)


def debit(session: Session) -> DirectDebit:
    return session.scalars(select(DirectDebit).order_by(DirectDebit.id.desc()).limit(1)).one()


def announce(app: Flask) -> None:
    """One more of Camille's and of Yacine's."""
    with app.app_context(), own_transaction() as session:
        announced(session, 1200, YACINE), announced(session, 3860)


def file(session: Session) -> object:
    return make(session, DAY, by=office(session))


def two_make(app: Flask) -> Iterator[bool]:
    """Whether one of them makes a file, and each debit is in exactly one."""
    announce(app)
    for answers in meetings(app, partial(within, app, file), partial(within, app, file)):
        with app.app_context(), own_transaction() as session:
            files = session.scalars(select(DebitBatch)).all()
            found = Counter(reference for batch in files for reference in inside(batch))
            every = session.scalars(select(DirectDebit.end_to_end))
            counts = [answer.debits for answer in answers if isinstance(answer, Made)]
            yield sorted(counts) == [0, 2] and found == Counter(every)
        announce(app)


def test_each_debit_is_in_one_file_when_two_make_it_at_once(app: Flask) -> None:
    assert all(two_make(app))


@pytest.mark.parametrize("backend", ["postgresql"], indirect=True)
def test_without_locks_it_is_in_two(app: Flask, unlocked: Flask) -> None:
    assert not all(two_make(unlocked))


def test_who_pays_meanwhile_is_asked_for_no_more_than_was_open(app: Flask) -> None:
    def pay(session: Session) -> object:
        return payments.pay(session, paid(1000, customer(session)), at=IN_TIME, by=None)

    announce(app)
    for answers in meetings(app, partial(within, app, file), partial(within, app, pay), every=SELDOM):
        assert not [answer for answer in answers if isinstance(answer, Exception)]
        with app.app_context(), own_transaction() as session:
            last = debit(session)
            assert last.state is DebitState.IN_FILE and last.amount in {Money(3860), Money(2860)}
            settle(session, last)
        announce(app)


def settle(session: Session, last: DirectDebit) -> None:
    """Camille owes nothing."""
    owed = books_of_customer(session, last.customer_id).balance
    if owed.cents > 0:
        payments.pay(session, paid(owed.cents, last.customer), at=IN_TIME, by=None)


def test_whoever_ends_their_mandate_meanwhile_is_not_collected(app: Flask) -> None:
    def revoke(session: Session) -> object:
        account = customer(session).account
        assert account
        return mandates.end(session, account, MandateEnd.REVOKED, at=IN_TIME, by=account.id, told=False)

    announce(app)
    for answers in meetings(app, partial(within, app, file), partial(within, app, revoke), every=SELDOM):
        assert not [answer for answer in answers if isinstance(answer, Exception)]
        with app.test_request_context(), own_transaction() as session:
            last = debit(session)
            if last.state is not DebitState.DROPPED:
                assert last.batch_id and last.state is DebitState.IN_FILE
                by = office(session)
                assert batches.present(session, last.batch_id, by=by) is Refusal.MANDATE_ENDED
                batches.take_back(session, last.batch_id, by=by)
                assert last.state is DebitState.DROPPED
            signed(session)
        announce(app)


def test_a_debit_that_comes_back_while_it_is_entered_is_not_paid(
    app: Flask, clock: time_machine.Traveller
) -> None:
    def present() -> None:
        clock.move_to(IN_TIME)
        announce(app)
        within(app, presented)
        clock.move_to(ON_THE_DAY)

    def come_back(session: Session) -> object:
        return returns.enter(session, debit(session).id, ReturnCode.MD06, DAY, by=office(session))

    def work() -> object:
        with app.test_request_context():
            return collect_due()

    present()
    for answers in meetings(app, work, partial(within, app, come_back), every=SELDOM):
        assert not [answer for answer in answers if isinstance(answer, Exception)]
        with app.app_context(), own_transaction() as session:
            last = debit(session)
            of_it = select(LedgerEntry).where(LedgerEntry.debit_id == last.id)
            reversed_ = select(LedgerEntry.reverses_id).where(LedgerEntry.kind == EntryKind.REVERSAL)
            left = session.scalars(of_it.where(LedgerEntry.id.not_in(reversed_))).all()
            assert (last.state, left) == (DebitState.RETURNED, [])
        present()


def two_collect(app: Flask, clock: time_machine.Traveller) -> Iterator[bool]:
    """Whether two workers enter a debit once."""

    def present() -> None:
        clock.move_to(IN_TIME)
        announce(app)
        within(app, presented)
        clock.move_to(ON_THE_DAY)

    def work() -> object:
        with app.test_request_context():
            return collect_due()

    present()
    for answers in meetings(app, work, work):
        with app.app_context(), own_transaction() as session:
            entered = select(func.count()).where(LedgerEntry.debit_id == debit(session).id)
            yield answers == (False, False) and session.scalar(entered) == 1
        present()


def test_two_workers_enter_a_debit_once(app: Flask, clock: time_machine.Traveller) -> None:
    assert all(two_collect(app, clock))


@pytest.mark.parametrize("backend", ["postgresql"], indirect=True)
def test_without_locks_they_would_twice(unlocked: Flask, clock: time_machine.Traveller) -> None:
    assert not all(two_collect(unlocked, clock))


DEATHS = (12,) if ROUNDS == 1 else range(1, 25)


def test_a_file_that_is_killed_anywhere_is_made_whole_or_not_at_all(app: Flask) -> None:
    announce(app)
    keys = ",".join(
        f"{name}:{base64.b64encode(key).decode()}" for name, key in app.config["SETTINGS"].data_keys.items()
    )
    env = environment(app, PORTAL_DATA_KEYS=keys)
    forks.call(act_and_die_after, "collect", [*DEATHS, EVERYTHING], env=env)
    with app.test_request_context(), own_transaction() as session:
        assert session.scalars(select(DirectDebit.state).distinct()).all() == [DebitState.ANNOUNCED]
        assert session.scalar(select(func.count(DebitBatch.id))) == 0
        made = make(session, DAY, by=office(session))
        assert made == Made(files=1, debits=2, total=Money(5060), dropped=0)
