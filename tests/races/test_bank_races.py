"""A line of the bank's that two people give to two, and a debt that two remind of: the money and the mail come once."""

from collections.abc import Iterator
from datetime import timedelta

from flask import Flask
from sqlalchemy import delete, func, select

from portal.billing import reminders
from portal.billing.balances import balances
from portal.billing.matching import Refusal, enter, reopen
from portal.billing.models import BankLine, PaymentReminder
from portal.infra.orm import own_transaction
from portal.infra.outbox import Mail
from portal.rules.money import Money
from tests.billing.banking import entry, received, statement
from tests.billing.writing import customer, written
from tests.races.helpers import meetings
from tests.world import NOW, TODAY


def given_to_two(app: Flask) -> Iterator[bool]:
    with app.app_context(), own_transaction() as session:
        received(session, statement([entry("20", "VIR")]))
        line_id = session.scalars(select(BankLine.id)).one()

    def give(account_id: int) -> object:
        with app.app_context(), own_transaction() as session:
            return enter(session, {line_id: account_id}, at=NOW, by=3)

    for results in meetings(app, lambda: give(1), lambda: give(2)):
        with app.app_context(), own_transaction() as session:
            paid = sorted(balances(session, [1, 2]).values())
            reopen(session, line_id, at=NOW, by=3)
        yield results.count(Refusal.SETTLED) == 1 and paid in ([Money(-2000)], [Money(-2000), Money(0)])


def reminded_by_two(app: Flask) -> Iterator[bool]:
    with app.app_context(), own_transaction() as session:
        written(session, 2000, to=customer(session), due=TODAY - timedelta(days=9))

    def send() -> int:
        with app.app_context(), own_transaction() as session:
            return reminders.send(session, {1: 1}, at=NOW, by=3)

    for results in meetings(app, send, send):
        with app.app_context(), own_transaction() as session:
            mails = session.scalar(select(func.count(Mail.id)))
            session.execute(delete(PaymentReminder))
            session.execute(delete(Mail))
        yield sorted(results) == [0, 1] and mails == 1


def test_a_line_is_one_person_s(app: Flask) -> None:
    assert set(given_to_two(app)) == {True}


def test_without_locks_a_line_is_two_people_s(unlocked: Flask) -> None:
    assert not all(given_to_two(unlocked))


def test_two_remind_once(app: Flask) -> None:
    assert set(reminded_by_two(app)) == {True}
