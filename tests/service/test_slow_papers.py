"""A paper that takes for ever: whoever waits for it is let go, invoices are valid without theirs (BAR R16)."""

import time
from collections.abc import Callable, Iterator
from threading import Event
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from werkzeug.test import TestResponse

from portal.billing import files
from portal.billing.models import FileState, Invoice, InvoiceFile
from portal.infra import pdf
from portal.infra.orm import own_transaction
from portal.shop.models import Order
from tests.billing.books import account, invoiced
from tests.client import Browser
from tests.infra.workers import ROUNDS
from tests.pages import text_of
from tests.races.helpers import PATIENCE, Act
from tests.shop.buying import subscriber
from tests.shop.counting import count, counted, left, open_to_all
from tests.world import ADMIN, CAMILLE, YACINE

LIST = "/ferme/livraisons/2026-06-09/mardi/liste"


@pytest.fixture
def stuck(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Event, Event]]:
    """Every paper: since when, and until when."""
    begun, until = Event(), Event()
    compiler = pdf._compiler

    class Stuck:
        def compile(self, **options: Any) -> Any:
            begun.set()
            assert until.wait(PATIENCE)
            return compiler().compile(**options)

    monkeypatch.setattr(pdf, "_compiler", Stuck)
    monkeypatch.setattr(pdf, "AT_MOST", pdf.AT_MOST if ROUNDS > 1 else 0.3)
    monkeypatch.setitem(app.config, "PROPAGATE_EXCEPTIONS", False)
    yield begun, until
    until.set()


def make_files(app: Flask) -> None:
    with app.app_context():
        files.make_files()


def made(app: Flask) -> list[tuple[FileState, bool]]:
    with app.app_context(), own_transaction() as session:
        rows = select(InvoiceFile.state, InvoiceFile.told_at.is_not(None)).order_by(InvoiceFile.invoice_id)
        return [(state, told) for state, told in session.execute(rows)]


def test_nobody_waits_for_a_paper_and_what_is_issued_stands_without_its_own(
    app: Flask, stuck: tuple[Event, Event], monkeypatch: pytest.MonkeyPatch
) -> None:
    [honey] = counted(app, 10, "Miel")
    with app.app_context(), own_transaction() as session:
        open_to_all(session)
        number, yacine = invoiced(session).number, account(session, YACINE).id
    buyer = subscriber(app, CAMILLE, {honey: 2})
    admin: Browser = app.test_client()  # type: ignore[assignment]
    admin.sign_in(ADMIN)
    page = f"/ferme/factures/{number}"

    def in_time(act: Callable[[], TestResponse]) -> TestResponse:
        began = time.monotonic()
        answer = act()
        assert time.monotonic() - began < 10
        return answer

    begun, until = stuck
    worker = Act(lambda: make_files(app))
    assert begun.wait(PATIENCE)
    assert number in text_of(in_time(lambda: admin.get(page)))
    assert in_time(lambda: admin.get(f"{page}.pdf")).status_code == 404
    assert in_time(lambda: admin.submit(f"/ferme/abonnes/{yacine}/facturation")).status_code == 303
    assert "sans_pdf=oui" in in_time(lambda: admin.get(f"{LIST}.pdf")).location
    assert in_time(buyer.press).status_code == 503
    assert (count(app, Order), left(app), count(app, Invoice)) == (0, {honey: 10}, 2)
    assert not worker.ends_within(0) and made(app) == [(FileState.WAITING, False)] * 2

    until.set()
    assert worker.result is None
    monkeypatch.undo()
    assert made(app) == [(FileState.MADE, True)] * 2
    assert admin.get(f"{page}.pdf").mimetype == pdf.CONTENT_TYPE
    assert buyer.press().status_code == 303
