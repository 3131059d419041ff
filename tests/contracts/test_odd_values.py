"""Whatever stands in a part of an address, a parameter or a field: it is a value, or refused (BAR I4, I5, I6, I11)."""

import re
from collections.abc import Sequence
from html.parser import HTMLParser
from random import Random
from typing import TypeVar
from urllib.parse import parse_qs, quote, urljoin, urlsplit

import pytest
from werkzeug.test import TestResponse

from portal.infra import throttle
from portal.infra.orm import db
from portal.infra.throttle import Count
from portal.rules.accounts import USUAL
from tests.contracts.site import ACTS, LINES, PAGES, VALUES, Line, Site, fill_in, send
from tests.databases import BACKENDS
from tests.infra.workers import ROUNDS

ID = re.compile(r"<id:(\w+)>")
NO_ID = ("0", "-1", f"{2**63}", "%00", "x")
TRUE, FALSE = quote("' OR 'zqx'='zqx"), quote("' OR 'zqx'='zqy")
NUL = "%00"
STRANGE = (NUL, "%ED%A0%80", "%FF", "%E2%80%AE1", "1%E2%81%A6", "x" * 20_000)
"""Nothing, half a character, none, turned round, turned round for good, far too long."""
ENDS_THE_SESSION = ("/connexion", "/lien/<token>", "/mon-compte/fermeture", "/mon-compte/mot-de-passe")
NUMBER = re.compile(r"[0-9]+([.,][0-9]+)?")
NO_NUMBERS = ("-1", "1e3", "1_0", "%2B1", "%EF%BC%91", "%D9%A1", f"{10**9}", f"{10**20}", "NaN")
NOT_WHOLE = ("0.5", "", "+")
NOT_COUNTED = {"postcode", "code-postal", "reference", "latitude", "longitude", "seen", "avec", *USUAL}
"""Written in digits, and no number of anything; the last two are what the page showed and how it is looked at."""
ONE_OF_SEVERAL = {"abonnement", "suspension", "livraison", "source", "formula", "paye-par", "montant"}
"""A choice is no other for being sent again; a pile of payments has many amounts."""
FORM = "application/x-www-form-urlencoded"
Thing = TypeVar("Thing")


def some(things: Sequence[Thing], few: int) -> Sequence[Thing]:
    """All of them in `make prove`, else a few, wherever they stand."""
    return things if ROUNDS > 1 else Random(2026).sample(things, min(few, len(things)))


@pytest.fixture(params=BACKENDS if ROUNDS > 1 else BACKENDS[:1])
def backend(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(autouse=True)
def nothing_stays(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each act is as the first: it is written, and taken back; and nobody has tried too often."""

    def take_back() -> None:
        db.session.flush()
        db.session.rollback()

    monkeypatch.setattr(db.session, "commit", take_back)
    monkeypatch.setattr(throttle, "hit", lambda _session, limit, _subject, now: Count(limit, 1, now))


def who(line: Line) -> str:
    """The first for whom there is something behind it."""
    return min(
        ("subscriber", "admin", "anonymous"),
        key=lambda role: (line.answers[role] not in {"200", "303"}, not line.may_enter(role)),
    )


def test_what_can_be_no_id_is_not_found(site: Site) -> None:
    asked = [(line, part, value) for line in LINES for part in ID.findall(line.rule) for value in NO_ID]
    found = {}
    for line, part, value in some(asked, 40):
        client, path = site.client(who(line)), fill_in(line.rule, VALUES | {part: value})
        found[line.method, path] = send(client, line.method, path, {"csrf_token": client.token}).status_code
    assert {asked: status for asked, status in found.items() if status != 404} == {}


class Questions(HTMLParser):
    """The parameters that the forms and links of a page ask its addresses with."""

    def __init__(self, here: str) -> None:
        super().__init__()
        self.here, self.form, self.found = here, "", set[tuple[str, str]]()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = {name: value or "" for name, value in attrs}
        if tag == "form":
            asks = said.get("method", "get").lower() == "get"
            self.form = urljoin(self.here, said.get("action")) if asks else ""
        elif tag in {"input", "select"} and self.form:
            self._note(self.form, said.get("name"))
        for way in (said.get("href"), said.get("data-hx-get")):
            for name in parse_qs(urlsplit(way or "").query):
                self._note(urljoin(self.here, way), name)

    def _note(self, address: str, name: str | None) -> None:
        if name and not urlsplit(address).netloc:
            self.found.add((urlsplit(address).path, name))


def questions(site: Site) -> list[tuple[str, str, str]]:
    """Who asks which address with which parameter."""
    found = set()
    for line in some(PAGES, 12):
        role = who(line)
        answer = send(site.client(role), "GET", line.path)
        if answer.status_code == 200 and answer.mimetype == "text/html":
            page = Questions(line.path)
            page.feed(answer.text)
            found |= {(role, *question) for question in page.found}
    return sorted(found)


def told(answer: TestResponse) -> tuple[int, str]:
    """What it says, whichever of the two was asked; a refusal has a reference of its own."""
    said = f"{answer.location} {answer.text}".replace(answer.headers["X-Request-Id"], "")
    return answer.status_code, said.casefold().replace("zqy", "zqx")


def refused(answer: TestResponse, value: str) -> bool:
    """As far as it must be; a token that does not serve any more would let nothing through at all."""
    return answer.status_code == 400 if value == NUL else answer.status_code not in {403, *range(500, 600)}


def test_a_parameter_is_a_value(site: Site) -> None:
    asked, wrong = questions(site), []
    assert len(asked) >= (100 if ROUNDS > 1 else 5)
    for role, path, name in some(asked, 8):
        one, other = (
            send(site.client(role), "GET", path, query_string=f"{name}={value}") for value in (TRUE, FALSE)
        )
        if told(one) != told(other):
            wrong.append((path, name))
    for role, path, name, value in some([(*question, value) for question in asked for value in STRANGE], 12):
        answer = send(site.client(role), "GET", path, query_string=f"{name}={value}")
        if not refused(answer, value):
            wrong.append((path, name, value[:9], answer.status_code))
    assert not wrong


def fill(site: Site, line: Line, name: str, value: str) -> TestResponse:
    """The line's form with a value in one of its fields, as it travels."""
    client = (site.new_client if line.rule in ENDS_THE_SESSION else site.client)(who(line))
    form = {name: kept for name, kept in site.form(line).items() if isinstance(kept, str | int | list)}
    sent = [("csrf_token", client.token), *((n, v) for n, v in form.items() if n != name)]
    pairs = [(n, v) for n, kept in sent for v in (kept if isinstance(kept, list) else [kept])]
    body = "&".join([*(f"{quote(n)}={quote(str(v))}" for n, v in pairs), f"{quote(name)}={value}"])
    answer = send(client, "POST", line.path, body, content_type=FORM)
    answer.get_data()  # a file is read from the database while it is taken: to its end
    return answer


def way(site: Site, answer: TestResponse) -> tuple[str, str]:
    """To which kind of page it leads; a number that was given and taken back PostgreSQL does not give again."""
    there = urlsplit(answer.location or "/")
    endpoint, _ = site.app.url_map.bind("localhost").match(there.path)
    return str(endpoint), there.query


def test_a_field_is_a_value(site: Site) -> None:
    fields = [
        (line, name) for line in ACTS for name, kept in site.form(line).items() if isinstance(kept, str)
    ]
    wrong = []
    for line, name in some(fields, 20):
        one, other = (fill(site, line, name, value) for value in (TRUE, FALSE))
        if (one.status_code, way(site, one)) != (other.status_code, way(site, other)) or not refused(
            one, TRUE
        ):
            wrong.append((line.rule, name, one.status_code, other.status_code))
    for line, name, value in some([(*field, value) for field in fields for value in STRANGE], 60):
        answer = fill(site, line, name, value)
        if not refused(answer, value):
            wrong.append((line.rule, name, value[:9], answer.status_code))
    assert not wrong


def odd(name: str, number: str) -> tuple[str, ...]:
    """What is no quantity in that field, as it travels; the number itself, sent twice."""
    return (
        *NO_NUMBERS,
        *(NOT_WHOLE if name.startswith("quantit") else ()),
        *(() if name in ONE_OF_SEVERAL else (f"{number}&{quote(name)}={number}",)),
    )


def test_only_a_plain_number_is_a_quantity_wherever_one_is_asked(site: Site) -> None:
    asked = [
        (line, name, value)
        for line in ACTS
        for name, kept in site.form(line).items()
        if NUMBER.fullmatch(str(kept)) and name not in NOT_COUNTED and line.answers[who(line)] == "303"
        for value in odd(name, str(kept))
    ]
    assert len(asked) > 1000
    found = {
        (line.rule, name, value[:20]): fill(site, line, name, value).status_code
        for line, name, value in some(asked, 40)
    }
    assert {field: status for field, status in found.items() if status not in {400, 404, 422}} == {}
