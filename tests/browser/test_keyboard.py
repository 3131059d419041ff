"""Going through a page with the keyboard: where one is can be seen, and nothing lies over it."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.helpers import furnish
from tests.world import CAMILLE

FOCUSED = """() => {
  const here = document.activeElement, box = here.getBoundingClientRect();
  const ring = getComputedStyle(here);
  const over = [...document.querySelectorAll("nav, .flashes-kept, .cart-bar")]
    .filter((bar) => getComputedStyle(bar).position === "sticky" && !bar.contains(here))
    .map((bar) => bar.getBoundingClientRect())
    .some((bar) => box.bottom > bar.top + 1 && box.top < bar.bottom - 1);
  const seen = box.top >= -1 && box.bottom <= innerHeight + 1 || box.height > innerHeight;
  return { what: here.outerHTML.slice(0, 100), over, seen, ring: ring.outlineStyle !== "none" || here.matches("main") };
}"""
AT_THE_END = "document.activeElement === document.body"


@pytest.mark.parametrize("path", ["/espace", "/planning", "/boutique"])
@pytest.mark.parametrize("key", ["Tab", "Shift+Tab"])
def test_what_has_the_focus_is_in_sight_of_the_bottom_bar(
    browse: Callable[..., Page], path: str, key: str
) -> None:
    furnish()
    page = browse(CAMILLE)
    page.goto(path)
    stops = []
    page.keyboard.press(key)
    while not page.evaluate(AT_THE_END):
        stops.append(page.evaluate(FOCUSED))
        page.keyboard.press(key)
    assert len(stops) > 10
    assert [stop for stop in stops if stop["over"] or not stop["seen"] or not stop["ring"]] == []


def test_the_first_stop_leads_past_the_head(browse: Callable[..., Page]) -> None:
    page = browse(CAMILLE)
    page.goto("/espace")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Aller au contenu")).to_be_focused()
    expect(page.get_by_role("link", name="Aller au contenu")).to_be_in_viewport()
    page.keyboard.press("Enter")
    expect(page.get_by_role("main")).to_be_focused()


def test_a_box_is_skipped_with_the_keyboard_alone(browse: Callable[..., Page]) -> None:
    page = browse(CAMILLE)
    page.goto("/espace")
    page.locator("summary").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("checkbox").first).to_be_visible()
    for key in ("Tab", "Space", "Tab", "Tab", "Enter"):
        page.keyboard.press(key)
    expect(page.locator("[aria-live]")).to_contain_text("vous sautez la livraison du mardi 16 juin (Œufs)")
