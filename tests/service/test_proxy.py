"""nginx, as the README has it, in front of two web processes (BAR R14, R15)."""

import gzip
import re
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from functools import partial
from http.client import HTTPMessage, HTTPResponse
from pathlib import Path
from typing import NamedTuple

import brotli
import pytest
import time_machine
from flask import Flask
from lxml import html
from sqlalchemy import func, select

from portal.accounts.limits import MAILS_OF_CLIENT
from portal.accounts.models import Account
from portal.infra.audit import AuditEvent
from portal.infra.orm import db, own_transaction
from portal.rules.calendar import monday_of
from portal.shop.models import Order
from portal.subscriptions.models import Subscription
from portal.web.headers import HEADERS, TWO_YEARS
from tests import crowd
from tests.benchmarks.server import reserve_port
from tests.client import check
from tests.conftest import Farms
from tests.infra.workers import ROUNDS, wait_until
from tests.service.people import Person, all_at_once, at_most, signed_in
from tests.service.processes import HOST, PATIENCE, Service
from tests.service.proxy import NAME, SITE, UNVERIFIED, Nginx, behind_nginx, come, documented
from tests.shop.buying import CONTACT
from tests.shop.making import article
from tests.web.test_limits import FIELDS_2000, PARTS_5000
from tests.web.test_limits import URLENCODED as FORM
from tests.world import NOW, TUESDAY

PEOPLE = 6 if ROUNDS == 1 else 20
DEATHS = ROUNDS
SLOW = 40
SOON = 1.0 if ROUNDS > 1 else 5.0
"""Seconds; beside other tests all is slower."""
MB = 1024 * 1024
WEEK = f"/planning/{monday_of(TUESDAY)}"
CART, CHECKOUT = "/ma-commande/produits", "/ma-commande/validation"


class Whole(NamedTuple):
    status: int
    headers: HTTPMessage
    body: bytes


class Front(NamedTuple):
    app: Flask
    running: Service
    nginx: Nginx


class Neighbour:
    """Reads, skips, takes the box again, orders; again and again."""

    def __init__(self, person: Person, subscription_id: int) -> None:
        self.person = person
        self.subscription_id = subscription_id
        self.changes = 0
        self.orders: list[str] = []

    def act(self, until: Callable[[], bool]) -> None:
        while not until():
            self.person.get("/espace")
            for act in ("saut", "reprise"):
                done = self.person.post(
                    f"{WEEK}/{act}", abonnement=self.subscription_id, vue="planning", commande="alone"
                )
                self.changes += done.status == 303
            self.order()
            self.person.get("/formules")

    def order(self) -> None:
        self.person.post(CART, article="1", quantity="1")
        page = html.document_fromstring(self.person.get(CHECKOUT).text)
        [form] = [form for form in page.forms if form.action == CHECKOUT]
        fields = {name: value for name, value in form.form_values() if name != "csrf_token"}
        self.orders.append(self.person.post(CHECKOUT, **fields | CONTACT).location)


@pytest.fixture(scope="module")
def front(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    """A site of its own, for what changes nothing of it."""
    farms = Farms()
    try:
        app = farms.fresh("sqlite")
        with (
            time_machine.travel(NOW, tick=False),
            behind_nginx(app, tmp_path_factory.mktemp("front")) as (running, nginx),
        ):
            yield Front(app, running, nginx)
    finally:
        farms.stop()


@pytest.fixture
def subscriptions(app: Flask) -> dict[str, int]:
    """Of neighbours who all have a box on Tuesday, by mail address; and the shop has something for them."""
    with app.app_context():
        crowd.add_thousands(db.session(), PEOPLE)
    with app.app_context(), own_transaction() as session:
        article(session)
        crowded = (
            select(Account.email, Subscription.id).join(Subscription.account).where(Account.first_name == "")
        )
        return {row.email: row.id for row in session.execute(crowded)}


class Restarts:
    """While all are at it, one web process after the other is killed or told to stop; `over` when all have been."""

    def __init__(self, running: Service, neighbours: list[Neighbour]) -> None:
        self.running = running
        self.neighbours = neighbours
        self.over = False

    def __call__(self) -> None:
        try:
            self.wait_for_orders()
            for number in range(DEATHS):
                ended = self.running.webs.pop(0)
                if number % 2:
                    ended.tell_to_stop()
                    assert ended.wait() == 0
                else:
                    ended.kill()
                self.wait_for_orders()
                if number + 1 < DEATHS:
                    self.running.add_web(ended.port).wait_until_it_listens()
        finally:
            self.over = True

    def wait_for_orders(self) -> None:
        """One more of each."""
        before = [len(neighbour.orders) for neighbour in self.neighbours]
        wait_until(
            lambda: all(len(n.orders) > so_far for n, so_far in zip(self.neighbours, before, strict=True)),
            seconds=PATIENCE,
        )


def test_whichever_process_is_killed_or_restarted_nobody_sees_an_error(
    app: Flask, subscriptions: dict[str, int], tmp_path: Path
) -> None:
    with behind_nginx(app, tmp_path) as (running, _nginx):
        neighbours = [
            Neighbour(come(running, signed_in(app, running.port, email)), number)
            for email, number in subscriptions.items()
        ]
        restarts = Restarts(running, neighbours)
        acts = [partial(neighbour.act, until=lambda: restarts.over) for neighbour in neighbours]
        all_at_once([restarts, *acts])
    answers = [answer for neighbour in neighbours for answer in neighbour.person.answers]
    assert {(answer.asked, answer.status) for answer in answers if answer.status not in {200, 303}} == set()
    with app.app_context(), own_transaction() as session:
        done = select(func.count()).where(AuditEvent.action == "box.change")
        assert session.scalar(done) == sum(neighbour.changes for neighbour in neighbours)
        orders = [order for neighbour in neighbours for order in neighbour.orders]
        assert session.scalar(select(func.count(Order.id))) == len(orders) == len(set(orders))


def connect(port: int, *, https: bool) -> socket.socket:
    plain = socket.create_connection((HOST, port), timeout=PATIENCE)
    return UNVERIFIED.wrap_socket(plain, server_hostname=NAME) if https else plain


class Slow:
    """Forty who send their headers or their form byte by byte, or do not read what they asked for."""

    def __init__(self, port: int) -> None:
        asks = f"GET /formules HTTP/1.1\r\nHost: {NAME}\r\n"
        sends = (
            f"POST /connexion HTTP/1.1\r\nHost: {NAME}\r\nContent-Type: {FORM}\r\nContent-Length: 500\r\n\r\n"
        )
        self.over = False
        self.connections = [connect(port, https=True) for _ in range(SLOW)]
        for number, connection in enumerate(self.connections):
            connection.sendall([f"{asks}X-Slow: ", sends, f"{asks}\r\n" * 20][number % 3].encode())

    def drip(self) -> None:
        while not self.over:
            for number, connection in enumerate(self.connections):
                if number % 3 < 2:
                    with suppress(OSError):  # nginx has had enough of it
                        connection.sendall(b"x")
        for connection in self.connections:
            connection.close()

    def __call__(self, visitor: Person) -> None:
        try:
            for _ in range(10 * ROUNDS):
                visitor.get("/formules")
                visitor.get("/boutique")
        finally:
            self.over = True


def test_forty_slow_connections_slow_nobody_down(front: Front) -> None:
    visitor, slow = come(front.running), Slow(front.nginx.port)
    all_at_once([slow.drip, partial(slow, visitor)])
    assert {answer.status for answer in visitor.answers} == {200}
    assert at_most(1, visitor.answers) < SOON


HEAVY: dict[str, tuple[str, bytes, set[int]]] = {
    "30 MB": (f"POST /connexion|Content-Type: {FORM}|Content-Length: {30 * MB}", bytes(30 * MB), {413}),
    "30 MB in chunks": (
        f"POST /connexion|Content-Type: {FORM}|Transfer-Encoding: chunked",
        b"100000\r\n%b\r\n" % bytes(MB) * 30 + b"0\r\n\r\n",
        {400, 403, 413},
    ),
    "17 MB of photographs": (
        f"POST /contact|Content-Type: image/png|Content-Length: {17 * MB}",
        bytes(17 * MB),
        {413},
    ),
    "10 MB without a token": (
        f"POST /contact|Content-Type: image/png|Content-Length: {10 * MB}",
        bytes(10 * MB),
        {403},
    ),
    "5000 parts": (
        f"POST /connexion|Content-Type: multipart/form-data; boundary=parts|Content-Length: {len(PARTS_5000)}",
        PARTS_5000,
        {413},
    ),
    "2000 fields": (
        f"POST /connexion|Content-Type: {FORM}|Content-Length: {len(FIELDS_2000)}",
        FIELDS_2000,
        {413},
    ),
    "200 kB of cookie": (f"GET /formules|Cookie: a={'x' * 200_000}", b"", {431}),
    "200 kB of headers": ("GET /formules" + "|X-Long: " * 1 + "x" * 100 + "|X-More: y" * 20_000, b"", {431}),
    "200 kB of address": (f"GET /formules?{'x' * 200_000}", b"", {414, 431}),
}
"""What is too heavy: the request, its body, and the answers that refuse it."""


def ask(port: int, asked: str, body: bytes, *, https: bool) -> Whole:
    request, *headers = asked.split("|")
    head = "\r\n".join([f"{request} HTTP/1.1", f"Host: {NAME}", *headers, "", ""])
    with connect(port, https=https) as connection:
        with suppress(OSError):  # refused before all was sent
            connection.sendall(head.encode() + body)
        answer = HTTPResponse(connection)
        answer.begin()
        return Whole(answer.status, answer.headers, answer.read())


@pytest.mark.parametrize("https", [True, False], ids=["through the proxy", "by the program"])
def test_what_is_too_heavy_is_refused_at_once_and_the_next_is_served(front: Front, https: bool) -> None:
    port = front.nginx.port if https else front.running.webs[0].port
    found = {}
    for heavy, (asked, body, refusals) in HEAVY.items():
        began = time.monotonic()
        answer = ask(port, asked, body, https=https)
        seconds = time.monotonic() - began
        if answer.status not in refusals or seconds > SOON:
            found[heavy] = (answer.status, seconds, answer.body[:200])
    assert not found
    assert ask(port, "GET /formules", b"", https=https).status == 200


GUARDS = {
    "Content-Security-Policy": ["default-src 'none'; base-uri 'none'; frame-ancestors 'none'"],
    "Strict-Transport-Security": [f"max-age={TWO_YEARS}; includeSubDomains"],
    "Cache-Control": ["no-store"],
    **{name: [HEADERS[name]] for name in ("X-Content-Type-Options", "X-Frame-Options", "Referrer-Policy")},
}
SAYS = re.compile("Rien n'a été enregistré|Effacez les cookies|Revenez à la page|Le site ne répond pas")


def test_what_nginx_refuses_itself_is_said_in_french_and_as_guarded_as_a_page(
    front: Front, tmp_path: Path
) -> None:
    with ExitStack() as stack:
        ports = [reserve_port(stack) for _ in range(4)]
        alone = Nginx(tmp_path, ports[0], ports[1], ports[2:])
        stack.callback(alone.kill)
        alone.wait_until_it_listens()
        answers = [
            ask(port, asked, body, https=True)
            for port, asked, body in (
                (alone.port, "GET /formules", b""),
                (alone.port, "POST /connexion|Content-Length: 2", b"x="),
                (alone.port, *HEAVY["10 MB without a token"][:2]),
                (front.nginx.port, *HEAVY["30 MB"][:2]),
                (front.nginx.port, *HEAVY["200 kB of cookie"][:2]),
                (front.nginx.port, *HEAVY["200 kB of address"][:2]),
                (front.nginx.port, "what is that", b""),
            )
        ]
    assert [answer.status for answer in answers] == [503, 503, 503, 413, 431, 414, 400]
    for answer in answers:
        assert SAYS.search(answer.body.decode())
        assert answer.headers.get_all("Content-Type") == ["text/html; charset=utf-8"]
        assert {name: answer.headers.get_all(name) for name in GUARDS} == GUARDS
        check(answer.body.decode())


def test_who_asks_is_who_connects_whatever_they_write_of_themselves(front: Front) -> None:
    visitor, elsewhere = come(front.running), come(front.running)
    elsewhere.connection.source_address = ("127.0.0.2", 0)
    for number in range(MAILS_OF_CLIENT.most):
        visitor.headers["X-Forwarded-For"] = visitor.headers["X-Real-Ip"] = f"192.0.2.{number}"
        assert visitor.post("/mot-de-passe-oublie", email=f"nobody{number}@example.org").status == 303
    assert visitor.post("/mot-de-passe-oublie", email="nobody@example.org").status == 429
    assert elsewhere.post("/mot-de-passe-oublie", email="nobody@example.org").status == 303


def test_the_address_is_the_sites_and_https(front: Front) -> None:
    with connect(front.nginx.plain, https=False) as connection:
        connection.sendall(f"GET /boutique?rayon=x HTTP/1.1\r\nHost: {NAME}\r\n\r\n".encode())
        answer = HTTPResponse(connection)
        answer.begin()
    assert (answer.status, answer.headers["Location"]) == (301, f"{SITE}/boutique?rayon=x")
    visitor = come(front.running)
    assert visitor.get("/connexion").status == 200
    assert visitor.cookie.startswith("__Host-session=")
    visitor.headers["Host"] = "elsewhere.example"
    assert visitor.get("/connexion").status == 400


READERS: dict[str, Callable[[bytes], bytes]] = {"br": brotli.decompress, "gzip": gzip.decompress}


def test_pages_are_made_small_once_and_files_kept_by_nginx(front: Front) -> None:
    page = ask(front.nginx.port, "GET /formules|Accept-Encoding: identity", b"", https=True)
    [sheet] = re.findall(r'href="(/static/site\.css\?v=[0-9a-f]+)"', page.body.decode())
    for path, kept in (("/formules", False), (sheet, True)):
        whole = ask(front.nginx.port, f"GET {path}|Accept-Encoding: identity", b"", https=True)
        assert whole.headers["Content-Encoding"] is None
        for encoding, read in READERS.items():
            first, again = (
                ask(front.nginx.port, f"GET {path}|Accept-Encoding: {encoding}", b"", https=True)
                for _ in range(2)
            )
            assert read(first.body) == read(again.body) == whole.body
            for header, said in (("Content-Encoding", encoding), ("Vary", whole.headers["Vary"])):
                assert first.headers.get_all(header) == again.headers.get_all(header) == [said]
            assert len(first.headers.get_all("Strict-Transport-Security", [])) == 1
            assert (first.headers["X-Request-Id"] == again.headers["X-Request-Id"]) is kept
            assert ("immutable" in first.headers["Cache-Control"]) is kept


def test_the_proxy_lets_heavy_bodies_through_where_the_program_takes_them(front: Front) -> None:
    [heavier] = re.findall(r"location ~ (\S+) \{", documented())
    views, rules = front.app.view_functions, list(front.app.url_map.iter_rules())
    assert {rule.rule for rule in rules if re.search(heavier, re.sub("<[^>]+>", "1", rule.rule))} == {
        rule.rule for rule in rules if hasattr(views[rule.endpoint], "body_bytes")
    }
