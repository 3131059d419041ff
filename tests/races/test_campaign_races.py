"""A campaign that several workers send, or that one is killed over, reaches everybody once."""

from collections.abc import Iterator

import pytest
from flask import Flask
from sqlalchemy import delete, func, select, update

from portal.infra.orm import db, own_transaction
from portal.infra.outbox import Mail
from portal.messages import sending
from portal.messages.models import Campaign, CampaignMail, CampaignState
from tests import crowd
from tests.infra.workers import wait_until, worker
from tests.messages import campaigning
from tests.races.helpers import meetings


def prepare(app: Flask, people: int) -> None:
    with app.app_context():
        crowd.add(db.session(), people)
    with app.app_context(), own_transaction() as session:
        campaigning.send(session, campaigning.draft(session))


def again(app: Flask) -> None:
    with app.app_context(), own_transaction() as session:
        session.execute(delete(CampaignMail))
        session.execute(delete(Mail))
        session.execute(update(Campaign).values(state=CampaignState.SCHEDULED, ended_at=None))


def send_all(app: Flask) -> None:
    with app.app_context():
        while sending.send_campaigns():
            pass


def reached(app: Flask) -> list[str]:
    with app.app_context(), own_transaction() as session:
        assert session.scalar(select(func.count()).where(CampaignMail.mail_id.is_(None))) == 0
        return sorted(session.scalars(select(Mail.recipient)))


def sent_by_two_workers(app: Flask, reader: Flask) -> Iterator[bool]:
    def work() -> bool:
        with app.app_context():
            return sending.send_campaigns() and sending.send_campaigns()

    prepare(reader, 6)
    send_all(reader)
    expected = reached(reader)
    assert len(expected) == len(set(expected)) > sending.AT_ONCE
    again(reader)
    for results in meetings(app, work, work):
        send_all(reader)
        yield reached(reader) == expected and not any(isinstance(result, Exception) for result in results)
        again(reader)


@pytest.fixture(autouse=True)
def few_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "AT_ONCE", 3)
    monkeypatch.setattr(sending, "WAITING_AT_MOST", 1000)


def test_two_workers_write_to_everybody_once(app: Flask) -> None:
    assert set(sent_by_two_workers(app, app)) == {True}


@pytest.mark.parametrize("backend", ["postgresql"], indirect=True)
def test_without_locks_some_are_written_to_twice_or_a_worker_falls(app: Flask, unlocked: Flask) -> None:
    assert not all(sent_by_two_workers(unlocked, app))


def test_a_worker_that_is_killed_leaves_nobody_out_and_writes_to_nobody_twice(app: Flask) -> None:
    prepare(app, 300)
    with worker(app, "smtp://127.0.0.1:9") as process:  # writes a hundred, which nobody takes
        wait_until(lambda: _written(app) > 0, process)
    before = _written(app)
    send_all(app)
    expected = reached(app)
    assert before < len(expected) == len(set(expected))
    assert len(expected) > 300


def _written(app: Flask) -> int:
    with app.app_context(), own_transaction() as session:
        return session.scalar(select(func.count()).select_from(Mail)) or 0
