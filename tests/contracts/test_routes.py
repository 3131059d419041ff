"""Who may do what: each route, each role, each method, as the table in `site` says."""

import re
from functools import wraps
from typing import Any

import pytest
from flask import Flask
from flask.typing import RouteCallable
from werkzeug.test import TestResponse

from portal import create_app
from portal.settings import Mode
from tests.billing.signing import is_whole
from tests.conftest import settings_for
from tests.contracts.site import ACTS, IN_DEVELOPMENT, LINES, PAGES, ROLES, WALKERS, WORKERS, Line, Site, send

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")
on_sqlite = pytest.mark.parametrize("backend", ["sqlite"], indirect=True)


def routes(app: Flask) -> set[tuple[str, str]]:
    return {
        (method, rule.rule)
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }


def test_the_table_lists_every_route_and_nothing_else() -> None:
    listed = {(line.method, line.rule) for line in LINES}
    assert len(listed) == len(LINES)
    assert routes(create_app(settings_for("sqlite://"))) == listed
    assert routes(create_app(settings_for("sqlite://", mode=Mode.DEVELOPMENT))) == listed | IN_DEVELOPMENT
    production = settings_for(
        "sqlite://", mode=Mode.PRODUCTION, base_url="https://example.org", smtp_url="smtps://smtp.example.org"
    )
    assert routes(create_app(production)) == listed


def answer(response: TestResponse, *, acted: bool = False) -> str:
    """Its status; or `sign-in` for the way to the sign-in page, unless an act or a step of the sign-in ends there."""
    asked = response.status_code == 303 and response.location.partition("?")[0] == "/connexion"
    step = response.request.path.startswith("/connexion/")
    return "sign-in" if asked and not acted and not step else str(response.status_code)


@on_sqlite
@pytest.mark.parametrize("role", ROLES)
def test_every_page_opens_to_whom_the_table_says(site: Site, role: str) -> None:
    client = site.client(role)
    found = {line.rule: client.get(line.path) for line in PAGES}
    assert {rule: answer(response) for rule, response in found.items()} == {
        line.rule: line.answers[role] for line in PAGES
    }
    assert not [rule for rule, response in found.items() if is_whole(response.data)], "an account's number"


WAY = re.compile(r'(?:href|action|hx-get|hx-post)="(/ferme[^"#?]*)')


@on_sqlite
@pytest.mark.parametrize("role", WORKERS)
def test_no_page_of_the_farm_shows_a_way_that_is_closed(site: Site, role: str) -> None:
    client, closed = site.client(role), set[str]()
    doors = {(line.method, line.rule): line.may_enter(role) for line in LINES}
    addresses = site.app.url_map.bind("localhost")
    for line in PAGES:
        if line.rule.startswith("/ferme") and line.may_enter(role):
            for way in WAY.findall(client.get(line.path).get_data().decode(errors="ignore")):
                methods = set(addresses.allowed_methods(way)) & {"GET", "POST"}
                rules = {
                    (method, addresses.match(way, method, return_rule=True)[0].rule) for method in methods
                }
                if not any(doors.get(rule, True) for rule in rules):
                    closed.add(f"{line.rule} → {way}")
    assert not closed, "\n".join(sorted(closed))


KEPT = {
    "/ma-commande/validation": "sign_in_session",
    "/livraisons/<date:day>/<tour>/<id:point_id>/remise": "rate_count",
}
"""Forms that keep something when they are refused, and where: what was typed, how often it was tried."""


@on_sqlite
@pytest.mark.parametrize("role", WALKERS)
def test_every_act_is_open_to_whom_the_table_says_and_changes_nothing_for_others(
    site: Site, role: str
) -> None:
    for line in ACTS:
        spared = KEPT.get(line.rule)
        client, before = site.client(role), site.rows(spared)
        response = client.submit(line.path, site.form(line))
        acted = site.rows(spared) != before
        assert answer(response, acted=acted) == line.answers[role], line.rule
        if response.status_code < 400 and line.may_enter(role):
            site.begin()
        else:
            assert not acted, line.rule


def doorway(view: RouteCallable) -> RouteCallable:
    """The view's door with nothing behind it."""

    @wraps(view)
    def enter(**_: Any) -> tuple[str, int]:
        return "", 204

    return enter


@on_sqlite
@pytest.mark.parametrize("role", WORKERS)
def test_every_act_of_the_farm_opens_to_the_roles_that_the_table_names(
    site: Site, role: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, before = site.client(role), site.rows()
    for endpoint, view in site.app.view_functions.items():
        monkeypatch.setitem(site.app.view_functions, endpoint, doorway(view))
    acts = [line for line in ACTS if line.rule.startswith("/ferme")]
    assert {line.rule: client.submit(line.path).status_code for line in acts} == {
        line.rule: 204 if line.may_enter(role) else 403 for line in acts
    }
    assert site.rows() == before


@on_sqlite
@pytest.mark.parametrize("role", ["anonymous", "admin"])
def test_no_other_method_does_anything(site: Site, role: str) -> None:
    client, before = site.client(role), site.rows()
    allowed: dict[str, dict[str, Line]] = {}
    for line in LINES:
        allowed.setdefault(line.rule, {})[line.method] = line
    for lines in allowed.values():
        for method in set(METHODS) - lines.keys():
            [line, *_] = lines.values()
            response = send(client, method, line.path, data={"csrf_token": client.token})
            if method == "OPTIONS":
                guarded = not line.may_enter(role)
                assert answer(response) == (line.answers[role] if guarded else "200"), line.rule
            elif method == "HEAD" and "GET" in lines:
                assert answer(response) == lines["GET"].answers[role], line.rule
                assert response.data == b""
            elif method == "GET" and response.status_code == 303:
                assert line.path.startswith(f"{response.location}/"), "its page is above"
            else:
                assert response.status_code == 405, (method, line.rule)
                assert set(response.allow) >= lines.keys()
    assert site.rows() == before


@on_sqlite
def test_a_fragment_is_never_a_sign_in_page(site: Site) -> None:
    client = site.client("anonymous")
    for line in LINES:
        if line.answers["anonymous"] == "sign-in":
            response = client.open(
                line.path,
                method=line.method,
                data={"csrf_token": client.token},
                headers={"HX-Request": "true"},
            )
            assert (response.status_code, response.data) == (401, b""), line.rule
            assert response.headers["HX-Redirect"].partition("?")[0] == "/connexion"
