"""No form works but from a page of ours, in the session that showed it; and looking changes nothing."""

import pytest

from portal import create_app
from portal.infra.orm import db
from tests.client import Browser
from tests.conftest import settings_for
from tests.contracts.site import ACTS, PAGES, WALKERS, Line, Site, send

BY_MAIL_PROGRAMS = "/lien/lettres/<letters_token>"
"""Without a page of ours before it (RFC 8058): its signed address is what opens it."""
GUARDED = [line for line in ACTS if line.rule != BY_MAIL_PROGRAMS]

on_sqlite = pytest.mark.parametrize("backend", ["sqlite"], indirect=True)


def actor(line: Line) -> str:
    """The first role that gets through, if only to be told why not now."""
    return min(
        (role for role in WALKERS if line.may_enter(role)), key=lambda role: line.answers[role] != "303"
    )


@on_sqlite
def test_an_act_without_the_token_of_its_session_is_refused(site: Site) -> None:
    people = {role: site.client(role) for role in WALKERS}
    strangers = {role: site.new_client(role) for role in WALKERS}
    before = site.rows()
    for line in GUARDED:
        client, stranger = people[actor(line)], strangers[actor(line)]
        assert client.token != stranger.token
        for token in (None, "", "x", client.token[:-1], client.token.upper(), stranger.token):
            form = site.form(line) | ({} if token is None else {"csrf_token": token})
            for headers in ({}, {"HX-Request": "true"}, {"X-CSRFToken": stranger.token}):
                response = send(client, "POST", line.path, data=form, headers=headers)
                assert response.status_code == 403, (line.rule, token, headers)
        in_address = send(
            client, "POST", line.path, data=site.form(line), query_string={"csrf_token": client.token}
        )
        assert in_address.status_code == 403, line.rule
    assert site.rows() == before


FOREIGN = (
    {},
    {"Referer": "https://evil.example/"},
    {"Referer": "https://evil.example/", "Origin": "https://evil.example"},
    {"Referer": "https://localhost.evil.example/connexion"},
    {"Referer": "https://evil.example/?https://localhost/"},
    {"Referer": "https://localhost:8443/"},
    {"Referer": "http://localhost/connexion"},
    {"Origin": "https://localhost"},
)


@on_sqlite
def test_behind_https_another_site_cannot_act_even_with_the_token(site: Site) -> None:
    url = site.app.config["SETTINGS"].database_url
    secure = create_app(settings_for(url, base_url="https://localhost"))
    secure.test_client_class = Browser
    try:
        before = site.rows()
        for line in GUARDED:
            client = secure.test_client()
            here = {"base_url": "https://localhost", "headers": {"Referer": "https://localhost/"}}
            page = client.get("/connexion", **here)
            form = {"csrf_token": client.token, **site.form(line)}
            for headers in FOREIGN:
                response = send(
                    client, "POST", line.path, data=form, base_url="https://localhost", headers=headers
                )
                assert response.status_code == 403, (line.rule, headers)
            assert send(client, "POST", line.path, data=form, **here).status_code != 403, line.rule
            assert page.status_code == 200
            if site.rows() != before:
                site.begin()
                before = site.rows()
    finally:
        with secure.app_context():
            db.engine.dispose()


@pytest.mark.parametrize("role", WALKERS)
def test_looking_changes_nothing(site: Site, role: str) -> None:
    client, before = site.client(role), site.rows()
    for line in PAGES:
        for headers in ({}, {"HX-Request": "true"}):
            send(client, "GET", line.path, headers=headers)
    assert site.rows() == before
