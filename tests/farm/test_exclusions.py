"""/ferme/paniers/<date>/<tour>: the season's balance, the past weeks, and what some points receive instead."""

from datetime import date, timedelta

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from portal.catalogue.models import Formula
from portal.compositions.models import Exclusion
from portal.deliveries.models import Delivery
from portal.profile.models import FarmProfile
from tests.composing import delivery_on, formula, product, put, show
from tests.farm.trail import events
from tests.pages import text_of
from tests.world import CAMILLE, NOW, TUESDAY

PAGE = "/ferme/paniers/2026-06-16/mardi"
HALLE, GARE, MAIRIE = 1, 2, 3


@pytest.fixture
def boxes(session: Session) -> None:
    """Three Tuesdays: 20 € too much, then 5 € too little twice; the large box costs 19,50 €."""
    for weeks, salads in ((2, 30), (1, 11), (0, 11)):
        delivery = delivery_on(session, TUESDAY - timedelta(weeks=weeks))
        put(session, delivery, "grand", "salade", salads, at=NOW - timedelta(weeks=3))
    session.commit()


def without_salad(**typed: object) -> dict[str, str]:
    form = {"point": GARE, "formula": 2, "product": 2, "instead": 3, "amount": "2"}
    return {name: str(value) for name, value in (form | typed).items()}


def test_the_season_adds_up_since_its_first_day_with_a_word_beyond_five_percent(desk, session, boxes):
    # 52 salads of 1,30 € are 67,60 € for three boxes of 19,50 €, 58,50 €
    shown = text_of(desk.get(PAGE))
    assert "Saison – +15,6 % trop 3 paniers –" in shown
    assert "La saison, depuis le mercredi 1er avril 2026" in shown
    session.execute(update(FarmProfile).values(season_first=605))
    session.execute(update(Delivery).where(Delivery.day == date(2026, 6, 9)).values(cancelled_at=NOW))
    session.commit()
    shown = text_of(desk.get(PAGE))
    assert "Saison – −26,7 % trop peu 1 panier –" in shown, (
        "what was cancelled and what was before are left out"
    )


def test_a_cell_answers_with_the_seasons_balance(staff, session, boxes):
    key = f"{formula(session, 'grand')}-{product(session, 'salade')}"
    answer = staff.submit(f"{PAGE}/{key.replace('-', '/')}", {f"cell-{key}": "4"})
    if staff.htmx:
        page = answer.get_data(as_text=True)
        assert f'id="season-{formula(session, "grand")}" data-hx-swap-oob="true"' in page
        assert "−73,3 % trop peu 0 % 3 paniers" in text_of(answer), "of the box, of the season"


def test_the_past_weeks_say_what_came_how_often(desk, session, boxes, count_queries):
    put(session, delivery_on(session, TUESDAY), "grand", "radis", 2)
    session.commit()
    with count_queries() as statements:
        page = desk.get(f"{PAGE}/semaines/{formula(session, 'grand')}")
    shown = text_of(page)
    assert "Produit Fois 16 juin à venir9 juin2 juin" in shown
    assert "Salade 2 11 pièces11 pièces30 pièces" in shown
    assert "Radis 0 2 bottesrienrien" in shown
    assert len(statements) < 15
    assert desk.get(f"{PAGE}/semaines/9").status_code == 404


def test_a_point_receives_something_else_until_it_is_taken_back(staff, session, boxes):
    assert staff.submit(f"{PAGE}/points", without_salad()).status_code == 303
    shown = text_of(staff.get(PAGE))
    assert "Gare de Veynes (Grand panier) : pas de Salade, à la place Radis, 2 bottes" in shown
    row = session.scalars(select(Exclusion)).one()
    assert events(session)[-1].action == "composition.exclude"
    assert staff.submit(f"{PAGE}/points/{row.id}/suppression").status_code == 303
    session.expire_all()
    assert session.scalars(select(Exclusion)).all() == []
    assert "Tous les points reçoivent la même chose." in text_of(staff.get(PAGE))


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ({"amount": "deux"}, "Combien : un nombre entier, au moins 1."),
        ({"amount": ""}, "Combien : un nombre entier, au moins 1."),
        ({"instead": 2}, "À la place : un autre produit, ou rien."),
        ({"point": MAIRIE}, "Point de retrait : choisissez dans la liste."),
        ({"product": 4}, "Sans : choisissez dans la liste."),
        ({"instead": ""}, "À la place : choisissez dans la liste."),
        ({"formula": 1}, "Ces paniers n'en contiennent pas."),
    ],
)
def test_what_cannot_be_left_out_is_refused_and_kept_as_typed(desk, session, boxes, typed, says):
    answer = desk.submit(f"{PAGE}/points", without_salad(**typed))
    assert answer.status_code == 422
    assert says in text_of(answer)
    assert session.scalars(select(Exclusion)).all() == []


def test_a_subscriber_sees_the_box_as_their_point_gets_it(client, session, boxes):
    show(session, delivery_on(session, TUESDAY))
    session.commit()
    client.sign_in("ferme@example.org")
    client.get("/ferme")
    client.submit(f"{PAGE}/points", without_salad(point=HALLE, instead=0, amount=""))
    client.sign_in(CAMILLE)
    shown = text_of(client.get("/livraisons/2026-06-16/mardi"))
    assert "Salade : absent cette fois (annoncé : 11 pièces)" in shown
    assert "Salade 11" not in shown.replace("annoncé", "")
    assert "Salade" not in text_of(client.get("/espace"))


def test_a_retired_formula_is_composed_for_those_who_have_it_and_no_longer_than_that(desk, session):
    session.execute(update(Formula).values(retired_at=NOW))
    session.commit()
    shown = text_of(desk.get(PAGE))
    assert "Grand panier 1 panier" in shown and "Petit panier" not in shown
