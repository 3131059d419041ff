"""Signing in and out (BAR S1–S5, S13, I8)."""

import re
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select, text, update

from portal import create_app
from portal.accounts import services
from portal.accounts.models import SignInSession
from portal.infra import clock as real_clock
from portal.infra.orm import db
from portal.public import sign_in
from tests.accounts.people import account_of, browser_of, cookie, database, opens, signed_in, with_cookie
from tests.client import Browser
from tests.conftest import settings_for
from tests.infra.workers import ROUNDS
from tests.world import ADMIN, CAMILLE, PASSPHRASE, STAFF, YACINE

WRONG = "ne vont pas ensemble"


def test_a_subscriber_gets_home_and_staff_get_the_farm(app: Flask) -> None:
    for email, home in ((CAMILLE, "/espace"), (STAFF, "/ferme"), (ADMIN, "/ferme")):
        answer = app.test_client().sign_in_by_form(email)
        assert (answer.status_code, answer.location) == (303, home)


def test_the_address_may_be_typed_with_capitals_and_spaces(client: Browser) -> None:
    assert client.sign_in_by_form("  Camille@Example.ORG ").status_code == 303


def test_a_wrong_password_shows_the_page_again_with_the_address_and_one_sentence(client: Browser) -> None:
    client.get("/connexion")
    answer = client.submit("/connexion", {"email": "camille@example.org", "password": "faux"})
    assert answer.status_code == 422
    assert WRONG in answer.text and 'value="camille@example.org"' in answer.text
    assert "faux" not in answer.text
    assert not opens(client)


@pytest.mark.parametrize("case", ["unknown", "deactivated", "without password"])
def test_all_who_may_not_sign_in_read_the_same_as_for_a_wrong_password(case: str, app: Flask) -> None:
    expected = app.test_client().sign_in_by_form(YACINE, "un mot de passe faux")
    email = CAMILLE
    with database(app) as session:
        camille = account_of(session, CAMILLE)
        if case == "unknown":
            email = "personne@example.org"
        elif case == "deactivated":
            services.deactivate(session, camille, at=real_clock.now(), by=None)
        else:
            camille.password = None
    answer = app.test_client().sign_in_by_form(email)
    assert answer.status_code == expected.status_code == 422
    assert words(answer.text) == words(expected.text)


def words(page: str) -> list[str]:
    """A page without its tokens and addresses."""
    told = ("csrf_token", 'name="email"', "/recu/")
    return [line for line in page.splitlines() if not any(token in line for token in told)]


ODD_FORMS: list[dict[str, object]] = [
    {},
    {"email": CAMILLE},
    {"email": "", "password": ""},
    {"email": [CAMILLE, YACINE], "password": ["a", "b"]},
    {"email": "\u202e" + CAMILLE, "password": "x"},
    {"email": "é" * 20_000, "password": "x"},
    {"email": "' OR 1=1 --@example.org", "password": "' OR 1=1 --"},
    {"email[]": CAMILLE, "password[]": PASSPHRASE},
]


def test_odd_forms_are_refused(client: Browser) -> None:
    for form in ODD_FORMS:
        assert client.submit("/connexion", dict(form)).status_code == 422, form
        assert not opens(client), form


def test_a_form_in_another_shape_is_refused(client: Browser) -> None:
    client.get("/connexion")
    token = {"X-CSRFToken": client.token}
    for body in ([1], {"email": CAMILLE, "password": PASSPHRASE}):
        assert client.post("/connexion", json=body, headers=token).status_code == 422
    multipart = "multipart/form-data; boundary=x"
    cut = client.post("/connexion", data=b"--x", content_type=multipart, headers=token)
    assert cut.status_code == 422


def test_signing_in_needs_the_token_of_the_page(client: Browser) -> None:
    client.get("/connexion")
    form = {"email": CAMILLE, "password": PASSPHRASE}
    assert client.post("/connexion", data=form).status_code == 403
    assert client.post("/connexion", data={**form, "csrf_token": client.token + "x"}).status_code == 403
    assert not opens(client)


def test_the_token_of_another_session_is_refused(app: Flask, client: Browser) -> None:
    other = browser_of(app)
    other.get("/connexion")
    client.get("/connexion")
    client.token = other.token
    assert client.submit("/connexion", {"email": CAMILLE, "password": PASSPHRASE}).status_code == 403


# S1


def test_the_session_id_changes_at_sign_in_and_the_old_one_opens_nothing(app: Flask) -> None:
    planted = "A" * 43
    client = with_cookie(app, planted)
    client.get("/connexion")
    before = cookie(client)
    client.submit("/connexion", {"email": CAMILLE, "password": PASSPHRASE})
    assert cookie(client) not in {planted, before} and opens(client)
    assert not any(opens(with_cookie(app, old)) for old in (planted, before))


def test_an_id_that_is_signed_in_already_changes_again_and_the_old_one_is_revoked(app: Flask) -> None:
    client = signed_in(app, CAMILLE)
    first, token = cookie(client), client.token
    client.get("/mon-compte")
    client.submit("/connexion", {"email": YACINE, "password": PASSPHRASE})
    assert cookie(client) != first and token != client.token
    assert not opens(with_cookie(app, first))
    assert "Yacine" in client.get("/mon-compte").text


# S2


def test_after_signing_out_the_old_cookie_opens_nothing(app: Flask, client: Browser) -> None:
    client.sign_in_by_form(CAMILLE)
    old = cookie(client)
    client.get("/mon-compte")
    assert client.submit("/deconnexion").status_code == 303
    assert cookie(client) != old
    assert not opens(client) and not opens(with_cookie(app, old))


def test_signing_out_is_a_form_with_a_token(client: Browser) -> None:
    client.sign_in_by_form(CAMILLE)
    assert client.get("/deconnexion").status_code == 405
    assert client.post("/deconnexion").status_code == 403
    assert opens(client)


def test_deactivation_closes_every_device_at_once(app: Flask) -> None:
    devices = [signed_in(app, CAMILLE) for _ in range(2)]
    with database(app) as session:
        services.deactivate(session, account_of(session, CAMILLE), at=real_clock.now(), by=None)
    assert not any(opens(device) for device in devices)


def test_a_new_password_closes_every_device_even_one_whose_row_was_being_written(app: Flask) -> None:
    client = signed_in(app, CAMILLE)
    with database(app) as session:
        services.revoke_all(session, account_of(session, CAMILLE), at=real_clock.now(), by=None)
        session.execute(update(SignInSession).values(revoked_at=None))
    assert not opens(client)


# S3


def test_the_cookie_is_for_this_host_over_https_and_out_of_scripts_reach(app: Flask) -> None:
    site = "https://panier.example.org"
    secure = create_app(settings_for(app.config["SETTINGS"].database_url, base_url=site))
    client = secure.test_client()
    page = client.get("/connexion", base_url=site)
    token = page.text.split('name="csrf_token" value="')[1].split('"')[0]
    answer = client.post(
        "/connexion",
        base_url=site,
        headers={"Referer": site + "/connexion"},
        data={"email": CAMILLE, "password": PASSPHRASE, "csrf_token": token},
    )
    assert answer.status_code == 303
    for response in (page, answer):
        [header] = response.headers.getlist("Set-Cookie")
        name, _, rest = header.partition("=")
        assert name == "__Host-session"
        parts = set(rest.split("; ")[1:])
        assert {"Secure", "HttpOnly", "SameSite=Lax", "Path=/"} <= parts
        assert not any(part.startswith("Domain") for part in parts)
    with secure.app_context():
        db.engine.dispose()


def test_the_cookie_holds_a_random_id_and_nothing_else_and_the_database_only_its_hash(
    app: Flask,
) -> None:
    value = cookie(signed_in(app, CAMILLE))
    assert len(value) == 43
    with database(app) as session:
        row = session.execute(select(SignInSession.__table__)).one()
        assert row.account_id == account_of(session, CAMILLE).id
        assert value not in str(tuple(row))


def test_nothing_remembers_beside_the_session(client: Browser) -> None:
    client.get("/connexion")
    answer = client.submit("/connexion", {"email": CAMILLE, "password": PASSPHRASE, "remember": "y"})
    assert [header.split("=")[0] for header in answer.headers.getlist("Set-Cookie")] == ["session"]


# S4


def attempt(client: Browser, email: str = CAMILLE, password: str = "faux", **kwargs: Any) -> tuple[int, str]:
    answer = client.submit("/connexion", {"email": email, "password": password}, **kwargs)
    if answer.status_code == 303:
        client.token = ""  # the session's id is a new one
    return answer.status_code, answer.headers.get("Retry-After", "")


def test_the_tenth_wrong_password_closes_the_door_for_a_quarter_of_an_hour(
    app: Flask, client: Browser, clock: time_machine.Traveller
) -> None:
    answers = [attempt(client) for _ in range(30)]
    assert answers == [(422, "")] * 9 + [(429, "900")] * 21
    assert attempt(client, password=PASSPHRASE) == (429, "900")
    assert attempt(client, email="CAMILLE@example.org ", password=PASSPHRASE)[0] == 429
    forged = {"X-Forwarded-For": "203.0.113.9", "Forwarded": "for=203.0.113.9", "X-Real-IP": "203.0.113.9"}
    assert attempt(client, password=PASSPHRASE, headers=forged)[0] == 429
    elsewhere = {"REMOTE_ADDR": "203.0.113.9"}
    assert attempt(client, password=PASSPHRASE, environ_overrides=elsewhere)[0] == 429
    assert app.test_client().sign_in_by_form(YACINE).status_code == 303
    clock.shift(14 * 60)
    assert attempt(client) == (429, "60")
    clock.shift(60)
    assert attempt(client, password=PASSPHRASE)[0] == 303


def test_the_page_says_how_long_to_wait_and_what_works_meanwhile(client: Browser) -> None:
    for _ in range(10):
        attempt(client)
    answer = client.submit("/connexion", {"email": CAMILLE, "password": "faux"})
    assert re.search(r"attendez 15\sminutes", answer.text) and "nouveau mot de passe" in answer.text
    assert f'value="{CAMILLE}"' in answer.text


def test_an_unknown_address_meets_the_same_limit(client: Browser) -> None:
    assert [attempt(client, "personne@example.org")[0] for _ in range(11)] == [422] * 9 + [429] * 2


def test_getting_in_begins_the_count_anew(app: Flask, client: Browser) -> None:
    for _ in range(3):
        assert [attempt(client)[0] for _ in range(9)] == [422] * 9
        assert attempt(client, password=PASSPHRASE)[0] == 303
        client = browser_of(app)


def test_one_client_may_not_try_many_accounts(client: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    assert sign_in.WRONG_PASSWORDS_OF_CLIENT.most == 100
    few = replace(sign_in.WRONG_PASSWORDS_OF_CLIENT, most=5)
    monkeypatch.setattr(sign_in, "WRONG_PASSWORDS_OF_CLIENT", few)
    answers = [attempt(client, f"abonne{n}@example.org")[0] for n in range(6)]
    assert answers == [422] * 4 + [429] * 2
    assert attempt(client, environ_overrides={"REMOTE_ADDR": "203.0.113.9"})[0] == 422


def test_those_who_get_in_do_not_use_up_their_clients_share(app: Flask) -> None:
    for _ in range(3):
        assert app.test_client().sign_in_by_form(CAMILLE).status_code == 303
    with database(app) as session:
        assert session.scalar(text("SELECT sum(count) FROM rate_count")) == 0


def test_neighbours_in_one_ipv6_network_are_one_client(app: Flask, client: Browser) -> None:
    for host in ("2001:db8::1", "2001:db8::2", "2001:db8:0:1::1"):
        attempt(client, environ_overrides={"REMOTE_ADDR": host})
    with database(app) as session:
        assert sorted(session.scalars(text("SELECT count FROM rate_count"))) == [1, 2, 3]


def test_behind_a_proxy_clients_are_told_apart_by_what_the_proxy_says(app: Flask) -> None:
    proxied = create_app(settings_for(app.config["SETTINGS"].database_url, trusted_proxies=1))
    proxied.test_client_class = Browser
    client: Browser = proxied.test_client()  # type: ignore[assignment]
    for claimed in ("198.51.100.1, 203.0.113.9", "198.51.100.2, 203.0.113.9", "unknown"):
        assert attempt(client, headers={"X-Forwarded-For": claimed})[0] == 422
    with proxied.app_context():
        assert sorted(db.session.scalars(text("SELECT count FROM rate_count"))) == [1, 2, 3]
        db.session.remove()
        db.engine.dispose()


def test_tries_at_the_same_moment_are_all_counted(app: Flask) -> None:
    clients = [app.test_client() for _ in range(16)]
    for client in clients:
        client.get("/connexion")
    with ThreadPoolExecutor(8) as pool:
        answers = list(
            pool.map(
                lambda c: c.submit("/connexion", {"email": CAMILLE, "password": "faux"}).status_code, clients
            )
        )
    assert sorted(answers) == [422] * 9 + [429] * 7


def test_the_counts_hold_no_address(app: Flask, client: Browser) -> None:
    attempt(client)
    with database(app) as session:
        keys = list(session.scalars(text("SELECT key FROM rate_count")))
    assert len(keys) == 2 and all(len(key) == 64 and set(key) <= set("0123456789abcdef") for key in keys)


# S5


CLOCKS = (time.process_time, time.perf_counter) if ROUNDS > 1 else (time.process_time,)
"""A busy machine lets an answer wait, but does not make it work more; `make prove` asks the clock on the wall too."""


def apart(one: Callable[[], object], other: Callable[[], object]) -> float:
    """Milliseconds between the medians of two acts, twelve times each, in turns."""
    taken: dict[tuple[int, int], list[float]] = {}
    for _ in range(12):
        for number, act in enumerate((one, other)):
            began = [clock() for clock in CLOCKS]
            act()
            for which, clock in enumerate(CLOCKS):
                taken.setdefault((which, number), []).append((clock() - began[which]) * 1000)
    median = {key: statistics.median(times) for key, times in taken.items()}
    return max(abs(median[which, 0] - median[which, 1]) for which in range(len(CLOCKS)))


ASKED = {
    "/connexion": {"email": CAMILLE, "password": "faux"},
    "/connexion/code": {"email": CAMILLE},
    "/inscription": {"email": CAMILLE},
    "/mot-de-passe-oublie": {"email": CAMILLE},
    "/adresse-oubliee": {"numero": "C10001"},
    "/contact": {"sujet": "other", "nom": "X", "email": CAMILLE, "telephone": "", "message": "X"},
    "/resilier/notification": {"nom": "X", "adresse": CAMILLE, "contrat": "X", "jour": ""},
}
"""What anybody may send about somebody, by where."""
UNKNOWN = {CAMILLE: "personne@example.org", "C10001": "C99999"}


@pytest.mark.parametrize("path", ASKED)
def test_known_and_unknown_addresses_take_the_same_time(
    path: str, client: Browser, clock: time_machine.Traveller
) -> None:
    client.get(path.removesuffix("/notification"))
    theirs = ASKED[path]
    nobodys = {name: UNKNOWN.get(value, value) for name, value in theirs.items()}

    def ask(form: dict[str, str]) -> tuple[int, str, list[str]]:
        clock.shift(3600)  # past every limit
        answer = client.submit(path, form)
        return answer.status_code, (answer.location or "").partition("/recu/")[0], words(answer.text)

    known = ask(theirs)
    assert known == ask(nobodys) and known[0] == (422 if path == "/connexion" else 303)
    # what else a machine does may spoil a round; a leak spoils each
    assert any(apart(partial(ask, theirs), partial(ask, nobodys)) <= 8 for _ in range(3))


@pytest.mark.parametrize(
    ("path", "field", "known", "unknown"),
    [
        ("/mot-de-passe-oublie", "email", CAMILLE, "personne@example.org"),
        ("/adresse-oubliee", "numero", "C10001", "C99999"),
    ],
)
def test_asking_for_a_link_does_the_same_for_every_address(
    path: str, field: str, known: str, unknown: str, client: Browser, count_queries: Any
) -> None:
    done = []
    for typed in (known, unknown):
        client.get(path)
        with count_queries() as statements:
            client.submit(path, {field: typed})
        done.append(statements)
    assert done[0] == done[1]


# S13


def test_a_fragment_asked_for_after_the_session_ended_gets_the_way_to_the_sign_in_page(app: Flask) -> None:
    client = signed_in(app, CAMILLE)
    with database(app) as session:
        session.execute(update(SignInSession).values(revoked_at=real_clock.now()))
    for answer in (
        client.get("/mon-compte", headers={"HX-Request": "true"}),
        client.submit("/mon-compte/mot-de-passe", headers={"HX-Request": "true"}),
    ):
        assert answer.status_code == 401
        assert answer.headers["HX-Redirect"] == "/connexion"
        assert answer.data == b""


def test_a_page_asked_for_after_the_session_ended_leads_to_the_sign_in_page_and_back(client: Browser) -> None:
    answer = client.get("/mon-compte?onglet=1")
    assert (answer.status_code, answer.location) == (303, "/connexion?next=/mon-compte?onglet%3D1")
    page = client.get(answer.location)
    answer = client.submit(answer.location, {"email": CAMILLE, "password": PASSPHRASE})
    assert page.status_code == 200 and answer.location == "/mon-compte?onglet=1"


# I8


OFF_THE_SITE = [
    "//evil.example",
    "///evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "/\t/evil.example",
    "\t//evil.example",
    "/\r\n/evil.example",
    "/planning\r\nSet-Cookie: a=b",
    "https:evil.example",
    "https://evil.example",
    "http://localhost@evil.example",
    "//user@evil.example",
    "user@evil.example",
    "javascript:alert(1)",
    "data:text/html,x",
    "//[evil",
    "http://[evil",
    "http://localhost:99999/",
    " /planning",
    "evil.example",
    "?x",
    "",
]


def test_next_never_leads_off_the_site(app: Flask) -> None:
    for wanted in OFF_THE_SITE:
        client = browser_of(app)
        client.get("/connexion")
        answer = client.post(
            "/connexion",
            query_string={"next": wanted},
            data={"csrf_token": client.token, "email": CAMILLE, "password": PASSPHRASE, "next": wanted},
        )
        assert (answer.status_code, answer.location) == (303, "/espace"), wanted
        assert "evil" not in str(answer.headers), wanted
        again = client.get("/connexion", query_string={"next": wanted})
        assert (again.status_code, again.location) == (303, "/espace"), wanted
