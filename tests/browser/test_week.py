"""One week and the pauses: what is asked for is seen before it is confirmed, done at once, and taken back."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect
from time_machine import Traveller

from tests.browser.helpers import DESK
from tests.world import CAMILLE, CUTOFF

WEEK = "/planning/2026-06-15"


@pytest.fixture
def page(browse: Callable[..., Page], javascript: bool) -> Page:
    """Camille's phone."""
    return browse(CAMILLE, java_script_enabled=javascript)


def test_a_box_is_postponed_seen_where_it_goes_and_brought_back(page: Page) -> None:
    page.goto("/planning")
    page.get_by_role("article", name="mardi 16 juin").get_by_role("link", name="Reporter, changer").click()
    page.get_by_text("Reporter à une autre date").click()
    page.get_by_role("checkbox", name="Œufs").last.uncheck()
    page.get_by_label("mardi 23 juin").check()
    page.get_by_role("button", name="Reporter", exact=True).click()
    expect(page.get_by_text("reporté du mardi 16 juin au mardi 23 juin").first).to_be_visible()
    expect(page.get_by_text("Grand panier reporté au mardi 23 juin")).to_be_visible()

    page.goto("/planning")
    arrival = page.get_by_role("article", name="mardi 23 juin")
    expect(arrival).to_contain_text("Grand panier reporté de la semaine du 15 juin")
    expect(arrival.get_by_role("listitem").filter(has_text="Grand panier")).to_have_count(2)

    page.goto(WEEK)
    page.get_by_role("button", name="Annuler le report").click()
    expect(page.get_by_text("de nouveau à sa date").first).to_be_visible()
    expect(page.get_by_role("button", name="Annuler le report")).to_have_count(0)


def test_what_has_changed_lies_below_its_answer(browse: Callable[..., Page]) -> None:
    page = browse(CAMILLE)
    page.goto(WEEK)
    page.get_by_text("Changer pour cette fois : Grand panier").click()
    page.get_by_label("Petit panier").check()
    page.get_by_role("button", name="Changer pour cette fois").first.click()
    answer, sheet = page.locator("#flash"), page.locator("#feuille")
    expect(sheet).to_be_focused()
    expect(answer).to_be_in_viewport()
    below, above = sheet.bounding_box(), answer.bounding_box()
    assert below and above and below["y"] >= above["y"] + above["height"]


def test_boxes_are_collected_elsewhere_for_once_on_another_day(page: Page) -> None:
    page.goto(WEEK)
    page.get_by_text("Retirer ailleurs, pour cette fois").click()
    page.get_by_label("Café de Sisteron").check()
    page.get_by_role("button", name="Retirer là pour cette fois").click()
    expect(page.get_by_text("à retirer le vendredi 19 juin").first).to_be_visible()
    expect(page.get_by_text("Modifiable jusqu'au mardi 16 juin, 23 h 59", exact=True)).to_be_visible()
    page.get_by_role("button", name="Revenir à mon point habituel").click()
    expect(page.get_by_text("Modifiable jusqu'au dimanche 14 juin, 23 h 59", exact=True)).to_be_visible()


def test_a_box_is_another_one_for_once(page: Page) -> None:
    page.goto(WEEK)
    page.get_by_text("Changer pour cette fois : Grand panier").click()
    page.get_by_label("Petit panier").check()
    page.get_by_role("button", name="Changer pour cette fois").first.click()
    expect(page.get_by_text("vous recevrez : Petit panier").first).to_be_visible()
    page.get_by_role("button", name="Revenir à mon panier habituel").click()
    expect(page.get_by_text("comme d'habitude : Grand panier").first).to_be_visible()


def test_a_range_is_suspended_after_a_look_at_what_it_means(page: Page, javascript: bool) -> None:
    page.goto("/planning")
    page.get_by_role("link", name="Suspendre une période").click()
    page.get_by_label("Du", exact=True).fill("2026-06-11")
    page.get_by_label("Au", exact=True).fill("2026-06-30")
    page.get_by_label("Œufs").uncheck()
    if not javascript:
        page.get_by_role("button", name="Voir ce que cela change").click()
    preview = page.get_by_role("region", name="Ce que cela change")
    expect(preview).to_contain_text("Reprise automatique le mardi 7 juillet")
    expect(preview).to_contain_text("51,00 € au lieu de 109,50 €")
    preview.get_by_role("button", name="Confirmer la suspension").click()

    expect(page.get_by_text("suspendu du jeudi 11 juin").first).to_be_visible()
    tuesday = page.get_by_role("article", name="mardi 16 juin")
    expect(tuesday).to_contain_text("(suspendu)")
    tuesday.get_by_role("button", name="Reprendre : Grand panier").click()
    expect(page.get_by_text("votre livraison du mardi 16 juin est de nouveau prévue").first).to_be_visible()

    page.get_by_role("button", name="Reprendre dès maintenant").click()
    expect(page.get_by_text("la suspension est terminée").first).to_be_visible()
    expect(page.get_by_text("(suspendu)")).to_have_count(0)


def test_the_cutoff_comes_while_one_chooses(page: Page, clock: Traveller) -> None:
    page.goto(WEEK)
    page.get_by_text("Reporter à une autre date").click()
    page.get_by_label("mardi 23 juin").check()
    clock.move_to(CUTOFF)
    page.get_by_role("button", name="Reporter", exact=True).click()
    expect(page.get_by_text("Trop tard").first).to_be_visible()
    expect(page.get_by_text("Un proche peut la retirer à votre place")).to_be_visible()
    expect(page.get_by_role("button", name="Reporter", exact=True)).to_have_count(0)


def test_a_month_stands_beside_the_list_on_a_wide_screen(browse: Callable[..., Page]) -> None:
    page = browse(CAMILLE, viewport=DESK)
    page.goto("/planning")
    june = page.locator(".month").first
    expect(june).to_be_visible()
    expect(june.locator("th").first).to_have_text("L")
    june.get_by_text("23", exact=True).click()
    expect(page.get_by_role("heading", name="Semaine du 22 juin")).to_be_in_viewport()
    phone = browse(CAMILLE)
    phone.goto("/planning")
    expect(phone.locator(".month").first).to_be_hidden()
