"""/ma-commande/validation: what is ordered is what was shown, once, and confirmed by mail."""

import re
from dataclasses import replace
from datetime import datetime, time, timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask
from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from portal.accounts.models import Account, Address, SignInSession
from portal.catalogue.models import Article, ArticlePrice, DeliveryStock
from portal.deliveries.models import Delivery
from portal.infra.audit import AuditEvent
from portal.infra.outbox import Attachment, Mail
from portal.pickup.models import PickupPoint
from portal.profile.models import Conditions
from portal.public import checkout as public_checkout
from portal.rules.money import Money
from portal.rules.orders import OrderState
from portal.rules.selling import SaleUnit, StockKind
from portal.shop.models import Happening, Order, OrderLine, ShopSettings, VoucherUse
from portal.subscriptions.models import Term
from tests.client import Browser
from tests.pages import text_of
from tests.public.test_cart import GARE, HALLE, enter, go, made, put, rows, shown, stop
from tests.shop.making import delivery
from tests.shop.vouching import voucher
from tests.world import CAMILLE, CUTOFF, NOW, TODAY, TUESDAY

PAGE = "/ma-commande/validation"
HIDDEN = re.compile(r'<input type="hidden" name="(commande|vu|sure)" value="([^"]*)">')
SECOND = timedelta(seconds=1)
CONTACT = {
    "nom": "Emma Roux",
    "telephone": "06 39 98 00 02",
    "adresse": "3 rue du Four",
    "code-postal": "05700",
    "ville": "Serres",
}
GUEST = {**CONTACT, "email": "emma@example.org"}


@pytest.fixture
def honey(session: Session) -> int:
    return made(session, stock_kind=StockKind.COUNTED, stock=10)


def seen(page: TestResponse) -> dict[str, str]:
    """What the form carries along."""
    return dict(HIDDEN.findall(page.text))


def ready(
    browser: Browser, session: Session, honey: int, who: str | None, quantity: int = 3
) -> dict[str, str]:
    """A filled order, with its form on the screen."""
    if who:
        enter(browser, who)
    put(browser, honey, quantity)
    if not who:
        go(browser, stop(session))
    return form(browser, who)


def form(browser: Browser, who: str | None) -> dict[str, str]:
    page = browser.get(PAGE)
    assert page.status_code == 200
    return {**(CONTACT if who else GUEST), **seen(page)}


def orders(session: Session) -> list[Order]:
    session.rollback()
    return list(session.scalars(select(Order).order_by(Order.id)))


def stock(session: Session, number: int) -> int | None:
    session.rollback()
    return session.get_one(Article, number).stock


def refused(answer: TestResponse) -> str:
    assert answer.status_code == 422
    return text_of(answer)


WHO = pytest.mark.parametrize("who", [None, CAMILLE])


# One order


@WHO
def test_an_order_is_what_was_shown(browser: Browser, session: Session, honey: int, who: str | None) -> None:
    filled = ready(browser, session, honey, who)
    answer = browser.submit(PAGE, filled)
    assert answer.status_code == 303
    [order] = orders(session)
    expected = f"/commandes/{order.id}" if who else "/lien/commande/"
    assert answer.location.startswith(expected)
    assert (order.account and order.account.email) == who
    assert (order.name, order.street, order.town) == ("Emma Roux", "3 rue du Four", "Serres")
    assert order.email == (who or "emma@example.org")
    assert (order.delivery.day, order.pickup_point_id, order.with_box) == (TUESDAY, HALLE, bool(who))
    assert (order.told_day, order.placed_at, order.state) == (TUESDAY, NOW, OrderState.ACCEPTED)
    assert [event.what for event in order.events] == [Happening.PLACED, Happening.ACCEPTED]
    [line] = order.lines
    assert (line.name, line.quantity, line.unit_price, line.vat_basis_points) == ("Miel", 3, Money(650), 550)
    assert stock(session, honey) == 7
    assert f"commande {order.number} est passée" in text_of(browser.get(answer.location))
    assert "Votre commande est vide" in shown(browser)


@WHO
def test_the_page_says_all_before_the_button(
    client: Browser, session: Session, honey: int, who: str | None
) -> None:
    session.add(Conditions(published_at=NOW, text="# Prix\nTout est TTC."))
    lettuce = made(session, "Salade", 150, perishable=True)
    put(client, lettuce, 2)
    ready(client, session, honey, who)
    page = text_of(client.get(PAGE))
    assert "Denrées périssables, sans droit de rétractation : Salade." in page
    assert "quatorze jours après le retrait pour vous rétracter, sans motif : Miel." in page
    assert ("facture du mois" if who else "Au point de retrait") in page
    assert "Tout est TTC." in page
    above, button, _ = page.partition("Commander avec obligation de paiement")
    assert button
    summary = above.partition("Vous commandez")[2]
    for said in ("3 × Miel", "2 × Salade", "Total TTC 22,50 €", "dont TVA à 5,5 % 1,17 €"):
        assert said in summary, summary


def test_what_was_given_once_is_there_the_next_time(client: Browser, session: Session, honey: int) -> None:
    client.submit(PAGE, ready(client, session, honey, CAMILLE))
    [address] = session.scalars(select(Address))
    assert (address.street, address.billing, address.archived_at) == ("3 rue du Four", True, None)
    put(client, honey, 1)
    page = client.get(PAGE)
    assert 'value="3 rue du Four"' in page.text
    assert 'value="06 39 98 00 02"' in page.text
    client.submit(PAGE, {**CONTACT, **seen(page), "adresse": "4 rue du Four"})
    session.rollback()
    streets = select(Address.street, Address.archived_at.is_(None)).order_by(Address.id)
    assert session.execute(streets).all() == [("3 rue du Four", False), ("4 rue du Four", True)]
    assert session.scalars(select(Account.phone).where(Account.email == CAMILLE)).one() == "06 39 98 00 02"


@WHO
def test_the_order_is_confirmed_with_what_was_agreed_to(
    client: Browser, session: Session, honey: int, who: str | None
) -> None:
    session.add(Conditions(published_at=NOW, text="Tout est TTC."))
    session.commit()
    client.submit(PAGE, ready(client, session, honey, who))
    [order] = orders(session)
    [mail] = session.scalars(select(Mail))
    assert mail.recipient == order.email
    assert order.number in mail.subject
    assert mail.text
    for said in (
        "3 × Miel",
        "19,50",
        "Halle de Serres",
        "quatorze jours",
        "3 rue du Four",
        "http://localhost/",
    ):
        assert said in mail.text.replace("\u202f", " ").replace("\u00a0", " ")
    names = session.scalars(select(Attachment.name).order_by(Attachment.position)).all()
    assert names == [f"commande-{order.number}.pdf", "conditions-2026-06-10.pdf"]
    assert order.conditions_id == 2


def test_links_in_the_mail_are_of_this_site(client: Browser, session: Session, honey: int) -> None:
    filled = ready(client, session, honey, None)
    client.submit(
        PAGE, filled, headers={"X-Forwarded-Host": "evil.example", "Forwarded": "host=evil.example"}
    )
    [mail] = session.scalars(select(Mail))
    assert mail.text
    assert "http://localhost/lien/commande/" in mail.text
    assert "evil" not in mail.text + (mail.html or "")


def test_the_trail_names_nobody(client: Browser, session: Session, honey: int) -> None:
    client.submit(PAGE, ready(client, session, honey, CAMILLE))
    session.rollback()
    trail = session.scalars(select(AuditEvent).order_by(AuditEvent.id)).all()
    assert [event.action for event in trail] == [
        "order.place", "account.change", "address.create", "order.state",
    ]  # fmt: skip
    said = " ".join(str((event.before, event.after)) for event in trail)
    assert "Emma" not in said
    assert "rue du Four" not in said
    assert "06 39" not in said


def test_where_somebody_judges_an_order_waits(client: Browser, session: Session, honey: int) -> None:
    session.add(ShopSettings(id=1, accepts_at_once=False, guests_welcome=True, guest_minimum=Money(0)))
    session.commit()
    client.submit(PAGE, ready(client, session, honey, CAMILLE))
    [order] = orders(session)
    assert order.state is OrderState.PLACED
    [mail] = session.scalars(select(Mail))
    assert mail.text
    assert "doit encore l'accepter" in mail.text


def test_what_is_counted_by_delivery_is_taken_there(client: Browser, session: Session) -> None:
    bread = made(session, "Pain", 480, stock_kind=StockKind.BY_DELIVERY, per_delivery=4)
    client.submit(PAGE, ready(client, session, bread, CAMILLE))
    [row] = session.scalars(select(DeliveryStock))
    assert (row.delivery_id, row.remaining) == (delivery(session).id, 1)


def test_nothing_else_that_is_sent_counts(client: Browser, session: Session, honey: int) -> None:
    extra = {
        "total": "1",
        "price": "1",
        "account_id": "2",
        "state": "delivered",
        "discount": "9999",
        "email": "x@y.fr",
    }
    client.submit(PAGE, {**extra, **ready(client, session, honey, CAMILLE)})
    [order] = orders(session)
    assert (order.account and order.account.email, order.email) == (CAMILLE, CAMILLE)
    assert (order.state, order.discount, order.lines[0].unit_price) == (
        OrderState.ACCEPTED,
        Money(0),
        Money(650),
    )


# Not for minors

MINORS = "Cochez cette case : l'alcool ne se vend pas aux mineurs."


@WHO
def test_alcohol_is_ordered_by_who_says_to_be_of_age(
    browser: Browser, session: Session, who: str | None
) -> None:
    cider = made(session, "Cidre", 540, alcohol=True)
    filled = ready(browser, session, cider, who)
    assert "J'ai 18 ans ou plus" in text_of(browser.get(PAGE))
    answer = browser.submit(PAGE, filled)
    said = refused(answer)
    assert said.count(MINORS) == 2
    assert "quelque chose a changé" not in said
    assert 'value="3 rue du Four"' in answer.text
    assert orders(session) == []
    assert browser.submit(PAGE, {**filled, "majeur": "y"}).status_code == 303
    [order] = orders(session)
    assert [line.name for line in order.lines] == ["Cidre"]


def test_age_is_asked_with_all_else_that_is_missing_and_what_was_ticked_stays(
    client: Browser, session: Session
) -> None:
    filled = ready(client, session, made(session, "Cidre", 540, alcohol=True), CAMILLE) | {"nom": ""}
    said = refused(client.submit(PAGE, filled))
    assert "Prénom et nom : à remplir." in said
    assert MINORS in said
    answer = client.submit(PAGE, {**filled, "majeur": "y"})
    assert MINORS not in refused(answer)
    assert re.search(r'<input [^>]*checked id="majeur"', answer.text)


def test_age_is_asked_where_there_is_alcohol_alone(client: Browser, session: Session, honey: int) -> None:
    filled = ready(client, session, honey, CAMILLE)
    assert "18 ans" not in text_of(client.get(PAGE))
    assert MINORS not in refused(client.submit(PAGE, {**filled, "nom": ""}))
    assert client.submit(PAGE, filled).status_code == 303


def test_what_turns_out_to_be_alcohol_meanwhile_is_not_sold_unasked(
    client: Browser, session: Session, honey: int
) -> None:
    filled = ready(client, session, honey, CAMILLE)
    session.get_one(Article, honey).alcohol = True
    session.commit()
    assert MINORS in refused(client.submit(PAGE, filled))
    assert orders(session) == []


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


# Before the shop is open


@WHO
def test_nobody_orders_before_conditions_of_sale_are_published(
    browser: Browser, session: Session, honey: int, who: str | None
) -> None:
    filled = ready(browser, session, honey, who)
    session.execute(delete(Conditions))
    session.commit()
    assert browser.get(PAGE).location == "/ma-commande"
    page = shown(browser)
    assert "La boutique n'est pas encore ouverte aux commandes" in page
    assert "Passer la commande" not in page
    assert "obligation de paiement" not in refused(browser.submit(PAGE, filled))
    assert orders(session) == []


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


# Vouchers


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


# The page


def test_without_anything_to_order_there_is_no_summary(browser: Browser, honey: int) -> None:
    assert browser.get(PAGE).location == "/ma-commande"
    put(browser, honey, 3)
    assert browser.get(PAGE).location == "/ma-commande"


def test_an_order_for_elsewhere_goes_without_the_box(client: Browser, session: Session, honey: int) -> None:
    enter(client)
    put(client, honey, 1)
    go(client, stop(session, TUESDAY, GARE))
    client.submit(PAGE, form(client, CAMILLE))
    [order] = orders(session)
    assert (order.pickup_point_id, order.with_box) == (GARE, False)


def test_what_is_weighed_is_priced_by_the_gram(client: Browser, session: Session) -> None:
    carrots = made(session, "Carottes", 250, sale_unit=SaleUnit.WEIGHT, step=250)
    filled = ready(client, session, carrots, CAMILLE, 750)
    assert "750 g Carottes" in text_of(client.get(PAGE))
    client.submit(PAGE, filled)
    assert (rows(session), orders(session)[0].lines[0].quantity) == ({}, 750)


def test_the_conditions_can_be_read_version_by_version(client: Browser, session: Session) -> None:
    assert "Pas encore publiées" in text_of(client.get("/conditions"))
    for day, text in ((1, "Anciennes."), (9, "# Prix\n\nNouvelles.")):
        session.add(Conditions(published_at=NOW.replace(day=day), text=text))
    session.commit()
    page = text_of(client.get("/conditions"))
    assert "Version du mardi 9 juin 2026 Prix" in page
    assert "Nouvelles." in page
    assert "lundi 1er juin 2026" in page
    older = text_of(client.get("/conditions/1"))
    assert "Anciennes." in older
    assert "n'est plus en vigueur" in older
    assert client.get("/conditions/3").status_code == 404
