"""Renouncing a subscription within fourteen days, through the page that the shop's purchases have."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from portal.accounts.jobs import answer_mail_requests
from portal.infra.outbox import Mail
from portal.planning.models import ContractWithdrawal
from portal.planning.renouncing import token
from portal.subscriptions.models import Contract, Subscription
from tests.world import CAMILLE, CUTOFF, NOW, TUESDAY, YACINE

DECLARED = {"nom": "Camille Aubert", "email": CAMILLE}
LINK = re.compile(r"http://localhost(/retractation/\S+)")
LAST = datetime(2026, 6, 24, 21, 59, 59, tzinfo=UTC)
"""Wednesday 24 June, the fourteenth day after Wednesday the 10th."""


@pytest.fixture
def contract(session):
    """That of Camille's large box, made today."""
    held = session.scalars(select(Subscription).order_by(Subscription.id)).first()
    made = Contract(subscription=held, made_at=NOW, paper=b"sealed")
    session.add(made)
    session.commit()
    return made.id


def text_of(answer):
    page = re.sub(r"<[^>]+>", " ", answer.get_data(as_text=True).partition("<main")[2])
    return " ".join(page.replace("\u202f", " ").replace("\u00a0", " ").replace("&#39;", "'").split())


def mails(session):
    rows = session.scalars(select(Mail).order_by(Mail.id))
    found = [(row.recipient, row.text.replace("\u00a0", " ")) for row in rows]
    session.rollback()
    return found


def end_of(session):
    found = session.scalars(select(Subscription.last_day).order_by(Subscription.id)).first()
    session.rollback()
    return found


def test_what_is_closed_is_billed_and_the_rest_falls(session, browser, clock, contract):
    clock.move_to(CUTOFF)
    browser.sign_in(CAMILLE)
    assert "Abonnement A10001 du mercredi 10 juin 2026" in text_of(browser.get("/retractation"))
    way = f"/retractation/{token(contract)}"
    page = text_of(browser.get(way))
    assert "Confirmer la rétractation" in page and "Le panier du mardi 16 juin est déjà clos" in page
    assert browser.submit(way, DECLARED | {"nom": ""}).status_code == 422 and end_of(session) is None
    for _tab in range(2):
        assert browser.submit(way, DECLARED).location == way
    assert end_of(session) == TUESDAY
    [(to, said)] = mails(session)
    assert to == CAMILLE
    assert "lundi 15 juin 2026 à 0 h" in said and "Je renonce au contrat d'abonnement A10001" in said
    assert "Rétractation reçue" in text_of(browser.get(way))
    assert session.scalars(select(ContractWithdrawal)).one().settled_at is None


@pytest.mark.parametrize(("moment", "status"), [(LAST, 303), (LAST + timedelta(seconds=1), 422)])
def test_it_is_open_until_the_last_of_fourteen_days(session, client, clock, contract, moment, status):
    client.get("/retractation")
    clock.move_to(moment)
    answer = client.submit(f"/retractation/{token(contract)}", DECLARED)
    assert (answer.status_code, end_of(session) is None) == (status, status == 422)


def test_without_a_sign_in_the_link_goes_to_the_accounts_address_alone(session, client, contract):
    said = set()
    for number, email in (("A10001", CAMILLE), ("a10001", YACINE), ("A19999", CAMILLE), ("A1", CAMILLE)):
        client.get("/retractation")
        assert client.submit("/retractation", {"numero": number, "email": email}).status_code == 303
        said.add(text_of(client.get("/retractation")).partition("Nous avons")[0][:120])
    assert len(said) == 1 and mails(session) == [], (
        "whose it is takes no time of theirs: the worker finds out"
    )
    while answer_mail_requests():
        pass
    [(to, text)] = mails(session)
    assert to == CAMILLE and client.get(LINK.search(text)[1]).status_code == 200
    assert client.get(f"/retractation/{token(contract)}x").status_code == 404
