"""« Compte pro »: asked, approved by staff, looked up by the worker."""

import json
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Event, Thread
from typing import Any

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.accounts import vies
from portal.accounts.companies import company_of, named_on_papers
from portal.accounts.models import Company, CompanyState, VatState
from portal.infra.outbox import Mail
from tests.accounts.people import account_of
from tests.client import Browser
from tests.world import CAMILLE, NOW, STAFF

PAGE = "/mon-compte/entreprise"
NUMBER = "FR40303265045"
CRECHE = {"name": "Crèche Les Lutins", "vat_number": "fr 40 303.265 045", "siren": ""}


@pytest.fixture
def camille(app: Flask) -> Browser:
    return browser(app, CAMILLE)


def browser(app: Flask, email: str) -> Browser:
    client: Browser = app.test_client()  # type: ignore[assignment]
    client.sign_in(email)
    client.get(PAGE)
    return client


def company(session: Session) -> Company:
    session.expire_all()
    kept = session.scalars(select(Company)).one()
    session.expunge(kept)
    session.rollback()  # the worker writes beside us
    return kept


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"name": "", "vat_number": NUMBER}, "à remplir"),
        ({"name": "Lutins"}, "sans numéro de TVA, indiquez le SIREN"),
        ({"name": "Lutins", "vat_number": "FR41303265045"}, "vérifiez chaque caractère"),
        ({"name": "Lutins", "vat_number": "303265045"}, "le pays puis le numéro"),
        ({"name": "Lutins", "siren": "303265046"}, "neuf chiffres"),
        ({"name": "Lutins", "vat_number": NUMBER, "siren": "732829320"}, "ce n'est pas celui de ce numéro"),
    ],
)
def test_the_numbers_are_checked_at_once(
    camille: Browser, session: Session, typed: dict[str, str], said: str
) -> None:
    answer = camille.submit(PAGE, {"name": "", "vat_number": "", "siren": ""} | typed)
    assert answer.status_code == 422 and said in answer.text.replace("&#39;", "'")
    assert typed.get("vat_number", "") in answer.text
    assert session.scalars(select(Company)).all() == []


def test_staff_approve_what_was_asked_and_what_changes_is_asked_again(
    app: Flask, camille: Browser, session: Session
) -> None:
    mine = account_of(session, CAMILLE).id
    forged = {"state": "approved", "vat_state": "valid"}
    assert camille.submit(PAGE, CRECHE | forged).status_code == 303
    asked = company(session)
    assert (asked.vat_number, asked.state, asked.vat_state) == (NUMBER, CompanyState.ASKED, VatState.UNASKED)
    assert named_on_papers(session, mine) is None
    staff, person = browser(app, STAFF), f"/ferme/abonnes/{mine}"
    assert "Crèche Les Lutins" in staff.get("/ferme/abonnes?pro=asked").text
    assert "Aubert" not in staff.get("/ferme/abonnes?pro=approved").text
    page = staff.get(person).text
    assert NUMBER in page and "pas encore vérifié" in page
    seen = {"demande": asked.asked_at.isoformat()}
    assert camille.submit(f"{person}/entreprise/accord", seen).status_code == 403
    staff.submit(f"{person}/entreprise/accord", {"demande": "2026-01-01"})
    assert company(session).state is CompanyState.ASKED, "they had seen something else"
    for _ in range(2):
        assert staff.submit(f"{person}/entreprise/accord", seen).status_code == 303
    identity = named_on_papers(session, mine)
    assert identity is not None and (identity.name, identity.vat_number) == ("Crèche Les Lutins", NUMBER)
    [mail] = session.scalars(select(Mail))
    assert (mail.recipient, mail.subject) == (CAMILLE, "Votre compte pro est ouvert")
    camille.submit(PAGE, CRECHE)
    assert company(session).state is CompanyState.APPROVED, "nothing was changed"
    camille.submit(PAGE, {"name": "Crèche Les Lutins", "siren": "303 265 045", "vat_number": ""})
    changed = company(session)
    assert (changed.state, changed.vat_number, changed.vat_due_at) == (CompanyState.ASKED, None, None)
    assert named_on_papers(session, mine) is None
    seen = {"demande": changed.asked_at.isoformat(), "motif": "Ce numéro est d'une autre."}
    staff.submit(f"{person}/entreprise/refus", seen)
    told = session.scalars(select(Mail.text).order_by(Mail.id.desc())).first() or ""
    assert "Bonjour Camille" in told and "Ce numéro est d'une autre." in told
    camille.submit(f"{PAGE}/fin")
    assert company_of(session, mine) is None


class Union:
    """A VIES that answers as it is told to, on loopback."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        self.says: Any = {"valid": True}
        self.status = 200
        self.silent = Event()
        union = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                question = self.rfile.read(int(self.headers["Content-Length"]))
                union.asked.append({"path": self.path, **json.loads(question)})
                if union.silent.is_set():
                    return
                self.send_response(union.status)
                self.end_headers()
                self.wfile.write(json.dumps(union.says).encode())

            def log_message(self, *_: object) -> None: ...

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/vies"


@pytest.fixture
def union() -> Iterator[Union]:
    made = Union()
    thread = Thread(target=made.server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield made
    made.server.shutdown()
    thread.join()
    made.server.server_close()


def test_the_worker_asks_the_union_until_it_answers_and_nobody_waits(
    camille: Browser, session: Session, union: Union, clock: time_machine.Traveller
) -> None:
    ask = vies.asker(union.url)
    assert not vies.check_next(ask), "there is nothing to ask"
    camille.submit(PAGE, CRECHE)
    now = NOW
    failures = ((500, {}), (200, {"actionSucceed": False}), (200, []), (302, {"valid": True}), (200, "?"))
    for (status, says), pause in zip(failures, vies.PAUSES, strict=False):
        union.status, union.says = status, says
        assert vies.check_next(ask) and not vies.check_next(ask)
        kept = company(session)
        assert (kept.vat_state, kept.vat_due_at) == (VatState.UNAVAILABLE, now + pause)
        clock.move_to(now := now + pause)
    union.status, union.says = 200, {"valid": False, "name": "---"}
    assert vies.check_next(ask)
    assert company(session).vat_state is VatState.INVALID and company(session).vat_due_at is None
    assert union.asked[0] == {
        "path": "/vies/check-vat-number",
        "countryCode": "FR",
        "vatNumber": "40303265045",
    }
    camille.submit(PAGE, CRECHE | {"vat_number": "EL094259216"})
    union.says = {"valid": True}
    assert vies.check_next(ask) and company(session).vat_state is VatState.VALID
    assert (union.asked[-1]["countryCode"], company(session).vat_checked_at) == ("EL", now)


def test_a_union_that_is_silent_or_away_is_unavailable_and_is_left_alone_in_the_end(
    camille: Browser,
    session: Session,
    union: Union,
    clock: time_machine.Traveller,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(vies, "SECONDS", 0.2)
    union.silent.set()
    assert vies.asker(union.url)(NUMBER) is VatState.UNAVAILABLE
    away = vies.asker("http://127.0.0.1:9")
    camille.submit(PAGE, CRECHE)
    for days in range(len(vies.PAUSES) + 1):
        clock.move_to(NOW + timedelta(days=3 * days))
        assert vies.check_next(away)
    clock.move_to(NOW + timedelta(days=400))
    assert not vies.check_next(away) and company(session).vat_state is VatState.UNAVAILABLE


def test_an_answer_to_a_number_that_was_changed_meanwhile_is_forgotten(
    camille: Browser, session: Session
) -> None:
    def slow(number: str) -> VatState:
        camille.submit(PAGE, CRECHE | {"vat_number": "EL094259216"})
        return VatState.INVALID

    camille.submit(PAGE, CRECHE)
    vies.check_next(slow)
    kept = company(session)
    assert (kept.vat_state, kept.vat_due_at) == (VatState.UNASKED, NOW)
