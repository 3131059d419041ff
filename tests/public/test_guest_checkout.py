"""/ma-commande/validation for who has no account, and vouchers."""

import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from portal.accounts.models import SignInSession
from portal.infra.outbox import Mail
from portal.public import checkout as public_checkout
from portal.rules.money import Money
from portal.shop.models import ShopSettings, VoucherUse
from tests.client import Browser
from tests.pages import text_of
from tests.public.checking_out import (
    GUEST,
    PAGE,
    WHO,
    form,
    orders,
    ready,
    refused,
    seen,
)
from tests.public.test_cart import enter, go, made, put, shown, stop
from tests.shop.vouching import voucher
from tests.world import CAMILLE, CUTOFF, NOW, TUESDAY

# Guests


def test_a_guest_orders_for_some_amount_at_least(client: Browser, session: Session, honey: int) -> None:
    assert "à partir de 15,00 €" in text_of(client.get("/boutique"))
    put(client, honey, 2)
    assert "encore 2,00 €" in shown(client)
    go(client, stop(session))
    assert "à partir de 15,00 € : encore 2,00 €" in shown(client)
    assert client.get(PAGE).status_code == 303
    put(client, honey, 3)
    filled = form(client, None)
    put(client, honey, 2)
    refused(client.submit(PAGE, filled))
    assert orders(session) == []


def test_a_farm_may_sell_to_its_subscribers_alone(client: Browser, session: Session, honey: int) -> None:
    filled = ready(client, session, honey, None)
    session.add(ShopSettings(id=1, accepts_at_once=True, guests_welcome=False, guest_minimum=Money(0)))
    session.commit()
    refused(client.submit(PAGE, filled))
    assert "réservées aux abonnés" in shown(client)
    assert orders(session) == []


def test_nothing_says_whose_address_has_an_account(
    app: Flask, client: Browser, session: Session, honey: int
) -> None:
    said = []
    for address in (CAMILLE, "nobody@example.org"):
        guest: Browser = app.test_client()  # type: ignore[assignment]
        answer = guest.submit(PAGE, {**ready(guest, session, honey, None), "email": address})
        assert answer.location.startswith("/lien/commande/")
        said.append(re.sub(r"B1\d+|[\w.-]+@example.org", "", text_of(guest.get(answer.location))))
    assert said[0] == said[1]
    assert [order.account_id for order in orders(session)] == [None, None]


def test_a_guest_orders_so_often_a_day(app: Flask, session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    most = replace(public_checkout.GUEST_ORDERS_OF_ADDRESS, most=3)
    monkeypatch.setattr(public_checkout, "GUEST_ORDERS_OF_ADDRESS", most)
    honey = made(session)
    answers = []
    for _ in range(4):
        guest: Browser = app.test_client()  # type: ignore[assignment]
        answers.append(guest.submit(PAGE, ready(guest, session, honey, None)).status_code)
    assert answers == [303, 303, 303, 429]
    assert len(orders(session)) == 3


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("nom", "", "Prénom et nom : à remplir."),
        ("nom", "x" * 161, "160 caractères au plus"),
        ("email", "emma", "une adresse entière"),
        ("email", "a@b.fr,c@d.fr", "une adresse entière"),
        ("email", "a@b.fr\nBcc: c@d.fr", "une adresse entière"),
        ("email", "=?x?=@example.org", "une adresse entière"),
        ("email", "emma@gmial.com", "vouliez-vous dire emma@gmail.com"),
        ("telephone", "12", "dix chiffres"),
        ("code-postal", "5700", "cinq chiffres"),
        ("code-postal", "０５７００", "cinq chiffres"),
        ("ville", " ", "Ville : à remplir."),
    ],
)
def test_what_is_typed_wrong_is_said_beside_it(
    browser: Browser, session: Session, honey: int, name: str, value: str, said: str
) -> None:
    filled = ready(browser, session, honey, None)
    page = browser.submit(PAGE, {**filled, name: value})
    assert said in refused(page)
    assert 'value="3 rue du Four"' in page.text
    assert orders(session) == []
    assert browser.submit(PAGE, filled).status_code == 303


@pytest.mark.parametrize("name", [*GUEST, "commande", "vu"])
def test_a_field_that_is_missing_or_doubled_orders_nothing(
    client: Browser, session: Session, honey: int, name: str
) -> None:
    filled: dict[str, Any] = ready(client, session, honey, None)
    assert client.submit(PAGE, {k: v for k, v in filled.items() if k != name}).status_code == 422
    if name in GUEST:
        assert client.submit(PAGE, {**filled, name: [filled[name], filled[name]]}).status_code == 422
    assert orders(session) == []


MARKUP = "'\"><evil>{{7*7}}"


def test_what_guests_type_is_text_everywhere(client: Browser, session: Session, honey: int) -> None:
    typed = {"nom": MARKUP, "adresse": f"3 rue{MARKUP}", "ville": f"Serres\u202e {MARKUP}"}
    wrong = client.submit(PAGE, {**ready(client, session, honey, None), **typed, "telephone": "1"})
    placed = client.submit(PAGE, {**form(client, None), **typed})
    shown = wrong.text + client.get(placed.location).text
    [mail] = session.scalars(select(Mail))
    assert mail.html
    for html in (shown, mail.html):
        assert "<evil>" not in html
        assert "&lt;evil&gt;{{7*7}}" in html
        assert "&amp;lt;" not in html
    assert orders(session)[0].town == f"Serres {MARKUP}"


@pytest.mark.parametrize("name", list(GUEST))
def test_no_field_takes_a_book(client: Browser, session: Session, honey: int, name: str) -> None:
    filled = ready(client, session, honey, None)
    for value in ("x" * 20_000, "\ud800", "%00", "' OR 1=1 --"):
        answer = client.submit(PAGE, {**filled, name: value.encode("utf-8", "surrogatepass")})
        assert answer.status_code in {303, 422}
    assert len(orders(session)) <= 1


def test_who_is_sure_of_an_address_keeps_it(client: Browser, session: Session, honey: int) -> None:
    filled = ready(client, session, honey, None) | {"email": "emma@gmial.com"}
    page = client.submit(PAGE, filled)
    assert client.submit(PAGE, {**filled, **seen(page)}).status_code == 303
    assert orders(session)[0].email == "emma@gmial.com"


def test_what_a_guest_typed_is_there_after_a_way_back_to_the_order(
    app: Flask, session: Session, clock: time_machine.Traveller, honey: int
) -> None:
    guest = Browser(app)
    filled = ready(guest, session, honey, None)
    clock.move_to(CUTOFF)
    refused(guest.submit(PAGE, filled | {"telephone": "?"}))
    later = stop(session, TUESDAY + timedelta(weeks=1))
    go(guest, later)
    page = guest.get(PAGE).text
    for value in ("Emma Roux", "emma@example.org", "3 rue du Four", "05700", "Serres"):
        assert f'value="{value}"' in page
    cart_cookie = guest.get_cookie("cart")
    assert cart_cookie and "Emma" not in cart_cookie.value
    assert guest.submit(PAGE, GUEST | seen(guest.get(PAGE))).status_code == 303
    put(guest, honey, 3)
    go(guest, later)
    assert "Emma Roux" not in guest.get(PAGE).text


def test_what_a_guest_typed_is_forgotten_after_a_day_or_once_somebody_signs_in(
    app: Flask, session: Session, clock: time_machine.Traveller, honey: int
) -> None:
    stays, enters = Browser(app), Browser(app)
    for guest in (stays, enters):
        refused(guest.submit(PAGE, ready(guest, session, honey, None) | {"telephone": "?"}))
    enter(enters, CAMILLE)
    session.rollback()
    rows_of_members = select(SignInSession.data).where(SignInSession.account_id.is_not(None))
    assert "Emma" not in str(session.scalars(rows_of_members).all())
    clock.move_to(NOW + timedelta(days=1))
    page = stays.get(PAGE)
    assert page.status_code == 200 and "Emma Roux" not in page.text


# Vouchers


@WHO
def test_a_voucher_counts_as_often_as_it_says(
    app: Flask, session: Session, honey: int, who: str | None
) -> None:
    voucher(session, amount=Money(500), per_person=1)
    browser: Browser = app.test_client()  # type: ignore[assignment]
    for answer, discount in ((303, Money(500)), (422, None)):
        put(browser, honey, 3) if discount is None else ready(browser, session, honey, who)
        if not who:
            go(browser, stop(session))
        browser.submit("/ma-commande/bon", {"bon": "ETE10"})
        if discount is None and who:
            assert "ETE10" not in shown(browser)
            continue
        filled = form(browser, who)
        page = browser.submit(PAGE, filled)
        assert page.status_code == answer
        if discount:
            assert orders(session)[0].discount == discount
        else:
            assert "vous l'avez déjà utilisé" in text_of(page)
            assert browser.submit(PAGE, {**filled, **seen(page)}).status_code == 303
    assert session.scalar(select(func.count()).select_from(VoucherUse)) == 1


@pytest.mark.parametrize("order_of_acts", [(CAMILLE, None), (None, CAMILLE)])
def test_nobody_uses_a_voucher_once_signed_in_and_once_not(
    app: Flask, session: Session, honey: int, order_of_acts: tuple[str | None, ...]
) -> None:
    voucher(session, amount=Money(500), per_person=1)
    for who, status in zip(order_of_acts, (303, 422), strict=True):
        browser: Browser = app.test_client()  # type: ignore[assignment]
        ready(browser, session, honey, who)
        answer = browser.submit("/ma-commande/bon", {"bon": "ETE10"})
        if status == 422 and who:
            said = refused(answer)
        else:
            answer = browser.submit(PAGE, {**form(browser, who), **({} if who else {"email": CAMILLE})})
            assert answer.status_code == status
            said = text_of(answer)
    assert "vous l'avez déjà utilisé" in said
    assert [order.discount for order in orders(session)] == [Money(500)]
