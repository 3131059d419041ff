"""Whoever waits for a lock waits for a while, then hears that the site is busy (BAR R7)."""

from collections.abc import Iterator

import pytest
from flask import Flask
from sqlalchemy import func, select

from portal import create_app
from portal.boxes.models import BoxChange
from portal.infra import orm
from portal.infra.audit import AuditEvent
from portal.infra.orm import db, own_transaction
from portal.infra.outbox import Mail
from portal.subscriptions.models import Subscription
from tests.client import Browser
from tests.conftest import settings_for
from tests.infra.workers import ROUNDS
from tests.races.helpers import Act, held, watching
from tests.world import CAMILLE

PATH = "/planning/2026-06-15/saut"
BOX = {"abonnement": 1}


def signed_in(app: Flask) -> Browser:
    browser: Browser = app.test_client()  # type: ignore[assignment]
    browser.sign_in(CAMILLE)
    browser.get("/planning")
    return browser


def written(app: Flask) -> int:
    with app.app_context(), own_transaction() as session:
        return sum(
            session.scalar(select(func.count()).select_from(table)) or 0
            for table in (BoxChange, Mail, AuditEvent)
        )


@pytest.fixture
def hurried(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Iterator[Flask]:
    """An application on the same database that waits for a lock for less than half a second: `make prove` waits."""
    if ROUNDS == 1:
        monkeypatch.setattr(orm, "LOCK_WAIT_SECONDS", 0.4)
    hurried = create_app(settings_for(app.config["SETTINGS"].database_url))
    hurried.test_client_class = Browser
    yield hurried
    with hurried.app_context():
        db.engine.dispose()


def test_who_waits_for_a_lock_is_served_when_it_is_free(app: Flask) -> None:
    browser = signed_in(app)
    with held(app, Subscription), watching(app) as somebody_waits:
        request = Act(lambda: browser.submit(PATH, BOX))
        request.runs_until(somebody_waits)
        assert not request.ends_within(0)
    assert request.result.status_code == 303
    assert written(app) == 3


def test_who_waits_too_long_hears_that_the_site_is_busy(app: Flask, hurried: Flask) -> None:
    browser = signed_in(hurried)
    with held(app, Subscription):
        answer = Act(lambda: browser.submit(PATH, BOX)).result
        assert browser.get("/planning").status_code == 200, "reading goes on"
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "10"
    assert "Le site est très occupé" in answer.get_data(as_text=True)
    assert written(app) == 0
    assert browser.submit(PATH, BOX).status_code == 303, "and so does writing, later"
