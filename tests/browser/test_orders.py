"""Orders on a phone: found, amended after a look at the sum, cancelled, printed; a guest's by the mailed link."""

import subprocess
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from time_machine import Traveller

from portal.infra.orm import own_transaction
from portal.rules.money import Money
from portal.rules.orders import OrderState
from portal.rules.selling import SaleUnit
from portal.shop.tokens import order_token
from tests.shop.making import article, order
from tests.world import CAMILLE, CUTOFF

LEGAL = "Commander avec obligation de paiement"


@pytest.fixture
def ordered(app: object) -> int:
    """Two jars and a bread for Camille."""
    with own_transaction() as session:
        return order(session, {article(session): 2, article(session, "Pain", 400, perishable=True): 1}).id


@pytest.fixture
def page(ordered: int, browse: Callable[..., Page], javascript: bool) -> Page:
    """Camille's phone."""
    return browse(CAMILLE, java_script_enabled=javascript)


def test_an_order_is_amended_after_a_look_at_the_sum_and_cancelled(page: Page, javascript: bool) -> None:
    page.goto("/espace")
    page.get_by_role("navigation").get_by_role("link", name="Commandes").click()
    page.get_by_role("link", name="Commande B10001").click()
    page.get_by_role("link", name="Modifier la commande").click()
    expect(page.get_by_role("button", name=LEGAL)).to_have_count(0)
    page.get_by_label("Miel").select_option("4")
    if not javascript:
        page.get_by_role("button", name="Voir le nouveau total").click()
    expect(page.locator("#apercu")).to_contain_text("30,00 € au lieu de 17,00 €")
    page.get_by_role("button", name=LEGAL).click()
    expect(page.locator(".flash-success")).to_contain_text("Votre commande est modifiée")
    expect(page.locator(".bill-total")).to_contain_text("30,00 €")
    expect(page.locator(".timeline")).to_contain_text("Commande modifiée")

    page.get_by_text("Annuler la commande").click()
    page.get_by_role("button", name="Oui, annuler").click()
    expect(page.locator(".flash-success")).to_be_focused()
    expect(page.locator(".state")).to_have_text("Annulée")
    expect(page.get_by_role("link", name="Modifier la commande")).to_have_count(0)


def test_a_page_left_open_over_the_cutoff_says_so(page: Page, javascript: bool, clock: Traveller) -> None:
    page.goto("/commandes/1")
    page.get_by_text("Annuler la commande").click()
    clock.move_to(CUTOFF)
    page.get_by_role("button", name="Oui, annuler").click()
    expect(page.locator(".flash-error")).to_contain_text("close depuis le dimanche 14 juin, 23 h 59")
    expect(page.locator(".state")).to_have_text("Acceptée")


def test_what_keeps_is_renounced_until_the_period_is_over(
    page: Page, javascript: bool, clock: Traveller
) -> None:
    page.goto("/commandes/1")
    page.get_by_role("main").get_by_role("link", name="Renoncer au contrat ici").click()
    expect(page.get_by_role("checkbox")).to_have_count(1)
    page.get_by_role("button", name="Confirmer la rétractation").click()
    expect(page.locator(".flash-success")).to_contain_text("Votre rétractation est reçue")
    expect(page.locator(".timeline")).to_contain_text("mercredi 10 juin 2026, 10 h")
    expect(page.get_by_role("main").get_by_role("link", name="Renoncer au contrat ici")).to_have_count(0)


def test_a_guest_follows_the_order_by_its_link(
    app: object, browse: Callable[..., Page], javascript: bool
) -> None:
    with own_transaction() as session:
        token = order_token(order(session, {article(session): 3}, email=None).id)
    page = browse(java_script_enabled=javascript)
    page.goto(f"/lien/commande/{token}")
    expect(page.get_by_text("À régler au point de retrait.")).to_be_visible()
    page.get_by_text("Annuler la commande").click()
    page.get_by_role("button", name="Oui, annuler").click()
    expect(page.locator(".state")).to_have_text("Annulée")


def test_the_paper_holds_all_of_it_with_its_head_on_every_page(
    app: object, browse: Callable[..., Page], tmp_path: Path
) -> None:
    with own_transaction() as session:
        goods = {article(session, f"Miel numéro {number}"): 1 for number in range(1, 61)}
        order(session, goods, state=OrderState.DELIVERED, day=CUTOFF.date() - timedelta(days=5))
    page = browse(CAMILLE)
    page.goto("/commandes/1/impression")
    page.pdf(path=tmp_path / "sheet.pdf", prefer_css_page_size=True)
    (tmp_path / "file.pdf").write_bytes(page.request.get("/commandes/1.pdf").body())
    for name in ("sheet.pdf", "file.pdf"):
        sheets = [" ".join(sheet.split()) for sheet in read(tmp_path / name).rstrip("\f").split("\f")]
        assert len(sheets) > 1
        for number, sheet in enumerate(sheets, 1):
            assert "Commande B10001" in sheet
            assert "Quantité Prix TTC Montant TTC" in sheet
            assert f"{number}/{len(sheets)}" in sheet.replace(" / ", "/")
        whole = " ".join(sheets)
        assert all(whole.count(f"Miel numéro {number} ") == 1 for number in range(1, 61))
        assert "390,00 €" in whole


@pytest.mark.parametrize("width", [320, 390])
def test_the_paper_can_be_read_on_a_phone(app: object, browse: Callable[..., Page], width: int) -> None:
    with own_transaction() as session:
        cheese = article(session, "Tomme de vache", 2290, sale_unit=SaleUnit.WEIGHT, step=250)
        order(session, {cheese: 1500}, discount=Money(150))
    page = browse(CAMILLE)
    page.set_viewport_size({"width": width, "height": 844})
    page.goto("/commandes/1/impression")
    assert page.locator(".sheet").evaluate("sheet => sheet.scrollWidth <= sheet.clientWidth")
    goods = page.get_by_role("rowheader", name="Tomme de vache").bounding_box()
    letterhead = page.get_by_text("Des légumes de la vallée").bounding_box()
    assert goods and goods["width"] > 60
    assert letterhead and letterhead["width"] > width / 2


def read(file: Path) -> str:
    written = subprocess.run(["pdftotext", "-layout", file, "-"], capture_output=True, check=True, text=True)
    return written.stdout.replace("\u202f", " ").replace("\u00a0", " ")
