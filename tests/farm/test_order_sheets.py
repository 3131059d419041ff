"""The papers that orders are prepared and handed out by."""

from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from portal.catalogue.models import Supplier
from portal.rules.money import Money
from portal.rules.orders import OrderState
from portal.rules.selling import Measured, SaleUnit
from tests.client import Browser
from tests.pages import text_of
from tests.shop.making import article, order
from tests.world import CUTOFF, NOW, STAFF, YACINE

PAGE = "/ferme/commandes/2026-06-16/mardi"
SHEETS = ("produits", "bordereaux", "points", "fournisseurs")


@pytest.fixture
def staff(client: Browser) -> Browser:
    client.sign_in(STAFF)
    return client


@pytest.fixture
def ordered(session: Session) -> None:
    honey = article(
        session, "Miel", content=500, measured=Measured.GRAMS, supplier=Supplier(name="Le Rucher")
    )
    carrots = article(session, "Carottes", 240, sale_unit=SaleUnit.WEIGHT, step=250)
    order(session, {honey: 2, carrots: 500})
    order(session, {honey: 1, carrots: 250}, email=YACINE, point="gare", with_box=False)
    order(session, {honey: 1}, email=None, point="gare", discount=Money(100))
    order(session, {honey: 7}, state=OrderState.REFUSED)
    session.commit()


def sheet(staff: Browser, name: str) -> str:
    return text_of(staff.get(f"{PAGE}/{name}"))


def test_products_have_their_total_and_what_goes_into_each_crate(staff, ordered):
    page = sheet(staff, "produits")
    assert "Carottes 750 g 500 g Halle de Serres 250 g Gare de Veynes" in page
    assert "Miel 500 g Le Rucher 4 2 Halle de Serres 2 Gare de Veynes" in page
    assert page.endswith("Caisses 1 Halle de Serres 2 Gare de Veynes")


def test_each_bag_has_a_slip_without_prices(staff, ordered):
    page = sheet(staff, "bordereaux")
    assert (
        "Aubert Camille Halle de Serres, mardi 16 juin Commande B10001 Carottes, 500 g 2 × Miel 500 g" in page
    )
    assert "Commande B10003, règle au point de retrait 1 × Miel" in page
    assert "€" not in page and "B10004" not in page
    assert staff.get(f"{PAGE}/bordereaux").text.count('class="slips"') == 1, (
        "another point begins on the same row"
    )


def test_a_point_reads_who_collects_what_and_what_a_guest_pays(staff, ordered):
    hall, station = sheet(staff, "points").split("Gare de Veynes")
    assert "Halle de Serres de 16 h 30 à 19 h" in hall and "Une commande" in hall
    assert "Aubert Camille B10001 Carottes, 500 g · 2 × Miel" in hall
    assert "2 commandes" in station
    assert "Benali Yacine B10002 Carottes, 250 g · 1 × Miel Roux Emma B10003 1 × Miel" in station
    assert station.count("€") == 1 and "À encaisser : 5,50 €" in station


def test_a_supplier_reads_how_much_is_wanted_for_which_day(staff, ordered):
    assert "Le Rucher Tournée du mardi" in sheet(staff, "fournisseurs")
    assert "Miel 500 g 4" in sheet(staff, "fournisseurs") and "Carottes" not in sheet(staff, "fournisseurs")
    text = staff.get(f"{PAGE}/fournisseurs.txt")
    assert text.mimetype == "text/plain"
    assert text.text.splitlines()[:4] == [
        "Le Rucher",
        "Pour la livraison du mardi 16\u00a0juin 2026 (Tournée du mardi)",
        "",
        "- 4 × Miel",
    ]


@pytest.mark.parametrize("name", SHEETS)
def test_each_says_which_delivery_it_is_when_it_was_printed_and_whether_it_may_change(
    staff, ordered, clock, name
):
    page = sheet(staff, name)
    assert "mardi 16 juin 2026" in page and "Imprimée le mercredi 10 juin, 10 h" in page
    assert "PROVISOIRE : les changements sont possibles jusqu'au dimanche 14 juin, 23 h 59" in page
    clock.move_to(CUTOFF + timedelta(hours=8))
    staff.sign_in(STAFF)
    page = sheet(staff, name)
    assert "Liste arrêtée le dimanche 14 juin, 23 h 59" in page and "PROVISOIRE" not in page


@pytest.mark.parametrize("name", SHEETS)
def test_nothing_to_prepare_is_said(staff, session, name):
    assert "Rien à préparer Personne n'a commandé pour ce jour-là." in sheet(staff, name)
    made = order(session, {article(session): 1})
    made.delivery.cancelled_at, made.delivery.cancel_reason = NOW, "Neige."
    session.commit()
    assert "Rien à préparer Neige." in sheet(staff, name)


def test_what_the_farm_grows_itself_is_not_ordered_from_anybody(staff, session):
    order(session, {article(session): 1})
    session.commit()
    assert "Rien à commander" in sheet(staff, "fournisseurs")
    assert "vient de la ferme." in staff.get(f"{PAGE}/fournisseurs.txt").text


@pytest.mark.parametrize("name", SHEETS)
def test_it_takes_the_same_number_of_statements_for_three_and_for_three_hundred(
    staff, session, count_queries, name
):
    honey = article(session)

    def statements() -> int:
        with count_queries() as seen:
            assert staff.get(f"{PAGE}/{name}").status_code == 200
        return len(seen)

    def add(people: int) -> None:
        for _ in range(people):
            order(session, {honey: 1}, email=None)
        session.commit()

    add(3)
    few = statements()
    add(297)
    assert statements() == few


def test_the_packing_list_names_orders_beside_the_boxes(staff, ordered):
    page = text_of(staff.get("/ferme/livraisons/2026-06-16/mardi/liste"))
    assert "1 G Grand panier 1 Œ Œufs 3 commandes" in page
    assert "1 Œ Œufs + commande B10001 : 2 produits" in page
    assert "Roux Emma commande B10003 : un produit, règle ici" in page
    assert "Gare de Veynes –– aucun panier 2 Total 11 2 3" in page
    assert "€" not in page
