"""A real Chromium on the whole application.

The server is a thread of the test's process, so that `clock` moves its time too. Of what a page does, this is
watched in every test: it asks no other host, the map's tiles aside, and its console stays empty (the CSP stops
nothing).
"""

import shutil
from collections.abc import Callable, Iterator
from email.utils import formatdate
from threading import Thread
from typing import Any

import pytest
import time_machine
from axe_playwright_python.sync_playwright import Axe
from flask import Flask
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Request,
    ViewportSize,
    expect,
    sync_playwright,
)
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from portal.infra.orm import db
from portal.settings import Mode, Settings
from tests import client
from tests.browser.helpers import PHONE, furnish
from tests.browser.weighing import Scales
from tests.conftest import Farms, settings_for
from tests.databases import SqliteDatabase

CHROMIUM = shutil.which("chromium-headless-shell") or shutil.which("chromium")
"""The shell draws no windows of its own around a page: half of the work."""
collect_ignore_glob = [] if CHROMIUM else ["test_*.py"]
if not shutil.which("pdftotext"):
    collect_ignore_glob.append("test_printed_list.py")

NO_OTHER_HOST = "--host-resolver-rules=MAP localhost 127.0.0.1, MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"
REFUSED = "Failed to load resource: the server responded with a status of 4"
"""What the console says of every page of ours with a status of 4xx."""

expect.set_options(timeout=15_000)  # a machine may be slow; what holds is seen at once


class Handler(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"

    def log(self, type: str, message: str, *args: Any) -> None:
        """Nothing: a test's output is its own."""

    def date_time_string(self, timestamp: float | None = None) -> str:
        """The real time: the browser's cache compares it with its own clock."""
        return formatdate(timestamp or time_machine.escape_hatch.time.time(), usegmt=True)


@pytest.fixture(scope="session")
def server() -> Iterator[BaseWSGIServer]:
    server = make_server("127.0.0.1", 0, Flask("none yet"), threaded=True, request_handler=Handler)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="session")
def farms(server: BaseWSGIServer) -> Iterator[Farms]:
    """As a developer runs it: errors have their pages, and the gallery of components is there."""
    made = Farms(mode=Mode.DEVELOPMENT, base_url=f"http://127.0.0.1:{server.port}")
    yield made
    made.stop()


@pytest.fixture
def backend() -> str:
    return "sqlite"


@pytest.fixture
def app(farms: Farms, backend: str, server: BaseWSGIServer) -> Iterator[Flask]:
    """The application on a fresh farm, served; in its context, so that a test may look into the database."""
    server.app = app = farms.fresh(backend)
    with app.app_context():
        yield app


@pytest.fixture
def furnished(app: Flask, farms: Farms) -> None:
    """Something to show on every page: furnished once, copied from then on."""
    [(database, _)] = farms.made.values()
    assert isinstance(database, SqliteDatabase)
    if database.kept("furnished").exists():
        db.engine.dispose()
        database.reset("furnished")
    else:
        furnish()
        db.engine.dispose()
        database.keep("furnished")


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        flags = ["--no-sandbox", "--disable-gpu", NO_OTHER_HOST]
        yield playwright.chromium.launch(executable_path=CHROMIUM, args=flags)


@pytest.fixture(params=[True, False], ids=["with JavaScript", "without JavaScript"])
def javascript(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@pytest.fixture
def complaints() -> list[str]:
    """What a page asked of others or the console said, so far."""
    return []


@pytest.fixture
def browse(app: Flask, chromium: Browser, complaints: list[str]) -> Iterator[Callable[..., Page]]:
    """`browse(CAMILLE)` is a new browser in which she is signed in; `browse()` a visitor's."""
    contexts: list[BrowserContext] = []

    def open_browser(email: str | None = None, **options: Any) -> Page:
        contexts.append(_open(chromium, app.config["SETTINGS"], complaints, **options))
        _be(app, contexts[-1], email)
        return contexts[-1].new_page()

    yield open_browser
    for context in contexts:
        context.close()
    assert not complaints


@pytest.fixture(scope="session")
def window(chromium: Browser, farms: Farms) -> Iterator[tuple[Page, list[str]]]:
    """One that is kept, with axe in its pages, and its complaints: what it has loaded once is there."""
    complaints: list[str] = []
    context = _open(chromium, settings_for("sqlite://", **farms.settings), complaints)
    context.add_init_script(Axe().axe_script)
    yield context.new_page(), complaints
    context.close()


@pytest.fixture(scope="session")
def scales(window: tuple[Page, list[str]]) -> Scales:
    """Under that window, from its first page on."""
    return Scales(window[0])


@pytest.fixture
def look(app: Flask, window: tuple[Page, list[str]]) -> Iterator[Callable[..., Page]]:
    """As `browse`, for who only looks at pages: the window is the same for all, who sits before it is not."""
    page, complaints = window

    def sit_down(email: str | None, viewport: ViewportSize) -> Page:
        page.context.clear_cookies()
        _be(app, page.context, email)
        page.set_viewport_size(viewport)
        return page

    yield sit_down
    page.emulate_media(color_scheme="light")
    heard = complaints.copy()
    complaints.clear()
    assert not heard


def _open(chromium: Browser, settings: Settings, complaints: list[str], **options: Any) -> BrowserContext:
    site, tiles = settings.base_url, f"{settings.tile_host}/"

    def hear(message: ConsoleMessage) -> None:
        known = message.text.startswith(REFUSED) or message.location["url"].startswith(tiles)
        if message.type in {"error", "warning"} and not known:
            complaints.append(message.text)

    def see(request: Request) -> None:
        on_map = request.frame.url.startswith(f"{site}/points-de-retrait")
        if not request.url.startswith(f"{site}/") and not (on_map and request.url.startswith(tiles)):
            complaints.append(f"asks {request.url}")

    usual = {"base_url": site, "viewport": PHONE, "locale": "fr-FR", "reduced_motion": "reduce"}
    context = chromium.new_context(**usual | options)
    context.set_default_timeout(15_000)
    context.on("console", hear)
    context.on("weberror", lambda error: complaints.append(str(error.error)))
    context.on("request", see)
    return context


def _be(app: Flask, context: BrowserContext, email: str | None) -> None:
    if email:
        site = app.config["SETTINGS"].base_url
        context.add_cookies([{"name": "session", "value": _sign_in(app, email), "url": site}])


def _sign_in(app: Flask, email: str) -> str:
    visitor = app.test_client()
    assert isinstance(visitor, client.Browser)
    visitor.sign_in(email)
    cookie = visitor.get_cookie("session", app.config["SETTINGS"].hostname)
    assert cookie
    return cookie.value
