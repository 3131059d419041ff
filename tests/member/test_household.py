"""A second person with a sign-in of their own on the same boxes and orders; one payer."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask
from sqlalchemy import delete, select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from portal.accounts import household, services
from portal.accounts.models import Account
from portal.infra.audit import AuditEvent
from portal.infra.outbox import Mail
from portal.privacy import leaving
from portal.privacy.sharing import share
from portal.shop.models import OrderEvent
from portal.subscriptions.models import Subscription
from tests.accounts.letters import link_in
from tests.accounts.people import account_of, browser_of
from tests.client import Browser
from tests.pages import text_of
from tests.public.checking_out import CONTACT, seen
from tests.public.checking_out import PAGE as CHECKOUT
from tests.shop.making import article, order
from tests.world import CAMILLE, NOW, STAFF, YACINE

PAGE = "/mon-compte/foyer"
SACHA = "sacha@example.org"
WEEK = "/planning/2026-06-15"


def signed_in(app: Flask, email: str) -> Browser:
    client = browser_of(app)
    client.sign_in(email)
    return client


def mails(session: Session) -> dict[str, str]:
    """What was mailed since this was last asked: who got it → what it says."""
    session.rollback()
    found = {mail.recipient: (mail.text or "").replace("\xa0", " ") for mail in session.scalars(select(Mail))}
    session.execute(delete(Mail))
    session.commit()
    return found


def sharing(session: Session, payer: str = CAMILLE) -> Account:
    """Sacha, who shares already."""
    made = Account(email=SACHA, first_name="Sacha", last_name="Aubert", fs_uniquifier="s", created_at=NOW)
    made.payer_id = account_of(session, payer).id
    session.add(made)
    session.commit()
    return made


def invite(payer: Browser, email: str) -> TestResponse:
    return payer.submit(PAGE, {"email": email, "prenom": ""})


def boxes(session: Session) -> list[int]:
    camille = select(Account.id).where(Account.email == CAMILLE)
    return list(session.scalars(select(Subscription.id).where(Subscription.account_id.in_(camille))))


def test_who_is_invited_begins_an_account_and_shares(app: Flask, session: Session) -> None:
    camille, sacha = signed_in(app, CAMILLE), browser_of(app)
    camille.get(PAGE)
    assert camille.submit(PAGE, {"email": "Sacha@Example.org", "prenom": "Sacha"}).location == PAGE
    assert SACHA in text_of(camille.get(PAGE))
    way = link_in(session.scalars(select(Mail).where(Mail.recipient == SACHA)).one())
    told = mails(session)
    assert "Bonjour Sacha" in told[SACHA] and SACHA in told[CAMILLE]
    assert "Camille" in text_of(sacha.get(way)) and not account_exists(session, SACHA)
    assert sacha.submit(way).location == "/inscription/nom"
    assert 'value="Sacha"' in sacha.get("/inscription/nom").text, "as the invitation calls them"
    person = {"prenom": "Sacha", "nom": "Aubert", "entree": "code", "phrase": ""}
    assert sacha.submit("/inscription/nom", person).location == way
    assert "paie tout" in text_of(sacha.get(way))
    mails(session)
    assert sacha.submit(way).location == "/espace"
    assert "Sacha Aubert a accepté" in mails(session)[CAMILLE]
    assert sacha.get(way).status_code == 410, "it is used up"
    home = text_of(sacha.get("/espace"))
    assert "Bonjour Sacha" in home and "les paniers de Camille" in home and "Grand panier" in home
    assert "Sacha Aubert" in text_of(camille.get(PAGE))


def account_exists(session: Session, email: str) -> bool:
    session.rollback()
    return session.scalar(select(Account.id).where(Account.email == email)) is not None


def test_who_shares_acts_under_their_own_name_until_they_share_no_more(app: Flask, session: Session) -> None:
    sacha_id = sharing(session).id
    honey = article(session)
    shared = order(session, {honey: 2}, with_box=False).id
    others = order(session, {honey: 1}, email=YACINE, with_box=False).id
    session.commit()
    sacha, camille, named = signed_in(app, SACHA), signed_in(app, CAMILLE), {"abonnement": boxes(session)}
    sacha.get("/planning")
    assert sacha.submit(f"{WEEK}/saut", named).status_code == 303
    assert session.scalars(select(AuditEvent.account_id).where(AuditEvent.action == "box.change")).all() != []
    assert set(session.scalars(select(AuditEvent.account_id))) == {sacha_id}
    told = mails(session)
    assert told.keys() == {CAMILLE, SACHA} and "ferme" not in told[CAMILLE].split("--")[0].lower()
    assert "C'est Sacha qui l'a fait" in told[CAMILLE] and "Bonjour Camille" in told[CAMILLE]
    assert "qui l'a fait" not in told[SACHA] and "Bonjour Sacha" in told[SACHA]
    camille.get("/planning")
    assert camille.submit(f"{WEEK}/reprise", named).status_code == 303
    assert "C'est Camille qui l'a fait" in mails(session)[SACHA]

    assert sacha.submit("/ma-commande/produits", {"article": honey.id, "quantity": 1}).status_code == 303
    assert "Miel" in text_of(camille.get("/ma-commande")), "one order for both"
    phone = account_of(session, CAMILLE).phone
    session.rollback()
    page = sacha.get(CHECKOUT)
    assert "Camille" in page.text and not mails(session)
    placed = sacha.submit(CHECKOUT, {**CONTACT, **seen(page)})
    told = mails(session)
    assert placed.location.startswith("/commandes/") and told.keys() == {CAMILLE, SACHA}
    assert "C'est Sacha qui l'a fait" in told[CAMILLE] and account_of(session, CAMILLE).phone == phone
    assert sacha.get(f"/commandes/{others}").status_code == 404
    assert sacha.submit(f"/commandes/{shared}/annulation").status_code == 303
    assert session.scalars(select(OrderEvent.by_id).where(OrderEvent.what == "cancelled")).all() == [sacha_id]
    assert "C'est Sacha qui l'a fait" in mails(session)[CAMILLE]

    for path in ("/resilier", "/abonnement/nouveau"):
        answer = sacha.get(path)
        assert answer.status_code == 403 and "à Camille de le faire" in text_of(answer)
    assert sacha.submit("/resilier/notification", {"abonnement": boxes(session)}).status_code == 403
    assert sacha.submit(f"{PAGE}/{sacha_id + 1}/depart").status_code == 404

    camille.get(PAGE)
    assert camille.submit(f"{PAGE}/{sacha_id}/depart").location == PAGE
    assert mails(session).keys() == {CAMILLE, SACHA}
    assert sacha.get(f"/commandes/{shared}").status_code == 404
    assert sacha.submit(f"{WEEK}/saut", named).status_code == 404
    assert "Grand panier" not in text_of(sacha.get("/espace"))


def test_only_who_has_nothing_of_their_own_comes_to_share(app: Flask, session: Session) -> None:
    camille, yacine = signed_in(app, CAMILLE), signed_in(app, YACINE)
    camille.get(PAGE)
    answers = [invite(camille, email) for email in (YACINE, "nobody@example.org", STAFF)]
    assert {answer.location for answer in answers} == {PAGE}
    others = select(Mail).where(Mail.recipient != CAMILLE).order_by(Mail.id)
    to_yacine, to_nobody, _ = (link_in(mail) for mail in session.scalars(others))
    assert invite(camille, "quatre@example.org").status_code == 422, "three at most"
    assert invite(camille, CAMILLE).status_code == 422
    for way, why in ((to_yacine, "vos propres paniers"), (to_nobody, "nobody@example.org")):
        assert why in text_of(yacine.get(way))
        assert yacine.submit(way).status_code == 422
    assert browser_of(app).submit(to_yacine).location.startswith("/connexion?next=")
    links = household.invitations(session, account_of(session, CAMILLE), NOW)
    session.rollback()
    yacine.submit(f"{PAGE}/invitations/{links[0].id}/annulation")
    assert yacine.get(to_yacine).status_code == 200, "whom it was sent to cannot take it back"
    assert camille.submit(f"{PAGE}/invitations/{links[0].id}/annulation").location == PAGE
    assert yacine.get(to_yacine).status_code == 410
    assert account_of(session, YACINE).payer_id is None


def test_only_a_fresh_proof_invites_and_nobody_closed_comes_to_share(
    app: Flask, session: Session, clock: time_machine.Traveller
) -> None:
    camille = signed_in(app, CAMILLE)
    camille.get(PAGE)
    invite(camille, YACINE)
    way = link_in(session.scalars(select(Mail).where(Mail.recipient == YACINE)).one())
    yacine = account_of(session, YACINE)
    yacine.active = False
    with pytest.raises(services.Closed):
        share(session, yacine, way.removeprefix("/lien/"), at=NOW)
    session.rollback()
    clock.shift(timedelta(hours=1))
    page = text_of(camille.get(PAGE))
    assert "Inviter quelqu'un" in page and "Son adresse e-mail" not in page
    assert invite(camille, SACHA).location == f"/mon-compte/preuve?next={PAGE}"
    assert SACHA not in mails(session)


def test_sharing_ends_with_the_account(session: Session) -> None:
    sacha, yacine = sharing(session, YACINE), account_of(session, YACINE)
    assert sacha.holder is yacine and yacine.holder is yacine
    assert not household.acts_for_farm(sacha, yacine)
    assert household.acts_for_farm(account_of(session, STAFF), yacine)
    yacine.active = False
    assert sacha.holder is sacha, "nobody acts for an account that is closed"
    yacine.active = True
    household.dissolve(session, yacine, at=NOW)
    session.commit()
    assert sacha.payer_id is None and mails(session).keys() == {YACINE, SACHA}
    sacha.payer_id = yacine.id
    session.commit()
    assert isinstance(leaving.close(session, sacha, for_good=False, at=NOW), leaving.Closed)
    assert sacha.payer_id is None and YACINE in {mail.recipient for mail in session.scalars(select(Mail))}


@pytest.mark.parametrize("path", ["/espace", "/planning", "/commandes", "/abonnements"])
def test_a_page_asks_for_the_payer_once(
    app: Flask, session: Session, count_queries: Callable[[], Any], path: str
) -> None:
    sharing(session)
    counted = {}
    for email in (CAMILLE, SACHA):
        client = signed_in(app, email)
        client.get(path)
        with count_queries() as statements:
            client.get(path)
        counted[email] = len(statements)
    assert counted[SACHA] - counted[CAMILLE] in {1, 2}, "the payer, and their roles"
