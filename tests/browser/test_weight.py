"""How much pages weigh in a browser that is new, and once it knows them; test_every_page.py weighs all of them."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from tests.browser.helpers import DESK
from tests.browser.weighing import LATER, Scales
from tests.world import CAMILLE


@pytest.mark.usefixtures("furnished")
@pytest.mark.parametrize(
    ("who", "path"), [(None, "/"), (None, "/boutique"), (None, "/points-de-retrait"), (CAMILLE, "/planning")]
)
def test_a_page_is_light_at_first_and_all_that_is_asked_again_later(
    browse: Callable[..., Page], who: str | None, path: str
) -> None:
    page = browse(who, viewport=DESK)
    scales = Scales(page)
    with scales.visit() as first:
        page.goto(path, wait_until="networkidle")
    with scales.visit() as later:
        page.goto(path, wait_until="networkidle")
    assert len(first.came) >= 3
    assert first.faults() == later.faults() == []
    assert later.came == {page.url}
    assert 0 < later.later <= LATER
