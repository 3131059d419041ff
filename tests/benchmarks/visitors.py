"""Those who ask: subscribers and staff with a browser, as the server sees them."""

import re
from dataclasses import dataclass
from html import unescape
from http.client import HTTPConnection
from http.cookies import SimpleCookie
from urllib.parse import urlencode

from portal.demo.people import PASSPHRASE
from tests.client import TOKEN

HOST = "127.0.0.1"
SKIP = re.compile(r'<form[^>]+action="([^"]+/saut)"[^>]*>(.*?)</form>', re.DOTALL)
FIELD = re.compile(r'name="([^"]+)" value="([^"]+)"')


@dataclass(frozen=True)
class Ask:
    """A page that is asked for, or a form that is sent as HTMX sends it."""

    path: str
    form: dict[str, str] | None = None

    @property
    def parts(self) -> tuple[str, str, bytes, dict[str, str]]:
        """Method, path, body and headers."""
        if self.form is None:
            return "GET", self.path, b"", {}
        headers = {"Content-Type": "application/x-www-form-urlencoded", "HX-Request": "true"}
        return "POST", self.path, urlencode(self.form).encode(), headers


class Visitor:
    """One connection, kept open, and one cookie."""

    def __init__(self, port: int, email: str | None = None) -> None:
        self.connection = HTTPConnection(HOST, port, timeout=60)
        self.cookie = ""
        if email:
            token = TOKEN.search(self.ask(Ask("/connexion")))[1]
            self.ask(Ask("/connexion", {"csrf_token": token, "email": email, "password": PASSPHRASE}))

    def ask(self, ask: Ask) -> str:
        method, path, body, headers = ask.parts
        self.connection.request(method, path, body, headers | {"Cookie": self.cookie})
        response = self.connection.getresponse()
        text = response.read().decode()
        assert response.status < 400, f"{method} {path}: {response.status}"
        for name, morsel in SimpleCookie(response.headers["Set-Cookie"]).items():
            self.cookie = f"{name}={morsel.value}"
        return text

    def skip_and_back(self) -> list[Ask]:
        """Skipping the next box and taking it back; nothing where none can be skipped."""
        found = SKIP.search(self.ask(Ask("/planning")))
        if found is None:
            return []
        form = {name: unescape(value) for name, value in FIELD.findall(found[2])}
        return [Ask(found[1], form), Ask(found[1].replace("/saut", "/reprise"), form)]


@dataclass(frozen=True)
class Visit:
    """Somebody who does the same again and again."""

    who: Visitor
    asks: list[Ask]
