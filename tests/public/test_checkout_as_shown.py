"""/ma-commande/validation: what is ordered is what was shown, and once."""

from datetime import datetime, time, timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from portal.catalogue.models import Article, ArticlePrice
from portal.deliveries.models import Delivery
from portal.infra.outbox import Mail
from portal.pickup.models import PickupPoint
from portal.profile.models import Conditions
from portal.rules.money import Money
from portal.shop.models import OrderLine
from portal.subscriptions.models import Term
from tests.client import Browser
from tests.pages import text_of
from tests.public.checking_out import GUEST, PAGE, SECOND, WHO, form, orders, ready, refused, seen, stock
from tests.public.test_cart import HALLE, made, put
from tests.shop.making import delivery
from tests.world import CAMILLE, CUTOFF, NOW, TODAY, TUESDAY

# Once


@WHO
def test_a_form_sent_again_leads_to_its_order(
    browser: Browser, session: Session, honey: int, who: str | None
) -> None:
    filled = ready(browser, session, honey, who)
    first = browser.submit(PAGE, filled)
    again = browser.submit(PAGE, filled)
    assert (again.status_code, again.location) == (303, first.location)
    assert "C'était déjà fait" in text_of(browser.get(again.location))
    assert len(orders(session)) == 1
    assert session.scalar(select(func.count()).select_from(Mail)) == 1
    assert stock(session, honey) == 7


@WHO
def test_a_form_of_other_contents_makes_no_second_order(
    client: Browser, session: Session, honey: int, who: str | None
) -> None:
    filled = ready(client, session, honey, who)
    cookie = client.get_cookie("cart")
    client.submit(PAGE, filled)
    if cookie:
        client.set_cookie("cart", cookie.value)  # from before the answer
    said = refused(client.submit(PAGE, {**filled, "vu": "0" * 64}))
    assert "a déjà envoyé la commande B10001" in said
    assert len(orders(session)) == 1


def test_a_visitors_old_cookie_can_still_become_another_order(
    client: Browser, session: Session, honey: int
) -> None:
    filled = ready(client, session, honey, None)
    cookie = client.get_cookie("cart")
    client.submit(PAGE, filled)
    assert cookie
    client.set_cookie("cart", cookie.value)
    answer = client.submit(PAGE, {**filled, "vu": "0" * 64})
    assert client.submit(PAGE, {**filled, **seen(answer)}).status_code == 303
    assert len({order.cart_key for order in orders(session)}) == 2


def test_two_tabs_of_one_cart_are_one_order(client: Browser, session: Session, honey: int) -> None:
    one = ready(client, session, honey, CAMILLE)
    put(client, honey, 4)
    other = form(client, CAMILLE)
    assert client.submit(PAGE, other).status_code == 303
    assert "a déjà envoyé la commande" in refused(client.submit(PAGE, one))
    [order] = orders(session)
    assert order.lines[0].quantity == 4


def test_nobody_is_led_to_anothers_order(app: Flask, client: Browser, session: Session, honey: int) -> None:
    filled = ready(client, session, honey, CAMILLE)
    client.submit(PAGE, filled)
    stranger: Browser = app.test_client()  # type: ignore[assignment]
    ready(stranger, session, honey, None)
    said = refused(stranger.submit(PAGE, {**filled, **GUEST}))
    assert "B10001" not in said
    assert len(orders(session)) == 1


# The same form again

OTHER = {"nom": "Emma Blanc", "telephone": "06 39 98 00 99", "adresse": "9 rue Neuve", "ville": "Gap"}


@WHO
@pytest.mark.parametrize("field", list(OTHER))
def test_the_same_form_with_another_name_or_address_is_refused_and_shows_the_order(
    browser: Browser, session: Session, honey: int, who: str | None, field: str
) -> None:
    filled = ready(browser, session, honey, who)
    way = browser.submit(PAGE, filled).location
    answer = browser.submit(PAGE, {**filled, field: OTHER[field]})
    said = refused(answer)
    [order] = orders(session)
    assert f"Cette page a déjà envoyé la commande {order.number} : rien de plus n'a été commandé." in said
    assert "Emma Roux, 3 rue du Four, 05700 Serres, 06 39 98 00 02" in said
    assert f'href="{way}"' in answer.text
    assert (order.name, order.phone, order.street, order.town) == (
        "Emma Roux", "06 39 98 00 02", "3 rue du Four", "Serres",
    )  # fmt: skip
    assert browser.submit(PAGE, filled).location == way


# As it was shown, or not at all


def reprice(session: Session, honey: int) -> None:
    session.add(ArticlePrice(article_id=honey, since=TODAY, price=Money(700), vat_basis_points=550))


def run_short(session: Session, honey: int) -> None:
    session.execute(update(Article).where(Article.id == honey).values(stock=2))


def retire(session: Session, honey: int) -> None:
    session.execute(update(Article).where(Article.id == honey).values(retired_at=NOW))


def cancel(session: Session, honey: int) -> None:
    session.execute(update(Delivery).where(Delivery.day == TUESDAY).values(cancelled_at=NOW))


def move(session: Session, honey: int) -> None:
    tuesday = delivery(session)
    tuesday.day = TUESDAY + timedelta(days=1)


def close_point(session: Session, honey: int) -> None:
    session.execute(update(PickupPoint).where(PickupPoint.id == HALLE).values(retired_at=NOW))


def publish(session: Session, honey: int) -> None:
    session.add(Conditions(published_at=NOW, text="Autres conditions."))


@pytest.mark.parametrize(
    ("meanwhile", "said"),
    [
        (reprice, "le prix a changé : 7,00 € au lieu de 6,50 €"),
        (run_short, "il n'en reste que 2"),
        (retire, "n'est plus vendu"),
        (cancel, "La livraison du mardi 16 juin est annulée."),
        (move, "mercredi 17 juin"),
        (close_point, "La prochaine"),
        (publish, "Autres conditions."),
    ],
)
def test_what_is_no_more_as_shown_is_shown_anew(
    browser: Browser, session: Session, honey: int, meanwhile: Any, said: str
) -> None:
    filled = ready(browser, session, honey, None)
    meanwhile(session, honey)
    session.commit()
    page = browser.submit(PAGE, {**filled, "adresse": "5 rue Neuve"})
    if meanwhile is not close_point:
        assert said in refused(page)
    assert "Rien n'a été commandé" in refused(page)
    assert 'value="5 rue Neuve"' in page.text
    assert orders(session) == []
    assert session.scalar(select(func.count()).select_from(Mail)) == 0
    if meanwhile in {reprice, move, publish}:
        assert browser.submit(PAGE, {**filled, **seen(page)}).status_code == 303


def test_a_new_price_is_named_above_all_and_leads_to_its_line(
    client: Browser, session: Session, honey: int
) -> None:
    filled = ready(client, session, honey, None)
    reprice(session, honey)
    session.commit()
    page = client.submit(PAGE, filled)
    assert page.status_code == 422
    assert f'href="#recap-{honey}">Miel</a>' in page.text and f'id="recap-{honey}"' in page.text
    assert text_of(page).count("au lieu de 6,50 €") == 2


def test_who_goes_on_with_less_is_told_for_when(client: Browser, session: Session, honey: int) -> None:
    filled = ready(client, session, honey, None)
    run_short(session, honey)
    session.commit()
    said = refused(client.submit(PAGE, filled))
    assert "Continuer avec ce qui est possible le mardi 16 juin" in said


@WHO
def test_a_page_opened_in_time_and_sent_too_late_is_refused(
    browser: Browser, session: Session, honey: int, clock: time_machine.Traveller, who: str | None
) -> None:
    clock.move_to(CUTOFF - 120 * SECOND)
    filled = ready(browser, session, honey, who)
    clock.move_to(CUTOFF + 60 * SECOND)
    page = browser.submit(PAGE, {**filled, "adresse": "5 rue Neuve"})
    said = refused(page)
    assert "Les commandes du mardi 16 juin sont closes depuis le dimanche 14 juin, 23 h 59" in said
    assert "La prochaine : mardi 23 juin, Halle de Serres" in said
    assert 'value="5 rue Neuve"' in page.text
    assert orders(session) == []
    adjusted = browser.submit(PAGE, {**filled, "adresse": "5 rue Neuve", "ajuster": "oui"})
    assert adjusted.status_code == 200
    assert 'value="5 rue Neuve"' in adjusted.text
    assert browser.submit(PAGE, {**filled, **seen(adjusted)}).status_code == 303
    [order] = orders(session)
    assert order.delivery.day == TUESDAY + timedelta(weeks=1)


@pytest.mark.parametrize(("point", "days"), [("halle", 0), ("mairie", 1), ("cafe", 2)])
@pytest.mark.parametrize(("early", "status"), [(SECOND / 1000, 303), (timedelta(0), 422)])
def test_the_closing_minute_is_included(
    client: Browser,
    session: Session,
    honey: int,
    clock: time_machine.Traveller,
    point: str,
    days: int,
    early: timedelta,
    status: int,
) -> None:
    """Of each tour: what is ordered goes with the boxes, which are collected there."""
    there = select(PickupPoint.id).where(PickupPoint.slug == point).scalar_subquery()
    session.execute(update(Term).values(pickup_point_id=there))
    session.commit()
    filled = ready(client, session, honey, CAMILLE)
    clock.move_to(CUTOFF + timedelta(days=days) - early)
    assert client.submit(PAGE, filled).status_code == status


@pytest.mark.parametrize(("seconds", "status"), [(-1, 303), (0, 422)])
def test_what_closes_earlier_has_its_own_minute(
    client: Browser, session: Session, clock: time_machine.Traveller, seconds: int, status: int
) -> None:
    bread = made(session, "Pain", 480, lead_days=4, lead_time=time(12, 0))
    filled = ready(client, session, bread, CAMILLE)
    closes = datetime.fromisoformat("2026-06-12T12:01:00+02:00")
    clock.move_to(closes + seconds * SECOND)
    assert client.submit(PAGE, filled).status_code == status


def test_one_goes_on_with_what_there_is(client: Browser, session: Session, honey: int) -> None:
    bread = made(session, "Pain", 480)
    put(client, bread, 1)
    filled = ready(client, session, honey, CAMILLE)
    run_short(session, honey)
    retire(session, bread)
    session.commit()
    refused(client.submit(PAGE, filled))
    page = client.submit(PAGE, {**filled, "ajuster": "oui"})
    assert "13,00 €" in text_of(page)
    assert client.submit(PAGE, {**filled, **seen(page)}).status_code == 303
    assert [(line.name, line.quantity) for line in session.scalars(select(OrderLine))] == [("Miel", 2)]
