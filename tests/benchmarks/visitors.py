"""Those who ask: subscribers and staff with a browser, as the server sees them."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from html import unescape
from http.client import HTTPConnection
from http.cookies import SimpleCookie
from urllib.parse import urlencode

from portal.demo.people import PASSPHRASE
from tests.client import TOKEN

HOST = "127.0.0.1"
SKIP = re.compile(r'<form[^>]+action="([^"]+/saut)"[^>]*>(.*?)</form>', re.DOTALL)
TAKE = re.compile(r'<form[^>]+action="(/ma-commande/produits)"[^>]*>(.*?)</form>', re.DOTALL)
CHECKOUT = re.compile(r'<form[^>]+class="checkout[^>]*>(.*?)</form>', re.DOTALL)
FIELD = re.compile(r'name="([^"]+)" value="([^"]+)"')
CONTACT = {
    "nom": "Camille Blanc",
    "telephone": "06 39 98 00 01",
    "adresse": "3 rue du Four",
    "code-postal": "05700",
    "ville": "Serres",
}


@dataclass(frozen=True)
class Ask:
    """A page that is asked for, or a form that is sent as HTMX sends it.

    `reads` finds the form on the page that was answered before: what it holds goes along.
    """

    path: str
    form: dict[str, str] | None = None
    reads: re.Pattern[str] | None = None

    def parts(self, before: str) -> tuple[str, str, bytes, dict[str, str]]:
        """Method, path, body and headers, after the answer before."""
        if self.form is None:
            return "GET", self.path, b"", {}
        shown = fields(self.reads.search(before)[1]) if self.reads else {}
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        if not self.reads:
            headers["HX-Request"] = "true"
        return "POST", self.path, urlencode(shown | self.form).encode(), headers


def fields(form: str) -> dict[str, str]:
    """What a form has filled in already."""
    return {name: unescape(value) for name, value in FIELD.findall(form)}


class Visitor:
    """One connection, kept open, and one cookie."""

    def __init__(self, port: int, email: str | None = None) -> None:
        self.connection = HTTPConnection(HOST, port, timeout=600)
        self.cookie = self.page = ""
        if email:
            token = TOKEN.search(self.ask(Ask("/connexion")))[1]
            self.ask(Ask("/connexion", {"csrf_token": token, "email": email, "password": PASSPHRASE}))

    def ask(self, ask: Ask) -> str:
        method, path, body, headers = ask.parts(self.page)
        self.connection.request(method, path, body, headers | {"Cookie": self.cookie})
        response = self.connection.getresponse()
        text = response.read().decode(errors="replace")  # a PDF too
        assert response.status < 400, f"{method} {path}: {response.status}"
        for name, morsel in SimpleCookie(response.headers["Set-Cookie"]).items():
            self.cookie = f"{name}={morsel.value}"
        self.page = text
        return text

    def skip_and_back(self) -> list[Ask]:
        """Skipping the next box and taking it back, orders left alone; nothing where none can be skipped."""
        found = SKIP.search(self.ask(Ask("/planning")))
        if found is None:
            return []
        form = fields(found[2]) | {"commande": "alone"}
        return [Ask(found[1], form), Ask(found[1].replace("/saut", "/reprise"), form)]

    def add_and_remove(self, articles: Collection[int]) -> list[Ask]:
        """Putting one of these articles into the order, and taking it out."""
        forms = (fields(take[2]) for take in TAKE.finditer(self.ask(Ask("/boutique"))))
        form = next(form for form in forms if int(form["article"]) in articles and "quantity" in form)
        return [Ask("/ma-commande/produits", form), Ask("/ma-commande/produits", form | {"quantity": "0"})]

    def order(self, articles: Collection[int]) -> list[Ask]:
        """Putting one of them into the order and ordering it."""
        add, _ = self.add_and_remove(articles)
        page = "/ma-commande/validation"
        return [add, Ask(page), Ask(page, CONTACT, CHECKOUT)]


@dataclass(frozen=True)
class Visit:
    """Somebody who does the same again and again."""

    who: Visitor
    asks: list[Ask]
