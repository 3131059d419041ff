"""/ma-commande/validation: what is ordered is what was shown, once, and confirmed by mail."""

import re

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from portal.accounts.models import Account, Address
from portal.catalogue.models import Article, DeliveryStock
from portal.infra.audit import AuditEvent
from portal.infra.outbox import Attachment, Mail
from portal.profile.models import Conditions
from portal.rules.money import Money
from portal.rules.orders import OrderState
from portal.rules.selling import SaleUnit, StockKind
from portal.shop.models import Happening, ShopSettings
from tests.client import Browser
from tests.pages import text_of
from tests.public.checking_out import (
    CONTACT,
    PAGE,
    WHO,
    form,
    orders,
    ready,
    refused,
    seen,
    stock,
)
from tests.public.test_cart import GARE, HALLE, enter, go, made, put, rows, shown, stop
from tests.shop.making import delivery
from tests.world import CAMILLE, NOW, TUESDAY

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
