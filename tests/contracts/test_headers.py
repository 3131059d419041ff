"""What every answer says to browsers, as the strictest of the public testers would have it."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import time_machine
from flask import Flask
from werkzeug.test import TestResponse

from portal import create_app
from portal.farm.mailbox import PREVIEW_POLICY
from portal.infra.orm import db
from tests.client import Browser
from tests.conftest import Farms, settings_for
from tests.contracts.observatory import score
from tests.contracts.site import ACTS, PAGES, WALKERS, Site, send
from tests.world import ADMIN, CAMILLE, NOW, PASSPHRASE

SIX_MONTHS = 15_768_000
PREVIEWS = ("/ferme/courrier/<id:mail_id>/apercu", "/ferme/messages/<id:campaign_id>/apercu")
MAPS = {"/points-de-retrait", "/abonnement/nouveau/point-de-retrait"}
Answer = tuple[str, str, TestResponse]
HERE = {"Referer": "https://localhost/"}
FARM = ("/ferme/abonnes", "/ferme/courrier/1/apercu", "/ferme/imports/modeles/abonnes.csv")
"""A page, what is not ours on a page, a table."""


@pytest.fixture
def backend() -> str:
    return "sqlite"


@contextmanager
def behind_https(site: Site) -> Iterator[Flask]:
    """The same site as browsers reach it."""
    app = create_app(settings_for(site.app.config["SETTINGS"].database_url, base_url="https://localhost"))
    app.test_client_class = Browser
    yield app
    with app.app_context():
        db.engine.dispose()


def everything(site: Site) -> Iterator[Answer]:
    """Every page and a refused act, for every role; what is missing; what is redirected."""
    for role in WALKERS:
        client = site.client(role)
        for line in PAGES:
            yield line.rule, role, send(client, "GET", line.path)
        yield "/nulle-part", role, send(client, "GET", "/nulle-part")
        yield "//formules", role, send(client, "GET", "//formules")
        for line in ACTS:
            yield line.rule, role, send(client, "POST", line.path)


@pytest.fixture(scope="module")
def answers(farms: Farms) -> list[Answer]:
    with time_machine.travel(NOW, tick=False):
        return list(everything(Site(farms, "sqlite")))


def test_every_answer_has_them(answers: list[Answer]) -> None:
    for rule, role, response in answers:
        headers, place = response.headers, f"{rule} for {role}"
        assert headers["X-Content-Type-Options"] == "nosniff", place
        assert headers["X-Frame-Options"] == "DENY", place
        assert headers["Referrer-Policy"] == "same-origin", place
        assert headers["Cross-Origin-Opener-Policy"] == "same-origin", place
        assert headers["Cross-Origin-Resource-Policy"] == "same-origin", place
        assert "camera=()" in headers["Permissions-Policy"], place
        assert "Access-Control-Allow-Origin" not in headers, place
        assert "X-Powered-By" not in headers, place
        assert re.fullmatch("[0-9a-f]{16}", headers["X-Request-Id"]), place
        assert "Strict-Transport-Security" not in headers, "over http it would be ignored"
        shown = response.status_code == 200
        policy = headers["Content-Security-Policy"]
        strict(policy, place, preview=rule in PREVIEWS and shown, tiles=rule in MAPS and shown)


def strict(policy: str, place: str, *, preview: bool, tiles: bool) -> None:
    """Nothing but what we name, nothing unsafe; a mail's own styles in its preview, where nothing else runs.

    A map shows pictures of another site: its tiles.
    """
    directives = {words[0]: words[1:] for words in (part.split() for part in policy.split(";"))}
    assert directives["default-src"] == ["'none'"], place
    assert directives["frame-ancestors"] == ["'none'"], place
    if preview:
        assert policy == PREVIEW_POLICY
        assert directives["sandbox"] == []
        assert "script-src" not in directives
        return
    assert directives["base-uri"] == ["'none'"], place
    if tiles:
        assert directives.pop("img-src") == ["'self'", "data:", "https://tile.openstreetmap.org"]
    assert {
        name: sources for name, sources in directives.items() if sources not in (["'none'"], ["'self'"])
    } == {}
    assert "unsafe" not in policy, place


def test_the_map_is_loaded_where_points_are_chosen_only(answers: list[Answer]) -> None:
    loading = {rule for rule, _, response in answers if b"leaflet" in response.data}
    assert {rule for rule in loading if not rule.endswith(".js")} == MAPS


def test_what_is_shown_to_who_is_signed_in_is_never_kept(
    answers: list[Answer],
) -> None:
    for rule, role, response in answers:
        kept = response.headers["Cache-Control"]
        if rule.startswith(("/static/", "/photos/")) or rule.endswith((".js", ".txt")):
            continue
        if role != "anonymous" or response.status_code >= 400 or rule == "/sante":
            assert kept == "no-store", f"{rule} for {role}"
        else:
            assert kept in {"no-store", "no-cache"}, rule


def test_behind_https_a_browser_never_comes_back_without(site: Site) -> None:
    with behind_https(site) as app:
        client = app.test_client()
        for path in ("/", "/connexion", "/static/js/app.js", "/nulle-part", "/sante", "/espace"):
            header = client.get(path).headers["Strict-Transport-Security"]
            age = re.fullmatch(r"max-age=([0-9]+); includeSubDomains", header)
            assert age, path
            assert int(age[1]) >= SIX_MONTHS


def look_around(app: Flask, role: str, email: str | None) -> Iterator[Answer]:
    """What somebody is shown who comes by the door, what there is not, what is refused."""
    client: Browser = app.test_client()  # type: ignore[assignment]
    yield "/connexion", role, client.get("/connexion", headers=HERE)
    if email:
        form = {"email": email, "password": PASSPHRASE}
        yield "/connexion", role, client.submit("/connexion", form, headers=HERE)
    ours = [line.path for line in PAGES if line.answers[role] == "200" and not line.rule.startswith("/ferme")]
    for path in (*(FARM if role == "admin" else ours), "/nulle-part", "/ferme"):
        yield path, role, send(client, "GET", path, headers=HERE)
    yield "/contact", role, send(client, "POST", "/contact", headers=HERE)


@pytest.fixture(scope="module")
def seen_by_https(farms: Farms) -> list[Answer]:
    people = {"anonymous": None, "subscriber": CAMILLE, "admin": ADMIN}
    with time_machine.travel(NOW, tick=False), behind_https(Site(farms, "sqlite")) as app:
        return [answer for role, email in people.items() for answer in look_around(app, role, email)]


def test_the_observatory_gives_each_answer_a_hundred_and_twenty_points(seen_by_https: list[Answer]) -> None:
    files = (
        "text/javascript",
        "image/webp",
        "application/pdf",
        "application/zip",
        "text/calendar",
        "text/csv",
    )
    kinds = {(answer.status_code, answer.mimetype) for _, _, answer in seen_by_https}
    assert kinds >= {
        *((status, "text/html") for status in (200, 303, 403, 404)),
        *((200, kind) for kind in files),
    }
    less = {(place, score(answer)) for place, _, answer in seen_by_https if score(answer) < 120}
    assert less == {(FARM[1], 110)}, "a mail has styles of its own"


def test_the_only_cookie_is_the_sessions_and_is_bound_to_this_host(seen_by_https: list[Answer]) -> None:
    cookies = [cookie for _, _, answer in seen_by_https for cookie in answer.headers.getlist("Set-Cookie")]
    assert len(cookies) >= 5, "one before each sign-in, another after it"
    for cookie in cookies:
        value, *attributes = cookie.split("; ")
        assert re.fullmatch(r"__Host-session=[A-Za-z0-9_-]{43}", value)
        assert {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"} <= set(attributes)
        assert not [attribute for attribute in attributes if attribute.startswith("Domain")]
