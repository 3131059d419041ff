"""/planning/<week>: what is still possible in one week, and doing it there."""

from collections.abc import Callable
from typing import Any

import pytest
import time_machine
from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.boxes.models import BoxChange
from portal.catalogue.models import Formula
from portal.pickup.models import PickupPoint
from portal.subscriptions.models import Withheld
from tests.client import Browser
from tests.pages import text_of
from tests.world import CAMILLE, CUTOFF, YACINE

WEEK = "/planning/2026-06-15"
BOX, EGGS, YACINES = 1, 2, 3


@pytest.fixture
def camille(browser: Browser) -> Browser:
    browser.sign_in(CAMILLE)
    browser.get(WEEK)
    return browser


def act(browser: Browser, what: str, **fields: object) -> str:
    """Do it on the page of the week; the words of the page afterwards."""
    answer = browser.submit(f"{WEEK}/{what}", {"abonnement": BOX, "vue": "semaine", **fields})
    if browser.htmx:
        assert answer.status_code == 200
        assert 'id="feuille"' in answer.get_data(as_text=True)
        return text_of(answer)
    assert (answer.status_code, answer.location) == (303, WEEK)
    return text_of(browser.get(WEEK))


def point(session: Session, slug: str) -> int:
    return session.scalars(select(PickupPoint.id).where(PickupPoint.slug == slug)).one()


def test_the_page_offers_what_the_rules_allow(camille: Browser) -> None:
    page = text_of(camille.get(WEEK))
    assert "Reporter à une autre date" in page and "mardi 23 juin" in page and "mardi 14 juillet" in page
    assert "Café de Sisteron" in page and "vendredi 19 juin" in page
    assert "modifiable jusqu'au mardi 16 juin, 23 h 59" in page, "each day has its own cutoff"
    assert "Petit panier 11,50 €" in page
    assert "Tout sauter : 21,90 € de moins sur la facture de juin 2026." in page


def test_a_box_is_postponed_and_brought_back(camille: Browser) -> None:
    page = act(camille, "report", vers="2026-06-22")
    assert "reporté du mardi 16 juin au mardi 23 juin (Grand panier)" in page
    assert "Grand panier reporté au mardi 23 juin" in page and "Annuler le report" in page
    page = act(camille, "report/annulation")
    assert "de nouveau à sa date, le mardi 16 juin" in page and "Annuler le report" not in page


def test_the_week_of_arrival_shows_the_postponed_box_beside_its_own(camille: Browser) -> None:
    act(camille, "report", vers="2026-06-22")
    page = text_of(camille.get("/planning/2026-06-22"))
    assert "Grand panier reporté de la semaine du 15 juin" in page
    assert "Sauter cette livraison…" in page and "Sauter le panier reporté" in page
    answer = camille.submit(
        f"{WEEK}/saut", {"abonnement": BOX, "vue": "semaine", "page": "2026-06-22"}
    )  # the postponed one, from the page on which it is seen
    assert answer.status_code == (200 if camille.htmx else 303)
    assert "Reprendre le panier reporté" in text_of(camille.get("/planning/2026-06-22"))


def test_a_box_is_collected_elsewhere_for_once_and_as_usual_again(camille: Browser, session: Session) -> None:
    page = act(camille, "point", point=point(session, "cafe"))
    assert "pour cette fois, à retirer le vendredi 19 juin, Café de Sisteron (Grand panier)" in page
    assert "À ce point pour cette fois" in page
    page = act(camille, "point/annulation")
    assert "à votre point habituel, Halle de Gap" in page or "à votre point habituel" in page
    assert "À ce point pour cette fois" not in page


def test_a_box_is_another_for_once_and_as_usual_again(camille: Browser) -> None:
    page = act(camille, "panier", formule=1, quantite=2)
    assert "pour le mardi 16 juin, vous recevrez : 2 × Petit panier" in page
    assert "Autre panier pour cette fois" in page
    page = act(camille, "panier/annulation")
    assert "comme d'habitude : Grand panier" in page


@pytest.mark.parametrize(
    ("what", "fields"),
    [
        ("report", {}),
        ("report", {"vers": "2026-06-15"}),
        ("report", {"vers": "2026-07-27"}),
        ("report", {"vers": "2026-6-22"}),
        ("report", {"vers": "demain"}),
        ("report", {"vers": "２０２６-06-22"}),
        ("point", {}),
        ("point", {"point": "0"}),
        ("point", {"point": "1_0"}),
        ("panier", {"formule": "1"}),
        ("panier", {"formule": "1", "quantite": "0"}),
        ("panier", {"formule": "1", "quantite": "1e3"}),
        ("panier", {"formule": "1", "quantite": "10"}),
        ("panier", {"formule": "1", "quantite": "١"}),
        ("panier", {"formule": "3", "quantite": "1"}),
        ("panier", {"quantite": "2"}),
        ("saut", {"abonnement": ""}),
    ],
)
def test_what_cannot_be_is_refused_with_the_page_as_it_stands(
    camille: Browser, session: Session, what: str, fields: dict[str, str]
) -> None:
    answer = camille.submit(f"{WEEK}/{what}", {"abonnement": BOX, "vue": "semaine", **fields})
    assert answer.status_code == 422
    page = text_of(answer)
    assert "Grand panier" in page and "Sauter" in page
    assert "rien n'a été changé" in page or "Un panier se reporte" in page or "n'est pas proposée" in page
    assert session.scalar(select(BoxChange)) is None


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        (f"{WEEK}/report", {"abonnement": YACINES, "vers": "2026-06-22"}),
        (f"{WEEK}/report", {"abonnement": [BOX, YACINES], "vers": "2026-06-22"}),
        (f"{WEEK}/point", {"abonnement": BOX, "point": 999}),
        (f"{WEEK}/panier", {"abonnement": BOX, "formule": 999, "quantite": 1}),
        (f"{WEEK}/report/annulation", {"abonnement": YACINES}),
    ],
)
def test_what_is_not_theirs_or_not_there_is_not_found(
    camille: Browser, session: Session, path: str, fields: dict[str, object]
) -> None:
    assert camille.submit(path, {"vue": "semaine", **fields}).status_code == 404
    assert session.scalar(select(BoxChange)) is None


@pytest.mark.parametrize("week", ["2026-06-16", "2026-05-18", "2030-01-07", "2026-06-31", "demain"])
def test_a_week_that_is_none_is_not_found(client: Browser, week: str) -> None:
    client.sign_in(CAMILLE)
    assert client.get(f"/planning/{week}").status_code == 404


def test_after_the_cutoff_nothing_is_offered_and_who_can_help_is_said(
    camille: Browser, clock: time_machine.Traveller
) -> None:
    clock.move_to(CUTOFF)
    page = camille.get(WEEK)
    assert "Un proche peut la retirer à votre place" in text_of(page)
    assert "<form" not in page.get_data(as_text=True).partition("<main")[2]
    refused = camille.submit(f"{WEEK}/report", {"abonnement": BOX, "vue": "semaine", "vers": "2026-06-22"})
    assert refused.status_code == 422 and "Trop tard" in text_of(refused)


def test_an_off_week_says_that_it_is_one(client: Browser) -> None:
    client.sign_in(YACINE)
    pages = [text_of(client.get(f"/planning/{week}")) for week in ("2026-06-15", "2026-06-22")]
    assert sum("Pas de panier cette semaine" in page for page in pages) == 1


def test_a_point_that_was_chosen_on_the_map_is_ticked(client: Browser, session: Session) -> None:
    client.sign_in(CAMILLE)
    html = client.get(f"{WEEK}?point={point(session, 'cafe')}").get_data(as_text=True)
    assert html.count('name="point"') > 1
    assert f'value="{point(session, "cafe")}" required checked' in html
    assert client.get(f"{WEEK}?point=x").status_code == 200


def test_the_page_takes_as_many_queries_whatever_the_person_holds(
    client: Browser, count_queries: Callable[[], Any]
) -> None:
    taken = []
    for email in (CAMILLE, YACINE):
        client.sign_in(email)
        client.get(WEEK)
        with count_queries() as statements:
            client.get(WEEK)
        taken.append(len(statements))
    assert max(taken) <= 14, taken


def test_a_quantity_that_cannot_be_stands_beside_its_field_as_it_was_typed(camille: Browser) -> None:
    answer = camille.submit(
        f"{WEEK}/panier", {"abonnement": BOX, "vue": "semaine", "formule": 1, "quantite": "<12"}
    )
    assert answer.status_code == 422
    html = answer.get_data(as_text=True)
    assert "Indiquez une quantité de 1 à 9." in text_of(answer)
    assert 'value="&lt;12" inputmode="numeric" aria-invalid="true"' in html


def test_a_way_back_that_the_point_does_not_offer_is_not_shown(camille: Browser, session: Session) -> None:
    gare, grand = (
        point(session, "gare"),
        session.scalars(select(Formula.id).where(Formula.slug == "grand")).one(),
    )
    session.add(Withheld(pickup_point_id=gare, formula_id=grand))
    session.commit()
    act(camille, "panier", formule=1, quantite=1)
    page = act(camille, "point", point=gare)
    assert "Revenir à mon point habituel" in page and "Revenir à mon panier habituel" not in page
