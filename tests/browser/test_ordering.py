"""Ordering from the shop on a phone, as a guest and as a subscriber, with JavaScript and without."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select

from portal.infra.orm import own_transaction
from portal.shop.models import Order
from tests.browser.helpers import furnish
from tests.world import CAMILLE, PASSPHRASE

ORDER = "Commander avec obligation de paiement"
CONTACT = {
    "Prénom et nom": "Emma Roux",
    "Téléphone": "06 39 98 00 02",
    "Adresse": "3 rue du Four",
    "Code postal": "05700",
    "Ville": "Serres",
}


@pytest.fixture(autouse=True)
def furnished(app: object) -> None:
    furnish()


def latest() -> tuple[str | None, dict[str, int]]:
    """Whose the last order is, and what it holds."""
    with own_transaction() as session:
        order = session.scalars(select(Order).order_by(Order.id.desc()).limit(1)).one()
        email = order.account.email if order.account else None
        return email, {line.name: line.quantity for line in order.lines}


def put_honey(page: Page, jars: int) -> None:
    page.goto("/boutique")
    page.get_by_role("button", name="Ajouter : Miel").click()
    for more in range(2, jars + 1):
        page.get_by_role("button", name="Plus : Miel").click()
        expect(page.locator(".take-number")).to_contain_text(str(more))


def fill_in(page: Page, **more: str) -> None:
    for label, text in {**CONTACT, **more}.items():
        page.get_by_label(label, exact=True).fill(text)


def test_a_visitor_orders_without_an_account(browse: Callable[..., Page], javascript: bool) -> None:
    page = browse(java_script_enabled=javascript)
    put_honey(page, 3)
    page.locator("#barre-commande").click()
    page.get_by_role("link", name="Choisir le retrait").click()
    page.get_by_label("Point de retrait").select_option(label="Mairie de Laragne, Serres")
    if not javascript:
        page.get_by_role("button", name="Voir les jours").click()
    page.get_by_role("button", name="Choisir le jeudi 18 juin").click()
    expect(page.get_by_text("Mairie de Laragne")).to_be_visible()
    page.get_by_role("link", name="Passer la commande").click()
    fill_in(page, **{"Adresse e-mail": "emma@example.org"})
    page.get_by_role("button", name=ORDER).click()
    expect(page.get_by_text("Merci ! Votre commande")).to_be_visible()
    expect(page).to_have_url(re.compile("/lien/commande/"))
    assert latest() == (None, {"Miel": 3})


def test_a_subscriber_orders_with_the_next_box(browse: Callable[..., Page], javascript: bool) -> None:
    page = browse(CAMILLE, java_script_enabled=javascript)
    page.goto("/ma-commande")
    page.get_by_role("button", name="Moins : Miel").click()
    expect(page.locator(".take-number")).to_contain_text("2")
    expect(page.get_by_text("Avec votre panier")).to_be_visible()
    page.get_by_role("link", name="Passer la commande").click()
    fill_in(page)
    page.get_by_role("button", name=ORDER).click()
    expect(page.get_by_text("Merci ! Votre commande")).to_be_visible()
    assert latest() == (CAMILLE, {"Miel": 2})
    page.go_back()
    page.reload()
    expect(page.get_by_text("Votre commande est vide")).to_be_visible()


def test_what_a_visitor_chose_is_there_after_signing_in(
    browse: Callable[..., Page], javascript: bool
) -> None:
    page = browse(java_script_enabled=javascript)
    put_honey(page, 2)
    page.goto("/ma-commande")
    page.get_by_role("link", name=re.compile("onnectez-vous")).click()
    page.get_by_label("Adresse e-mail").fill(CAMILLE)
    page.get_by_label("Mot de passe", exact=True).fill(PASSPHRASE)
    page.get_by_role("button", name="Se connecter").click()
    expect(page.locator(".take-number")).to_contain_text("5")
    assert not [cookie for cookie in page.context.cookies() if cookie.get("name") == "cart"]
