"""The address book."""

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.accounts.addresses import AddressView, address_book, billing_address, keep_billing_address
from portal.accounts.models import Address
from tests.accounts.people import account_of
from tests.client import Browser
from tests.shop.buying import CONTACT
from tests.stall import fill_cart, stock_the_shop
from tests.world import CAMILLE, NOW, YACINE

BOOK = "/mon-compte/adresses"
HOME = {"name": "Camille Aubert", "street": "4 rue du Four", "postcode": "05700", "town": "Serres"}
WORK = {"name": "Crèche Les Lutins", "street": "1 place Basse", "postcode": "05300", "town": "Laragne"}


@pytest.fixture
def camille(app: Flask) -> Browser:
    client: Browser = app.test_client()  # type: ignore[assignment]
    client.sign_in(CAMILLE)
    client.get(f"{BOOK}/ajout")
    return client


def book(session: Session) -> list[tuple[str, bool, bool]]:
    kept = address_book(session, account_of(session, CAMILLE).id)
    return [(one.address.street, one.billing, one.delivery) for one in kept]


def ids(session: Session) -> list[int]:
    return [one.id for one in address_book(session, account_of(session, CAMILLE).id)]


def test_the_book_keeps_one_address_first_for_each_use(camille: Browser, session: Session) -> None:
    assert "Pas encore d'adresse" in camille.get(BOOK).text.replace("&#39;", "'")
    assert camille.submit(f"{BOOK}/ajout", HOME | {"account_id": "2", "archived_at": "x"}).status_code == 303
    assert book(session) == [("4 rue du Four", True, True)], "the first serves for all"
    camille.submit(f"{BOOK}/ajout", WORK | {"delivery": "y"})
    assert book(session) == [("4 rue du Four", True, False), ("1 place Basse", False, True)]
    home, work = ids(session)
    camille.submit(f"{BOOK}/{work}", WORK | {"billing": "y"})
    assert book(session) == [("1 place Basse", True, True), ("4 rue du Four", False, False)]
    camille.submit(f"{BOOK}/{work}", WORK | {"street": "2 place Basse"})
    kept = session.get_one(Address, work)
    session.refresh(kept)
    assert kept.archived_at == NOW and kept.street == "1 place Basse", "as papers know it"
    assert book(session) == [("2 place Basse", True, True), ("4 rue du Four", False, False)]
    newest = ids(session)[0]
    page = camille.get(BOOK).text
    assert "2 place Basse" in page and "1 place Basse" not in page
    camille.submit(f"{BOOK}/{newest}/archivage")
    assert book(session) == [("4 rue du Four", True, True)]
    assert camille.get(f"{BOOK}/{work}").status_code == 404, "what is archived cannot be changed"
    assert camille.submit(f"{BOOK}/{home}", HOME | {"postcode": "5700"}).status_code == 422


def test_somebody_elses_addresses_are_not_found(camille: Browser, session: Session) -> None:
    yacine = account_of(session, YACINE).id
    keep_billing_address(session, yacine, AddressView(**HOME), at=NOW, by=yacine)
    session.commit()
    his = address_book(session, yacine)[0].id
    for answer in (
        camille.get(f"{BOOK}/{his}"),
        camille.submit(f"{BOOK}/{his}", WORK),
        camille.submit(f"{BOOK}/{his}/archivage"),
    ):
        assert answer.status_code == 404
    assert billing_address(session, yacine) == AddressView(**HOME)


def test_the_checkout_offers_the_book_and_fills_it(camille: Browser, session: Session) -> None:
    fill_cart(session, stock_the_shop(session))
    session.commit()
    for address in (WORK, HOME | {"billing": "y"}):
        camille.submit(f"{BOOK}/ajout", address)
    _home, work = ids(session)
    page = camille.get("/ma-commande/validation").text
    assert 'value="4 rue du Four"' in page and f"adresse={work}" in page
    assert 'value="1 place Basse"' in camille.get(f"/ma-commande/validation?adresse={work}").text
    assert 'value="4 rue du Four"' in camille.get("/ma-commande/validation?adresse=999").text
    fields = dict(zip(("commande", "vu"), _hidden(page), strict=True))
    sent = fields | CONTACT | {"adresse": "7 rue Neuve"}
    assert camille.submit("/ma-commande/validation", sent).status_code == 303
    assert [street for street, *_ in book(session)] == ["4 rue du Four", "7 rue Neuve", "1 place Basse"]
    assert session.scalars(select(Address).where(Address.archived_at.is_not(None))).all() == []


def _hidden(page: str) -> list[str]:
    return [page.partition(f'name="{name}" value="')[2].partition('"')[0] for name in ("commande", "vu")]
