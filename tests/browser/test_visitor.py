"""A visitor at the shop window: what there is, what it costs, where and until when."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect


@pytest.fixture
def page(browse: Callable[..., Page], javascript: bool) -> Page:
    return browse(java_script_enabled=javascript)


def test_the_home_page_says_what_the_farm_offers_where_and_how(page: Page) -> None:
    page.goto("/")
    expect(page.get_by_role("heading", level=1)).to_have_text("Des légumes de la vallée")
    page.get_by_role("link", name="Voir les formules").click()
    formulas = page.get_by_role("region", name="Nos formules")
    expect(formulas).to_be_in_viewport()
    expect(formulas.get_by_role("listitem")).to_contain_text(
        ["Petit panier 2 personnes 11,50 €", "Grand panier 2 personnes 19,50 €", "Œufs 2 personnes 2,40 €"]
    )
    expect(page.get_by_role("region", name="Comment ça marche").get_by_role("listitem")).to_have_count(4)
    points = page.get_by_role("region", name="Où retirer son panier")
    expect(points).to_contain_text("Modifiable jusqu'au dimanche, 23 h 59")
    expect(points.get_by_text("Halle de Serres")).to_be_visible()
    expect(points.get_by_text("de 16 h 30 à 19 h").first).to_be_visible()
    expect(page.get_by_role("link", name="04 65 71 00 01").first).to_have_attribute(
        "href", "tel:+33465710001"
    )


def test_the_formulas_say_until_when_one_can_change_ones_mind(page: Page) -> None:
    page.goto("/")
    page.get_by_role("contentinfo").get_by_role("link", name="Nos formules").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Nos formules")
    expect(page.get_by_role("row", name="le mardi")).to_contain_text("jusqu'au dimanche, 23 h 59")
    expect(page.get_by_role("row", name="le jeudi")).to_contain_text("jusqu'au lundi, 23 h 59")
    expect(page.get_by_role("row", name="le vendredi")).to_contain_text("jusqu'au mardi, 23 h 59")
