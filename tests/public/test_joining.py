"""/abonnement/nouveau: becoming a subscriber, a question a page."""

import re
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from portal.accounts.addresses import AddressView, add_address, billing_address
from portal.accounts.models import Account, Address
from portal.catalogue.models import FormulaPrice
from portal.infra.outbox import Mail
from portal.pickup.models import PickupPoint
from portal.planning import drafts
from portal.planning.models import JoiningDraft
from portal.profile.models import Conditions
from portal.rules.money import Money
from portal.rules.paying import PaymentMeans
from portal.subscriptions.models import Subscription, Term, Withheld
from tests.client import Browser
from tests.joining import (
    ACCOUNT,
    DELIVERIES,
    JOIN,
    POINT,
    SUMMARY,
    choose,
    join,
    order_form,
    publish_conditions,
)
from tests.pages import text_of
from tests.world import CAMILLE, CUTOFF, NOW, YACINE


@pytest.fixture(autouse=True)
def conditions(session: Session) -> None:
    publish_conditions(session)


@pytest.fixture
def yacine(client: Browser) -> Browser:
    client.sign_in(YACINE)
    client.get("/mon-compte")
    return client


def made(session: Session) -> list[tuple[str, int, str, str]]:
    """What was subscribed to beside what the small farm has."""
    session.expire_all()
    terms = session.scalars(select(Term).where(Term.subscription_id > 3).order_by(Term.id))
    return [(t.formula.slug, t.quantity, t.rhythm.value, t.pickup_point.slug) for t in terms]


def test_a_visitor_chooses_signs_in_and_orders_what_they_chose(client: Browser, session: Session) -> None:
    assert client.get(SUMMARY).location == JOIN, "nothing is chosen yet"
    assert client.submit(JOIN, {"formule": 2, "quantite": 2, "avec": 3}).location == POINT
    assert client.get(DELIVERIES).location == POINT
    assert client.submit(POINT, {"point": 2}).location == DELIVERIES
    assert "chaque semaine : 16, 23, 30 juin" in text_of(client.get(DELIVERIES))
    assert client.submit(DELIVERIES, {"rythme": "weekly", "debut": "2026-06-22"}).location == ACCOUNT
    assert "étape 3 sur 4" in text_of(client.get(DELIVERIES)), "an account on the way is no step more"
    assert f"/inscription?next={SUMMARY}" in client.get(ACCOUNT).text
    client.sign_in(YACINE)
    page = text_of(client.get(SUMMARY))
    assert "étape 4 sur 4" in page
    asked = page[page.index("Vous commandez") : page.index("Commander avec obligation de paiement")]
    for words in (
        "Premier panier le mardi 23 juin",
        "2 × Grand panier39,00 € TTC",
        "Œufs2,40 € TTC",
        "Prix total par livraison41,40 € TTC, soit environ 179 € par mois",
        "Duréeindéterminée",
        "Engagement minimumaucun",
        "Gare de Veynes, 2 place du Village",
    ):
        assert words in asked, "what the law wants directly above the button"
    assert "quatorze jours pour renoncer" in page
    answer = client.submit(SUMMARY, order_form(client))
    assert (answer.status_code, answer.location) == (303, "/abonnements")
    assert made(session) == [("grand", 2, "weekly", "gare"), ("oeufs", 1, "weekly", "gare")]
    account = session.scalars(select(Account).where(Account.email == YACINE)).one()
    assert account.payment_means is PaymentMeans.TRANSFER
    address = billing_address(session, account.id)
    assert address and address.street == "3 rue du Four"
    assert client.get(SUMMARY).location == JOIN, "what was chosen is ordered"


def test_whoever_has_several_addresses_chooses_among_them(yacine: Browser, session: Session) -> None:
    account = session.scalars(select(Account).where(Account.email == YACINE)).one()
    for street in ("4 rue du Four", "1 place Basse"):
        kept = AddressView("Yacine", street, "05300", "Laragne")
        add_address(session, account.id, kept, billing=False, delivery=False, at=NOW, by=account.id)
    session.commit()
    choose(yacine)
    page = yacine.get(SUMMARY)
    assert 'value="4 rue du Four"' in page.text, "that for bills first"
    other = re.search(rf'href="({SUMMARY}\?adresse=\d+)#vous">1 place Basse', page.text)
    assert other and 'value="1 place Basse"' in yacine.get(other[1]).text
    assert 'value="4 rue du Four"' in yacine.get(f"{SUMMARY}?adresse=999").text


def test_what_was_begun_waits_on_another_device(app: Flask, yacine: Browser, session: Session) -> None:
    choose(yacine, formula=1, point=2, rhythm="fortnight_b")
    other: Browser = app.test_client()  # type: ignore[assignment]
    other.sign_in(YACINE)
    assert "Reprendre où vous en étiez" in text_of(other.get("/abonnements"))
    assert "Gare de Veynes" in text_of(other.get(SUMMARY))
    session.scalars(select(JoiningDraft)).one().changed_at = NOW - drafts.LIVES - timedelta(minutes=1)
    session.commit()
    drafts.forget_old()
    assert "Reprendre où vous en étiez" not in text_of(other.get("/abonnements"))


def test_pages_of_the_shop_window_lead_here_with_what_they_show(client: Browser) -> None:
    assert f"{JOIN}?formule=petit" in client.get("/formules").text
    assert f"{JOIN}?point=gare" in client.get("/points-de-retrait").text
    assert JOIN in client.get("/").text
    chosen = client.get(f"{JOIN}?formule=petit&point=gare").text
    assert 'value="1" checked' in chosen and f'action="{JOIN}?point=gare"' in chosen
    wanted = {"formule": 1, "quantite": 1, "avec": 0}
    assert client.submit(f"{JOIN}?point=gare", wanted).location == DELIVERIES


@pytest.mark.parametrize("odd", ["", "x", "0", "99", "1_0", "+1", "٣"])
def test_odd_answers_are_refused_beside_their_question(client: Browser, odd: str, session: Session) -> None:
    for field in ("formule", "quantite") if odd != "0" else ("formule",):
        wanted = {"formule": 1, "quantite": 1, "avec": 0} | {field: odd}
        answer = client.submit(JOIN, wanted)
        assert answer.status_code == 422 and "Une réponse est à revoir" in text_of(answer), (field, odd)
    client.submit(JOIN, {"formule": 1, "quantite": 1, "avec": 0})
    assert client.submit(POINT, {"point": odd}).status_code == 422
    client.submit(POINT, {"point": 1})
    for field in ("rythme", "debut") if odd != "0" else ("rythme",):
        answer = client.submit(DELIVERIES, {"rythme": "weekly", "debut": "0"} | {field: odd})
        assert answer.status_code == 422, (field, odd)
    client.sign_in(YACINE)
    choose(client)
    for field in ("nom", "code-postal", "reglement"):
        answer = client.submit(SUMMARY, order_form(client) | {field: "" if field == "nom" else odd})
        assert answer.status_code == 422, (field, odd)
    assert made(session) == []
    assert session.scalar(select(func.count()).select_from(Address)) == 0, (
        "nothing is kept of what was refused"
    )


def test_one_form_sent_twice_is_one_subscription(yacine: Browser, session: Session) -> None:
    choose(yacine)
    form = order_form(yacine)
    for _ in range(2):
        assert yacine.submit(SUMMARY, form).location == "/abonnements"
    choose(yacine)
    assert yacine.submit(SUMMARY, form).location == "/abonnements"
    assert "C'était déjà fait : vous avez cet abonnement." in text_of(yacine.get("/abonnements"))
    assert made(session) == [("petit", 1, "weekly", "halle")]
    assert session.scalar(select(func.count()).select_from(Mail)) == 1


def dearer(session: Session, _clock: time_machine.Traveller) -> str:
    session.add(FormulaPrice(formula_id=1, since=date(2026, 6, 1), price=Money(12_00), vat_basis_points=550))
    return "12,00 € TTC"


def elsewhere(session: Session, _clock: time_machine.Traveller) -> str:
    session.get_one(PickupPoint, 1).address = "8 rue Neuve"
    return "8 rue Neuve"


def later(_session: Session, clock: time_machine.Traveller) -> str:
    clock.move_to(CUTOFF)
    return "Premier panier le mardi 23 juin"


def otherwise(session: Session, _clock: time_machine.Traveller) -> str:
    session.add(Conditions(text="# Autres\n\nConditions.", published_at=NOW))
    return "Autres"


@pytest.mark.parametrize("change", [dearer, elsewhere, later, otherwise])
def test_what_changed_since_the_page_was_shown_is_shown_before_it_is_ordered(
    yacine: Browser, session: Session, clock: time_machine.Traveller, change: Callable[..., str]
) -> None:
    choose(yacine)
    form = order_form(yacine)
    new = change(session, clock)
    session.commit()
    answer = yacine.submit(SUMMARY, form | {"nom": "Un autre nom"})
    assert answer.status_code == 422 and made(session) == []
    assert "Quelque chose a changé entre-temps" in text_of(answer) and new in text_of(answer)
    assert "Un autre nom" in answer.text, "what was typed is kept"
    assert yacine.submit(SUMMARY, order_form(yacine)).status_code == 303


def test_a_full_point_offers_its_waiting_list(yacine: Browser, session: Session) -> None:
    choose(yacine, point=2)
    form = order_form(yacine)
    session.get_one(PickupPoint, 2).capacity = 0
    session.commit()
    for told in (yacine.get(DELIVERIES), yacine.get(SUMMARY), yacine.submit(SUMMARY, form)):
        assert "/liste-d-attente/gare" in told.text and "obligation de paiement" not in told.text
    assert told.status_code == 422 and made(session) == []
    session.get_one(PickupPoint, 2).free_places = 0
    session.commit()
    listed = yacine.get(POINT).text
    assert "/liste-d-attente/gare" in listed and 'name="point" value="2"' not in listed
    yacine.submit(JOIN, {"formule": 3, "quantite": 1, "avec": 0})
    assert 'name="point" value="2"' in yacine.get(POINT).text, "eggs take no place"


def test_a_point_that_does_not_offer_it_is_not_chosen(yacine: Browser, session: Session) -> None:
    session.add(Withheld(pickup_point_id=2, formula_id=3))
    session.commit()
    yacine.submit(JOIN, {"formule": 1, "quantite": 1, "avec": 3})
    assert "Ne propose pas ce que vous avez choisi" in text_of(yacine.get(POINT))
    answer = yacine.submit(POINT, {"point": 2})
    assert answer.status_code == 422 and "prenez-en un autre" in text_of(answer)
    assert yacine.submit(POINT, {"point": 1}).location == DELIVERIES


def test_nobody_orders_before_the_farm_has_conditions_of_sale(yacine: Browser, session: Session) -> None:
    choose(yacine)
    form = order_form(yacine)
    session.delete(session.scalars(select(Conditions)).one())
    session.commit()
    assert "On ne s'abonne pas encore en ligne" in text_of(yacine.get(JOIN))
    assert "Commander avec obligation" not in text_of(yacine.get(SUMMARY))
    assert yacine.submit(SUMMARY, form).status_code == 422 and made(session) == []


def test_what_ended_within_a_season_begins_again_as_it_was(yacine: Browser, session: Session) -> None:
    ended = session.get_one(Subscription, 3)
    ended.last_day = date(2025, 6, 9)
    session.commit()
    again = "/abonnements/3/reprise"
    assert again not in yacine.get("/abonnements").text and yacine.submit(again).status_code == 404
    ended.last_day = date(2026, 6, 4)
    session.commit()
    assert again in yacine.get("/abonnements").text
    assert yacine.submit(again).location == SUMMARY
    yacine.submit(SUMMARY, order_form(yacine))
    assert made(session) == [("petit", 1, "fortnight_a", "mairie")]


def test_each_page_takes_as_many_queries_for_many_points_as_for_few(
    client: Browser, session: Session, count_queries: Callable[[], Any]
) -> None:
    client.sign_in(CAMILLE)
    choose(client)

    def counted() -> list[int]:
        sent = []
        for path in (JOIN, POINT, DELIVERIES, SUMMARY):
            with count_queries() as statements:
                assert client.get(path).status_code == 200
            sent.append(len(statements))
        return sent

    before = counted()
    assert max(before) <= 20
    first = session.get_one(PickupPoint, 1)
    same = {
        c.name: getattr(first, c.name) for c in PickupPoint.__table__.columns if c.name not in ("id", "slug")
    }
    session.add_all(PickupPoint(**same, slug=f"point-{n}") for n in range(5))
    session.commit()
    assert counted() == before


def test_the_mail_repeats_what_was_ordered(yacine: Browser, session: Session) -> None:
    join(yacine, formula=1, beside=3)
    text = session.scalars(select(Mail.text)).one().replace("\u00a0", " ").replace("\u202f", " ")
    for words in (
        "Petit panier + Œufs",
        "13,90 € TTC par livraison",
        "chaque semaine : 16, 23, 30 juin",
        "le mardi 16 juin",
        "Votre contrat et les conditions de vente sont joints",
    ):
        assert words in text
