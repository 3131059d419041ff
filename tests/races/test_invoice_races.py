"""Invoices issued at the same moment, killed or given up midway; what is issued stays as it is (BAR K11, M3, M5)."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from functools import partial

import pytest
import time_machine
from flask import Flask
from sqlalchemy import delete, func, select, text
from sqlalchemy.exc import DatabaseError
from sqlalchemy.orm import Session

from portal.billing.checking import verify
from portal.billing.issuing import issue, issue_many
from portal.billing.models import Invoice, InvoiceBuyer, InvoiceLine
from portal.billing.queries import find_invoice
from portal.infra.orm import own_transaction
from portal.rules.invoicing import next_month
from tests import forks
from tests.billing.books import JUNE, account, delivered, invoiced
from tests.infra.workers import ROUNDS, environment
from tests.races.helpers import meetings
from tests.races.killed_books import EVERYTHING, act_and_die_after
from tests.shop import making
from tests.world import CAMILLE, TODAY, YACINE

YESTERDAY = date(2026, 6, 9)


@pytest.fixture(autouse=True)
def served(app: Flask) -> None:
    with app.app_context(), own_transaction() as session:
        delivered(session)
        making.article(session)


def bill(app: Flask, email: str, month: date | None = None) -> str | None:
    with app.app_context(), own_transaction() as session:
        made = issue(session, account(session, email).id, through=TODAY, month=month, by=None)
        assert made is None or isinstance(made, Invoice)
        return made.number if made else None


def serve_more(app: Flask) -> None:
    with app.app_context(), own_transaction() as session:
        honey = making.article(session, f"Miel {session.scalar(select(func.count(Invoice.id)))}")
        making.order(session, {honey: 1}, day=YESTERDAY)
        making.order(session, {honey: 1}, day=date(2026, 6, 4), email=YACINE, point="mairie")


def without_gap(app: Flask) -> bool:
    """Whether the invoices count from one on, the ledger holds, and nothing is billed twice."""
    with app.app_context(), own_transaction() as session:
        numbers = session.scalars(select(Invoice.number).order_by(Invoice.id)).all()
        sources = session.scalars(select(InvoiceLine.source)).all()
        return (
            list(numbers) == [f"F2026-{count:05}" for count in range(1, len(numbers) + 1)]
            and len(sources) == len(set(sources))
            and not verify(session).broken
        )


def same_month_twice(app: Flask, other: Flask) -> Iterator[bool]:
    """Two issuers of somebody's invoice of a month: whether one of them issues it, and the other nothing."""
    month = [date(1990, 1, 1)]
    first, second = (lambda app=each: bill(app, CAMILLE, month[0]) for each in (app, other))
    for answers in meetings(app, first, second):
        yield sorted(map(type, answers), key=str) == [type(None), str]
        month[0] = next_month(month[0])
        serve_more(app)


def two_people(app: Flask) -> Iterator[bool]:
    for answers in meetings(app, partial(bill, app, CAMILLE), partial(bill, app, YACINE)):
        yield all(isinstance(answer, str) for answer in answers)
        serve_more(app)


def test_a_month_that_two_bill_at_once_is_billed_once(app: Flask) -> None:
    assert all(same_month_twice(app, app))
    assert without_gap(app)


def test_people_who_are_billed_at_once_get_numbers_without_a_gap(app: Flask) -> None:
    assert all(two_people(app))
    assert without_gap(app)


@pytest.mark.parametrize("backend", ["postgresql"], indirect=True)
def test_without_locks_one_of_two_falls(app: Flask, unlocked: Flask) -> None:
    assert not all(same_month_twice(unlocked, unlocked))


# Killed, or given up, midway

DEATHS = (20,) if ROUNDS == 1 else range(1, 40)


def test_a_process_killed_anywhere_has_issued_all_or_nothing(app: Flask) -> None:
    forks.call(act_and_die_after, "issue", [*DEATHS, EVERYTHING], env=environment(app))
    with app.app_context(), own_transaction() as session:
        assert session.scalar(select(func.count(Invoice.id))) == 0
        made = issue_many(session, [1, 2], through=TODAY, month=JUNE, by=None)
        assert len(made.documents) == 2
    assert without_gap(app)


def test_a_number_that_is_given_up_is_the_next_one(app: Flask) -> None:
    with app.app_context(), pytest.raises(ZeroDivisionError), own_transaction() as session:
        assert isinstance(issue(session, account(session).id, through=TODAY, by=None), Invoice)
        _ = 1 / 0
    assert bill(app, YACINE) == "F2026-00001"
    with app.app_context(), own_transaction() as session:
        with pytest.raises(ZeroDivisionError), session.begin_nested():
            issue(session, account(session).id, through=TODAY, by=None)
            _ = 1 / 0
        made = issue(session, account(session).id, through=TODAY, by=None)
        assert isinstance(made, Invoice) and made.number == "F2026-00002"
    assert without_gap(app)


# What is issued stays as it is

FORBIDDEN = (
    *(f"UPDATE {table} SET total = total + 1" for table in ("invoice", "invoice_line", "invoice_rate")),
    "UPDATE invoice SET seller = '{}'",
    "UPDATE ledger_entry SET amount = 0",
    "UPDATE invoice_buyer SET name = 'Autre'",
    *(
        f"DELETE FROM {table}"
        for table in ("invoice_line", "invoice_rate", "ledger_entry", "invoice_buyer", "invoice")
    ),
    "INSERT INTO invoice_rate (invoice_id, vat_basis_points, net, vat, total) VALUES (1, 1, 0, 0, 0)",
    "INSERT INTO invoice_line (invoice_id, position, kind, day, label, quantity, weighed, unit_price,"
    " vat_basis_points, net, total) VALUES (1, 99, 'box', '2026-06-09', '', 1, FALSE, 1, 550, 1, 1)",
)


def test_nothing_that_is_issued_can_be_changed_removed_or_added_to(app: Flask, session: Session) -> None:
    invoiced(session, month=JUNE)
    session.commit()
    for statement in FORBIDDEN:
        with pytest.raises(DatabaseError, match="never changed"):
            session.execute(text(statement))
        session.rollback()
    session.execute(text("UPDATE invoice_file SET tries = 1"))


def test_a_buyer_is_forgotten_once_an_invoice_is_issued_after_they_were_kept(
    app: Flask, session: Session, clock: time_machine.Traveller
) -> None:
    made = invoiced(session)
    number, forget = made.number, delete(InvoiceBuyer).where(InvoiceBuyer.invoice_id == made.id)
    session.commit()
    clock.move_to(datetime(2036, 12, 31, 12, tzinfo=UTC))
    bill(app, CAMILLE)
    with pytest.raises(DatabaseError, match="never changed"):
        session.execute(forget)
    session.rollback()
    clock.move_to(datetime(2037, 1, 1, 12, tzinfo=UTC))
    bill(app, YACINE)
    session.execute(forget)
    session.commit()
    found = find_invoice(session, None, number)
    assert found and found.buyer is None and found.total.cents == 2190
