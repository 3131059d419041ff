"""One look says what comes with which box: orders on /espace, the planning, a delivery's page and the calendar."""

from datetime import timedelta

import pytest
from sqlalchemy import delete
from sqlalchemy.orm import Session

from portal.rules.calendar import WEEK, monday_of
from portal.rules.orders import OrderState
from portal.shop.models import Order
from portal.subscriptions.models import Subscription, Term
from tests.client import Browser
from tests.member.test_calendar import address_of, events
from tests.pages import text_of
from tests.shop import making
from tests.world import CAMILLE, NOW, TUESDAY, YACINE

PAGES = ("/espace", "/planning", f"/planning/{monday_of(TUESDAY)}", f"/livraisons/{TUESDAY}/mardi")
THURSDAY = TUESDAY + timedelta(days=2)


@pytest.fixture
def camille(browser: Browser) -> Browser:
    browser.sign_in(CAMILLE)
    return browser


def ordered(session: Session, **changes: object) -> Order:
    order = making.order(session, {making.article(session): 2, making.article(session, "Pain"): 1}, **changes)
    session.commit()
    return order


@pytest.mark.parametrize("path", PAGES)
def test_the_box_and_its_order_are_named_together(camille: Browser, session: Session, path: str) -> None:
    order = ordered(session)
    page = camille.get(path)
    assert f"Commande {order.number} (2 produits)" in text_of(page)
    assert f'href="/commandes/{order.id}"' in page.text


@pytest.mark.parametrize("path", PAGES)
def test_what_was_cancelled_comes_with_nothing(camille: Browser, session: Session, path: str) -> None:
    order = ordered(session, state=OrderState.CANCELLED)
    assert order.number not in text_of(camille.get(path))


@pytest.mark.parametrize("path", PAGES)
def test_nobody_sees_somebody_elses(camille: Browser, session: Session, path: str) -> None:
    order = ordered(session, email=YACINE)
    assert order.number not in text_of(camille.get(path))


def test_an_order_alone_has_a_card_with_its_point_and_hours(camille: Browser, session: Session) -> None:
    order = ordered(session, day=THURSDAY, point="mairie", with_box=False)
    for path in ("/planning", f"/planning/{monday_of(TUESDAY)}"):
        page = text_of(camille.get(path))
        assert order.number in page and "Mairie de Laragne" in page
    assert order.number in text_of(camille.get("/espace"))


def test_who_has_nothing_but_an_order_sees_it_on_the_home_page(camille: Browser, session: Session) -> None:
    session.execute(delete(Term))
    session.execute(delete(Subscription))
    order = ordered(session)
    page = text_of(camille.get("/espace"))
    assert "Votre prochaine commande" in page and order.number in page and "Halle de Serres" in page


def test_the_calendar_names_it_too(client: Browser, session: Session) -> None:
    address = address_of(client)
    before = events(client, address)
    order = ordered(session)
    alone = ordered_alone(session)
    after = events(client, address)
    assert {**after}.keys() - before.keys() == {f"commande-{alone.id}@localhost"}
    named = [str(event["summary"]) for event in after.values() if order.number in event["summary"]]
    assert named == [f"Grand panier, Œufs, commande {order.number}"]


def test_an_order_that_goes_leaves_a_newer_version_behind(client: Browser, session: Session) -> None:
    order, address = ordered(session), address_of(client)
    before = events(client, address)
    order.state, order.changed_at = OrderState.CANCELLED, NOW + timedelta(hours=1)
    session.commit()
    after = events(client, address)
    assert all(after[uid]["sequence"] > before[uid]["sequence"] for uid in before)


def ordered_alone(session: Session) -> Order:
    article = making.article(session, "Farine")
    order = making.order(session, {article: 1}, day=THURSDAY + WEEK, point="mairie", with_box=False)
    session.commit()
    return order
