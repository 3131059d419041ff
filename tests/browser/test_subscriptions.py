"""Subscriptions on a phone: changing terms after a look, taking that back, adding a formula."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect
from time_machine import Traveller

from tests.world import CAMILLE, CUTOFF


@pytest.fixture
def page(browse: Callable[..., Page], javascript: bool) -> Page:
    """Camille's phone."""
    return browse(CAMILLE, java_script_enabled=javascript)


def look(page: Page, javascript: bool, button: str = "Voir ce que cela change") -> Locator:
    """The preview of what is chosen: it follows by itself, or is asked for."""
    if not javascript:
        page.get_by_role("button", name=button).click()
    return page.locator("#apercu")


def test_terms_are_changed_after_a_look_and_taken_back(page: Page, javascript: bool) -> None:
    page.goto("/mon-compte")
    page.get_by_role("link", name="Mes abonnements").click()
    page.get_by_role("link", name="Modifier : Grand panier").click()
    page.get_by_label("Petit panier").check()
    page.get_by_label("Point de retrait").select_option(label="Mairie de Laragne, Serres")
    seen = look(page, javascript)
    expect(seen.get_by_role("heading", name="Petit panier")).to_be_visible()
    expect(seen.get_by_text("À partir du jeudi 18 juin").first).to_be_visible()
    expect(page.get_by_label("chaque semaine : 18, 25 juin, 2 juillet")).to_be_checked()
    expect(seen.get_by_role("heading", name="Œufs")).to_be_visible()
    page.get_by_label("Aussi pour vos œufs ?").uncheck()
    look(page, javascript)
    expect(seen.get_by_role("heading", name="Œufs")).to_have_count(0)

    seen.get_by_role("button", name="Confirmer le changement").click()
    expect(page.locator(".flash-success")).to_contain_text("Petit panier à partir du jeudi 18 juin")
    box = page.get_by_role("region", name="Grand panier")
    expect(box).to_contain_text("À partir du jeudi 18 juin : Petit panier, Mairie de Laragne")
    expect(page.get_by_role("region", name="Œufs")).not_to_contain_text("À partir du")

    box.get_by_role("button", name="Annuler ce changement").click()
    expect(page.locator(".flash-success")).to_contain_text("ce changement est annulé")
    expect(page.get_by_text("À partir du")).to_have_count(0)


def test_a_page_left_open_over_the_cutoff_says_the_new_date(
    page: Page, javascript: bool, clock: Traveller
) -> None:
    page.goto("/abonnements/1/modifier")
    page.get_by_label("Petit panier").check()
    seen = look(page, javascript)
    expect(seen).to_contain_text("À partir du mardi 16 juin")
    clock.move_to(CUTOFF)
    seen.get_by_role("button", name="Confirmer le changement").click()
    expect(page.locator(".flash-error")).to_be_focused()
    expect(seen).to_contain_text("À partir du mardi 23 juin")
    expect(page.get_by_role("radio", name="Petit panier")).to_be_checked()
    seen.get_by_role("button", name="Confirmer le changement").click()
    expect(page.locator(".flash-success")).to_contain_text("Petit panier à partir du mardi 23 juin")


def test_the_preview_follows_the_form_and_leaves_the_focus_where_it_is(browse: Callable[..., Page]) -> None:
    page = browse(CAMILLE)
    page.goto("/abonnements/1/modifier")
    page.get_by_label("chaque semaine").focus()
    page.keyboard.press("ArrowDown")
    chosen = page.get_by_label("une semaine sur deux : 16, 30 juin, 14 juillet")
    expect(page.locator("#apercu")).to_contain_text("pas de panier")
    expect(chosen).to_be_checked()
    expect(chosen).to_be_focused()
    expect(page.locator("[aria-live]")).to_contain_text("Aperçu à jour : à partir du mardi 16 juin")
