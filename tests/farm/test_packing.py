"""The packing mode: what is ticked in the shed, by whomever, stays ticked."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.compositions.models import Composition, CompositionState, Exclusion
from portal.deliveries.steps import done
from portal.packing.models import PackingTick
from tests import crowd
from tests.client import Browser
from tests.composing import delivery_on, formula, product, put, show
from tests.pages import text_of
from tests.shop.making import article, order
from tests.world import CUTOFF, STAFF, TUESDAY

PAGE = "/ferme/livraisons/2026-06-16/mardi/preparation"
STATE = f"{PAGE}/coches"
CARROTS = "f2-p1-500x1"


@pytest.fixture
def shed(session: Session, browser: Browser, clock: time_machine.Traveller) -> Browser:
    """Somebody of the farm once Tuesday has closed: Camille's boxes, and two jars that go with them."""
    tuesday = delivery_on(session, TUESDAY)
    put(session, tuesday, "grand", "carottes", 500)
    put(session, tuesday, "oeufs", "oeufs", 6)
    show(session, tuesday, CompositionState.CONFIRMED)
    order(session, {article(session): 2})
    session.commit()
    clock.move_to(CUTOFF + timedelta(hours=1))
    browser.sign_in(STAFF)
    browser.get(PAGE)
    return browser


def tick(client: Browser, key: str, answer: str = "oui") -> int:
    return client.submit(PAGE, {"coche": f"{key}:{answer}"}).status_code


def test_what_is_packed_is_said_formula_by_formula_then_point_by_point(shed: Browser) -> None:
    page = shed.get(PAGE)
    said = text_of(page)
    assert said.index("Grand panier") < said.index("500 g Carottes") < said.index("Halle de Serres")
    assert "6 pièces Œufs" in said and "Aubert Camille 2 Miel" in said and "0 sur 5" in said
    assert "/ferme/paniers/2026-06-16/mardi/manque/1" in page.text
    assert shed.get(STATE).json is not None


def test_a_line_is_done_as_it_was_said_last_and_twice_is_once(shed: Browser, session: Session) -> None:
    done_as = 204 if shed.htmx else 303
    assert [tick(shed, CARROTS), tick(shed, CARROTS)] == [done_as] * 2
    assert "1 sur 5" in text_of(shed.get(PAGE))
    state = shed.get(STATE).json
    assert state and state[CARROTS] is True and sum(state.values()) == 1 and len(state) == 5
    assert tick(shed, CARROTS, "non") == done_as
    [row] = session.scalars(select(PackingTick))
    assert (row.key, row.done) == (CARROTS, False)


def test_every_phone_asks_for_the_lines_alone(
    shed: Browser, session: Session, count_queries: Callable[[], Any]
) -> None:
    order(session, {article(session, "Confiture"): 1, article(session, "Ail"): 3}, email=None)
    session.commit()
    with count_queries() as seen:
        tick(shed, CARROTS)
        state = shed.get(STATE).json
    assert state and len(state) == 6
    assert all(f'id="{key}"' in shed.get(PAGE).text for key in state), "as the page says them"
    assert not any("shop_order.name" in statement for statement in seen), "whose bags they are is not read"


@pytest.mark.parametrize("key", ["f2-p1-400x1", "f2", "", "s1-b1-00000000"])
def test_what_is_no_line_of_the_delivery_is_refused(shed: Browser, session: Session, key: str) -> None:
    assert tick(shed, key) == 422
    assert shed.submit(PAGE, {"coche": f"{CARROTS}:peut-être"}).status_code == 422
    assert not session.scalars(select(PackingTick)).all()


def test_what_changes_is_to_do_again_and_a_point_that_goes_without_is_named(
    shed: Browser, session: Session
) -> None:
    tick(shed, CARROTS)
    put(session, delivery_on(session, TUESDAY), "grand", "carottes", 750)
    composition = session.scalars(
        select(Composition).where(Composition.formula_id == formula(session, "grand"))
    ).one()
    session.add(
        Exclusion(
            composition_id=composition.id,
            pickup_point_id=1,
            product_id=product(session, "carottes"),
            instead_id=product(session, "radis"),
            instead_amount=1,
            made_at=CUTOFF,
        )
    )
    session.commit()
    said = text_of(shed.get(PAGE))
    assert "0 sur 5" in said and "1 botte Radis" in said and "Carottes" not in said


def test_before_the_cutoff_nothing_is_packed_and_a_step_is_taken_from_either_page(
    shed: Browser, session: Session, clock: time_machine.Traveller
) -> None:
    step = "/ferme/livraisons/2026-06-16/mardi/etapes/emballage"
    assert shed.submit(step, {"fait": "oui", "emballage": "oui"}).location.endswith("/preparation")
    tuesday = delivery_on(session, TUESDAY).id
    assert list(done(session, [tuesday])[tuesday]) == ["packed"]
    assert "Emballé" in text_of(shed.get("/ferme/livraisons/2026-06-16/mardi"))
    assert shed.submit(step, {"fait": "non"}).location.endswith("/mardi")
    session.rollback()
    assert not done(session, [tuesday])[tuesday]
    assert [shed.submit(step, {"fait": said}).status_code for said in ("", "oui")] == [422, 303]
    assert shed.submit(step.replace("emballage", "sieste"), {"fait": "oui"}).status_code == 404
    clock.move_to(CUTOFF - timedelta(hours=1))
    assert "encore ouverte" in text_of(shed.get(PAGE))
    assert tick(shed, CARROTS) == 422
    assert shed.submit(step, {"fait": "oui"}).status_code == 422


def test_the_sheds_pages_take_the_same_number_of_statements_for_one_and_for_many(
    client: Browser,
    session: Session,
    clock: time_machine.Traveller,
    count_queries: Callable[[], Any],
) -> None:
    put(session, delivery_on(session, TUESDAY), "grand", "carottes", 500)
    session.commit()
    clock.move_to(CUTOFF + timedelta(hours=1))
    client.sign_in(STAFF)

    def statements(path: str) -> int:
        with count_queries() as seen:
            assert client.get(path).status_code == 200
        return len(seen)

    corrections = PAGE.replace("preparation", "corrections")
    pages = (PAGE, STATE, f"{corrections}?q=a", f"{corrections}/1")
    few = [statements(path) for path in pages]
    crowd.add(session, 100)
    session.commit()
    assert [statements(path) for path in pages] == few
    assert max(few) <= 20
