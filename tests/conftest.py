"""Fixtures: each test has the whole application on a fresh copy of a small farm, on both databases."""

import gc
import logging
import os
import re
import shutil
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import time_machine
from flask import Flask
from hypothesis import HealthCheck, settings
from jinja2 import FileSystemBytecodeCache
from sqlalchemy import event
from sqlalchemy.orm import Session

from portal import create_app
from portal.infra.logs import JsonLines
from portal.infra.orm import db
from portal.settings import Mode, Settings
from tests import bar, databases, disks, world
from tests.client import Browser
from tests.infra.workers import ROUNDS

# A busy machine fails no property.
settings.register_profile(
    "portal", max_examples=40 * ROUNDS, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("portal")

SECRET = "a-secret-for-tests-of-more-than-32-characters"
NGINX = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
FULL_DISKS = disks.can_be_mounted()
NEEDS = (
    ("PostgreSQL", "postgresql", "postgresql" in databases.BACKENDS),
    ("Chromium", "chromium", shutil.which("chromium-headless-shell") or shutil.which("chromium")),
    ("pdftotext", "poppler-utils", shutil.which("pdftotext")),
    ("a full disk, which root alone can mount", None, FULL_DISKS),
    ("nginx", "nginx-light", NGINX),
)
"""What tests use beyond Python, where it is found: name, Debian's package if it is one, whether it is here."""

collect_ignore = [
    *([] if shutil.which("pdftotext") else ["infra/test_pdf.py", "shop/test_papers.py"]),
    *([] if FULL_DISKS else ["service/test_full_disk.py"]),
]
collect_ignore += [] if NGINX else ["service/test_proxy.py"]
collect_ignore += [] if ROUNDS > 1 and "postgresql" in databases.BACKENDS else ["service/test_recovery.py"]


def left_out() -> str:
    missing = [(name, package) for name, package, found in NEEDS if not found]
    return ", ".join(f"{name} (apt install {package})" if package else name for name, package in missing)


def pytest_sessionstart(session: pytest.Session) -> None:
    if left_out() and os.environ.get("PORTAL_TEST_EVERYTHING"):
        pytest.exit(f"missing on this machine: {left_out()}", returncode=2)


def pytest_report_header(config: pytest.Config) -> list[str]:
    return [f"left out on this machine: {left_out()}"] if left_out() else []


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """What a machine cannot run is left out by name, above; nothing goes missing in silence."""
    report = yield
    if report.skipped:
        report.outcome, report.longrepr = "failed", f"skipped: {report.longrepr}"
    return report


def pytest_collection_finish(session: pytest.Session) -> None:
    """What has been read so far stays: looking through it for garbage again and again is a fifth of the work."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


def settings_for(database_url: str, **changes: Any) -> Settings:
    values = {
        "mode": Mode.TEST,
        "secret_key": SECRET,
        "data_keys": {"test": bytes(32)},
        "base_url": "http://localhost",
        "database_url": database_url,
    }
    return Settings(**{**values, **changes})


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Try `rounds` again and again in `make prove`."""
    again = metafunc.definition.get_closest_marker("rounds")
    if again and ROUNDS > 1:
        metafunc.fixturenames += [] if "nth_round" in metafunc.fixturenames else ["nth_round"]
        metafunc.parametrize("nth_round", range(min([ROUNDS, *again.args])), indirect=True)


@pytest.fixture
def nth_round(request: pytest.FixtureRequest) -> int:
    return int(getattr(request, "param", 0))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave to `make prove` what says the same twice: see `spared`."""
    left_out = spared(items) if ROUNDS == 1 else set()
    if left_out:
        config.hook.pytest_deselected(items=list(left_out))
        items[:] = [item for item in items if item not in left_out]
    items.sort(key=lambda item: not item.nodeid.startswith(LONG))


LONG = tuple(
    f"tests/{path}"
    for path in (
        *("service/", "benchmarks/", "migrations/", "contracts/", "races/", "infra/"),
        *("demo/test_generate.py", "planning/test_storm.py", "boxes/test_projection.py"),
    )
)
"""Where tests take seconds: begun first, so that none of them is what all wait for at the end."""

OTHER_HALVES = {("sqlite", "plain"), ("postgresql", "htmx")}
BY_TURNS = tuple(
    f"tests/{package}/"
    for package in (
        *("farm", "member", "public"),
        *(
            "accounts",
            "billing",
            "catalogue",
            "compositions",
            "contracts",
            "deliveries",
            "demo",
            "exchange",
            "messages",
        ),
        *("packing", "planning", "profile", "setup", "shop", "web"),
    )
)
"""Whose tests run on one database each. What is about locks, crashes, the projection or the schema runs on both."""
ON_BOTH = bar.tests("KR")
"""What holds a line of the bar about races or crashes does so wherever it stands."""


def _param(item: pytest.Item, name: str) -> Any:
    return item.callspec.params.get(name) if hasattr(item, "callspec") else None


def spared(items: Iterable[pytest.Item]) -> set[pytest.Item]:
    """What form an answer has does not hang on the database, nor where a page's words stand.

    Of a test for both databases and both kinds of form two of the four are run, each database and each kind once;
    of most others one, by turns; and the server's other time zones on SQLite alone.
    """
    cases: dict[str, dict[tuple[Any, Any], pytest.Item]] = {}
    for item in items:
        case = (_param(item, "backend"), _param(item, "browser"))
        test, _, words = item.nodeid.partition("[")
        for word in filter(None, case):
            words = words.replace(word, "", 1)
        cases.setdefault(f"{test} {words}", {})[case] = item
    left_out = set()
    for number, (same, found) in enumerate(sorted(cases.items())):
        on_each = {("sqlite", None), ("postgresql", None)} == found.keys()
        one_by_one = on_each and same.startswith(BY_TURNS) and same.partition(" ")[0] not in ON_BOTH
        if len(found) == 4:
            left_out |= {found[case] for case in OTHER_HALVES}
        elif one_by_one:
            left_out.add(found[("sqlite", None) if number % 2 else ("postgresql", None)])
        elif ("postgresql", None) in found:
            zone = _param(found["postgresql", None], "server_zone")
            if zone and "Tokyo" not in zone:
                left_out.add(found["postgresql", None])
    return left_out


class Farms:
    """One database and one application for each backend, made when first asked for."""

    def __init__(self, **settings: Any) -> None:
        self.settings = settings
        self.made: dict[str, tuple[databases.Database, Flask]] = {}

    def fresh(self, backend: str) -> Flask:
        if backend not in self.made:
            self.made[backend] = self._make(backend)
        database, app = self.made[backend]
        with app.app_context():
            db.engine.dispose()
        database.reset()
        return app

    def _make(self, backend: str) -> tuple[databases.Database, Flask]:
        database = databases.start(backend)
        beside = {"erasures": database.folder / "erasures", **self.settings}
        app = create_app(settings_for(database.url, **beside))
        app.test_client_class = Browser

        def fill() -> None:
            with app.app_context(), time_machine.travel(world.NOW, tick=False):
                from flask_migrate import upgrade

                upgrade()
                world.fill(db.session())
                db.session.commit()
                db.session.remove()
                db.engine.dispose()

        database.make_template(fill)
        return database, app

    def stop(self) -> None:
        for database, app in self.made.values():
            with app.app_context():
                db.engine.dispose()
            database.stop()


@pytest.fixture(scope="session", autouse=True)
def compiled_templates(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> None:
    """To compile all templates takes many seconds: applications and workers share what one of them has compiled."""
    own = tmp_path_factory.getbasetemp()
    folder = (own.parent if hasattr(pytestconfig, "workerinput") else own) / "templates"
    folder.mkdir(exist_ok=True)
    Flask.jinja_options["bytecode_cache"] = FileSystemBytecodeCache(str(folder))


@pytest.fixture(scope="session")
def farms() -> Iterator[Farms]:
    made = Farms()
    yield made
    made.stop()


@pytest.fixture(autouse=True)
def clock() -> Iterator[time_machine.Traveller]:
    """Time stands still at the world's now; `clock.move_to(…)` sets it."""
    with time_machine.travel(world.NOW, tick=False) as coordinates:
        yield coordinates


class Eavesdropper(logging.Handler):
    """What a thief would look for in the log."""

    SECRET = re.compile(
        "|".join(
            (
                re.escape(world.PASSPHRASE),
                r"FR\d\d(?: ?[0-9A-Z]){23}",
                r"session=[\w-]{20}",
                r"/(?:lien|calendrier)/[\w-]{20}",
            )
        )
    )

    def __init__(self) -> None:
        super().__init__()
        self.setFormatter(JsonLines())
        self.heard: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if self.SECRET.search(line := self.format(record)):
            self.heard.append(line)


@pytest.fixture(autouse=True)
def no_secret_is_logged() -> Iterator[None]:
    """BAR P4: whatever a test does, and whatever breaks."""
    ear = Eavesdropper()
    logging.getLogger().addHandler(ear)
    yield
    logging.getLogger().removeHandler(ear)
    assert not ear.heard


@pytest.fixture(params=databases.BACKENDS)
def backend(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def app(backend: str, farms: Farms) -> Flask:
    return farms.fresh(backend)


@pytest.fixture
def session(app: Flask) -> Iterator[Session]:
    """A session as the command line has it; commit to let a request see what is prepared."""
    with app.app_context():
        app.extensions["test_session"] = db.session()
        yield db.session()
        del app.extensions["test_session"]


@pytest.fixture
def client(app: Flask) -> Browser:
    return app.test_client()  # type: ignore[return-value]


@pytest.fixture(params=["plain", "htmx"])
def browser(app: Flask, request: pytest.FixtureRequest) -> Browser:
    """A client that sends forms once as a browser without JavaScript and once as HTMX."""
    client: Browser = app.test_client()  # type: ignore[assignment]
    client.htmx = request.param == "htmx"
    return client


@pytest.fixture
def count_queries(app: Flask) -> Callable[[], Any]:
    """`with count_queries() as statements:` collects the SELECTs and writes of the block."""

    @contextmanager
    def counting() -> Iterator[list[str]]:
        statements: list[str] = []

        def note(_c: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
            if not statement.startswith(("PRAGMA", "BEGIN", "SET TRANSACTION")):
                statements.append(statement)

        with app.app_context():
            engine = db.engine
        event.listen(engine, "before_cursor_execute", note)
        try:
            yield statements
        finally:
            event.remove(engine, "before_cursor_execute", note)

    return counting
