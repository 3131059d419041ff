"""The planning: skipping and taking back week by week, and the weeks that follow."""

import re
from collections.abc import Callable
from datetime import date

import pytest
from playwright.sync_api import Locator, Page, expect
from time_machine import Traveller

from tests.browser.helpers import furnish, skips
from tests.world import CAMILLE, CUTOFF, YACINE

WEEK = date(2026, 6, 22)


@pytest.fixture
def page(browse: Callable[..., Page], javascript: bool) -> Page:
    """Camille's phone."""
    return browse(CAMILLE, java_script_enabled=javascript)


def card(page: Page, day: str) -> Locator:
    return page.get_by_role("article", name=day)


def weeks(page: Page) -> Locator:
    return page.get_by_role("heading", name="Semaine du")


def test_a_delivery_is_skipped_and_taken_back_where_it_stands(page: Page) -> None:
    page.goto("/planning")
    delivery = card(page, "mardi 23 juin")
    expect(delivery).to_contain_text("Prévu")
    expect(delivery).to_contain_text("Modifiable jusqu'au dimanche 21 juin, 23 h 59")
    delivery.get_by_role("button", name="Sauter cette livraison").click()
    expect(page.get_by_text("vous sautez la livraison du mardi 23 juin").first).to_be_visible()
    expect(delivery).to_contain_text("Sauté")
    expect(card(page, "mardi 30 juin")).to_contain_text("Prévu")
    assert skips() == [WEEK, WEEK]

    delivery.get_by_role("button", name="Reprendre ces paniers").click()
    expect(page.get_by_text("votre livraison du mardi 23 juin est de nouveau prévue").first).to_be_visible()
    expect(delivery).to_contain_text("Prévu")
    assert skips() == []


def test_of_several_boxes_one_is_chosen(page: Page) -> None:
    page.goto("/planning")
    card(page, "mardi 23 juin").get_by_role("link", name="Reporter, changer").click()
    page.locator(".dialog > summary").click()
    page.get_by_role("group", name="Que voulez-vous sauter").get_by_label("Œufs").uncheck()
    page.get_by_role("button", name="Sauter", exact=True).click()
    delivery = page.get_by_role("article", name="mardi 23 juin")
    expect(delivery.get_by_role("listitem").filter(has_text="Grand panier").first).to_contain_text("(sauté)")
    expect(delivery.get_by_role("button", name="Sauter : Œufs")).to_be_visible()
    assert skips() == [WEEK]


def test_the_changed_week_takes_the_focus_and_is_told(browse: Callable[..., Page]) -> None:
    page = browse(CAMILLE)
    page.goto("/planning")
    card(page, "mardi 23 juin").get_by_role("button", name="Sauter cette livraison").click()
    title = page.get_by_role("heading", name="Semaine du 22 juin")
    expect(title).to_be_focused()
    expect(title).to_be_in_viewport()
    expect(page.locator("[aria-live]")).to_contain_text("vous sautez la livraison du mardi 23 juin")


def test_without_javascript_one_comes_back_to_the_week(browse: Callable[..., Page]) -> None:
    page = browse(CAMILLE, java_script_enabled=False)
    page.goto("/planning")
    card(page, "mardi 7 juillet").get_by_role("button", name="Sauter cette livraison").click()
    expect(page).to_have_url(re.compile("/planning#semaine-2026-07-06$"))
    expect(page.get_by_role("heading", name="Semaine du 6 juillet")).to_be_in_viewport()


def test_more_weeks_are_a_press_away(page: Page) -> None:
    page.goto("/planning")
    expect(weeks(page)).to_have_count(8)
    page.get_by_role("link", name="Voir toute l'année").click()
    expect(weeks(page)).to_have_count(8)
    later = page.get_by_role("link", name="mardi 4 août")
    expect(later).to_be_in_viewport()
    later.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Semaine du 3 août")


def test_weeks_without_a_box_are_said(browse: Callable[..., Page], javascript: bool) -> None:
    furnish()
    page = browse(YACINE, java_script_enabled=javascript)
    page.goto("/planning")
    expect(page.get_by_text("Pas de panier cette semaine").first).to_be_visible()
    page = browse(CAMILLE, java_script_enabled=javascript)
    page.goto("/planning")
    expect(page.get_by_text("Les maraîchers se reposent.")).to_be_visible()


def test_a_closed_delivery_has_no_button(page: Page, clock: Traveller) -> None:
    clock.move_to(CUTOFF)
    page.goto("/planning")
    delivery = card(page, "mardi 16 juin")
    expect(delivery).to_contain_text("Close depuis le dimanche 14 juin, 23 h 59")
    expect(delivery.locator("form")).to_have_count(0)


def test_a_page_left_open_over_the_cutoff_is_refused_kindly(page: Page, clock: Traveller) -> None:
    page.goto("/planning")
    delivery = card(page, "mardi 16 juin")
    clock.move_to(CUTOFF)
    delivery.get_by_role("button", name="Sauter cette livraison").click()
    expect(page.get_by_text("Trop tard").first).to_be_visible()
    expect(delivery).to_contain_text("Close depuis le dimanche 14 juin, 23 h 59")
    assert skips() == []


def test_what_a_delivery_holds_is_a_press_away(page: Page) -> None:
    furnish()
    page.goto("/planning")
    page.get_by_role("link", name="Voir le contenu du mardi 16 juin").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Livraison du mardi 16 juin 2026")
    box = page.get_by_role("region", name="Grand panier")
    expect(box.get_by_role("heading")).to_contain_text("Prévisionnel")
    expect(box.get_by_role("listitem").filter(has_text="1 botte")).to_contain_text("Au frais, sans fanes.")
    expect(box).to_contain_text("Carottes : 1,5 kg au lieu de 1 kg")
    expect(box).to_contain_text("Salade : en plus, 1 pièce")
    expect(page.get_by_text("Attention, ce contenu est un prévisionnel")).to_be_visible()
    page.get_by_role("link", name="Retour au planning").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Planning")
