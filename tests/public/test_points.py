"""/points-de-retrait: every point in a list and on a map, for who comes by and for who subscribes."""

import re
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import html5lib
import pytest
from flask import Flask
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from portal.accounts.models import Account
from portal.catalogue.models import Formula
from portal.pickup.models import PickupPoint
from portal.subscriptions.models import Subscription, Term, Withheld
from portal.web.assets import FOREVER
from tests.client import Browser
from tests.pages import text_of
from tests.world import CAMILLE, NOW, STAFF, TODAY, YACINE

PAGE = "/points-de-retrait"
SCRIPT = re.compile(r'src="(/points-de-retrait/carte/[0-9a-f]{16}\.js)"')


def point(session: Session, slug: str) -> PickupPoint:
    return session.scalars(select(PickupPoint).where(PickupPoint.slug == slug)).one()


def spread(session: Session) -> None:
    """Each point in a town of its own, from south to north."""
    for slug, town in {"halle": "Serres", "gare": "Veynes", "mairie": "Laragne", "cafe": "Sisteron"}.items():
        point(session, slug).town = town
    session.commit()


def listed(client: Browser, query: str = "") -> list[str]:
    """The slugs of the list, in its order."""
    tree = html5lib.parse(client.get(f"{PAGE}{query}").text, namespaceHTMLElements=False)
    return [element.get("id") for element in tree.iter("li") if element.get("class") == "point"]


def of_point(client: Browser, slug: str, query: str = "") -> str:
    """What the list says of a point."""
    tree = html5lib.parse(client.get(f"{PAGE}{query}").text, namespaceHTMLElements=False)
    [element] = (found for found in tree.iter("li") if found.get("id") == slug)
    return " ".join("".join(element.itertext()).replace("\u202f", " ").replace("\u00a0", " ").split())


def test_each_point_is_told_with_its_day_hours_address_and_access(client: Browser) -> None:
    assert listed(client) == ["halle", "gare", "mairie", "cafe"]
    words = of_point(client, "mairie")
    assert "Mairie de Laragne" in words
    assert "Le jeudi, de 16 h 30 à 19 h" in words
    assert "3 place du Village, 05700 Serres" in words
    assert "Sonnez à la porte verte." in words
    page = text_of(client.get(PAGE))
    assert page.index("Le mardi Modifiable jusqu'au dimanche, 23 h 59") < page.index("Halle de Serres")
    assert page.index("Le jeudi Modifiable jusqu'au lundi, 23 h 59") < page.index("Mairie de Laragne")


@pytest.mark.parametrize(
    ("free", "said"), [(None, None), (-2, "Complet"), (0, "Complet"), (1, "1 place"), (12, "12 places")]
)
def test_places_are_told_as_last_counted_and_not_before(
    client: Browser, session: Session, free: int | None, said: str | None
) -> None:
    point(session, "gare").free_places = free
    session.commit()
    found = re.search(r"Complet|(?<=Veynes )\d+ places?", of_point(client, "gare"))
    assert (found and found[0]) == said
    assert "Complet" not in of_point(client, "halle")


def test_formulas_that_a_point_does_not_offer_are_named(client: Browser, session: Session) -> None:
    for slug in ("oeufs", "grand"):
        formula = session.scalars(select(Formula).where(Formula.slug == slug)).one()
        session.add(Withheld(pickup_point_id=point(session, "gare").id, formula_id=formula.id))
    session.commit()
    assert "Pas proposé ici : Grand panier, Œufs" in of_point(client, "gare")
    assert "Pas proposé ici" not in of_point(client, "halle")


def test_a_retired_point_is_neither_listed_nor_drawn(client: Browser, session: Session) -> None:
    point(session, "gare").retired_at = NOW
    session.commit()
    assert "gare" not in listed(client)
    assert '"gare"' not in client.get(script_of(client)).text
    assert "Gare de Veynes" not in text_of(client.get("/"))


def test_a_day_shows_its_points_only(client: Browser) -> None:
    assert listed(client, "?jour=mardi") == ["halle", "gare"]
    assert listed(client, "?jour=vendredi") == ["cafe"]
    assert listed(client, "?jour=dimanche") == []
    assert "Aucun point ce jour-là" in text_of(client.get(f"{PAGE}?jour=dimanche"))


@pytest.mark.parametrize(
    "query", ["?jour=", "?jour=<evil>", "?jour=7", "?ville=Atlantis", "?ville=a&ville=b"]
)
def test_what_is_no_day_and_no_town_changes_nothing(client: Browser, query: str) -> None:
    assert listed(client, query) == listed(client)


def test_from_a_town_the_nearest_come_first_with_their_distance(client: Browser, session: Session) -> None:
    spread(session)
    assert listed(client, "?ville=Laragne") == ["mairie", "cafe", "gare", "halle"]
    assert "à moins de 1 km" in of_point(client, "mairie", "?ville=Laragne")
    assert "à 11 km" in of_point(client, "gare", "?ville=Laragne")
    assert "à 22 km" in of_point(client, "halle", "?ville=Laragne")
    assert "Modifiable jusqu'au dimanche, 23 h 59" in of_point(client, "halle", "?ville=Laragne")
    assert listed(client, "?ville=Laragne&jour=mardi") == ["gare", "halle"]
    assert "km" not in of_point(client, "mairie")


def test_a_town_lies_in_the_middle_of_its_points(client: Browser, session: Session) -> None:
    """All four in Serres, along a line of 33 km."""
    assert "à 17 km" in of_point(client, "halle", "?ville=Serres")
    assert "à 6 km" in of_point(client, "gare", "?ville=Serres")


def test_the_form_keeps_what_was_chosen(client: Browser, session: Session) -> None:
    spread(session)
    page = client.get(f"{PAGE}?ville=Veynes&jour=jeudi").text
    assert "<option selected>Veynes</option>" in page
    assert '<option value="jeudi" selected>' in page
    towns = re.findall(r"<option(?: selected)?>([^<]+)</option>", page)
    assert towns == ["Laragne", "Serres", "Sisteron", "Veynes"]


def test_a_farm_without_points_says_so(client: Browser, session: Session) -> None:
    address = script_of(client)
    session.execute(update(PickupPoint).values(retired_at=NOW))
    session.commit()
    page = client.get(PAGE)
    assert "Pas de point de retrait en ce moment" in text_of(page)
    assert "leaflet" not in page.text
    assert client.get(address).status_code == 404


def test_visitors_are_led_to_the_formulas_and_chosen_for_nothing(client: Browser) -> None:
    page = client.get(PAGE).text
    assert 'href="/formules"' in page
    assert "/choisir" not in page


def test_subscribers_see_their_own_point_and_may_choose_another(client: Browser) -> None:
    client.sign_in(CAMILLE)
    page = client.get(PAGE).text
    assert "Votre point de retrait" in of_point(client, "halle")
    assert "Choisir ce point" not in of_point(client, "halle")
    assert page.count("Votre point de retrait") == 2, "in the list, and on the map"
    for slug in ("gare", "mairie", "cafe"):
        assert f'href="/points-de-retrait/{slug}/choisir"' in page
    assert page.count("data-mine") == 1


def test_a_point_that_one_moves_to_is_ones_own_already_and_one_that_is_left_no_more(
    client: Browser, session: Session
) -> None:
    [term] = session.scalars(select(Term).join(Subscription).join(Account).where(Account.email == YACINE))
    term.until = TODAY + timedelta(days=5)
    session.add(
        Term(
            subscription_id=term.subscription_id,
            monday=term.until,
            formula_id=term.formula_id,
            quantity=1,
            rhythm=term.rhythm,
            pickup_point_id=point(session, "cafe").id,
        )
    )
    session.commit()
    client.sign_in(YACINE)
    assert "Votre point de retrait" in of_point(client, "mairie")
    assert "Votre point de retrait" in of_point(client, "cafe")
    term.until -= timedelta(days=7)
    session.commit()
    assert "Votre point de retrait" not in of_point(client, "mairie")


@pytest.mark.parametrize("who", [CAMILLE, STAFF])
def test_who_no_longer_subscribes_is_a_visitor(client: Browser, session: Session, who: str) -> None:
    session.execute(update(Subscription).values(last_day=TODAY - timedelta(days=1)))
    session.commit()
    client.sign_in(who)
    page = client.get(PAGE).text
    assert "Votre point de retrait" not in page
    assert "/choisir" not in page


# The map


def script_of(client: Browser) -> str:
    found = SCRIPT.search(client.get(PAGE).text)
    assert found
    return found[1]


def test_the_page_holds_a_template_for_every_point_that_it_lists(client: Browser) -> None:
    def templates(query: str) -> set[str]:
        return set(re.findall(r'<template id="carte-([a-z]+)"', client.get(f"{PAGE}{query}").text)) - {
            "groupe"
        }

    assert templates("") == {"halle", "gare", "mairie", "cafe"}
    assert templates("?jour=vendredi") == {"cafe"}


def test_the_script_is_kept_for_ever_and_changes_its_address_with_its_contents(
    client: Browser, session: Session
) -> None:
    first = script_of(client)
    answer = client.get(first)
    assert (answer.status_code, answer.mimetype) == (200, "text/javascript")
    assert answer.headers["Cache-Control"] == FOREVER
    assert "Set-Cookie" not in answer.headers
    assert script_of(client) == first
    point(session, "gare").name, point(session, "gare").free_places = "Autre nom", 3
    session.commit()
    assert script_of(client) == first, "names and places are the page's"
    point(session, "gare").latitude = 44.6
    session.commit()
    second = script_of(client)
    assert second != first
    assert "44.6" in client.get(second).text


def test_the_page_does_not_wait_for_the_drawing(client: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("portal.public.points._drawing", lambda _: pytest.fail("drawn for nothing"))
    assert client.get(PAGE).status_code == 200


def test_an_address_of_before_shows_the_map_of_now_and_is_not_kept(client: Browser, session: Session) -> None:
    before = script_of(client)
    point(session, "gare").latitude = 44.6
    session.commit()
    for address in (before, f"{PAGE}/carte/0.js"):
        answer = client.get(address)
        assert answer.status_code == 200
        assert answer.headers["Cache-Control"] == "no-cache"
        assert answer.data == client.get(script_of(client)).data


def test_the_script_is_the_same_for_everybody(client: Browser, app: Flask) -> None:
    for visitor in (app.test_client(), client):
        assert isinstance(visitor, Browser)
        address = script_of(visitor)
        words = visitor.get(address).text
        client.sign_in(CAMILLE)
        assert script_of(client) == address
        assert client.get(address).text == words


def test_the_pages_that_lead_there(client: Browser) -> None:
    for path in ("/", "/formules", "/connexion"):
        assert f'href="{PAGE}"' in client.get(path).text, path
    client.sign_in(CAMILLE)
    assert f'href="{PAGE}"' in client.get("/espace").text


# What it costs


def crowd(session: Session, points: int, people: int) -> None:
    tour = point(session, "halle").tour_id
    session.add_all(
        PickupPoint(
            tour_id=tour, position=10 + n, slug=f"point-{n}", name=f"Point {n}", address="1 rue",
            postcode="05000", town=f"Ville {n}", latitude=44 + n / 100, longitude=5.5, opens=NOW.time(),
            closes=NOW.time(), access="", capacity=10, free_places=n % 3,
        )
        for n in range(points)
    )  # fmt: skip
    camille = session.scalars(select(Account).where(Account.email == CAMILLE)).one()
    [formula, *_] = session.scalars(select(Formula))
    session.flush()
    for n in range(people):
        session.add(Withheld(pickup_point_id=point(session, f"point-{n}").id, formula_id=formula.id))
        term = Term(
            monday=date(2026, 1, 5), formula_id=formula.id, quantity=1, rhythm="weekly",
            pickup_point_id=point(session, f"point-{n}").id,
        )  # fmt: skip
        session.add(Subscription(account_id=camille.id, created_at=NOW, terms=[term]))
    session.commit()


def test_it_asks_the_database_as_often_however_many_points_and_people_there_are(
    client: Browser, session: Session, count_queries: Callable[[], Any]
) -> None:
    client.sign_in(CAMILLE)

    def asked(path: str) -> list[str]:
        client.get(path)
        with count_queries() as statements:
            assert client.get(path).status_code == 200
        return statements

    paths = (PAGE, f"{PAGE}?ville=Serres&jour=mardi", script_of(client))
    few = [len(asked(path)) for path in paths]
    crowd(session, points=40, people=20)
    many = [asked(path) for path in (*paths[:2], script_of(client))]
    assert [len(statements) for statements in many] == few
    assert few[0] <= 7, "\n".join(many[0])
    assert few[2] == 1
