"""A disk without room: what writes hears 503 and leaves nothing half done, what reads goes on (BAR R8)."""

import gc
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from io import BytesIO
from pathlib import Path
from threading import Event

import psycopg
import pytest
from flask import Flask
from time_machine import Traveller
from werkzeug.datastructures import FileStorage
from werkzeug.test import TestResponse, encode_multipart

from portal import create_app
from portal.accounts.sessions import SEEN_EVERY
from portal.billing import runs
from portal.billing.models import Invoice, InvoiceFile
from portal.catalogue.models import Picture
from portal.exchange.models import TableImport
from portal.infra import jobs
from portal.infra.orm import db, own_transaction
from portal.infra.outbox import Mail
from portal.shop.models import Order
from tests.billing.books import MAY, account, delivered
from tests.client import Browser
from tests.conftest import Farms, settings_for
from tests.databases import PostgresqlDatabase
from tests.disks import Disk, small_disk
from tests.photographs import picture
from tests.shop.buying import guests
from tests.shop.counting import check_tables, count, counted, left, open_to_all, sold
from tests.world import ADMIN, CAMILLE, NOW, YACINE

MEGABYTES = 48
PAGES_OF_VISITOR = ("/", "/boutique", "/sante")
PAGES = ("/espace", "/planning", "/mon-compte", "/factures")
PAGES_OF_STAFF = ("/ferme", "/ferme/abonnes", "/ferme/factures", "/ferme/commandes", "/ferme/imports")
TABLE = b"Mail\n" + b"".join(b"a%d@exemple.fr\n" % number for number in range(60_000))
"""More than is kept in memory while it arrives."""


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Iterator[Disk]:
    """Also where what arrives lies meanwhile, as on a small machine."""
    with small_disk(MEGABYTES) as disk:
        monkeypatch.setattr(tempfile, "tempdir", str(disk.folder))
        yield disk
        gc.collect()  # what had begun to arrive


@pytest.fixture
def on_it(
    app: Flask, backend: str, farms: Farms, disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Flask]:
    """The portal with its tables on that disk. PostgreSQL's log of writes has its own: without it nothing stands."""
    database, _app = farms.made[backend]
    if isinstance(database, PostgresqlDatabase):
        shutil.chown(disk.folder, "postgres")
        monkeypatch.setitem(app.config, "PROPAGATE_EXCEPTIONS", False)
        with moved(app, database, disk.folder):
            yield app
        return
    file = shutil.copy(database.file, disk.folder)
    moved_app = create_app(settings_for(f"sqlite:///{file}", erasures=disk.folder / "erasures"))
    moved_app.test_client_class = Browser
    moved_app.config["PROPAGATE_EXCEPTIONS"] = False
    yield moved_app
    with moved_app.app_context():
        db.engine.dispose()


def fill(app: Flask, disk: Disk) -> None:
    """What is free inside the tables too."""
    with app.app_context(), db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as outside:
        if outside.dialect.name == "postgresql":
            outside.exec_driver_sql("VACUUM")
        else:
            file = outside.connection.driver_connection
            assert file
            file.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    disk.fill()


@contextmanager
def moved(app: Flask, database: PostgresqlDatabase, folder: Path) -> Iterator[None]:
    def move(source: str, target: str) -> None:
        for kind in ("TABLE", "INDEX"):
            connection.execute(f"ALTER {kind} ALL IN TABLESPACE {source} SET TABLESPACE {target}")

    with app.app_context():
        db.engine.dispose()
    host = f"host={database.folder} dbname=portal user=portal"
    with closing(psycopg.connect(host, autocommit=True)) as connection:
        connection.execute(f"CREATE TABLESPACE small LOCATION '{folder}'")
        move("pg_default", "small")
        try:
            yield
        finally:
            with app.app_context():
                db.engine.dispose()
            move("small", "pg_default")
            connection.execute("CHECKPOINT")  # else its empty files stay
            connection.execute("DROP TABLESPACE small")


def at_work(app: Flask, email: str) -> Browser:
    browser: Browser = app.test_client()  # type: ignore[assignment]
    browser.sign_in(email)
    browser.get("/ferme/imports" if email == ADMIN else "/espace")
    return browser


def upload(browser: Browser, path: str, **fields: object) -> TestResponse:
    """Encoded in memory: the client would need the disk for what is heavy."""
    sent = {"csrf_token": browser.token, **fields}
    boundary, body = encode_multipart(sent)
    return browser.post(path, data=body, content_type=f"multipart/form-data; boundary={boundary}")


def is_refused(answer: TestResponse) -> None:
    assert answer.status_code == 503 and int(answer.headers["Retry-After"]) > 0
    assert "Rien n'a été enregistré." in answer.text


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_without_room_nothing_is_half_done_and_all_goes_on_once_there_is(
    on_it: Flask, disk: Disk, clock: Traveller
) -> None:
    [honey] = counted(on_it, 100, "Miel")
    with on_it.app_context(), own_transaction() as session:
        open_to_all(session)
        delivered(session)
        runs.start(session, MAY, at=NOW, by=account(session, ADMIN).id)
    buyers = guests(on_it, *[{honey: 2}] * 3)
    admin, camille = at_work(on_it, ADMIN), at_work(on_it, CAMILLE)
    newcomer: Browser = on_it.test_client()  # type: ignore[assignment]

    def photograph() -> TestResponse:
        file = FileStorage(BytesIO(picture(size=(2000, 1500))), "a.png")
        return upload(admin, f"/ferme/produits/{honey}/photo", photo=file)

    def table() -> TestResponse:
        return upload(admin, "/ferme/imports", subject="people", fichier=FileStorage(BytesIO(TABLE), "a.csv"))

    writing: list[Callable[[], TestResponse]] = [*(buyer.press for buyer in buyers), photograph, table]
    written = (Order, Mail, Picture, TableImport, Invoice, InvoiceFile)
    clock.shift(SEEN_EVERY)  # reading is also to keep that somebody was there
    fill(on_it, disk)
    for act in writing:
        is_refused(act())
    assert newcomer.sign_in_by_form(YACINE).status_code == 503
    jobs.run(on_it, Event(), once=True)
    for browser, pages in ((newcomer, PAGES_OF_VISITOR), (camille, PAGES), (admin, PAGES_OF_STAFF)):
        for page in pages:
            assert browser.get(page).status_code == 200, page
    assert [count(on_it, each) for each in written] == [0] * len(written) and left(on_it) == {honey: 100}

    disk.make_room()
    assert [act().status_code for act in writing] == [303] * len(writing)
    assert newcomer.sign_in_by_form(YACINE).status_code == 303
    with on_it.app_context():
        assert runs.step()
    assert (count(on_it, Order), sold(on_it), left(on_it)) == (3, {honey: 6}, {honey: 94})
    assert [count(on_it, each) for each in (Picture, TableImport, Invoice, InvoiceFile)] == [1, 1, 2, 2]
    check_tables(on_it)
