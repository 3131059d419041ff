from datetime import UTC, date, datetime

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.billing import checking, ledger
from portal.billing.closings import Refusal, closable, close, close_due, closings
from portal.billing.ledger import Entry, MonthClosedError
from portal.billing.models import EntryKind
from portal.billing.payments import pay, reverse, write_off
from portal.billing.turnover import months
from portal.infra.audit import AuditEvent
from portal.rules.money import Money
from tests.billing.writing import customer, paid, written
from tests.world import NOW, TODAY

MARCH, APRIL, MAY, JUNE = (date(2026, month, 1) for month in (3, 4, 5, 6))


def some_books(session: Session) -> None:
    """March and May have something, April nothing, June is not over."""
    camille = customer(session)
    first = written(session, 4000, day=date(2026, 3, 31))
    pay(session, paid(2500, camille, day=date(2026, 3, 31)), at=NOW, by=None)
    written(session, -500, corrects=first, day=date(2026, 5, 4))
    entry = pay(session, paid(900, camille, day=date(2026, 5, 31)), at=NOW, by=None)
    reverse(session, entry, day=date(2026, 5, 31), reason="Erreur.", at=NOW, by=None)
    pay(session, paid(100, camille), at=NOW, by=None)


def test_a_month_is_closed_with_those_before_it_once_and_for_all(session: Session) -> None:
    assert closable(session, TODAY) == []
    some_books(session)
    assert closable(session, TODAY) == [MARCH, APRIL, MAY]
    assert close(session, JUNE, at=NOW, by=3) is Refusal.NOT_OVER
    made = close(session, MAY, at=NOW, by=3)
    assert [(c.month, c.billed.cents, c.paid.cents, c.perpetual.cents, c.last_number) for c in made] == [
        (MARCH, 4000, 2500, 4000, 6),
        (APRIL, 0, 0, 4000, 6),
        (MAY, -500, 0, 3500, 6),
    ]
    assert close(session, MARCH, at=NOW, by=3) == close(session, MAY, at=NOW, by=3) == []
    assert closings(session) == made[::-1]
    assert ledger.first_open_day(session) == JUNE
    assert checking.verify(session) == checking.Verdict(6)
    session.flush()
    told = session.scalars(select(AuditEvent).where(AuditEvent.action == "ledger.close")).all()
    assert [(each.subject_id, each.account_id) for each in told] == [
        (month.isoformat(), 3) for month in (MARCH, APRIL, MAY)
    ]
    late = Entry(EntryKind.WRITE_OFF, customer(session).id, date(2026, 5, 31), Money(-1))
    with pytest.raises(MonthClosedError):
        ledger.append(session, [late], at=NOW, by=None)


def test_what_is_given_up_is_not_paid_nor_is_it_when_it_is_owed_again(session: Session) -> None:
    camille, last = customer(session), date(2026, 5, 31)
    written(session, 5000, day=last)
    entry = write_off(session, camille.id, Money(5000), day=last, reason="Perdu.", at=NOW, by=None)
    given = pay(session, paid(300, camille, day=last), at=NOW, by=None)
    [closed] = close(session, MAY, at=NOW, by=None)
    assert (closed.billed, closed.paid, closed.written_off) == (Money(5000), Money(300), Money(5000))
    for each in (entry, given):
        reverse(session, each, day=TODAY, reason="Erreur.", at=NOW, by=None)
    assert [(each.paid.cents, each.written_off.cents) for each in months(session, MAY, TODAY)] == [
        (300, 5000),
        (-300, -5000),
    ]
    assert checking.verify(session) == checking.Verdict(5)


def test_the_worker_closes_what_has_been_over_for_a_month(app: Flask, session: Session) -> None:
    some_books(session)
    session.commit()
    for now, closed in (
        (datetime(2026, 4, 30, 21, 59, tzinfo=UTC), []),
        (datetime(2026, 4, 30, 22, 0, tzinfo=UTC), [MARCH]),
        (datetime(2026, 6, 30, 22, 0, tzinfo=UTC), [MAY, APRIL, MARCH]),
        (datetime(2026, 7, 20, tzinfo=UTC), [MAY, APRIL, MARCH]),
    ):
        with time_machine.travel(now, tick=False):
            close_due()
        assert [each.month for each in closings(session)] == closed
        session.rollback()
