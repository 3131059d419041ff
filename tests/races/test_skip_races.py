"""Skipping in two tabs at once, at the moment of the freeze, and while somebody else holds the lock."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from functools import partial

import pytest
import time_machine
from flask import Flask
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from portal.boxes.jobs import freeze_due
from portal.boxes.models import Basket, BoxChange
from portal.deliveries.models import Delivery, Tour
from portal.deliveries.services import generate
from portal.infra.audit import AuditEvent
from portal.infra.orm import Base, own_transaction
from portal.infra.outbox import Mail
from portal.rules.calendar import WEEK
from portal.subscriptions.models import Subscription
from tests.client import Browser
from tests.races.helpers import AHEAD, Act, held, meetings, watching
from tests.world import CAMILLE, CUTOFF, TODAY

BOX = 1
"""Camille's large box, every Tuesday."""
MONDAY = date(2026, 6, 15)
SECOND = timedelta(seconds=1)


@pytest.fixture(autouse=True)
def years_ahead(app: Flask) -> None:
    """Each meeting has a week of its own."""
    with app.app_context(), own_transaction() as session:
        generate(session, TODAY, TODAY + AHEAD)


def tab(app: Flask, *, htmx: bool = False) -> Browser:
    """One more of Camille's tabs, with the planning on it."""
    browser: Browser = app.test_client()  # type: ignore[assignment]
    browser.sign_in(CAMILLE)
    assert browser.get("/planning").status_code == 200
    browser.htmx = htmx
    return browser


def press(browser: Browser, act: str, week: date) -> TestResponse:
    return browser.submit(f"/planning/{week}/{act}", {"abonnement": BOX})


def status(answer: TestResponse | Exception) -> int:
    return 500 if isinstance(answer, Exception) else answer.status_code


def state(app: Flask, week: date) -> tuple[bool, bool]:
    """Whether the week's box is skipped, and whether it is in the frozen baskets."""
    with app.app_context(), own_transaction() as session:
        changes = select(BoxChange.id).where(
            BoxChange.subscription_id == BOX, BoxChange.week == week, BoxChange.skip
        )
        baskets = select(Basket.id).where(Basket.subscription_id == BOX, Basket.week == week)
        return bool(session.scalar(select(changes.exists()))), bool(session.scalar(select(baskets.exists())))


def rows(app: Flask) -> tuple[int, ...]:
    """How many changes, mails and audit lines there are."""
    with app.app_context(), own_transaction() as session:
        return tuple(
            session.scalar(select(func.count()).select_from(table)) or 0
            for table in (BoxChange, Mail, AuditEvent)
        )


# K1: two tabs


def skips_in_two_tabs(app: Flask) -> Iterator[bool]:
    """Skip one box in two tabs, week after week: whether it went as one act and both tabs show it."""
    one, other = tab(app, htmx=True), tab(app, htmx=True)
    week, before = MONDAY, rows(app)

    def skip(browser: Browser) -> TestResponse:
        return press(browser, "saut", week)

    for answers in meetings(app, partial(skip, one), partial(skip, other)):
        shown = [
            status(answer) == 200 and f"/planning/{week}/reprise" in answer.get_data(as_text=True)
            for answer in answers
        ]
        after = rows(app)
        yield all(shown) and after == tuple(number + 1 for number in before)
        week, before = week + WEEK, after


@pytest.mark.rounds(2)
def test_two_tabs_that_skip_at_once_are_one_skip_one_mail_one_audit_line(app: Flask) -> None:
    assert set(skips_in_two_tabs(app)) == {True}


def test_without_locks_two_tabs_get_in_each_others_way(unlocked: Flask) -> None:
    assert not all(skips_in_two_tabs(unlocked))


# T10: the freeze


def acts_at_the_cutoff(app: Flask, worker: Flask, clock: time_machine.Traveller, act: str) -> Iterator[bool]:
    """Skip a box or take it back while its delivery closes, week after week: whether all agree on who won."""
    browser = tab(app)
    week, cutoff = MONDAY, CUTOFF

    def begin() -> TestResponse:
        return press(browser, act, week)

    def close() -> None:
        clock.move_to(cutoff)
        with worker.app_context():
            freeze_due()

    def prepare() -> None:
        clock.move_to(cutoff - 2 * SECOND)
        if act == "reprise":
            assert press(browser, "saut", week).status_code == 303
        clock.move_to(cutoff - SECOND)

    prepare()
    for answer, failure in meetings(app, begin, close):
        skipped, carried = state(worker, week)
        accepted = status(answer) == 303
        yield (
            failure is None
            and (accepted or status(answer) == 422)
            and skipped == (accepted if act == "saut" else not accepted)
            and carried == (not skipped)
        )
        week, cutoff = week + WEEK, cutoff_of(worker, week + WEEK)
        prepare()


def cutoff_of(app: Flask, week: date) -> datetime:
    with app.app_context(), own_transaction() as session:
        on_tuesdays = select(Delivery.cutoff_at).join(Tour).where(Tour.slug == "mardi", Delivery.week == week)
        return session.scalars(on_tuesdays).one()


@pytest.mark.rounds(2)
@pytest.mark.parametrize("act", ["saut", "reprise"])
def test_what_meets_the_freeze_is_done_and_packed_so_or_refused(
    app: Flask, clock: time_machine.Traveller, act: str
) -> None:
    assert set(acts_at_the_cutoff(app, app, clock, act)) == {True}


def test_without_locks_a_box_is_skipped_and_packed(
    app: Flask, unlocked: Flask, clock: time_machine.Traveller
) -> None:
    assert not all(acts_at_the_cutoff(unlocked, app, clock, "saut"))


# T9: the lock


@pytest.mark.parametrize("table", [Subscription, Delivery])
def test_who_waits_for_the_lock_across_the_cutoff_is_refused(
    app: Flask, clock: time_machine.Traveller, table: type[Base]
) -> None:
    browser = tab(app)
    clock.move_to(CUTOFF - 2 * SECOND)
    with held(app, table), watching(app) as somebody_waits:
        request = Act(lambda: press(browser, "saut", MONDAY))
        request.runs_until(somebody_waits)
        clock.move_to(CUTOFF + 2 * SECOND)
    assert status(request.result) == 422
    assert rows(app) == (0, 0, 0)


def test_who_waits_for_the_lock_in_time_is_served(app: Flask, clock: time_machine.Traveller) -> None:
    browser = tab(app)
    clock.move_to(CUTOFF - 2 * SECOND)
    with held(app, Subscription), watching(app) as somebody_waits:
        request = Act(lambda: press(browser, "saut", MONDAY))
        request.runs_until(somebody_waits)
        clock.move_to(CUTOFF - SECOND)
    assert status(request.result) == 303
    assert state(app, MONDAY) == (True, False)
