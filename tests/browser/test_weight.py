"""How much a page weighs on the way to the phone, heads included."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Page

from tests.browser.helpers import DESK, furnish
from tests.world import CAMILLE

KILOBYTE = 1024


@contextmanager
def weighed(page: Page) -> Iterator[list[int]]:
    """The bytes of each request of the block that left the browser."""
    sizes: list[int] = []
    devtools = page.context.new_cdp_session(page)
    devtools.send("Network.enable")
    devtools.on("Network.loadingFinished", lambda event: sizes.append(int(event["encodedDataLength"])))
    yield sizes
    sizes[:] = [size for size in sizes if size]
    devtools.detach()


@pytest.mark.parametrize(
    ("who", "path"), [(None, "/"), (None, "/connexion"), (None, "/boutique"), (CAMILLE, "/espace")]
)
def test_a_first_visit_is_light(browse: Callable[..., Page], who: str | None, path: str) -> None:
    furnish()
    page = browse(who)
    with weighed(page) as sizes:
        page.goto(path, wait_until="networkidle")
    assert 3 <= len(sizes) <= 10
    assert sum(sizes) <= 90 * KILOBYTE


def test_the_map_is_light_enough_without_its_tiles(browse: Callable[..., Page]) -> None:
    page = browse(viewport=DESK)
    page.route("https://**", lambda route: route.abort())
    with weighed(page) as sizes:
        page.goto("/points-de-retrait", wait_until="networkidle")
    assert page.locator(".leaflet-marker-icon").count() > 0
    assert sum(sizes) <= 200 * KILOBYTE


@pytest.mark.parametrize(
    ("who", "first", "later"),
    [
        (None, "/", "/formules"),
        (None, "/", "/boutique"),
        (CAMILLE, "/espace", "/planning"),
        (CAMILLE, "/planning", "/mon-compte"),
    ],
)
def test_a_later_page_is_lighter(
    browse: Callable[..., Page], who: str | None, first: str, later: str
) -> None:
    furnish()
    page = browse(who)
    page.goto(first, wait_until="networkidle")
    with weighed(page) as sizes:
        page.goto(later, wait_until="networkidle")
    assert len(sizes) >= 1
    assert sum(sizes) <= 15 * KILOBYTE
