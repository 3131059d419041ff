"""Staff at the scale."""

from collections.abc import Callable

import pytest
from flask import Flask
from playwright.sync_api import Page, expect
from sqlalchemy import select

from portal.infra.orm import own_transaction
from portal.rules.selling import SaleUnit
from portal.shop.models import OrderLine
from tests.browser.helpers import DESK
from tests.shop.making import article, order
from tests.world import STAFF

PAGE = "/ferme/commandes/2026-06-16/mardi"


def weights() -> list[int | None]:
    with own_transaction() as session:
        return list(session.scalars(select(OrderLine.given).order_by(OrderLine.id)))


@pytest.fixture
def carrots(app: Flask) -> None:
    with own_transaction() as session:
        carrots = article(session, "Carottes", 240, sale_unit=SaleUnit.WEIGHT, step=250)
        leeks = article(session, "Poireaux", 320, sale_unit=SaleUnit.WEIGHT, step=250)
        order(session, {carrots: 500, leeks: 250})
        order(session, {carrots: 250}, email=None)


def test_enter_saves_a_weight_and_goes_to_the_next_across_products(
    carrots: None, browse: Callable[..., Page]
) -> None:
    page = browse(STAFF, viewport=DESK)
    page.goto(f"{PAGE}/pesee")
    fields = page.get_by_label("Poids en kilos")
    fields.nth(0).focus()
    for place, (typed, left) in enumerate(
        (("0,480", "Encore 2 pesées."), ("255 g", "Encore une pesée."), ("0,26", "Tout est pesé."))
    ):
        expect(fields.nth(place)).to_be_focused()
        page.keyboard.type(typed)
        page.keyboard.press("Enter")
        expect(page.get_by_text(left)).to_be_visible()
    expect(page.get_by_text("1,15")).to_be_visible()
    assert weights() == [480, 260, 255]


def test_weights_are_saved_without_javascript(carrots: None, browse: Callable[..., Page]) -> None:
    page = browse(STAFF, java_script_enabled=False)
    page.goto(f"{PAGE}/pesee")
    page.get_by_label("Poids en kilos, Carottes, B10001").fill("0,480")
    page.get_by_label("Poids en kilos, Carottes, B10002").press("Enter")
    expect(page.get_by_text("Les poids sont enregistrés")).to_be_visible()
    assert weights() == [480, None, None]
