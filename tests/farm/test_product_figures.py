"""/ferme/produits: what is priced and counted, and what it looks like."""

import re
from datetime import date
from io import BytesIO

import pytest
from sqlalchemy import func, select

from portal.catalogue.models import (
    ArticlePrice,
    DeliveryStock,
    NotOnTour,
    Picture,
)
from portal.rules.money import Money
from portal.rules.selling import StockKind
from portal.shop.models import OrderLine
from tests.farm.forms import PRICE
from tests.farm.products import HONEY, LIST, NO_NUMBERS, prices, row, send
from tests.farm.trail import events
from tests.pages import text_of
from tests.photographs import picture
from tests.shop.making import delivery, order
from tests.world import NOW, STAFF, TODAY

pytestmark = pytest.mark.usefixtures("honey")


# Prices


def test_a_price_to_come_leaves_the_present_one_and_orders_alone(staff, session):
    session.add(order(session, {row(session): 2}))
    session.commit()
    assert staff.submit(f"{HONEY}/prix", PRICE).status_code == 303
    assert prices(session) == [(date(2025, 1, 1), 650), (date(2026, 7, 1), 1020)]
    assert session.scalars(select(OrderLine.unit_price)).all() == [Money(650)]
    shown = text_of(staff.get(HONEY))
    assert "Les commandes déjà passées gardent le leur." in shown
    assert (
        "10,20 € le pot de 250 g, TVA 5,5 % à partir du mercredi 1er juillet 2026 Ne pas l'appliquer" in shown
    )
    assert "6,50 € le pot de 250 g, TVA 5,5 % à partir du mercredi 1er janvier 2025 En vigueur" in shown
    [event] = events(session)
    assert (event.action, event.account_id) == ("article.price", 3)
    assert event.before == {"since": "2025-01-01", "price": 650, "vat_basis_points": 550}
    assert event.after == {"since": "2026-07-01", "price": 1020, "vat_basis_points": 550}


def test_todays_price_can_be_put_right(desk, session):
    for price in ("7", "7,20", "7,20"):
        desk.submit(f"{HONEY}/prix", PRICE | {"price": price, "since": "2026-06-10"})
    assert prices(session) == [(date(2025, 1, 1), 650), (TODAY, 720)]
    assert [event.before["price"] for event in events(session)] == [650, 700]


def test_another_rate_is_another_price(desk, session):
    desk.submit(f"{HONEY}/prix", PRICE | {"price": "6,50", "vat": "2000", "since": "2026-06-10"})
    assert session.scalars(select(ArticlePrice.vat_basis_points).order_by(ArticlePrice.since)).all() == [
        550,
        2000,
    ]


@pytest.mark.parametrize("typed", [*NO_NUMBERS, "0", "0,001", "10000"])
def test_what_is_no_price_is_refused(desk, session, typed):
    answer = desk.submit(f"{HONEY}/prix", PRICE | {"price": typed})
    assert answer.status_code == 422
    assert "Prix TTC : un nombre comme 2,5, de 0,01 à 9 999,99." in text_of(answer)
    assert len(prices(session)) == 1 and events(session) == []


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"since": "2026-06-09"}, "À partir du : aujourd'hui ou plus tard."),
        ({"since": "0001-01-01"}, "À partir du : une date, comme 2026-06-01."),
        ({"since": ""}, "À partir du : à remplir."),
        ({"vat": "0"}, "TVA : choisissez dans la liste."),
        ({"price": ["1", "2"]}, "Prix TTC : envoyez ce champ une fois."),
    ],
)
def test_a_price_needs_a_day_to_come_and_a_rate(desk, session, change, says):
    answer = desk.submit(f"{HONEY}/prix", PRICE | change)
    assert answer.status_code == 422 and says in text_of(answer)
    assert len(prices(session)) == 1 and events(session) == []


def test_the_day_is_that_of_the_wall_clock(desk, session, clock):
    """At half past midnight in Paris it is still yesterday in Greenwich."""
    clock.move_to(NOW.replace(day=9, hour=22, minute=30))
    assert desk.submit(f"{HONEY}/prix", PRICE | {"since": "2026-06-09"}).status_code == 422
    assert desk.submit(f"{HONEY}/prix", PRICE | {"since": "2026-06-10"}).status_code == 303


def test_a_price_that_has_not_begun_can_be_taken_back(staff, session, clock):
    staff.submit(f"{HONEY}/prix", PRICE)
    for _ in range(2):
        assert staff.submit(f"{HONEY}/prix/2026-07-01/suppression").status_code == 303
    assert len(prices(session)) == 1
    assert [(event.action, event.after) for event in events(session)][1:] == [("article.price", None)]


def test_a_price_that_has_begun_stays(desk, session, clock):
    desk.submit(f"{HONEY}/prix", PRICE)
    clock.move_to(NOW.replace(month=7, day=1))
    desk.sign_in(STAFF)
    desk.get(HONEY)
    answer = desk.submit(f"{HONEY}/prix/2026-07-01/suppression")
    assert answer.status_code == 422 and "Ce prix a déjà commencé" in text_of(answer)
    assert len(prices(session)) == 2


# Stock


@pytest.mark.parametrize(("act", "left"), [("add", 17), ("take", 7), ("left", 5)])
def test_stock_is_counted_up_down_or_afresh(staff, session, act, left):
    answer = staff.submit(f"{HONEY}/stock", {"quantity": "5", "act": act, "seen": "12", "livraison": ""})
    assert answer.status_code == (200 if staff.htmx else 303)
    assert row(session).stock == left
    if staff.htmx:
        assert f'data-announce="Il reste {left}"' in answer.text and "<h1>" not in answer.text
    [event] = events(session)
    assert (event.action, event.before, event.after) == ("article.stock", {"stock": 12}, {"stock": left})


def test_what_is_sold_while_staff_count_counts_too(desk, session):
    row(session).stock = 9  # three of the twelve that the page showed are sold
    session.commit()
    desk.submit(f"{HONEY}/stock", {"quantity": "10", "act": "left", "seen": "12", "livraison": ""})
    assert row(session).stock == 7


def test_more_cannot_be_taken_than_there_is(staff, session):
    row(session).stock = 3
    session.commit()
    for act, quantity in (("take", "4"), ("left", "8")):
        answer = staff.submit(
            f"{HONEY}/stock", {"quantity": quantity, "act": act, "seen": "12", "livraison": ""}
        )
        assert answer.status_code == 422
        assert "Il n'en reste pas autant à retirer" in text_of(answer)
        assert 'name="seen" value="3"' in answer.text and f'value="{quantity}"' in answer.text
    assert row(session).stock == 3 and events(session) == []


@pytest.mark.parametrize("typed", [*NO_NUMBERS, "0,5", "", "10001"])
def test_what_is_no_quantity_is_refused(desk, session, typed):
    answer = desk.submit(f"{HONEY}/stock", {"quantity": typed, "act": "add", "seen": "12", "livraison": ""})
    assert answer.status_code == 422 and "Quantité : " in text_of(answer)
    assert row(session).stock == 12


def test_what_is_counted_in_pieces_asks_for_a_whole_number(desk):
    form = {"quantity": "abc", "act": "add", "seen": "12", "livraison": ""}
    answer = text_of(desk.submit(f"{HONEY}/stock", form))
    assert "Quantité : un nombre entier, de 0 à 10 000." in answer


def test_what_the_farm_owes_more_of_than_there_is_is_said_and_counted_anew(staff, session):
    bread = row(session)
    bread.stock_kind, bread.stock, bread.per_delivery = StockKind.BY_DELIVERY, None, 20
    tuesday = delivery(session).id
    session.add(DeliveryStock(article_id=bread.id, delivery_id=tuesday, remaining=-3))
    session.commit()
    assert "mar. 16 juin, Tournée du mardi il en manque 3" in text_of(staff.get(HONEY))
    form = {"quantity": "2", "act": "add", "seen": "-3", "livraison": str(tuesday)}
    assert staff.submit(f"{HONEY}/stock", form).status_code == (200 if staff.htmx else 303)
    assert session.scalars(select(DeliveryStock.remaining)).all() == [-1]
    for act, quantity, status in (("take", "1", 422), ("left", "0", 200 if staff.htmx else 303)):
        form = {"quantity": quantity, "act": act, "seen": "-1", "livraison": str(tuesday)}
        assert staff.submit(f"{HONEY}/stock", form).status_code == status
    session.expire_all()
    assert session.scalars(select(DeliveryStock.remaining)).all() == [0]


@pytest.mark.parametrize(
    "change", [{"act": "set"}, {"act": None}, {"seen": "x"}, {"seen": None}, {"quantity": ["1", "2"]}]
)
def test_a_count_that_no_page_sends_is_refused(desk, session, change):
    form = {"quantity": "5", "act": "add", "seen": "12", "livraison": ""} | change
    assert desk.submit(f"{HONEY}/stock", {k: v for k, v in form.items() if v is not None}).status_code == 422
    assert row(session).stock == 12


def test_by_delivery_each_open_one_has_its_own_count(staff, session):
    bread = row(session)
    bread.stock_kind, bread.stock, bread.per_delivery = StockKind.BY_DELIVERY, None, 20
    session.add(NotOnTour(article_id=1, tour_id=2))
    tuesday, friday = delivery(session).id, delivery(session, date(2026, 6, 12), "vendredi").id
    session.commit()
    page = text_of(staff.get(HONEY))
    assert "mar. 16 juin, Tournée du mardi 20" in page
    assert "Tournée du jeudi 20" not in page and "ven. 12 juin" not in page
    form = {"quantity": "15", "act": "left", "seen": "20", "livraison": str(tuesday)}
    assert staff.submit(f"{HONEY}/stock", form).status_code == (200 if staff.htmx else 303)
    assert session.scalars(select(DeliveryStock.remaining)).all() == [15]
    staff.submit(f"{HONEY}/stock", form | {"seen": "15", "quantity": "16"})
    assert session.scalars(select(DeliveryStock.remaining)).all() == [16]
    for wrong in (str(friday), "", "x", "999"):
        answer = staff.submit(f"{HONEY}/stock", form | {"livraison": wrong})
        assert answer.status_code == 422 and "Cette livraison vient de fermer" in text_of(answer)
    assert [event.after for event in events(session)] == [
        {"remaining": 15, "delivery_id": tuesday},
        {"remaining": 16, "delivery_id": tuesday},
    ]


def test_what_nobody_counts_takes_no_count(desk, session):
    honey = row(session)
    honey.stock_kind, honey.stock = StockKind.UNLIMITED, None
    session.commit()
    assert "On ne compte pas" in text_of(desk.get(HONEY))
    form = {"quantity": "5", "act": "add", "seen": "0", "livraison": ""}
    assert desk.submit(f"{HONEY}/stock", form).status_code == 422


# The photograph


def test_a_photograph_is_shown_replaced_and_removed(staff, session):
    assert send(staff, picture("JPEG")).status_code == 303
    first = row(session).picture.digest
    page = staff.get(HONEY)
    assert f'src="/photos/{first}-960.webp"' in page.text and "La photo est en boutique." in text_of(page)
    assert f"/photos/{first}-160.webp" in staff.get(LIST).text
    send(staff, picture("PNG", (500, 500)))
    assert row(session).picture.digest != first
    assert session.scalar(select(func.count(Picture.id))) == 1, "the first is forgotten"
    for _ in range(2):
        assert staff.submit(f"{HONEY}/photo/suppression").status_code == 303
    assert row(session).picture is None and session.scalar(select(func.count(Picture.id))) == 0
    assert [event.action for event in events(session)] == ["article.change"] * 3


@pytest.mark.parametrize(
    "name",
    ["../../x", "photo\0.png", "x" * 3000, "photo.html", "photo.svg", "'\"><evil>.jpg", "\u202egnp.exe"],
)
def test_the_name_of_an_upload_is_never_looked_at(desk, session, name):
    assert send(desk, picture("PNG", (64, 64)), name).status_code == 303
    kept = row(session).picture
    assert re.fullmatch("[0-9a-f]{32}", kept.digest)
    assert name not in desk.get(HONEY).text


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("photo.jpg", b"<html><script>alert(1)</script>"),
        ("photo.png", b"<svg xmlns='http://www.w3.org/2000/svg'/>"),
        ("photo.png", picture()[:300]),
    ],
)
def test_what_is_no_picture_is_refused_and_the_one_of_before_stays(staff, session, name, data):
    send(staff, picture())
    before = row(session).picture_id
    answer = send(staff, data, name)
    assert answer.status_code == 422 and "n'est pas une photo lisible" in text_of(answer)
    assert row(session).picture_id == before


def test_an_empty_or_missing_file_is_refused(desk, session):
    for form in (
        {},
        {"photo": "text"},
        {"photo": (BytesIO(b""), "photo.jpg")},
        {"photo": (BytesIO(b""), "")},
    ):
        answer = desk.submit(f"{HONEY}/photo", form, content_type="multipart/form-data")
        assert answer.status_code == 422 and "Choisissez une photo." in text_of(answer)
    assert row(session).picture_id is None


def test_a_photograph_of_ten_megabytes_is_taken_and_one_of_fifteen_is_refused(desk, session):
    assert send(desk, picture("JPEG") + b"\0" * 10_000_000).status_code == 303
    answer = send(desk, picture("JPEG") + b"\0" * 15_000_000)
    assert answer.status_code == 422 and "Cette photo est trop lourde" in text_of(answer)
