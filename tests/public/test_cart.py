"""/ma-commande: what one is ordering, in a visitor's cookie or an account's rows."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from portal.accounts.models import Account
from portal.catalogue.models import Article, ArticlePrice, NotOnTour
from portal.deliveries.models import Delivery
from portal.pickup.models import PickupPoint
from portal.public import cart as public_cart
from portal.rules.money import Money
from portal.rules.selling import MOST_GRAMS, MOST_UNITS, SaleUnit, StockKind
from portal.shop.drafts import COOKIE_LIVES, MOST_LINES, Draft, Entry
from portal.shop.models import Cart, CartLine, ShopSettings
from tests.client import Browser
from tests.pages import text_of
from tests.shop.buying import kept
from tests.shop.making import article, delivery, order
from tests.shop.vouching import voucher
from tests.world import CAMILLE, CUTOFF, NOW, TODAY, TUESDAY, YACINE

CART, PUT, STOP, VOUCHER = "/ma-commande", "/ma-commande/produits", "/ma-commande/retrait", "/ma-commande/bon"
HALLE, GARE, MAIRIE = 1, 2, 3
WEEK = timedelta(weeks=1)


@pytest.fixture
def honey(session: Session) -> int:
    return made(session)


def made(session: Session, name: str = "Miel", cents: int = 650, **changes: Any) -> int:
    found = article(session, name, cents, **changes)
    session.commit()
    return found.id


def put(browser: Browser, number: int, quantity: object, **more: object) -> TestResponse:
    return browser.submit(PUT, {"article": number, "quantity": quantity, **more})


def enter(browser: Browser, email: str = CAMILLE) -> None:
    browser.sign_in(email)
    browser.get("/mon-compte")


def shown(browser: Browser) -> str:
    return text_of(browser.get(CART))


def rows(session: Session, email: str = CAMILLE) -> dict[int, int]:
    session.rollback()
    lines = select(CartLine.article_id, CartLine.quantity).join(Account, Account.id == CartLine.account_id)
    return dict(session.execute(lines.where(Account.email == email)).all())


def stop(session: Session, day: date = TUESDAY, point: int = HALLE, tour: str = "mardi") -> str:
    number = delivery(session, day, tour).id
    session.rollback()
    return f"{number}-{point}"


def go(browser: Browser, stop: str) -> TestResponse:
    return browser.submit(STOP, {"retrait": stop})


# Both kinds


@pytest.mark.parametrize("who", [None, CAMILLE])
def test_what_is_put_in_stays_until_it_is_taken_out(browser: Browser, who: str | None, honey: int) -> None:
    if who:
        enter(browser, who)
    assert "Votre commande est vide" in shown(browser)
    assert put(browser, honey, 2).status_code == (200 if browser.htmx else 303)
    assert "13,00 €" in shown(browser)
    assert put(browser, honey, 2).status_code == (200 if browser.htmx else 303)
    put(browser, honey, 5)
    assert "32,50 €" in shown(browser)
    put(browser, honey, 0)
    assert "Votre commande est vide" in shown(browser)


def test_a_press_is_answered_with_what_it_changes_alone(browser: Browser, honey: int) -> None:
    answer = put(browser, honey, 2)
    if not browser.htmx:
        assert answer.location == CART
        return
    assert answer.text.lstrip().startswith('<div class="cart" id="commande"')
    assert 'id="lien-commande"' in answer.text
    assert "(1 produit)" in text_of(answer)


def test_a_shelf_gets_its_own_piece_of_the_page(browser: Browser, honey: int) -> None:
    answer = put(browser, honey, 2, retour="/boutique?rayon=epicerie")
    if not browser.htmx:
        assert answer.location == f"/boutique?rayon=epicerie#quantite-{honey}"
        return
    assert answer.text.lstrip().startswith('<form class="take"')
    assert 'data-hx-swap-oob="true"' in answer.text
    assert 'id="commande"' not in answer.text


@pytest.mark.parametrize(
    "back", ["//evil.example", "/\\evil.example", "https:evil.example", "javascript:alert(1)"]
)
def test_nobody_is_led_off_the_site(client: Browser, honey: int, back: str) -> None:
    assert put(client, honey, 1, retour=back).location == CART


BAD = ["-1", "0.5", "1e3", "1_0", "+1", "１", "10" * 5, "1" * 20, "", "NaN", "1 2", "²"]


@pytest.mark.parametrize("quantity", BAD)
def test_only_a_plain_number_is_a_quantity(browser: Browser, honey: int, quantity: str) -> None:
    put(browser, honey, 3)
    answer = put(browser, honey, quantity)
    assert answer.status_code == 422
    assert browser.htmx or "Quantité :" in text_of(answer)
    assert "19,50 €" in shown(browser)


def test_a_quantity_is_sent_once(client: Browser, honey: int) -> None:
    answer = client.submit(PUT, {"article": honey, "quantity": ["1", "2"]})
    assert answer.status_code == 422
    assert client.submit(PUT, {"article": honey}).status_code == 422
    assert client.submit(PUT, {"quantity": "1"}).status_code == 422
    assert "Votre commande est vide" in shown(client)


def test_there_is_no_putting_in_what_is_not_there(client: Browser, honey: int) -> None:
    assert put(client, honey + 1, 1).status_code == 404


def test_a_price_that_is_sent_changes_nothing(client: Browser, honey: int) -> None:
    put(client, honey, 1, price="1", prix="1", total="1", left="1")
    assert "6,50 €" in shown(client)
    assert "au lieu de" not in shown(client)


def test_what_is_weighed_is_ordered_in_its_steps(browser: Browser, session: Session) -> None:
    carrots = made(session, "Carottes", 250, sale_unit=SaleUnit.WEIGHT, step=250)
    assert put(browser, carrots, 300).status_code == 422
    assert put(browser, carrots, MOST_GRAMS + 250).status_code == 422
    put(browser, carrots, 750)
    page = shown(browser)
    assert "1,88 € estimé" in page
    assert "Total TTC estimé" in page


def test_nobody_puts_in_more_than_there_is(browser: Browser, session: Session) -> None:
    jam = made(session, "Confiture", stock_kind=StockKind.COUNTED, stock=3)
    refused = put(browser, jam, 4)
    assert refused.status_code == 422
    assert "il n'en reste que 3" in text_of(refused)
    assert put(browser, jam, 3).status_code < 400
    assert put(browser, jam, MOST_UNITS + 1).status_code == 422


def test_an_order_has_an_end(client: Browser, session: Session) -> None:
    numbers = [article(session, f"Pot {n}").id for n in range(MOST_LINES + 1)]
    session.commit()
    for number in numbers[:-1]:
        assert put(client, number, 50).status_code == 303
    refused = put(client, numbers[-1], 1)
    assert refused.status_code == 422
    assert "votre commande est pleine" in text_of(refused)
    cookie = client.get_cookie("cart")
    assert cookie and len(cookie.value) < 3000


# A visitor's cookie


def test_a_visitor_leaves_nothing_in_the_database(client: Browser, session: Session, honey: int) -> None:
    put(client, honey, 2)
    assert session.scalar(select(func.count()).select_from(Cart)) == 0


def test_the_cookie_is_for_this_site_and_no_script(app: Flask, client: Browser, honey: int) -> None:
    [header] = [c for c in put(client, honey, 2).headers.getlist("Set-Cookie") if c.startswith("cart=")]
    assert {"HttpOnly", "SameSite=Lax", "Path=/", f"Max-Age={int(COOKIE_LIVES.total_seconds())}"} <= set(
        header.split("; ")
    )
    assert "Domain" not in header


@pytest.mark.parametrize("value", ["", "x", "WyJr", "x" * 3000, "é"])
def test_a_cookie_that_is_not_ours_is_an_empty_order(client: Browser, value: str) -> None:
    client.set_cookie("cart", value)
    assert "Votre commande est vide" in shown(client)


def test_a_changed_cookie_is_an_empty_order(client: Browser, honey: int) -> None:
    put(client, honey, 2)
    cookie = client.get_cookie("cart")
    assert cookie
    client.set_cookie("cart", "A" + cookie.value[1:] if cookie.value[0] != "A" else "B" + cookie.value[1:])
    assert "Votre commande est vide" in shown(client)


def test_a_cookie_is_forgotten_after_a_month(
    client: Browser, honey: int, clock: time_machine.Traveller
) -> None:
    put(client, honey, 2)
    clock.move_to(NOW + COOKIE_LIVES + timedelta(minutes=1))
    assert "Votre commande est vide" in shown(client)


# Signing in and out


def test_a_visitors_order_joins_the_accounts(app: Flask, session: Session, honey: int) -> None:
    jam = made(session, "Confiture", stock_kind=StockKind.COUNTED, stock=3)
    at_home: Browser = app.test_client()  # type: ignore[assignment]
    enter(at_home)
    put(at_home, honey, 2)
    put(at_home, jam, 2)
    away: Browser = app.test_client()  # type: ignore[assignment]
    put(away, honey, 1)
    put(away, jam, 2)
    enter(away)
    assert rows(session) == {honey: 3, jam: 3}
    assert away.get_cookie("cart") is None
    away.submit("/deconnexion")
    assert away.get_cookie("cart") is None
    assert "Votre commande est vide" in shown(away)


@pytest.mark.parametrize("who", [None, CAMILLE])
def test_a_cookie_may_be_older_than_the_database(
    app: Flask, session: Session, honey: int, who: str | None
) -> None:
    ghosts = Draft(
        entries={honey: Entry(2, Money(650)), 999: Entry(1, Money(1))}, delivery_id=999, point_id=999
    )
    browser: Browser = app.test_client()  # type: ignore[assignment]
    browser.set_cookie("cart", kept(app, ghosts))
    if who:
        enter(browser, who)
    assert "13,00 €" in shown(browser)
    assert put(browser, honey, 3).status_code == 303


def test_nobody_sees_what_another_orders(app: Flask, session: Session, honey: int) -> None:
    for email, quantity in ((CAMILLE, 2), (YACINE, 5)):
        browser: Browser = app.test_client()  # type: ignore[assignment]
        enter(browser, email)
        put(browser, honey, quantity)
    assert (rows(session), rows(session, YACINE)) == ({honey: 2}, {honey: 5})


# Prices


def test_a_new_price_is_said_until_it_is_taken_note_of(
    browser: Browser, session: Session, honey: int, clock: time_machine.Traveller
) -> None:
    put(browser, honey, 2)
    session.add(
        ArticlePrice(
            article_id=honey, since=TODAY + timedelta(days=1), price=Money(700), vat_basis_points=550
        )
    )
    session.commit()
    assert "au lieu de" not in shown(browser)
    clock.move_to(NOW + timedelta(days=1))
    for _ in range(2):
        assert "le prix a changé : 7,00 € au lieu de 6,50 €" in shown(browser)
    assert "14,00 €" in shown(browser)
    put(browser, honey, 1, prix=650)
    assert "au lieu de 6,50 €" in shown(browser)
    put(browser, honey, 1, prix=700)
    assert "au lieu de" not in shown(browser)


# Where it goes


def test_a_subscribers_order_goes_with_the_next_box(browser: Browser, honey: int) -> None:
    enter(browser)
    put(browser, honey, 1)
    page = shown(browser)
    assert "mardi 16 juin" in page
    assert "Halle de Serres" in page
    assert "Avec votre panier" in page
    assert "À commander jusqu'au dimanche 14 juin, 23 h 59" in page


def test_when_that_delivery_has_closed_the_next_is_offered(
    browser: Browser, session: Session, clock: time_machine.Traveller, honey: int
) -> None:
    enter(browser)
    bread = made(session, "Pain", 480, season_first=101, season_last=620)
    put(browser, honey, 1)
    put(browser, bread, 1)
    clock.move_to(CUTOFF)
    page = shown(browser)
    assert "Les commandes du mardi 16 juin sont closes depuis le dimanche 14 juin, 23 h 59" in page
    assert "Ne pourrait pas venir ce jour-là : Pain : ce n'est pas la saison" in page
    assert "Passer au mardi 23 juin" in page
    assert "Passer la commande" not in page
    assert go(browser, stop(session, TUESDAY + WEEK)).status_code == 303
    page = shown(browser)
    assert "closes" not in page
    assert "ce n'est pas la saison" in page
    put(browser, bread, 0)
    assert "Passer la commande" in shown(browser)


def test_when_the_farm_cancels_that_delivery_the_next_is_offered(
    client: Browser, session: Session, honey: int
) -> None:
    enter(client)
    put(client, honey, 1)
    session.execute(update(Delivery).where(Delivery.day == TUESDAY).values(cancelled_at=NOW))
    session.commit()
    page = shown(client)
    assert "La livraison du mardi 16 juin est annulée." in page
    assert "Passer au mardi 23 juin" in page


def test_a_visitor_chooses_a_point_then_a_day(browser: Browser, session: Session, honey: int) -> None:
    put(browser, honey, 1)
    assert "Choisir le retrait" in shown(browser)
    days = text_of(browser.get(f"{STOP}?point={MAIRIE}"))
    assert "jeudi 18 juin" in days
    assert "jeudi 11 juin" not in days
    assert go(browser, stop(session, date(2026, 6, 18), MAIRIE, "jeudi")).status_code == 303
    page = shown(browser)
    assert "Mairie de Laragne" in page
    assert "Avec votre panier" not in page


def test_a_subscriber_may_collect_it_elsewhere(client: Browser, session: Session, honey: int) -> None:
    enter(client)
    put(client, honey, 1)
    go(client, stop(session, TUESDAY, GARE))
    assert "Sans panier ce jour-là" in shown(client)
    go(client, stop(session, TUESDAY + WEEK, HALLE))
    page = shown(client)
    assert "mardi 23 juin" in page
    assert "Avec votre panier" in page


@pytest.mark.parametrize("wanted", ["", "x", "1", "1-1-1", "0-1", "١-1", "999999999-1", "-1-1"])
def test_only_what_is_offered_can_be_chosen(browser: Browser, honey: int, wanted: str) -> None:
    refused = go(browser, wanted)
    assert refused.status_code == 422
    assert "n'est plus possible" in text_of(refused)


def test_a_point_is_only_on_its_own_tour_and_while_it_is_offered(client: Browser, session: Session) -> None:
    assert go(client, stop(session, TUESDAY, MAIRIE)).status_code == 422
    assert go(client, stop(session, date(2026, 6, 11), MAIRIE, "jeudi")).status_code == 422
    session.execute(update(PickupPoint).where(PickupPoint.id == GARE).values(retired_at=NOW))
    session.commit()
    assert go(client, stop(session, TUESDAY, GARE)).status_code == 422
    assert go(client, stop(session, TUESDAY, HALLE)).status_code == 303


def test_what_does_not_come_there_is_said_and_not_charged(
    client: Browser, session: Session, honey: int
) -> None:
    jam = made(session, "Confiture", 400)
    session.add(NotOnTour(article_id=jam, tour_id=delivery(session, date(2026, 6, 18), "jeudi").tour_id))
    session.commit()
    put(client, honey, 1)
    put(client, jam, 1)
    go(client, stop(session, date(2026, 6, 18), MAIRIE, "jeudi"))
    page = shown(client)
    assert "pas livré le jeudi" in page
    assert "Total TTC 6,50 €" in page
    assert put(client, jam, 2).status_code == 422


def test_what_is_no_more_cannot_be_kept(
    client: Browser, session: Session, clock: time_machine.Traveller, honey: int
) -> None:
    put(client, honey, 1)
    go(client, stop(session))
    assert "Garder le mardi 16 juin" in text_of(client.get(STOP))
    clock.move_to(CUTOFF)
    page = text_of(client.get(STOP))
    assert "Garder le" not in page and "Choisir le mardi 23 juin" in page


def test_who_has_ordered_for_that_delivery_is_told(client: Browser, session: Session, honey: int) -> None:
    before = order(session, {session.get_one(Article, honey): 1})
    number, way = before.number, f"/commandes/{before.id}"
    session.commit()
    enter(client)
    put(client, honey, 1)
    for path in (CART, "/ma-commande/validation"):
        page = client.get(path)
        assert f"Vous avez déjà la commande {number} pour cette livraison." in text_of(page)
        assert f'href="{way}"' in page.text


def test_a_guest_is_told_how_to_pay(client: Browser, session: Session, honey: int) -> None:
    sells = {"accepts_at_once": True, "guests_welcome": True, "guest_minimum": Money(0)}
    session.add(ShopSettings(id=1, **sells, payment_means="chèque"))
    session.commit()
    put(client, honey, 1)
    go(client, stop(session))
    assert "Vous payez en retirant : chèque." in shown(client)
    page = text_of(client.get("/ma-commande/validation"))
    assert "quand vous venez chercher votre commande : chèque." in page


# Vouchers


def test_the_focus_goes_to_what_a_voucher_changes(browser: Browser, session: Session, honey: int) -> None:
    voucher(session, code="ETE10", share=1000)
    put(browser, honey, 2)
    assert 'class="sums">' in browser.get(CART).text
    used, refused = (browser.submit(VOUCHER, {"bon": code}).text for code in ("ETE10", "AUTRE"))
    if browser.htmx:
        assert 'class="sums" tabindex="-1" data-focus data-announce="Total' in used
        assert "data-focus" in refused and 'class="sums">' in refused


def test_a_voucher_takes_its_part_off(browser: Browser, session: Session, honey: int) -> None:
    voucher(session, "ETE10", share=1000)
    put(browser, honey, 2)
    assert browser.submit(VOUCHER, {"bon": " ete 10 "}).status_code == (200 if browser.htmx else 303)
    page = shown(browser)
    assert "Bon d'achat ETE10 −1,30 €" in page
    assert "11,70 €" in page
    browser.submit(VOUCHER, {"bon": ""})
    assert "13,00 €" in shown(browser)


@pytest.mark.parametrize(
    ("terms", "said"),
    [
        ({"code": "AUTRE"}, "nous ne connaissons pas ce code"),
        ({"first_day": TODAY + timedelta(days=1)}, "ne vaut pas encore"),
        ({"last_day": TODAY - timedelta(days=1)}, "n'est plus valable"),
        ({"minimum": Money(2000)}, "à partir de 20,00 € de produits"),
        ({"withdrawn_at": NOW}, "nous ne connaissons pas ce code"),
        ({"uses": 0}, "il a déjà servi"),
    ],
)
def test_a_voucher_that_does_not_count_says_why(
    browser: Browser, session: Session, honey: int, terms: dict[str, Any], said: str
) -> None:
    voucher(session, **{"code": "ETE10", "share": 1000, **terms})
    put(browser, honey, 2)
    refused = browser.submit(VOUCHER, {"bon": "ETE10"})
    assert refused.status_code == 422
    assert said in text_of(refused)
    assert 'value="ETE10"' in refused.text
    assert "−" not in shown(browser)


def test_codes_cannot_be_guessed_all_day(
    client: Browser, honey: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(public_cart, "CODES_OF_CLIENT", replace(public_cart.CODES_OF_CLIENT, most=3))
    put(client, honey, 1)
    answers = [client.submit(VOUCHER, {"bon": f"CODE{n}"}).status_code for n in range(4)]
    assert answers == [422, 422, 422, 429]


# What it costs


@pytest.mark.parametrize("who", [None, CAMILLE])
def test_a_full_order_asks_no_more_questions(
    client: Browser, session: Session, count_queries: Any, who: str | None, honey: int
) -> None:
    if who:
        enter(client, who)
    put(client, honey, 1)
    go(client, stop(session))
    client.get(CART)
    with count_queries() as few:
        client.get(CART)
    for n in range(8):
        put(client, made(session, f"Pot {n}"), 1)
    with count_queries() as many:
        client.get(CART)
    assert len(many) == len(few)


def test_who_orders_nothing_is_asked_nothing(client: Browser, count_queries: Any) -> None:
    client.get("/formules")
    with count_queries() as statements:
        client.get("/formules")
    assert not [statement for statement in statements if "cart" in statement]
