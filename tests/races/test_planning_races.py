"""Every other act on a week meets the freeze, and itself in a second tab, as a skip does."""

from collections.abc import Iterator
from datetime import date, timedelta
from functools import partial

import pytest
import time_machine
from flask import Flask
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from portal.boxes.jobs import freeze_due
from portal.boxes.models import Basket, BoxChange, Suspension
from portal.deliveries.services import generate
from portal.infra.audit import AuditEvent
from portal.infra.orm import own_transaction
from portal.infra.outbox import Mail
from portal.pickup.models import PickupPoint
from portal.rules.calendar import WEEK
from tests.client import Browser
from tests.races.helpers import AHEAD, meetings
from tests.races.test_skip_races import BOX, MONDAY, SECOND, cutoff_of, status, tab
from tests.world import TODAY

STEP = 2 * WEEK
"""A postponed box is out of the way of the next meeting."""
ACTS = ("report", "point", "suspension")


@pytest.fixture(autouse=True)
def years_ahead(app: Flask) -> None:
    with app.app_context(), own_transaction() as session:
        generate(session, TODAY, TODAY + 3 * AHEAD)


def press(browser: Browser, act: str, week: date, gare: int) -> TestResponse:
    tuesday = week + timedelta(days=1)
    if act == "suspension":
        form = {"abonnement": BOX, "du": f"{tuesday}", "au": f"{tuesday}"}
        return browser.submit("/planning/suspension", form)
    form = {"abonnement": BOX, "vers": f"{week + WEEK}", "point": f"{gare}"}
    return browser.submit(f"/planning/{week}/{act}", form)


def gare_of(app: Flask) -> int:
    with app.app_context(), own_transaction() as session:
        return session.scalars(select(PickupPoint.id).where(PickupPoint.slug == "gare")).one()


def point_in_basket(app: Flask, week: date) -> int | None:
    """Where the week's box goes by the frozen list; None where it is not on it."""
    with app.app_context(), own_transaction() as session:
        row = select(Basket.pickup_point_id).where(Basket.subscription_id == BOX, Basket.week == week)
        return session.scalar(row)


def wishes(app: Flask) -> int:
    """How many changes and suspensions are written down."""
    with app.app_context(), own_transaction() as session:
        return sum(
            session.scalar(select(func.count()).select_from(table)) or 0 for table in (BoxChange, Suspension)
        )


def acts_at_the_cutoff(app: Flask, worker: Flask, clock: time_machine.Traveller, act: str) -> Iterator[bool]:
    """Do it while the delivery closes, again and again: whether page, wish and frozen list agree on who won."""
    browser, gare = tab(app), gare_of(worker)
    week, cutoff, before = MONDAY, cutoff_of(worker, MONDAY), 0

    def begin() -> TestResponse:
        return press(browser, act, week, gare)

    def close() -> None:
        clock.move_to(cutoff)
        with worker.app_context():
            freeze_due()

    clock.move_to(cutoff - SECOND)
    for answer, failure in meetings(app, begin, close):
        accepted, point = status(answer) == 303, point_in_basket(worker, week)
        done = point == gare if act == "point" else point is None
        after = wishes(worker)
        yield (
            failure is None
            and (accepted or status(answer) == 422)
            and done == accepted
            and after - before == accepted
        )
        before = after
        week, cutoff = week + STEP, cutoff_of(worker, week + STEP)
        clock.move_to(cutoff - SECOND)


@pytest.mark.rounds(2)
@pytest.mark.parametrize("act", ACTS)
def test_what_meets_the_freeze_is_done_and_packed_so_or_refused(
    app: Flask, clock: time_machine.Traveller, act: str
) -> None:
    assert set(acts_at_the_cutoff(app, app, clock, act)) == {True}


def test_without_locks_a_box_is_postponed_and_packed(
    app: Flask, unlocked: Flask, clock: time_machine.Traveller
) -> None:
    assert not all(acts_at_the_cutoff(unlocked, app, clock, "report"))


def rows(app: Flask) -> tuple[int, int, int]:
    """How many wishes, mails and audit lines there are."""
    with app.app_context(), own_transaction() as session:
        mails, lines = (
            session.scalar(select(func.count()).select_from(table)) or 0 for table in (Mail, AuditEvent)
        )
    return (wishes(app), mails, lines)


@pytest.mark.parametrize("act", ["report", "suspension"])
def test_two_tabs_that_do_it_at_once_are_one_wish_one_mail_one_audit_line(app: Flask, act: str) -> None:
    one, other, gare = tab(app), tab(app), gare_of(app)
    week, before = MONDAY, rows(app)

    def do(browser: Browser) -> TestResponse:
        return press(browser, act, week, gare)

    for answers in meetings(app, partial(do, one), partial(do, other)):
        after = rows(app)
        assert [status(answer) for answer in answers] == [303, 303]
        assert after == tuple(number + 1 for number in before)
        week, before = week + STEP, after
