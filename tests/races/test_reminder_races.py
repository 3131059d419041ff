"""A reminder that two workers are about to write, or that one is killed over, is written once."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
import time_machine
from flask import Flask
from sqlalchemy import delete, func, select

from portal.infra import outbox
from portal.infra.orm import db, own_transaction
from portal.infra.outbox import Mail
from portal.messages import reminders
from portal.messages.models import Reminder
from tests import crowd
from tests.races.helpers import meetings

SATURDAY = datetime(2026, 6, 13, 7, tzinfo=UTC)


@pytest.fixture(autouse=True)
def few_at_once(monkeypatch: pytest.MonkeyPatch, clock: time_machine.Traveller) -> None:
    monkeypatch.setattr(reminders, "AT_ONCE", 3)
    clock.move_to(SATURDAY)


def remind_all(app: Flask) -> None:
    with app.app_context():
        while reminders.remind():
            pass


def reminded(app: Flask) -> list[str]:
    with app.app_context(), own_transaction() as session:
        to = sorted(session.scalars(select(Mail.recipient)))
        assert session.scalar(select(func.count()).select_from(Reminder)) == len(to)
        return to


def again(app: Flask) -> None:
    with app.app_context(), own_transaction() as session:
        session.execute(delete(Reminder))
        session.execute(delete(Mail))


def by_two_workers(app: Flask) -> Iterator[bool]:
    def work() -> bool:
        with app.app_context():
            return reminders.remind() and reminders.remind()

    with app.app_context():
        crowd.add(db.session(), 12)
    remind_all(app)
    expected = reminded(app)
    assert len(expected) == len(set(expected)) > reminders.AT_ONCE
    again(app)
    for results in meetings(app, work, work):
        remind_all(app)
        yield reminded(app) == expected and not any(isinstance(result, Exception) for result in results)
        again(app)


def test_two_workers_remind_everybody_once(app: Flask) -> None:
    assert set(by_two_workers(app)) == {True}


def test_who_is_not_mailed_is_not_noted(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that is killed has committed neither."""

    class Killed(BaseException):
        pass

    def post(*_: object, **__: object) -> None:
        raise Killed

    with app.app_context(), monkeypatch.context() as patch:
        patch.setattr(outbox, "post", post)
        with pytest.raises(Killed):
            reminders.remind()
    assert reminded(app) == []
    remind_all(app)
    assert reminded(app)
