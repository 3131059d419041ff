"""The pages that the law asks for, written from the farm's card or by the farm."""

import pytest
from sqlalchemy import update

from portal.profile.legal import Lack, lacks
from portal.profile.models import Conditions, FarmProfile
from portal.profile.queries import NO_FARM, ConditionsView, Farm
from tests.farm.forms import PROFILE
from tests.farm.trail import events
from tests.pages import text_of
from tests.world import ADMIN, NOW

CARD = {
    "legal_name": "Association des Iscles",
    "legal_form": "association loi 1901",
    "siret": "73282932000074",
    "register": "RNA W051000000",
    "vat_number": "FR40303265045",
    "director": "Zoé Imbert",
    "host": "Serveurs du Buëch, 05 00 00 00 00",
    "mediator": "Médiation des Vallées, Laragne",
    "mediator_site": "https://mediation.example.org",
}
PAGES = ("/mentions-legales", "/confidentialite", "/accessibilite")


@pytest.fixture
def office(client):
    client.sign_in(ADMIN)
    client.get("/ferme")
    return client


def test_the_legal_notice_says_all_that_the_card_does(client, session):
    session.execute(update(FarmProfile).values(CARD))
    session.commit()
    page = client.get("/mentions-legales")
    for value in (*CARD.values(), "732829320", "12 chemin des Canaux", "04 65 71 00 01", "ferme@example.org"):
        assert value in text_of(page)
    assert "ec.europa.eu" not in page.text


def test_the_pages_follow_the_card_and_every_page_leads_to_them(client, session, count_queries):
    session.execute(
        update(FarmProfile).values(inactive_years=4, accessibility="partial", partner="L'Épicerie")
    )
    session.commit()
    with count_queries() as statements:
        page = client.get("/confidentialite")
    assert len(statements) <= 3
    foot = page.text.partition("<footer")[2]
    for path in (*PAGES, "/conditions", "/contact", "/questions", "/resilier", "/retractation"):
        assert f'href="{path}"' in foot
    assert "Accessibilité : partiellement conforme" in text_of(page)
    assert "après 4 ans sans nouvelles" in text_of(page)
    for words in ("L'Épicerie", "CNIL", "http://localhost/contact", "dix ans", "OpenStreetMap"):
        assert words in text_of(page)
    shown = text_of(client.get("/accessibilite"))
    assert "Ce site est partiellement conforme" in shown and "Défenseur des droits" in shown


def test_only_the_cookies_that_it_lists_are_set(client):
    client.get("/contact")
    names = {cookie.key for cookie in client._cookies.values()}
    page = text_of(client.get("/confidentialite"))
    assert names and all(f"« {name} »" in page for name in names)


def test_admins_put_their_own_words_in_its_place_and_take_them_back(office, session):
    path = "/ferme/reglages/pages/privacy"
    assert "Vos données servent à préparer" in text_of(office.get(path))
    for _ in range(2):
        assert office.submit(path, {"text": "# Chez nous\n<b>Rien</b> n'est gardé."}).status_code == 303
    page = office.get("/confidentialite")
    assert "<h2>Chez nous</h2>" in page.text and "<b>Rien" not in page.text
    assert "Vos mots, depuis le" in text_of(office.get("/ferme/reglages/pages"))
    office.submit(path, {"text": "tant pis", "act": "ours"})
    assert "Chez nous" not in office.get("/confidentialite").text
    assert [event.after for event in events(session)] == [
        {"page": "privacy", "own": True},
        {"page": "privacy", "own": False},
    ]
    assert office.get("/ferme/reglages/pages/navets").status_code == 404


def test_our_own_text_published_as_it_stands_still_follows_the_card(office, session):
    path = "/ferme/reglages/pages/legal"
    text = office.get(path).text.partition('name="text">')[2].partition("</textarea>")[0]
    office.submit(path, {"text": text.strip().replace("&#39;", "'").replace("\n", "\r\n")})
    assert events(session) == []


def test_what_the_law_still_asks_for_is_said_until_it_is_there(office, session):
    assert "le numéro SIRET" in text_of(office.get("/ferme/reglages"))
    assert "La loi demande encore quelque chose." in text_of(office.get("/ferme/sommaire"))
    bad = office.submit("/ferme/reglages", PROFILE | CARD | {"siret": "73282932000075", "vat_number": "FR1"})
    assert bad.status_code == 422
    assert "SIRET : quatorze chiffres" in text_of(bad) and "Numéro de TVA : le pays" in text_of(bad)
    assert (
        office.submit("/ferme/reglages", PROFILE | CARD | {"siret": "732 829 320 00074"}).status_code == 303
    )
    session.add(
        Conditions(
            text="Médiateur : https://mediation.example.org\n# Formulaire de rétractation", published_at=NOW
        )
    )
    session.commit()
    assert "La loi demande encore" not in text_of(office.get("/ferme/reglages"))
    assert "Association des Iscles" in office.get("/mentions-legales").text


def _conditions(text: str) -> ConditionsView:
    return ConditionsView(1, NOW, text)


def test_each_lack_is_told_apart():
    whole = Farm("A", "", "a@b.fr", "04", "", "1 rue", "05300", "Gap", **CARD)
    site = f"{CARD['mediator_site']} # Modèle de formulaire de rétractation"
    assert lacks(whole, _conditions(site)) == []
    assert lacks(whole, _conditions(CARD["mediator_site"])) == [Lack.WITHDRAWAL_FORM]
    assert lacks(whole, None) == [Lack.CONDITIONS]
    assert lacks(whole, _conditions("…")) == [Lack.MEDIATOR_IN_CONDITIONS, Lack.WITHDRAWAL_FORM]
    assert lacks(whole, _conditions(f"{site} https://ec.europa.eu/consumers/odr")) == [Lack.CLOSED_PLATFORM]
    assert len(lacks(NO_FARM, None)) == 8


def test_the_command_fails_while_something_is_missing(app, session):
    answer = app.test_cli_runner().invoke(args=["check"])
    assert answer.exit_code == 1
    assert "qui dirige la publication" in answer.output
    assert "numéro de TVA" in answer.output and answer.output.count("raison sociale") == 1


def test_search_engines_are_kept_from_what_is_somebodys_own(client):
    page = client.get("/robots.txt")
    assert page.mimetype == "text/plain" and "Disallow: /ferme\n" in page.text
