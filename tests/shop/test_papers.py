"""The shop's papers say all that they are to say, and words of people as they were typed."""

import subprocess
from datetime import UTC, datetime

import pytest

from portal.accounts.companies import Identity
from portal.profile.queries import ConditionsView, get_farm
from portal.rules.money import Money
from portal.rules.orders import OrderState
from portal.rules.selling import SaleUnit
from portal.shop import queries
from portal.shop.papers import conditions_file, order_file
from tests.shop.making import article, order

HOSTILE = '#panic("!") *x* $y$ <b>'


def words(file):
    read = subprocess.run(
        ["pdftotext", "-layout", "-", "-"], input=file.data, capture_output=True, check=True
    )
    return " ".join(read.stdout.decode().replace("\u202f", " ").replace("\u00a0", " ").split())


@pytest.fixture
def paper(session):
    def print_order(placed, company=None):
        session.flush()
        return words(order_file(queries.find(session, placed.id), get_farm(session), company))

    return print_order


def test_an_order_names_the_company_that_the_account_is(session, paper):
    placed = order(session, {article(session, "Bière", 400, vat=2000): 2})
    said = paper(placed, Identity("Crèche <Les Lutins>", None, "303265045"))
    assert all(words in said for words in ("Crèche <Les Lutins>", "SIREN 303265045", "Camille Aubert"))
    assert "TVA FR40303265045" in paper(placed, Identity("Crèche", "FR40303265045", None))


def test_an_order_says_who_what_where_when_and_for_how_much(session, paper):
    potatoes = article(session, "Pommes de terre", 200, sale_unit=SaleUnit.WEIGHT, step=250)
    beer = article(session, "Bière", 400, vat=2000)
    placed = order(session, {potatoes: 1500, beer: 2}, discount=Money(100))
    said = paper(placed)
    for expected in (
        "Les Jardins du Test",
        "Commande B10001",
        "Camille Aubert",
        "3 rue du Four",
        "05700 Serres",
        "le mardi 9 juin 2026",
        "acceptée",
        "le mardi 16 juin 2026",
        "Halle de Serres, 1 place du Village",
        "de 16 h 30 à 19 h",
        "sur la facture du mois",
        "Pommes de terre 1,5 kg 2,00 € le kilo 3,00 €",
        "Bière 2 4,00 € 8,00 €",
        "Bon d'achat −1,00 €",
        "Total TTC estimé, avant la pesée 10,00 €",
        "dont TVA à 5,5 % : 0,14 €",
        "dont TVA à 20 % : 1,21 €",
        "Ce document n'est pas une facture.",
    ):
        assert expected in said.replace("’", "'")


def test_a_guest_pays_at_the_point_and_nobody_pays_for_what_was_refused(session, paper):
    honey = article(session)
    assert "au point de retrait" in paper(order(session, {honey: 1}, email=None))
    refused = paper(order(session, {honey: 1}, state=OrderState.REFUSED))
    assert "rien à payer" in refused
    assert "Total" not in refused


def test_what_was_weighed_is_what_is_paid(session, paper):
    potatoes = article(session, "Pommes de terre", 200, sale_unit=SaleUnit.WEIGHT, step=250)
    placed = order(session, {potatoes: 1500})
    placed.lines[0].given = 1480
    said = paper(placed)
    assert "Pommes de terre 1,48 kg 2,00 € le kilo 2,96 €" in said
    assert "estimé" not in said


def test_names_are_never_source(session, paper):
    assert paper(order(session, {article(session, HOSTILE): 1}, name=HOSTILE)).count(HOSTILE) == 2


def test_conditions_bear_the_day_since_which_they_are_in_force(session):
    text = f"Avant tout.\n\n# Qui vend\n\nLa ferme.\nÀ Serres.\n\n# {HOSTILE}\n\n{HOSTILE}"
    conditions = ConditionsView(7, datetime(2026, 3, 31, 22, tzinfo=UTC), text)
    file = conditions_file(conditions, get_farm(session))
    assert file.name == "conditions-2026-04-01.pdf"
    said = words(file)
    assert "En vigueur depuis le mercredi 1er avril 2026 Avant tout. Qui vend La ferme. À Serres." in said
    assert said.count(HOSTILE) == 2
    assert file == conditions_file(conditions, get_farm(session)), "the same bytes are stored once"
