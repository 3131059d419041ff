"""The next box: what it is, skipping it, taking it back, and the clear no after the cutoff."""

from collections.abc import Callable
from datetime import date, timedelta

import pytest
from playwright.sync_api import Locator, Page, expect
from time_machine import Traveller

from portal.infra.orm import own_transaction
from tests.browser.helpers import compose, skips
from tests.world import CAMILLE, CUTOFF, YACINE

WEEK = date(2026, 6, 15)


@pytest.fixture
def page(browse: Callable[..., Page], javascript: bool) -> Page:
    """Camille's phone."""
    return browse(CAMILLE, java_script_enabled=javascript)


def bottom(locator: Locator) -> float:
    box = locator.bounding_box()
    return box["y"] + box["height"]


def next_box(page: Page) -> Locator:
    return page.get_by_role("region", name="Votre proch")


def test_it_says_when_where_what_and_until_when(page: Page) -> None:
    with own_transaction() as session:
        compose(session)
    page.goto("/espace")
    expect(page.get_by_role("heading", level=1)).to_have_text("Bonjour Camille")
    box = next_box(page)
    expect(box.get_by_role("time").first).to_have_text("mardi 16 juin")
    expect(box).to_contain_text("Halle de Serres")
    expect(box).to_contain_text("de 16 h 30 à 19 h, 1 place du Village, Serres")
    expect(box).to_contain_text("Modifiable jusqu'au dimanche 14 juin, 23 h 59")
    expect(box.get_by_role("listitem").filter(has_text="Carottes")).to_contain_text("1,5 kg")
    expect(box.get_by_text("Prévisionnel").first).to_be_visible()
    expect(box.get_by_role("link", name="Itinéraire")).to_be_visible()
    later = page.get_by_role("region", name="Ensuite").get_by_role("time")
    expect(later).to_have_text(["mardi 23 juin", "mardi 30 juin", "mardi 7 juillet"])
    expect(page.get_by_role("region", name="Nouvelles de la ferme")).to_contain_text(
        "Les courgettes arrivent"
    )


def test_a_single_box_is_skipped_in_one_press_and_taken_back(
    browse: Callable[..., Page], javascript: bool
) -> None:
    page = browse(YACINE, java_script_enabled=javascript)
    page.goto("/espace")
    day = next_box(page).get_by_role("time").first.inner_text()
    page.get_by_role("button", name="Sauter ce panier").first.click()
    expect(page.get_by_text("C'est fait : vous sautez la livraison").first).to_be_visible()
    skipped = page.get_by_role("article").filter(has_text="Sauté")
    expect(skipped.get_by_role("time")).to_have_text(day)
    expect(next_box(page).get_by_role("time").first).not_to_have_text(day)
    assert len(skips()) == 1

    skipped.get_by_role("button", name="Reprendre ce panier").click()
    expect(page.get_by_text("votre livraison").first).to_be_visible()
    expect(next_box(page).get_by_role("time").first).to_have_text(day)
    assert skips() == []


def test_of_several_boxes_one_is_chosen(page: Page) -> None:
    page.goto("/espace")
    box = next_box(page)
    box.locator("summary").click()
    box.get_by_role("checkbox", name="Grand panier").uncheck()
    box.get_by_role("button", name="Sauter", exact=True).click()
    expect(page.get_by_text("vous sautez la livraison du mardi 16 juin (Œufs)").first).to_be_visible()
    expect(box.get_by_role("time").first).to_have_text("mardi 16 juin")
    expect(box.get_by_role("listitem").filter(has_text="Œufs")).to_contain_text("(sauté)")
    assert skips() == [WEEK]

    box.get_by_role("button", name="Reprendre : Œufs").click()
    expect(page.get_by_text("de nouveau prévue (Œufs)").first).to_be_visible()
    assert skips() == []


def test_skipping_all_shows_the_delivery_after(page: Page) -> None:
    page.goto("/espace")
    next_box(page).locator("summary").click()
    next_box(page).get_by_role("button", name="Sauter", exact=True).click()
    expect(next_box(page).get_by_role("time").first).to_have_text("mardi 23 juin")
    expect(page.get_by_role("article", name="mardi 16 juin")).to_contain_text("Sauté")
    assert skips() == [WEEK, WEEK]


def test_choosing_none_skips_none_and_leaves_a_page_to_go_on_with(page: Page) -> None:
    page.goto("/espace")
    box = next_box(page)
    box.locator("summary").click()
    for checkbox in box.get_by_role("checkbox").all():
        checkbox.uncheck()
    box.get_by_role("button", name="Sauter", exact=True).click()
    expect(page.get_by_text("Rien n'était coché : rien n'a été changé.").first).to_be_visible()
    assert skips() == []


def test_focus_goes_to_what_changed_and_the_answer_is_read_aloud(browse: Callable[..., Page]) -> None:
    page = browse(CAMILLE)
    page.goto("/espace")
    next_box(page).locator("summary").click()
    next_box(page).get_by_role("button", name="Sauter", exact=True).click()
    changed = page.get_by_role("heading", name="Votre prochaine livraison")
    expect(changed).to_be_focused()
    expect(page.locator("[aria-live]")).to_contain_text(
        "C'est fait : vous sautez la livraison du mardi 16 juin"
    )
    answer = page.locator(".flash", has_text="C'est fait")
    expect(answer).to_be_in_viewport()
    assert bottom(answer) <= changed.bounding_box()["y"], "the answer lies over what changed"
    answer.get_by_role("button", name="Fermer").click()
    expect(answer).to_have_count(0)


def test_without_javascript_the_answer_takes_the_focus(browse: Callable[..., Page]) -> None:
    page = browse(CAMILLE, java_script_enabled=False)
    page.goto("/espace")
    next_box(page).locator("summary").click()
    next_box(page).get_by_role("button", name="Sauter", exact=True).click()
    answer = page.locator(".flash", has_text="C'est fait : vous sautez la livraison du mardi 16 juin")
    expect(answer).to_be_focused()
    expect(answer).to_be_in_viewport()


def test_after_the_cutoff_it_says_what_is_still_possible(page: Page, clock: Traveller) -> None:
    clock.move_to(CUTOFF)
    page.goto("/espace")
    box = next_box(page)
    expect(box.get_by_role("time").first).to_have_text("mardi 16 juin")
    expect(box.get_by_text("En préparation")).to_be_visible()
    expect(box).to_contain_text("Close depuis le dimanche 14 juin, 23 h 59")
    expect(box).to_contain_text("Un proche peut la retirer à votre place, de 16 h 30 à 19 h")
    expect(box.get_by_role("link", name="04 65 71 00 01")).to_be_visible()
    expect(box.get_by_text("Quelqu'un d'autre passe")).to_be_visible()
    expect(box.get_by_role("button", name="Sauter")).to_have_count(0)
    possible = page.get_by_role("region", name="Ce que vous pouvez encore changer")
    expect(possible.get_by_role("time")).to_have_text("mardi 23 juin")
    possible.locator("summary").click()
    possible.get_by_role("button", name="Sauter", exact=True).click()
    expect(page.get_by_text("vous sautez la livraison du mardi 23 juin").first).to_be_visible()
    assert skips() == [WEEK + timedelta(weeks=1)] * 2


def test_a_page_left_open_over_the_cutoff_is_refused_kindly(page: Page, clock: Traveller) -> None:
    page.goto("/espace")
    next_box(page).locator("summary").click()
    clock.move_to(CUTOFF)
    next_box(page).get_by_role("button", name="Sauter", exact=True).click()
    expect(
        page.get_by_text("Trop tard : cette livraison est close, rien n'a été changé.").first
    ).to_be_visible()
    expect(page.get_by_text("Close depuis le dimanche 14 juin, 23 h 59")).to_be_visible()
    assert skips() == []


def test_a_lost_connection_is_said_and_nothing_is_saved(
    browse: Callable[..., Page], complaints: list[str]
) -> None:
    page = browse(CAMILLE)
    page.goto("/espace")
    page.route("**/saut", lambda route: route.abort())
    next_box(page).locator("summary").click()
    next_box(page).get_by_role("button", name="Sauter", exact=True).click()
    expect(page.locator(".flash")).to_contain_text("Connexion perdue : rien n'a été enregistré.")
    expect(page.locator("[aria-live]")).to_contain_text("Connexion perdue")
    page.route("**/saut", lambda route: route.fulfill(status=503))
    next_box(page).get_by_role("button", name="Sauter", exact=True).click()
    expect(page.locator(".flash")).to_contain_text("Le site est très occupé : rien n'a été enregistré.")
    assert skips() == []
    page.unroute("**/saut")
    next_box(page).get_by_role("button", name="Sauter", exact=True).click()
    expect(page.locator(".flash")).to_contain_text("C'est fait")
    assert skips() == [WEEK, WEEK]
    complaints.clear()  # the console says it too
