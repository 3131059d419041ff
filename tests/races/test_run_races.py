"""A month that several workers bill, that is asked for twice, or that one is killed over, is billed once (BAR K11)."""

from collections import Counter
from collections.abc import Iterator
from datetime import date

import pytest
from flask import Flask
from sqlalchemy import func, select, update

from portal.billing import runs
from portal.billing.models import Invoice, InvoiceRun, LedgerEntry, RunState
from portal.boxes.models import Basket
from portal.infra.orm import db, own_transaction
from portal.rules.invoicing import next_month
from tests import crowd
from tests.billing.books import JUNE, MAY, delivered
from tests.composing import SOMEBODY
from tests.infra.workers import wait_until, worker
from tests.races.helpers import EVERY, meetings
from tests.world import NOW


def prepare(app: Flask, people: int) -> None:
    with app.app_context():
        crowd.add_thousands(db.session(), people)
    with app.app_context(), own_transaction() as session:
        delivered(session)


def begin(app: Flask, month: date) -> int:
    """There is something new to be billed to everybody; how many that are."""
    with app.app_context(), own_transaction() as session:
        session.execute(update(Basket).values(billed_quantity=Basket.billed_quantity + 1))
        run = InvoiceRun(month=month, state=RunState.WORKING, asked_at=NOW, asked_by=SOMEBODY, wanted=0)
        session.add(run)
        return len(session.scalars(runs.customers()).all())


def finish(app: Flask) -> None:
    with app.app_context():
        while runs.step():
            pass


def billed_once(app: Flask, month: date, people: int) -> bool:
    """One invoice a customer, numbers without a gap, each in the ledger; and the run knows it."""
    with app.app_context(), own_transaction() as session:
        customers = Counter(session.scalars(select(Invoice.customer_id).where(Invoice.month == month)))
        run = session.scalars(select(InvoiceRun).where(InvoiceRun.month == month)).one()
        years: dict[str, list[int]] = {}
        for number in session.scalars(select(Invoice.number).order_by(Invoice.number)):
            series, count = number.split("-")
            years.setdefault(series, []).append(int(count))
        entered = session.scalar(select(func.count(LedgerEntry.id)))
        return (
            len(customers) == people
            and set(customers.values()) == {1}
            and (run.state, run.issued) == (RunState.DONE, people)
            and all(counts == list(range(1, len(counts) + 1)) for counts in years.values())
            and entered == sum(map(len, years.values()))
        )


def billed_by_two_workers(app: Flask, reader: Flask) -> Iterator[bool]:
    def work() -> bool:
        with app.app_context():
            return runs.step() and runs.step()

    month = JUNE
    prepare(reader, 4)
    people = begin(reader, month)
    for results in meetings(app, work, work, every=4 * EVERY):
        finish(reader)
        fell = any(isinstance(result, Exception) for result in results)
        yield billed_once(reader, month, people) and not fell
        month = next_month(month)
        begin(reader, month)


@pytest.fixture
def few_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """And no second try of one by one, which would hide that two have met."""
    monkeypatch.setattr(runs, "AT_ONCE", 2)
    monkeypatch.setattr(runs, "_alone", None)


@pytest.mark.usefixtures("few_at_once")
def test_two_workers_bill_everybody_once(app: Flask) -> None:
    assert set(billed_by_two_workers(app, app)) == {True}


@pytest.mark.usefixtures("few_at_once")
@pytest.mark.parametrize("backend", ["postgresql"], indirect=True)
def test_without_locks_somebody_is_billed_twice_or_a_worker_falls(app: Flask, unlocked: Flask) -> None:
    assert not all(billed_by_two_workers(unlocked, app))


def test_what_is_asked_for_twice_at_once_is_one_run(app: Flask) -> None:
    def ask() -> bool:
        with app.app_context(), own_transaction() as session:
            return runs.start(session, MAY, at=NOW, by=SOMEBODY) is not None

    prepare(app, 1)
    for results in meetings(app, ask, ask, every=2 * EVERY):
        assert results == (True, True)
        with app.app_context(), own_transaction() as session:
            [run] = session.scalars(select(InvoiceRun).where(InvoiceRun.state == RunState.WORKING))
            run.state = RunState.DONE


def test_a_worker_that_is_killed_leaves_nobody_out_and_bills_nobody_twice(app: Flask) -> None:
    prepare(app, 120)
    people = begin(app, MAY)
    with worker(app, "smtp://127.0.0.1:9") as process:
        wait_until(lambda: _issued(app) > 0, process)
    before = _issued(app)
    finish(app)
    assert 0 < before < people
    assert billed_once(app, MAY, people)


def _issued(app: Flask) -> int:
    with app.app_context(), own_transaction() as session:
        return session.scalar(select(func.count(Invoice.id))) or 0
