"""One code sent twice at the same moment, by the browser that asked for it: it is taken once (BAR S5)."""

from flask import Flask
from werkzeug.test import TestResponse

from tests.accounts.letters import ask_for_code
from tests.accounts.people import browser_of, cookie, with_cookie
from tests.client import Browser
from tests.races.helpers import meetings

ENTER = "/connexion/code/saisie"


def twins(app: Flask, number: int) -> list[tuple[Browser, str]]:
    """A browser and its double, each about to send the code."""
    one = browser_of(app)
    code = ask_for_code(app, one, f"jeanne{number}@example.org")
    one.get(ENTER)
    other = with_cookie(app, cookie(one))
    other.token = one.token
    return [(one, code), (other, code)]


def send(browser: Browser, code: str) -> TestResponse:
    return browser.submit(ENTER, {"code": code})


def test_a_code_is_taken_once(app: Flask) -> None:
    pair = twins(app, 0)
    rounds = meetings(app, lambda: send(*pair[0]), lambda: send(*pair[1]))
    for number, answers in enumerate(rounds, 1):
        assert [answer.location for answer in answers].count("/inscription/nom") == 1
        pair = twins(app, number)
