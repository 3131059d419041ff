"""Becoming a subscriber on a phone, without JavaScript."""

from collections.abc import Callable

from playwright.sync_api import Page, expect

from portal.infra.orm import db
from tests.joining import publish_conditions
from tests.world import PASSPHRASE, YACINE

ORDER = "Commander avec obligation de paiement"
CONTACT = {"Adresse": "3 rue du Four", "Code postal": "05700", "Ville": "Serres"}


def test_from_the_window_to_the_contract(app: object, browse: Callable[..., Page]) -> None:
    publish_conditions(db.session())
    page = browse(java_script_enabled=False)
    page.goto("/formules")
    page.get_by_role("link", name="M'abonner : Petit panier").click()
    expect(page.get_by_role("radio", name="Petit panier")).to_be_checked()
    page.get_by_label("Avec des œufs ?").select_option("Œufs")
    page.get_by_role("button", name="Continuer").click()
    page.locator("#gare").get_by_role("button", name="Choisir ce point").click()
    page.get_by_label("une semaine sur deux : 16, 30 juin, 14 juillet").check()
    page.go_back()
    expect(page.get_by_role("link", name="Continuer avec Gare de Veynes")).to_be_visible()
    page.get_by_role("link", name="Continuer avec Gare de Veynes").click()
    page.get_by_label("une semaine sur deux : 16, 30 juin, 14 juillet").check()
    page.get_by_role("button", name="Continuer").click()
    page.get_by_role("link", name="J'ai déjà un compte").click()
    page.get_by_label("Adresse e-mail").fill(YACINE)
    page.get_by_label("Mot de passe", exact=True).fill(PASSPHRASE)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Vérifier et commander")
    page.get_by_role("button", name=ORDER).click()
    expect(page.get_by_role("link", name="Adresse : à remplir.")).to_be_visible()
    for label, text in CONTACT.items():
        page.get_by_label(label, exact=True).fill(text)
    page.get_by_role("radio", name="virement").check()
    expect(page.get_by_role("region", name="Vous commandez")).to_contain_text("13,90 € TTC")
    page.get_by_role("button", name=ORDER).click()
    expect(page.locator(".flash-success")).to_contain_text(
        "Petit panier + Œufs, premier panier le mardi 16 juin"
    )
    page.goto("/mon-compte/contrats")
    with page.expect_download() as paper:
        page.get_by_role("link", name="Le contrat A10004 en PDF").click()
    assert paper.value.suggested_filename == "contrat-A10004.pdf"
