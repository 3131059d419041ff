"""The packing mode on phones in the shed: the connection comes and goes, nothing that was ticked is lost."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from playwright.sync_api import Page, Response, expect
from sqlalchemy import select
from time_machine import Traveller

from portal.infra.orm import own_transaction
from portal.packing.models import PackingTick
from tests.browser.helpers import compose
from tests.world import ADMIN, CUTOFF, STAFF

PAGE = "/ferme/livraisons/2026-06-16/mardi/preparation"


@pytest.fixture
def shed(app: Flask, clock: Traveller) -> None:
    with own_transaction() as session:
        compose(session)
    clock.move_to(CUTOFF + timedelta(hours=1))


def sent(response: Response) -> bool:
    return response.request.method == "POST"


def done() -> set[str]:
    with own_transaction() as session:
        return set(session.scalars(select(PackingTick.key).where(PackingTick.done)))


def test_what_is_ticked_without_a_connection_is_sent_when_it_is_back(
    shed: None, browse: Callable[..., Page], complaints: list[str]
) -> None:
    page = browse(STAFF)
    page.goto(PAGE)
    carrots, salad = page.get_by_role("button", name="Carottes"), page.get_by_role("button", name="Salade")
    with page.expect_response(sent):
        carrots.click()
    expect(page.locator("#fait")).to_have_text("1")
    page.context.set_offline(True)
    salad.click()
    carrots.click()
    expect(page.get_by_role("status")).to_contain_text("Pas de connexion")
    expect(salad).to_have_attribute("aria-pressed", "true")
    assert done() == {"f2-p1-1500x1"}
    page.context.set_offline(False)
    expect(page.get_by_role("status")).to_contain_text("tout est enregistré")
    assert done() == {"f2-p2-1x1"}
    expect(salad).to_have_attribute("aria-pressed", "true")
    expect(carrots).to_have_attribute("aria-pressed", "false")
    assert page.evaluate("localStorage.length") == 0
    complaints.clear()  # of the connection that was lost


def test_a_page_that_was_closed_without_a_connection_sends_what_it_kept(
    shed: None, browse: Callable[..., Page], complaints: list[str]
) -> None:
    page = browse(STAFF)
    page.goto(PAGE)
    page.context.set_offline(True)
    page.get_by_role("button", name="Carottes").click()
    expect(page.get_by_role("status")).to_contain_text("Pas de connexion")
    page.close()
    again = page.context.new_page()
    page.context.set_offline(False)
    with again.expect_response(sent):
        again.goto(PAGE)
    expect(again.get_by_role("button", name="Carottes")).to_have_attribute("aria-pressed", "true")
    expect(again.locator("#fait")).to_have_text("1")
    assert done() == {"f2-p1-1500x1"}
    complaints.clear()


def test_what_one_ticks_another_sees_and_stays_where_they_are(
    shed: None, browse: Callable[..., Page]
) -> None:
    one, other = browse(STAFF), browse(ADMIN)
    for page in (one, other):
        page.goto(PAGE)
    other.get_by_role("button", name="Salade").focus()
    one.get_by_role("button", name="Carottes").click()
    expect(other.get_by_role("button", name="Carottes")).to_have_attribute("aria-pressed", "true")
    expect(other.locator("#f2 [data-done]")).to_have_text("1")
    expect(other.get_by_role("button", name="Salade")).to_be_focused()
    other.keyboard.press("Space")
    expect(one.locator("#fait")).to_have_text("2")


def test_a_line_is_ticked_without_javascript(shed: None, browse: Callable[..., Page]) -> None:
    page = browse(STAFF, java_script_enabled=False)
    page.goto(PAGE)
    page.get_by_role("button", name="Carottes").click()
    expect(page.get_by_role("button", name="Carottes")).to_have_attribute("aria-pressed", "true")
    assert done() == {"f2-p1-1500x1"}
