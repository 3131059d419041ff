"""The shop on a phone: find, narrow, put into the order; with JavaScript and without."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.helpers import furnish
from tests.world import YACINE


@pytest.fixture
def page(browse: Callable[..., Page], javascript: bool) -> Page:
    furnish()
    page = browse(YACINE, java_script_enabled=javascript)
    page.goto("/boutique")
    return page


def wares(page: Page) -> Locator:
    return page.get_by_role("main").get_by_role("heading", level=3)


def test_one_finds_narrows_and_orders_with_a_thumb(page: Page, javascript: bool) -> None:
    expect(wares(page)).to_have_text(["Carottes", "Miel", "Pain de seigle"])
    page.get_by_label("Chercher un produit").fill("MIÈL")
    if not javascript:
        page.get_by_role("button", name="Chercher").click()
    expect(wares(page)).to_have_text(["Miel"])
    expect(page).to_have_url(re.compile("q=MI"))
    page.get_by_role("button", name="Ajouter : Miel").click()
    page.get_by_role("button", name="Plus : Miel").click()
    expect(page.get_by_text("Dans ma commande : 2")).to_be_visible()
    expect(page).to_have_url(re.compile("q=MI"))
    page.locator("#lien-commande").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Ma commande")
    page.go_back()
    page.reload()
    page.get_by_role("button", name="Moins : Miel").click()
    page.get_by_role("button", name="Retirer : Miel").click()
    expect(page.get_by_role("button", name="Ajouter : Miel")).to_be_visible()


def test_a_box_is_ticked_a_heart_is_pressed(page: Page, javascript: bool) -> None:
    page.get_by_role("button", name="Dans mes envies : Miel").click()
    expect(page.get_by_role("button", name="Dans mes envies : Miel")).to_have_attribute(
        "aria-pressed", "true"
    )
    page.get_by_role("checkbox", name="Mes envies").check()
    if not javascript:
        page.get_by_role("button", name="Chercher").click()
    expect(wares(page)).to_have_text(["Miel"])
    page.goto("/envies")
    page.get_by_role("button", name="Le mettre dans ma commande").click()
    expect(page.get_by_text("Un produit ajouté à votre commande.")).to_be_visible()


def test_presses_that_come_faster_than_answers_all_count(browse: Callable[..., Page]) -> None:
    furnish()
    page = browse(YACINE)
    page.goto("/boutique")
    add = page.get_by_role("button", name="Ajouter : Miel")
    add.evaluate("button => [1, 2, 3].forEach(() => document.getElementById(button.id).click())")
    expect(page.get_by_text("Dans ma commande : 3")).to_be_visible()


def test_the_focus_stays_where_one_pressed_and_the_words_are_told(browse: Callable[..., Page]) -> None:
    furnish()
    page = browse(YACINE)
    page.goto("/boutique")
    page.get_by_role("button", name="Ajouter : Miel").press("Enter")
    expect(page.get_by_role("button", name="Plus : Miel")).to_be_focused()
    expect(page.locator("#annonce")).to_have_text("Miel : 1 dans votre commande")
    page.get_by_role("button", name="Retirer : Miel").press("Enter")
    expect(page.get_by_role("button", name="Ajouter : Miel")).to_be_focused()
    page.get_by_label("Chercher un produit").press_sequentially("sei")
    expect(wares(page)).to_have_text(["Pain de seigle"])
    expect(page.get_by_label("Chercher un produit")).to_be_focused()
    expect(page.locator("#annonce")).to_have_text("1 produit")
    page.get_by_label("Dans quel ordre").select_option("Par prix")
    expect(page).to_have_url(re.compile(r"\?.*q=sei.*tri=prix"))
    assert page.evaluate("sessionStorage.length") == 0
