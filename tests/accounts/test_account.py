"""« Mon compte »: who one is, the password, the devices."""

import json
import re
from html import unescape

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select

from portal.accounts.models import SignInSession
from portal.infra.audit import AuditEvent
from portal.infra.outbox import Mail
from tests.accounts.people import account_of, browser_of, cookie, database, opens, signed_in, with_cookie
from tests.client import Browser
from tests.world import CAMILLE, PASSPHRASE, YACINE

NEW = "le blaireau range sa cagette de navets"
DEVICE = re.compile(r"/mon-compte/appareils/(\d+)/deconnexion")


def change(client: Browser, current: str = PASSPHRASE, new: str = NEW) -> int:
    client.get("/mon-compte")
    return client.submit("/mon-compte/mot-de-passe", {"password": current, "new_password": new}).status_code


def test_the_page_says_who_one_is_and_whom_to_call(app: Flask) -> None:
    page = unescape(signed_in(app, CAMILLE).get("/mon-compte").text)
    with database(app) as session:
        number = account_of(session, CAMILLE).customer_number
    assert all(w in page for w in ("Camille Aubert", number, CAMILLE, "06 39 98 00 01", "04 65 71 00 01"))


def test_a_new_password_keeps_this_device_under_a_new_id_and_ends_the_others(app: Flask) -> None:
    this, other = signed_in(app, CAMILLE), signed_in(app, CAMILLE)
    old = cookie(this)
    assert change(this) == 303
    assert "est changé" in this.get("/mon-compte/securite").text
    assert cookie(this) != old and not opens(with_cookie(app, old))
    assert not opens(other)
    assert browser_of(app).sign_in_by_form(CAMILLE).status_code == 422
    assert browser_of(app).sign_in_by_form(CAMILLE, NEW).status_code == 303
    with database(app) as session:
        [mail] = session.scalars(select(Mail))
        assert (mail.recipient, mail.subject) == (CAMILLE, "Votre mot de passe a été changé")
        assert NEW not in f"{mail.text}{mail.html}"


def test_the_current_password_is_asked_for(app: Flask) -> None:
    client, other = signed_in(app, CAMILLE), signed_in(app, CAMILLE)
    for wrong in ("", "faux", PASSPHRASE + " ", "x" * 100_000):
        assert change(client, current=wrong) == 422
    assert change(client, new="court") == 422
    assert opens(client) and opens(other)
    assert browser_of(app).sign_in_by_form(CAMILLE).status_code == 303


def test_the_current_password_cannot_be_guessed_either(app: Flask, clock: time_machine.Traveller) -> None:
    client = signed_in(app, CAMILLE)
    assert [change(client, current="faux") for _ in range(11)] == [422] * 9 + [429] * 2
    assert change(client) == 429
    clock.shift(15 * 60)
    assert change(client) == 303


def test_the_other_devices_are_listed_and_signed_out_one_by_one(app: Flask) -> None:
    this, other, third = (signed_in(app, CAMILLE) for _ in range(3))
    page = this.get("/mon-compte/securite").text
    assert page.count("Cet appareil") == 1 and page.count("Un autre appareil") == 2
    number = DEVICE.findall(page)[-1]
    assert this.submit(f"/mon-compte/appareils/{number}/deconnexion").status_code == 303
    assert opens(this) and [opens(other), opens(third)].count(True) == 1


def test_a_device_that_is_not_there_is_not_found(app: Flask) -> None:
    client = signed_in(app, CAMILLE)
    client.get("/mon-compte")
    for number in ("0", "-1", "9223372036854775808", "%00", "abc", "999999"):
        path = f"/mon-compte/appareils/{number}/deconnexion"
        assert client.submit(path).status_code == 404, number


def test_somebody_elses_device_is_not_found(app: Flask) -> None:
    camille, yacine = signed_in(app, CAMILLE), signed_in(app, YACINE)
    with database(app) as session:
        mine = account_of(session, CAMILLE).id
        number = session.scalars(select(SignInSession.id).where(SignInSession.account_id == mine)).one()
    yacine.get("/mon-compte")
    assert yacine.submit(f"/mon-compte/appareils/{number}/deconnexion").status_code == 404
    assert opens(camille)


def test_all_devices_can_be_signed_out_at_once(app: Flask) -> None:
    this, other = signed_in(app, CAMILLE), signed_in(app, CAMILLE)
    old = cookie(this)
    this.get("/mon-compte")
    answer = this.submit("/mon-compte/appareils/deconnexion")
    assert (answer.status_code, answer.location) == (303, "/connexion")
    assert "Tous vos appareils sont déconnectés" in this.get("/connexion").text
    assert not opens(this) and not opens(other) and not opens(with_cookie(app, old))


def test_each_form_needs_its_token(app: Flask) -> None:
    client, other = signed_in(app, CAMILLE), signed_in(app, YACINE)
    other.get("/mon-compte")
    for path in ("mot-de-passe", "appareils/deconnexion", "appareils/1/deconnexion"):
        for token in ("", "x", other.token):
            data = {"csrf_token": token, "password": PASSPHRASE, "new_password": NEW}
            assert client.post(f"/mon-compte/{path}", data=data).status_code == 403, (path, token)
    assert opens(client)


def test_the_trail_tells_what_happened_without_telling_about_the_person(app: Flask) -> None:
    client = signed_in(app, CAMILLE)
    change(client)
    client.get("/mon-compte")
    client.submit("/mon-compte/appareils/deconnexion")
    with database(app) as session:
        mine = account_of(session, CAMILLE).id
        events = list(session.scalars(select(AuditEvent).order_by(AuditEvent.id)))
        assert [event.action for event in events] == [
            "sessions_revoked",
            "password_changed",
            "sessions_revoked",
        ]
        assert {(e.account_id, e.subject_type, e.subject_id) for e in events} == {
            (mine, "account", str(mine))
        }
        assert not any(event.before or event.after for event in events)


def test_the_log_tells_no_secret(app: Flask, capsys: pytest.CaptureFixture[str]) -> None:
    client = signed_in(app, CAMILLE)
    cookies = [cookie(client)]
    browser_of(app).sign_in_by_form(CAMILLE, "un mot de passe\nfaux")
    change(client)
    cookies.append(cookie(client))
    client.get("/lien/" + "A" * 43)
    client.get("/connexion", query_string={"next": "/\r\nforged"})
    written = capsys.readouterr().err
    lines = written.splitlines()
    assert len(lines) >= 8 and all(json.loads(line) for line in lines)
    for secret in (*cookies, client.token, PASSPHRASE, NEW, "faux", "forged", CAMILLE, "Camille", "A" * 43):
        assert secret not in written


def test_the_page_needs_few_queries(app: Flask, count_queries) -> None:  # type: ignore[no-untyped-def]
    client = signed_in(app, CAMILLE)
    with count_queries() as one:
        client.get("/mon-compte/securite")
    for _ in range(3):
        signed_in(app, CAMILLE)
    with count_queries() as four:
        client.get("/mon-compte/securite")
    assert len(one) == len(four) <= 7
