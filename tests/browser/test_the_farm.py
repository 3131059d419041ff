"""The staff set up the farm: tours and what follows their rule, the order of a round, news."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select

from portal.deliveries.models import Tour
from portal.infra.orm import own_transaction
from portal.pickup.models import PickupPoint
from tests.browser.helpers import DESK, PHONE
from tests.world import CAMILLE, STAFF


def test_every_place_of_the_bar_is_in_view_on_a_phone(browse: Callable[..., Page]) -> None:
    page = browse(STAFF, viewport=PHONE)
    page.goto("/ferme")
    bar = page.get_by_role("navigation", name="Menu de la ferme")
    tops = {link.bounding_box()["y"] for link in bar.get_by_role("link").all()}  # type: ignore[index]
    assert len(tops) == 1, "on one line"
    assert page.locator(".masthead").bounding_box()["height"] < 80  # type: ignore[index]
    bar.get_by_role("link", name="La ferme").click()
    for place in ("Tournées", "Points de retrait", "Légumes"):
        page.get_by_role("main").get_by_role("link", name=place).click()
        expect(page.get_by_role("heading", level=1)).to_have_text(place)
        expect(bar.locator("[aria-current]")).to_have_text("La ferme")
        page.get_by_role("navigation", name="Où vous êtes").get_by_role("link", name="La ferme").click()
    page.get_by_role("button", name="Se déconnecter").click()
    expect(page.get_by_role("link", name="Connexion")).to_be_visible()


def test_a_rule_is_explained_while_it_is_chosen_and_then_followed(browse: Callable[..., Page]) -> None:
    page = browse(STAFF, viewport=DESK)
    page.goto("/ferme/tournees/1")
    rule = page.locator("#cloture")
    expect(rule).to_contain_text("Clôture : dimanche, 23 h 59")
    page.get_by_label("Jour de clôture").select_option("3 jours avant")
    expect(rule).to_contain_text("Clôture : samedi, 23 h 59")
    page.get_by_label("Dernière minute").fill("20:00")
    page.get_by_label("Dernière minute").blur()
    expect(rule).to_contain_text("celle du mardi 16 juin : jusqu'au samedi 13 juin, 20 h.")
    expect(page.locator("[aria-live]")).to_contain_text("Clôture : samedi, 20 h")
    page.get_by_role("button", name="Enregistrer").click()
    expect(page.locator(".flash")).to_contain_text("livraisons ouvertes la suivent.")
    with own_transaction() as session:
        assert session.get_one(Tour, 1).lead_days == 3


def test_a_tour_is_added_and_its_year_prepared(browse: Callable[..., Page], javascript: bool) -> None:
    page = browse(STAFF, viewport=PHONE, java_script_enabled=javascript)
    page.goto("/ferme/tournees")
    page.get_by_role("link", name="Ajouter une tournée").click()
    page.get_by_label("Nom").fill("Tournée du samedi")
    page.get_by_label("Mot pour les adresses").fill("mardi")
    page.get_by_label("Jour de livraison").select_option("samedi")
    page.get_by_label("Jour de clôture").select_option("2 jours avant")
    page.get_by_label("Dernière minute").fill("12:00")
    page.get_by_role("button", name="Ajouter la tournée").click()
    errors = page.get_by_role("group", name="Une réponse est à revoir")
    errors.get_by_role("link").click()
    word = page.get_by_label("Mot pour les adresses")
    expect(word).to_have_attribute("aria-invalid", "true")
    word.fill("samedi")
    page.get_by_role("button", name="Ajouter la tournée").click()
    expect(page.get_by_text("Pas encore de livraison")).to_be_visible()
    page.get_by_role("button", name="Préparer les livraisons d'une année").click()
    expect(page.locator(".flash")).to_contain_text("livraisons sont ajoutées")
    expect(page.get_by_text("Pas encore de livraison")).to_have_count(0)


def test_a_stop_is_moved_in_its_round(browse: Callable[..., Page], javascript: bool) -> None:
    page = browse(STAFF, viewport=PHONE, java_script_enabled=javascript)
    page.goto("/ferme/points-de-retrait")
    stops = page.get_by_role("region", name="Tournée du mardi").get_by_role("heading", level=3)
    expect(stops).to_have_text(["Halle de Serres", "Gare de Veynes"])
    page.get_by_role("button", name="Avancer Gare de Veynes d'un arrêt").click()
    expect(stops).to_have_text(["Gare de Veynes", "Halle de Serres"])
    if javascript:
        expect(page.get_by_role("button", name="Reculer Gare de Veynes d'un arrêt")).to_be_focused()
        expect(page.locator("[aria-live]")).to_have_text("Gare de Veynes : arrêt 1 sur 2")
    page.get_by_role("button", name="Reculer Gare de Veynes d'un arrêt").click()
    expect(stops).to_have_text(["Halle de Serres", "Gare de Veynes"])


@pytest.fixture
def gare() -> str:
    with own_transaction() as session:
        point = session.scalars(select(PickupPoint.id).where(PickupPoint.slug == "gare")).one()
    return f"/ferme/points-de-retrait/{point}"


def test_a_point_that_is_offered_no_more_is_gone_for_visitors(
    browse: Callable[..., Page], gare: str, javascript: bool
) -> None:
    page, visitor = browse(STAFF, viewport=PHONE, java_script_enabled=javascript), browse()
    page.goto(gare)
    page.get_by_text("Ne plus proposer ce point").click()
    expect(page.get_by_text("Personne n'y retire de panier en ce moment.")).to_be_visible()
    page.get_by_role("button", name="Ne plus le proposer").click()
    expect(page.locator(".flash")).to_contain_text("Ce point n'est plus proposé à personne.")
    visitor.goto("/points-de-retrait")
    expect(visitor.get_by_text("Halle de Serres").first).to_be_visible()
    expect(visitor.get_by_text("Gare de Veynes")).to_have_count(0)
    page.get_by_role("button", name="Proposer de nouveau").click()
    visitor.reload()
    expect(visitor.get_by_text("Gare de Veynes").first).to_be_visible()


def test_news_go_from_the_staff_to_the_subscribers(browse: Callable[..., Page], javascript: bool) -> None:
    page, camille = browse(STAFF, viewport=PHONE, java_script_enabled=javascript), browse(CAMILLE)
    page.goto("/ferme/reglages/nouvelles")
    page.get_by_role("link", name="Écrire une nouvelle").click()
    page.get_by_label("Titre").fill("La récolte commence")
    page.get_by_label("Texte").fill("Bonjour !\n\nÀ mardi.")
    page.get_by_role("button", name="Publier").click()
    expect(page.locator(".flash")).to_contain_text("La nouvelle est publiée")
    camille.goto("/espace")
    expect(camille.get_by_role("heading", name="La récolte commence")).to_be_visible()
    page.get_by_role("link", name="La récolte commence").click()
    page.get_by_text("Supprimer cette nouvelle").click()
    page.get_by_role("button", name="Supprimer").click()
    expect(page.locator(".flash")).to_contain_text("La nouvelle est supprimée.")
    camille.reload()
    expect(camille.get_by_role("heading", name="La récolte commence")).to_have_count(0)
