"""The staff's desk: composing boxes cell by cell, following deliveries, reading the mail that left."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from playwright.sync_api import Locator, Page, expect
from time_machine import Traveller

from portal.infra.orm import own_transaction
from tests.browser.helpers import DESK, compose, furnish, work
from tests.composing import contents, delivery_on
from tests.world import CAMILLE, CUTOFF, STAFF, TUESDAY

GRID = "/ferme/paniers/2026-06-16/mardi"


@pytest.fixture
def page(browse: Callable[..., Page]) -> Page:
    return browse(STAFF, viewport=DESK)


def cell(page: Page, product: str, formula: str = "Grand panier") -> Locator:
    return page.get_by_role("textbox", name=f"{product}, {formula}")


def saved() -> dict[tuple[str, str], int]:
    with own_transaction() as session:
        return contents(session, delivery_on(session, TUESDAY))


def test_boxes_are_composed_with_the_keyboard_alone(page: Page) -> None:
    page.goto(GRID)
    for product in ("Carottes", "Radis"):
        page.get_by_label("Ajouter un produit").focus()
        page.keyboard.type(product)
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        expect(cell(page, product)).to_be_visible()
    cell(page, "Carottes").focus()
    page.keyboard.type("1,5")
    page.keyboard.press("Enter")
    expect(cell(page, "Radis")).to_be_focused()
    page.keyboard.type("2")
    page.keyboard.press("ArrowUp")
    expect(cell(page, "Carottes")).to_be_focused()
    page.keyboard.press("ArrowLeft")
    expect(cell(page, "Carottes")).not_to_be_focused()
    page.keyboard.press("ArrowRight")
    expect(cell(page, "Carottes")).to_be_focused()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.locator(".cell-saved")).to_have_count(2)
    expect(page.locator("[aria-live]")).to_have_text("Enregistré")
    assert saved() == {("grand", "Carottes"): 1500, ("grand", "Radis"): 2}
    worth = page.get_by_role("row", name="Valeur")
    expect(worth).to_contain_text("7,35 €")  # 1,5 kg at 2,50 € and two bunches at 1,80 €

    page.reload()
    expect(cell(page, "Carottes")).to_have_value("1,5")
    expect(cell(page, "Radis")).to_have_value("2")


def test_a_refused_amount_is_said_beside_its_cell_and_changes_nothing(page: Page) -> None:
    with own_transaction() as session:
        compose(session)
    before = saved()
    page.goto(GRID)
    carrots = cell(page, "Carottes")
    carrots.fill("beaucoup")
    carrots.press("Tab")
    expect(carrots).to_have_attribute("aria-invalid", "true")
    expect(carrots).to_have_value("beaucoup")
    expect(carrots).to_have_accessible_description("Écrivez un nombre, comme 0,5.")
    assert saved() == before
    carrots.fill("0,8")
    carrots.press("Tab")
    expect(carrots).not_to_have_attribute("aria-invalid", "true")
    assert saved() == before | {("grand", "Carottes"): 800}


def test_a_cell_that_was_not_sent_says_so_and_keeps_what_was_typed(page: Page, complaints: list[str]) -> None:
    with own_transaction() as session:
        compose(session)
    before = saved()
    page.goto(GRID)
    page.route("**/paniers/**", lambda route: route.abort())
    cell(page, "Carottes").fill("2")
    cell(page, "Carottes").press("Tab")
    expect(page.locator(".flash")).to_contain_text("Connexion perdue : rien n'a été enregistré.")
    expect(cell(page, "Carottes")).to_have_value("2")
    assert saved() == before
    complaints.clear()  # the console says it too


def test_the_grid_is_a_plain_form_too(browse: Callable[..., Page]) -> None:
    page = browse(STAFF, viewport=DESK, java_script_enabled=False)
    page.goto(GRID)
    page.get_by_label("Ajouter un produit").select_option(label="Carottes")
    page.get_by_role("button", name="Ajouter").click()
    cell(page, "Carottes").fill("x")
    page.get_by_role("button", name="Enregistrer").click()
    expect(cell(page, "Carottes")).to_have_accessible_description("Écrivez un nombre, comme 0,5.")
    cell(page, "Carottes").fill("1,5")
    page.get_by_role("button", name="Enregistrer").click()
    expect(page.get_by_text("Les paniers sont enregistrés.")).to_be_visible()
    assert saved() == {("grand", "Carottes"): 1500}


def test_what_staff_show_confirm_and_change_is_what_subscribers_see(
    page: Page, browse: Callable[..., Page]
) -> None:
    with own_transaction() as session:
        compose(session)
    camille = browse(CAMILLE)
    page.goto(GRID)
    page.get_by_role("button", name="Revenir au brouillon").click()
    expect(page.get_by_text("Brouillon : les abonné·es ne voient plus ces paniers.")).to_be_visible()
    camille.goto("/espace")
    expect(camille.get_by_text("La composition n'est pas encore connue")).to_be_visible()

    page.get_by_role("button", name="Montrer comme prévisionnel").click()
    expect(page.get_by_text("voient maintenant ces paniers comme prévisionnels")).to_be_visible()
    camille.reload()
    expect(camille.get_by_text("Prévisionnel", exact=True)).to_have_count(2)

    page.get_by_role("button", name="Confirmer").click()
    expect(page.get_by_text("voient maintenant ces paniers comme confirmés")).to_be_visible()
    camille.reload()
    expect(camille.get_by_text("Confirmé", exact=True)).to_have_count(2)

    cell(page, "Radis").fill("")
    cell(page, "Radis").press("Tab")
    expect(page.get_by_role("region", name="Changé depuis que c'est montré")).to_contain_text(
        "Radis (Grand panier) retiré"
    )
    camille.goto("/livraisons/2026-06-16/mardi")
    expect(camille.get_by_text("Radis : absent cette fois")).to_be_visible()


def test_boxes_are_copied_and_replaced_only_when_asked(page: Page) -> None:
    with own_transaction() as session:
        compose(session)
    page.goto("/ferme/paniers/2026-06-23/mardi")
    copy = page.get_by_text("Copier d'une livraison précédente")
    copy.click()
    page.get_by_label("Copier les paniers du").select_option(label="mardi 16 juin, Tournée du mardi")
    page.get_by_role("button", name="Copier", exact=True).click()
    expect(page.get_by_text("Les paniers sont copiés.")).to_be_visible()
    expect(cell(page, "Carottes")).to_have_value("1,5")
    copy.click()
    page.get_by_role("button", name="Copier", exact=True).click()
    expect(page.get_by_text("Les remplacer par ceux du mardi 16 juin ?")).to_be_visible()
    page.get_by_role("button", name="Remplacer").click()
    expect(page.get_by_text("Les paniers sont copiés.")).to_be_visible()


def test_from_the_week_to_the_frozen_list(
    app: Flask, browse: Callable[..., Page], page: Page, clock: Traveller
) -> None:
    page.goto("/ferme")
    tuesday = page.get_by_role("article", name="Tournée du mardi")
    expect(tuesday).to_contain_text("Ouverte")
    expect(tuesday.get_by_role("link", name="Composer les paniers")).to_be_visible()
    page.get_by_role("link", name="Livraisons", exact=True).click()
    page.get_by_role("link", name="mardi 16 juin").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Tournée du mardi")
    expect(page.get_by_role("row", name="Halle de Serres").get_by_role("cell")).to_have_text(["1", "1", "2"])
    page.get_by_role("link", name="Liste par point").click()
    expect(page.get_by_text("PROVISOIRE").first).to_be_visible()

    clock.move_to(CUTOFF + timedelta(minutes=1))
    work(app)
    page = browse(STAFF, viewport=DESK)  # staff sign in every day
    page.goto("/ferme/livraisons/2026-06-16/mardi")
    expect(page.get_by_text("Close depuis le dimanche 14 juin, 23 h 59")).to_be_visible()
    page.get_by_role("link", name="Liste par point").click()
    expect(page.get_by_text("Liste arrêtée le dimanche 14 juin, 23 h 59").first).to_be_visible()
    expect(page.get_by_text("PROVISOIRE")).to_have_count(0)


def test_the_mail_of_a_skip_is_in_the_mailbox(app: Flask, page: Page, browse: Callable[..., Page]) -> None:
    camille = browse(CAMILLE)
    camille.goto("/espace")
    camille.locator("summary").click()
    camille.get_by_role("button", name="Sauter", exact=True).click()
    expect(camille.locator(".flash")).to_be_visible()
    page.goto("/ferme/courrier")
    mail = page.get_by_role("listitem").filter(has_text=CAMILLE)
    expect(mail).to_contain_text("En attente")
    work(app)
    page.reload()
    expect(mail).to_contain_text("Gardé ici")
    mail.get_by_role("link").click()
    expect(page.get_by_role("article")).to_contain_text("mardi 16 juin")
    page.get_by_role("link", name="Voir la version mise en page").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Paniers sautés")


def test_a_mail_that_failed_is_sent_again(page: Page) -> None:
    furnish()
    page.goto("/ferme/courrier")
    expect(page.get_by_text("Un mail n'a pas pu partir.")).to_be_visible()
    page.get_by_role("button", name="Tout renvoyer").click()
    expect(page.get_by_text("Le message va repartir dans un instant.")).to_be_visible()
