"""Two members of staff who compose the same delivery at once."""

from collections.abc import Iterator
from functools import partial

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from portal.deliveries.queries import DeliveryView, upcoming
from portal.deliveries.services import generate
from portal.infra.orm import own_transaction
from portal.rules.calendar import WEEK
from tests.client import Browser
from tests.composing import contents, formula, product, put
from tests.races.helpers import AHEAD, meetings
from tests.world import STAFF, TODAY


@pytest.fixture(autouse=True)
def years_ahead(app: Flask) -> None:
    """Each meeting has a delivery of its own."""
    with app.app_context(), own_transaction() as session:
        generate(session, TODAY, TODAY + AHEAD)


def desk(app: Flask) -> Browser:
    browser: Browser = app.test_client()  # type: ignore[assignment]
    browser.sign_in(STAFF)
    browser.get("/ferme/livraisons")
    browser.htmx = True
    return browser


def deliveries(app: Flask) -> Iterator[DeliveryView]:
    with app.app_context(), own_transaction() as session:
        ahead = upcoming(session, TODAY + WEEK, TODAY + AHEAD)
    return iter(ahead)


def written(app: Flask, delivery: DeliveryView) -> dict[str, int]:
    """What the large box holds."""
    with app.app_context(), own_transaction() as session:
        return {content: amount for (_, content), amount in contents(session, delivery).items()}


def cells_at_once(
    app: Flask, reader: Flask, *cells: tuple[str, str], begun: bool = False
) -> Iterator[tuple[set[int], dict[str, int]]]:
    """Two people each fill a cell of one box at once: the answers, and what the box holds then.

    The box is empty, or begun with a bunch of radishes.
    """
    with reader.app_context(), own_transaction() as session:
        box = formula(session, "grand")
        ids = {content: product(session, content) for content, _ in cells}
    ahead = deliveries(reader)
    delivery = next(ahead)

    def fill(browser: Browser, content: str, text: str) -> TestResponse:
        page = f"/ferme/paniers/{delivery.day}/{delivery.tour_slug}"
        return browser.submit(f"{page}/{box}/{ids[content]}", {f"cell-{box}-{ids[content]}": text})

    def prepare() -> None:
        if begun:
            with reader.app_context(), own_transaction() as session:
                put(session, delivery, "grand", "radis", 1)

    one, other = (partial(fill, desk(app), *cell) for cell in cells)
    prepare()
    for answers in meetings(app, one, other):
        yield {500 if isinstance(a, Exception) else a.status_code for a in answers}, written(reader, delivery)
        delivery = next(ahead)
        prepare()


@pytest.mark.rounds(2)
def test_two_who_fill_an_empty_box_at_once_both_have_their_cell(app: Flask) -> None:
    for statuses, box in cells_at_once(app, app, ("carottes", "1"), ("salade", "2")):
        assert statuses == {200}
        assert box == {"Carottes": 1000, "Salade": 2}


@pytest.mark.rounds(2)
def test_of_two_who_fill_one_cell_at_once_the_last_wins(app: Flask) -> None:
    for statuses, box in cells_at_once(app, app, ("carottes", "1"), ("carottes", "2"), begun=True):
        assert statuses == {200}
        assert box in ({"Carottes": 1000, "Radis": 1}, {"Carottes": 2000, "Radis": 1})


def test_without_locks_a_cell_is_lost(app: Flask, unlocked: Flask) -> None:
    met = cells_at_once(unlocked, app, ("carottes", "1"), ("salade", "2"))
    assert any(statuses != {200} or len(box) < 2 for statuses, box in met)
