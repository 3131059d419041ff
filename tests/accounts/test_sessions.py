"""Sessions as rows: read late, written seldom, revoked for good (BAR S2, K14)."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask, flash
from sqlalchemy import select, update
from sqlalchemy.exc import OperationalError

from portal.accounts import entering
from portal.accounts.jobs import purge_expired
from portal.accounts.models import SignInSession
from portal.accounts.sessions import hash_token
from portal.infra import clock as real_clock
from portal.infra.orm import db, own_transaction
from portal.member import security
from portal.public import sign_in
from tests.accounts.people import browser_of, cookie, database, opens, signed_in
from tests.world import CAMILLE, STAFF

HOUR = 3600
DAY = 24 * HOUR


def rows(app: Flask) -> list[Any]:
    with database(app) as session:
        return list(session.execute(select(SignInSession.__table__).order_by(SignInSession.id)))


def test_a_visitor_who_only_looks_leaves_no_row_and_needs_no_cookie(app: Flask) -> None:
    visitor = browser_of(app)
    visitor.get("/mot-de-passe-oublie/envoye")
    assert cookie(visitor) == ""
    visitor.get("/connexion")
    first = cookie(visitor)
    visitor.get("/connexion")
    assert first and cookie(visitor) == first
    assert rows(app) == []


@pytest.mark.parametrize("address", ["/static/js/app.js", "/nulle-part"])
def test_what_does_not_ask_who_is_signed_in_does_not_query(
    app: Flask, address: str, count_queries: Any
) -> None:
    client = signed_in(app, CAMILLE)
    with count_queries() as statements:
        client.get(address)
    assert statements == []


def test_a_cookie_that_nobody_gave_out_is_a_visitors(app: Flask) -> None:
    for value in ("", "x", "A" * 43, "A" * 42 + "=", "A" * 5000, "../../etc", '"quoted"', "a; session=b"):
        browser = browser_of(app)
        assert browser.get("/mon-compte", headers={"Cookie": f"session={value}"}).status_code == 303
    assert rows(app) == []


@pytest.mark.parametrize(("email", "idle"), [(CAMILLE, 30 * DAY), (STAFF, 12 * HOUR)])
def test_a_session_ends_when_it_was_not_used_for_long(
    app: Flask, clock: time_machine.Traveller, email: str, idle: int
) -> None:
    client = signed_in(app, email)
    for _ in range(3):
        clock.shift(idle - 1)
        assert opens(client)
    clock.shift(idle)
    assert not opens(client)


def test_the_browser_keeps_the_cookie_as_long_as_the_session_lasts(
    app: Flask, clock: time_machine.Traveller
) -> None:
    for email, idle in ((CAMILLE, 30 * DAY), (STAFF, 12 * HOUR)):
        client = signed_in(app, email)
        given = client.get_cookie("session")
        assert given and given.max_age == idle
        clock.shift(2 * HOUR)
        again = client.get("/mon-compte").headers["Set-Cookie"]
        assert f"Max-Age={idle}" in again and cookie(client) == given.value


def test_looking_at_pages_writes_at_most_once_an_hour(app: Flask, clock: time_machine.Traveller) -> None:
    client = signed_in(app, CAMILLE)
    began = real_clock.now()
    clock.shift(HOUR - 1)
    client.get("/mon-compte")
    assert rows(app)[0].seen_at == began
    clock.shift(1)
    client.get("/mon-compte")
    assert rows(app)[0].seen_at == began + timedelta(hours=1)


def test_a_session_revoked_while_its_own_request_runs_stays_revoked(
    app: Flask, clock: time_machine.Traveller, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = signed_in(app, CAMILLE)
    clock.shift(2 * HOUR)  # so that the request has something to save
    list_devices = security.list_devices

    def revoke_meanwhile(*args: Any) -> object:
        with own_transaction() as session:
            session.execute(update(SignInSession).values(revoked_at=real_clock.now()))
        return list_devices(*args)

    monkeypatch.setattr(security, "list_devices", revoke_meanwhile)
    assert client.get("/mon-compte/securite").status_code == 200
    monkeypatch.undo()
    assert rows(app)[0].revoked_at is not None
    assert not opens(client)


def test_a_session_that_cannot_be_saved_does_not_break_a_page(
    app: Flask, clock: time_machine.Traveller, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = signed_in(app, CAMILLE)
    clock.shift(2 * HOUR)

    def locked() -> None:
        raise OperationalError("UPDATE", {}, Exception("locked"))

    monkeypatch.setattr("portal.accounts.sessions.own_transaction", locked)
    monkeypatch.setitem(app.config, "PROPAGATE_EXCEPTIONS", False)
    assert opens(client)
    client.get("/mon-compte")
    answer = client.submit("/deconnexion")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "10")
    monkeypatch.undo()
    assert opens(client)


def test_what_a_failed_request_put_into_its_session_is_not_kept(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        raise OperationalError("DELETE", {}, Exception("locked"))

    monkeypatch.setattr(entering, "way_on", fail)
    client = browser_of(app)
    assert client.sign_in_by_form(CAMILLE).status_code == 503
    assert not opens(client) and rows(app) == []


def test_a_visitors_answer_is_kept_until_it_is_shown(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    def told(_form: object) -> tuple[str, int]:
        flash("Bien reçu : merci.")
        return "", 204

    monkeypatch.setattr(sign_in, "_check_password", told)
    client = browser_of(app)
    client.sign_in_by_form(CAMILLE)
    before = cookie(client)
    assert "Bien reçu : merci." in client.get("/connexion").text
    assert "Bien reçu : merci." not in client.get("/connexion").text
    assert cookie(client) == before  # or forms of other tabs would be refused


def test_two_answers_to_a_visitor_at_once_break_neither(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    twin = browser_of(app)

    def told(_form: object) -> tuple[str, int]:
        flash("Bien reçu : merci.")
        db.session.rollback()
        times = dict.fromkeys(("created_at", "seen_at", "expires_at"), real_clock.now())
        with own_transaction() as session:
            session.add(SignInSession(token_hash=hash_token(cookie(twin)), data={}, **times))
        return "", 204

    twin.get("/connexion")
    monkeypatch.setattr(sign_in, "_check_password", told)
    form = {"email": CAMILLE, "password": "x"}
    assert twin.submit("/connexion", form).status_code == 204
    assert len(rows(app)) == 1


def test_flask_logins_fingerprint_of_the_browser_is_not_kept(app: Flask) -> None:
    signed_in(app, CAMILLE)
    assert "_id" not in rows(app)[0].data


def test_expired_and_long_revoked_sessions_are_forgotten(app: Flask, clock: time_machine.Traveller) -> None:
    staff, camille, other = signed_in(app, STAFF), signed_in(app, CAMILLE), signed_in(app, CAMILLE)
    other.get("/mon-compte")
    other.submit("/deconnexion")

    def purge() -> int:
        with database(app) as session:
            purge_expired(session, real_clock.now())
        return len(rows(app))

    assert purge() == 3
    clock.shift(13 * HOUR)
    assert purge() == 2
    camille.get("/mon-compte")
    clock.shift(30 * DAY - 13 * HOUR)
    assert purge() == 1
    assert opens(camille) and not opens(staff)
