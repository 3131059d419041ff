"""Every error has a page of ours, in French, with a reference that the log knows and nothing of the inside."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event
from werkzeug.test import TestResponse

from portal.infra.orm import db
from portal.web.headers import HEADERS
from portal.web.limits import BODY_BYTES, HEADER_BYTES
from tests.web.conftest import SECRET_WORDS

Provoke = Callable[[FlaskClient], TestResponse]
ERRORS: dict[str, tuple[int, Provoke]] = {
    "unknown host": (400, lambda client: client.get("/", base_url="http://evil.example")),
    "bad request": (400, lambda client: client.get("/essai/abandonne/400")),
    "forbidden": (403, lambda client: client.get("/essai/abandonne/403")),
    "not found": (404, lambda client: client.get("/nulle-part")),
    "method": (405, lambda client: client.delete("/formules")),
    "too large": (413, lambda client: client.post("/connexion", data={"email": "x" * BODY_BYTES})),
    "unprocessable": (422, lambda client: client.get("/essai/abandonne/422")),
    "too many": (429, lambda client: client.get("/essai/abandonne/429")),
    "headers": (431, lambda client: client.get("/", headers={"X-Long": "x" * HEADER_BYTES})),
    "teapot": (418, lambda client: client.get("/essai/abandonne/418")),
    "broken": (500, lambda client: client.get("/essai/casse")),
    "busy": (503, lambda client: client.get("/essai/occupe")),
}
INTERNALS = (
    SECRET_WORDS,
    "Traceback",
    "werkzeug",
    "sqlalchemy",
    "flask",
    "psycopg",
    "SELECT",
    ".py",
    "LookupError",
)


@pytest.fixture
def backend() -> str:
    return "sqlite"


@pytest.fixture(params=ERRORS)
def provoked(request: pytest.FixtureRequest, probe: Flask, capsys: object) -> TestResponse:
    """The answer; what it logged is in `capsys`."""
    status, provoke = ERRORS[request.param]
    response = provoke(probe.test_client())
    assert response.status_code == status
    return response


def log_lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines() if line.startswith("{")]


def test_it_is_a_page_of_ours_in_french(provoked: TestResponse) -> None:
    assert provoked.mimetype == "text/html"
    assert '<html lang="fr">' in provoked.text
    assert "Erreur" in provoked.text
    for words in (
        "Bad Request",
        "Not Found",
        "Forbidden",
        "Internal Server Error",
        "Method Not Allowed",
        "teapot",
    ):
        assert words not in provoked.text


def test_its_reference_is_in_the_log(provoked: TestResponse, capsys: pytest.CaptureFixture[str]) -> None:
    reference = re.search(r"référence ([0-9a-f]{16})", provoked.text)
    assert reference
    assert reference[1] == provoked.headers["X-Request-Id"]
    lines = [line for line in log_lines(capsys.readouterr().err) if line.get("request_id") == reference[1]]
    assert [line["status"] for line in lines if line["message"] == "request"] == [provoked.status_code]


def test_who_met_a_busy_site_may_ask_again(probe: Flask) -> None:
    asked = ERRORS["busy"][1](probe.test_client()).text
    assert ">Réessayer</a>" in asked and "Rechargez cette page" in asked
    assert ">Réessayer</a>" not in ERRORS["broken"][1](probe.test_client()).text


def test_it_tells_nothing_of_the_inside(provoked: TestResponse, capsys: pytest.CaptureFixture[str]) -> None:
    shown = provoked.text + str(provoked.headers)
    assert [word for word in INTERNALS if word in shown] == []
    assert SECRET_WORDS not in capsys.readouterr().err


def test_it_has_the_headers_of_every_page_and_is_never_kept(provoked: TestResponse) -> None:
    assert {name: provoked.headers.get(name) for name in HEADERS} == HEADERS
    assert provoked.headers["Cache-Control"] == "no-store"


def test_it_asks_neither_database_nor_session(probe: Flask) -> None:
    """So it can be shown when those are what failed."""
    statements = []
    with probe.app_context():
        event.listen(db.engine, "before_execute", lambda *arguments: statements.append(arguments))
    client = probe.test_client()
    client.set_cookie("session", "x" * 43)
    for _, provoke in ERRORS.values():
        assert "Set-Cookie" not in provoke(client).headers
    assert statements == []


def test_what_broke_is_in_the_log_by_its_kind_and_place(
    probe: Flask, capsys: pytest.CaptureFixture[str]
) -> None:
    response = probe.test_client().get("/essai/casse")
    [line] = [line for line in log_lines(capsys.readouterr().err) if line["level"] == "error"]
    assert line["request_id"] == response.headers["X-Request-Id"]
    assert line["error"].endswith("LookupError")
    assert any("break_down" in frame for frame in line["stack"])


def test_a_busy_site_says_when_to_come_back(probe: Flask) -> None:
    assert int(probe.test_client().get("/essai/occupe").headers["Retry-After"]) > 0


def test_a_wrong_method_says_which_ones_are_right(probe: Flask) -> None:
    assert {"GET", "HEAD"} <= set(probe.test_client().delete("/formules").allow)


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example", "evil.example:80", "localhost@evil.example", ""]
)
def test_only_our_own_host_is_answered(probe: Flask, host: str) -> None:
    client = probe.test_client()
    for path in ("/", "/connexion", "/sante", "/static/js/app.js", "/nulle-part"):
        assert client.get(path, headers={"Host": host}).status_code == 400, path
    assert client.get("/connexion", headers={"X-Forwarded-Host": "evil.example"}).status_code == 200
