"""/sante: 200 as long as pages can be served, and what is not well."""

from datetime import timedelta

import pytest

from portal.infra import jobs, outbox
from portal.infra.orm import db, own_transaction
from tests.world import CAMILLE


def test_a_worker_that_has_not_shown_itself_for_two_minutes_is_asleep(app, client, clock):
    assert client.get("/sante").json["worker"] is False
    with app.app_context():
        jobs.beat("one")
    clock.shift(timedelta(seconds=119))
    assert client.get("/sante").json["worker"] is True
    clock.shift(timedelta(seconds=1))
    response = client.get("/sante")
    assert response.json["worker"] is False
    assert response.status_code == 200
    assert response.headers["Cache-Control"] == "no-store"


def test_mail_that_waits_or_failed_is_counted(app, client, clock):
    with app.app_context():
        for _ in range(3):
            with own_transaction() as session:
                outbox.post(session, to=CAMILLE, subject="…", text="…", html="…", at=jobs.clock.now())
        outbox.mark_refused(outbox.claim(jobs.clock.now()), "SMTP 550", jobs.clock.now(), for_good=True)
        outbox.mark_sent(outbox.claim(jobs.clock.now()), jobs.clock.now())
    answer = client.get("/sante").json
    assert (answer["mails_waiting"], answer["mails_failed"]) == (1, 1)


def test_without_its_database_the_site_says_so_with_503(app, client, backend, monkeypatch):
    with app.app_context():
        engine = db.engine
    engine.dispose()

    def refuse(*_args, **_kwargs):
        raise engine.dialect.loaded_dbapi.OperationalError("gone")

    monkeypatch.setattr(engine.dialect, "connect", refuse)
    response = client.get("/sante")
    assert response.status_code == 503
    assert response.json == {"database": False, "worker": False, "mails_waiting": 0, "mails_failed": 0}
    monkeypatch.undo()
    assert client.get("/sante").status_code == 200


def test_it_tells_nothing_about_anybody(client):
    assert set(client.get("/sante").json) == {"database", "worker", "mails_waiting", "mails_failed"}


@pytest.mark.parametrize("method", ["post", "put", "delete"])
def test_it_is_only_read(client, method):
    assert getattr(client, method)("/sante").status_code in {400, 403, 405}
