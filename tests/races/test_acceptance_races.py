"""Two of the staff who say yes to the same request at the same moment: it is done and told once (BAR K10)."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import delete, func, select

from portal.accounts import companies
from portal.accounts.companies import Identity
from portal.accounts.models import Company
from portal.infra.audit import AuditEvent
from portal.infra.orm import own_transaction
from portal.infra.outbox import Mail
from portal.pickup.models import PickupPoint
from portal.planning import waiting
from portal.planning.models import Waiting
from tests.accounts.people import account_of, browser_of
from tests.client import Browser
from tests.races.helpers import meetings
from tests.races.test_skip_races import status
from tests.world import ADMIN, CAMILLE, NOW, STAFF

GARE, PLACES = 2, 10
COMPANY = Identity("Crèche Les Lutins", None, "303265045")


def waits(app: Flask) -> tuple[str, dict[str, Any]]:
    """Camille waits for a place at the Gare, which has some: the form that invites her."""
    with app.app_context(), own_transaction() as session:
        session.execute(delete(Waiting))
        camille = account_of(session, CAMILLE)
        session.get_one(PickupPoint, GARE).free_places = PLACES
        waiting.ask(session, camille, GARE, formula_id=1, quantity=1, at=NOW, by=camille.id)
        return f"/ferme/points-de-retrait/{GARE}/attente/{camille.id}", {}


def asks(app: Flask) -> tuple[str, dict[str, Any]]:
    """Camille asks for a company's account: the form that says yes."""
    with app.app_context(), own_transaction() as session:
        session.execute(delete(Company))
        session.get_one(PickupPoint, GARE).free_places = PLACES
        camille = account_of(session, CAMILLE)
        companies.ask(session, camille.id, COMPANY, at=NOW, by=camille.id)
        return f"/ferme/abonnes/{camille.id}/entreprise/accord", {"demande": NOW.isoformat()}


def desk(app: Flask, email: str) -> Browser:
    browser = browser_of(app)
    browser.sign_in(email)
    browser.get("/mon-compte")
    return browser


def accepted(app: Flask, reader: Flask, ask: Callable[[Flask], Any], action: str) -> Iterator[bool]:
    """Whether both are led on, one mail was written and one line, and the place is kept once."""
    staff = desk(app, STAFF), desk(app, ADMIN)
    path, form = ask(reader)
    said = select(func.count()).select_from(AuditEvent).where(AuditEvent.action == action)
    lines = 0
    for answers in meetings(app, *(partial(browser.submit, path, form) for browser in staff)):
        before = lines
        with reader.app_context(), own_transaction() as session:
            mails, lines = session.scalar(select(func.count()).select_from(Mail)), session.scalar(said) or 0
            left = session.get_one(PickupPoint, GARE).free_places
            session.execute(delete(Mail))
        kept = 1 if ask is waits else 0
        yield [*map(status, answers), mails, lines - before, PLACES - left] == [303, 303, 1, 1, kept]
        ask(reader)


REQUESTS = pytest.mark.parametrize(("ask", "action"), [(waits, "waiting.invite"), (asks, "company.decide")])


@REQUESTS
def test_two_who_accept_one_request_at_once_accept_it_once(
    app: Flask, ask: Callable[[Flask], Any], action: str
) -> None:
    assert set(accepted(app, app, ask, action)) == {True}


@REQUESTS
def test_without_locks_it_is_accepted_twice(
    app: Flask, unlocked: Flask, ask: Callable[[Flask], Any], action: str
) -> None:
    assert not all(accepted(unlocked, app, ask, action))
