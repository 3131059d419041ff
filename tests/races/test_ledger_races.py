"""The ledger under several writers at once, and under one that is killed: no gap, no double, the chain whole."""

from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from portal.accounts.queries import find_account
from portal.billing import checking, closings, payments
from portal.billing.balances import books_of_customer
from portal.billing.checking import Verdict
from portal.billing.models import LedgerEntry
from portal.billing.payers import Payer, customer_for, payer_of_account
from portal.billing.payments import Refusal
from portal.infra.orm import own_transaction
from portal.rules.money import Money
from tests import forks
from tests.billing.writing import customer, paid
from tests.infra.workers import ROUNDS, environment
from tests.races.helpers import EVERY, meetings
from tests.races.killed_books import EVERYTHING, act_and_die_after
from tests.world import CAMILLE, NOW, TODAY, YACINE


def payer(session: Session, email: str) -> Payer:
    account = find_account(session, email)
    assert account
    return payer_of_account(account)


def paying(app: Flask, email: str, key: str | None = None, day: date = TODAY) -> Callable[[], Any]:
    def act() -> Any:
        with app.app_context(), own_transaction() as session:
            theirs = customer_for(session, payer(session, email))
            found = payments.pay(session, paid(1000, theirs, key=key, day=day), at=NOW, by=None)
            return found if isinstance(found, Refusal) else found.number

    return act


def refunding(app: Flask) -> Callable[[], Any]:
    def act() -> Any:
        with app.app_context(), own_transaction() as session:
            theirs = customer_for(session, payer(session, CAMILLE))
            found = payments.refund(session, paid(1000, theirs), reason="Trop payé.", at=NOW, by=None)
            return found if isinstance(found, Refusal) else found.number

    return act


def entered(app: Flask) -> int:
    """How many entries there are; all of them hold."""
    with app.app_context(), own_transaction() as session:
        number = session.scalar(select(func.count(LedgerEntry.id))) or 0
        assert checking.verify(session) == Verdict(number)
        return number


def both_enter(app: Flask, reader: Flask, every: int = EVERY) -> Iterator[bool]:
    paying(reader, CAMILLE)()
    for results in meetings(app, paying(app, CAMILLE), paying(app, YACINE), every=every):
        with reader.app_context(), own_transaction() as session:
            known = list(session.scalars(select(LedgerEntry.number).order_by(LedgerEntry.number)))
            whole = checking.verify(session) == Verdict(len(known))
        yield whole and known[-2:] == sorted(r for r in results if isinstance(r, int))


def test_two_who_enter_at_once_leave_no_gap_and_break_no_link(app: Flask) -> None:
    assert set(both_enter(app, app)) == {True}


@pytest.mark.parametrize("backend", ["postgresql"], indirect=True)
def test_without_locks_one_of_two_who_enter_at_once_fails(app: Flask, unlocked: Flask) -> None:
    assert not all(both_enter(unlocked, app, every=1))


def test_a_form_that_is_sent_twice_at_once_enters_once(app: Flask) -> None:
    keys = [f"form-{number}" for number in range(99)]

    def act() -> Any:
        return paying(app, CAMILLE, keys[0])()

    for number, (first, second) in enumerate(meetings(app, act, act), 1):
        assert first == second == entered(app) == number
        del keys[0]


def test_what_somebody_is_ahead_is_given_back_once(app: Flask) -> None:
    paying(app, CAMILLE)()
    for results in meetings(app, refunding(app), refunding(app)):
        assert [type(each) for each in results].count(int) == 1
        assert Refusal.MORE_THAN_CREDIT in results
        paying(app, CAMILLE)()
    with app.app_context(), own_transaction() as session:
        assert books_of_customer(session, customer(session).id).balance == Money(0)


def test_nothing_slips_into_a_month_that_is_being_closed(app: Flask) -> None:
    """Each meeting has a month of its own; the first begins with an entry."""
    months = [date(2026, month, 1) for month in range(1, 6)]
    paying(app, CAMILLE, day=months[0])()

    def close() -> Any:
        with app.app_context(), own_transaction() as session:
            return len(closings.close(session, months[0], at=NOW, by=None))

    def enter() -> Any:
        return paying(app, YACINE, day=months[0])()

    for closed, answer in meetings(app, close, enter):
        assert closed == 1 or len(months) == 1
        assert isinstance(answer, int) or answer is Refusal.MONTH_CLOSED
        assert entered(app)  # what each closing sums up is what its month has
        del months[: len(months) > 1]


DEATHS = (7,) if ROUNDS == 1 else range(1, 15)


def test_whoever_is_killed_while_entering_leaves_nothing_or_all_of_it(app: Flask) -> None:
    paying(app, CAMILLE)()
    forks.call(act_and_die_after, "pay", [*DEATHS, EVERYTHING], env=environment(app))
    assert entered(app) == 1
    assert paying(app, CAMILLE)() == 2
    assert entered(app) == 2
