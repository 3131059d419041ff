"""Who asks a running site: each with a connection and a session of their own, all at the same time."""

import re
import time
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from urllib.parse import urlencode

from flask import Flask

from tests.client import TOKEN
from tests.service.processes import HOST, PATIENCE

NOBODY = 0
"""The status where nobody answers: refused, or cut before the answer."""


@dataclass(frozen=True)
class Answer:
    """What came back for one request; `began` is the machine's monotonic time in seconds."""

    asked: str
    status: int
    began: float
    seconds: float
    text: str = ""
    location: str = ""


class Person:
    """Somebody signed in, or a visitor; keeps the last page's CSRF token and every answer."""

    def __init__(self, port: int, cookie: str = "") -> None:
        self.connection = HTTPConnection(HOST, port, timeout=PATIENCE)
        self.headers: dict[str, str] = {}
        """What each request carries beside the cookie."""
        self.cookie = cookie
        self.token = ""
        self.answers: list[Answer] = []

    def turn_to(self, port: int) -> None:
        """Ask there from now on."""
        if port != self.connection.port:
            self.connection.close()
            self.connection = HTTPConnection(HOST, port, timeout=PATIENCE)

    def get(self, path: str) -> Answer:
        return self._ask("GET", path, None)

    def post(self, path: str, **form: object) -> Answer:
        """Send a form with the token of the last page that had one."""
        if not self.token:
            self.get("/espace" if self.cookie else "/connexion")
        return self._ask("POST", path, urlencode({"csrf_token": self.token, **form}, doseq=True))

    def _ask(self, method: str, path: str, body: str | None) -> Answer:
        headers = dict(self.headers)
        if self.cookie:
            headers["Cookie"] = self.cookie
        if body is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        began = time.monotonic()
        try:
            self.connection.request(method, path, body, headers)
            response = self.connection.getresponse()
            status, text = response.status, response.read().decode(errors="replace")
            location, cookie = response.headers["Location"] or "", response.headers["Set-Cookie"] or ""
        except (OSError, HTTPException):
            self.connection.close()
            status, text, location, cookie = NOBODY, "", "", ""
        if found := re.match(r"((?:__Host-)?session=[^;]+)", cookie):
            self.cookie = found[1]
        if found := TOKEN.search(text):
            self.token = found[1]
        answer = Answer(f"{method} {path}", status, began, time.monotonic() - began, text, location)
        self.answers.append(answer)
        return answer

    def leave(self) -> None:
        self.connection.close()


def signed_in(app: Flask, port: int, email: str) -> Person:
    """Somebody whose sign-in is behind them: a hash takes as long as ten pages."""
    browser = app.test_client()
    browser.sign_in(email)
    cookie = browser.get_cookie("session", app.config["SETTINGS"].hostname)
    return Person(port, f"{cookie.key}={cookie.value}")


def all_at_once(acts: Collection[Callable[[], object]]) -> None:
    """Each in a thread of its own; an error of one is raised when all have ended."""
    with ThreadPoolExecutor(len(acts)) as pool:
        for done in [pool.submit(act) for act in acts]:
            done.result()


def at_most(share: float, answers: Collection[Answer]) -> float:
    """The seconds within which this share of the answers came, 0.99 for p99."""
    taken = sorted(answer.seconds for answer in answers)
    return taken[min(len(taken) - 1, int(share * len(taken)))]
