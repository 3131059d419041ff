"""A log says what happened and where, in lines of JSON, and nothing that is secret or that somebody typed."""

import json
import logging

import pytest

from portal.infra.logs import JsonLines
from portal.web import errors
from tests.world import CAMILLE, PASSPHRASE

SECRETS = {
    "password": "correct horse battery staple",
    "token": "jSx9_mailed-link-token",
    "iban": "FR7630006000011234567890189",
    "mail": "somebody.else@example.org",
}


@pytest.fixture
def lines():
    """What the log says, line by line."""
    written = []

    class Collect(logging.Handler):
        def emit(self, record):
            written.extend(self.format(record).split("\n"))

    handler = Collect()
    handler.setFormatter(JsonLines())
    logging.getLogger().addHandler(handler)
    yield written
    logging.getLogger().removeHandler(handler)


def the_requests(lines):
    return [line for line in map(json.loads, lines) if line["message"] == "request"]


@pytest.fixture
def broken_link(app, monkeypatch):
    """A mailed link's page fails with somebody's secrets in the exception and around it."""

    def fail(token):
        iban = SECRETS["iban"]
        try:
            raise KeyError(iban)
        except KeyError as error:
            raise ValueError(f"no account {SECRETS['mail']}\nwith {iban}") from error

    monkeypatch.setitem(app.view_functions, "public.link", fail)
    monkeypatch.setitem(app.config, "PROPAGATE_EXCEPTIONS", False)


def test_a_request_is_one_line_with_its_reference(client, lines):
    response = client.get("/sante")
    [line] = the_requests(lines)
    assert line["request_id"] == response.headers["X-Request-Id"]
    assert (line["method"], line["endpoint"], line["status"]) == ("GET", "public.health", 200)
    assert isinstance(line["ms"], int)
    assert line["account"] is None
    assert client.get("/sante").headers["X-Request-Id"] != line["request_id"]


def test_the_reference_is_ours_whatever_the_client_sends(client, lines):
    response = client.get("/sante", headers={"X-Request-Id": "forged\x0b{"})
    assert response.headers["X-Request-Id"].isalnum()
    assert "forged" not in "".join(lines)


def test_a_request_that_fails_before_it_begins_has_a_reference_too(app, client, lines, monkeypatch):
    def fail(*_):
        raise RuntimeError

    monkeypatch.setattr(app.session_interface, "open_session", fail)
    monkeypatch.setitem(app.config, "PROPAGATE_EXCEPTIONS", False)
    response = client.get("/sante")
    assert response.status_code == 500
    [line] = the_requests(lines)
    assert line["request_id"] == response.headers["X-Request-Id"]


def test_who_is_signed_in_is_a_number(client, lines):
    client.sign_in(CAMILLE)
    client.get("/espace")
    assert isinstance(the_requests(lines)[-1]["account"], int)
    assert CAMILLE not in "".join(lines)


def test_nothing_secret_reaches_the_log(client, lines):
    client.sign_in_by_form(CAMILLE, SECRETS["password"])
    client.sign_in(CAMILLE)
    cookies = [cookie.value for cookie in client._cookies.values()]
    client.get(f"/lien/{SECRETS['token']}")
    client.get(
        f"/espace?iban={SECRETS['iban']}&next={SECRETS['mail']}", headers={"Referer": SECRETS["token"]}
    )
    client.submit("/mot-de-passe-oublie", {"email": SECRETS["mail"]})
    text = "".join(lines)
    assert len(the_requests(lines)) >= 6
    for secret in [*SECRETS.values(), *cookies, client.token, PASSPHRASE, CAMILLE]:
        assert secret not in text


def test_an_error_is_its_type_and_place_without_its_words(client, lines, broken_link):
    response = client.get(f"/lien/{SECRETS['token']}?mail={SECRETS['mail']}")
    assert response.status_code == 500
    [error] = [line for line in map(json.loads, lines) if line["level"] == "error"]
    assert error["error"] == "builtins.ValueError from builtins.KeyError"
    assert error["stack"][-1].startswith("tests/infra/test_logs.py:")
    assert error["stack"][-1].endswith(" fail")
    assert error["request_id"] == response.headers["X-Request-Id"]
    assert error["request_id"] in response.get_data(as_text=True)
    for secret in SECRETS.values():
        assert secret not in "".join(lines)


def test_a_line_break_in_a_value_stays_on_one_line(lines):
    logging.getLogger("portal.test").warning("first\nsecond\u2028third", extra={"reason": "a\r\nb"})
    [line] = lines
    assert json.loads(line)["message"] == "first\nsecond\u2028third"
    assert json.loads(line)["reason"] == "a\r\nb"
    assert line.isascii()


def test_other_packages_lines_come_without_their_values(lines):
    logging.getLogger("somelibrary").warning(
        "mail to %s failed", SECRETS["mail"], extra={"to": SECRETS["mail"]}
    )
    [line] = lines
    assert json.loads(line)["message"] == "mail to %s failed"
    assert SECRETS["mail"] not in line


def test_our_own_lines_carry_the_request_they_belong_to(app, lines):
    with app.test_request_context("/"):
        errors.logger.warning("outside of a dispatched request")
    assert "request_id" not in json.loads(lines[-1])


def test_lines_are_written_to_stderr_wherever_that_is_now(client, capsys):
    client.get("/sante")
    written = capsys.readouterr().err.splitlines()
    assert [json.loads(line)["message"] for line in written] == ["request"]
