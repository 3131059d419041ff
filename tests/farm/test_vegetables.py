"""/ferme/legumes: how vegetables are counted, drawn, kept and harvested."""

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.catalogue.models import Product, Unit
from portal.rules.money import Money
from tests.composing import delivery_on, put
from tests.farm.forms import VEGETABLE
from tests.farm.trail import events
from tests.pages import text_of
from tests.world import TUESDAY

LIST = "/ferme/legumes"
CARROTS = f"{LIST}/1"
GRID = "/ferme/paniers/2026-06-16/mardi"


def carrots(session: Session) -> Product:
    session.expire_all()
    return session.get_one(Product, 1)


def test_a_vegetable_is_changed_with_all_that_the_harvest_asks(staff, session):
    assert staff.submit(CARROTS, VEGETABLE).status_code == 303
    row = carrots(session)
    assert (row.value, row.parcel, row.tool, row.crate) == (
        Money(280),
        "Serre 2",
        "fourche-bêche",
        "caisse verte",
    )
    assert (row.kept_in, row.margin, row.slug) == ("chambre froide", 5, "carottes")
    [event] = events(session)
    assert event.action == "product.change" and event.after["value"] == 280
    shown = text_of(staff.get(LIST))
    assert "Carottes 2,80 € le kilo · Serre 2 · caisse verte" in shown


def test_a_new_one_is_chosen_in_boxes_until_it_is_retired(desk, session):
    assert desk.submit(f"{LIST}/ajout", VEGETABLE | {"name": "Crosnes"}).status_code == 303
    added = session.scalars(select(Product).where(Product.slug == "crosnes")).one()
    chosen = f'<option value="{added.id}">Crosnes</option>'
    assert chosen in desk.get(GRID).text
    put(session, delivery_on(session, TUESDAY), "grand", "carottes", 500)
    session.commit()
    for product_id in (added.id, 1):
        desk.submit(f"{LIST}/{product_id}/retrait", {})
    page = desk.get(GRID)
    assert chosen not in page.text and "Carottes" in text_of(page), "what holds it keeps it"
    assert "Plus cultivés" in text_of(desk.get(LIST))
    desk.submit(f"{LIST}/{added.id}/retour", {})
    assert chosen in desk.get(GRID).text


def test_what_boxes_hold_is_not_counted_otherwise_but_kilos_may_become_grams(desk, session):
    put(session, delivery_on(session, TUESDAY), "grand", "carottes", 500)
    session.commit()
    refused = desk.submit(CARROTS, VEGETABLE | {"unit": "piece"})
    assert refused.status_code == 422 and "Ajoutez plutôt un autre légume." in text_of(refused)
    assert desk.submit(CARROTS, VEGETABLE | {"unit": "g"}).status_code == 303
    assert carrots(session).unit is Unit.GRAM


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"name": ""}, "Nom : à remplir."),
        ({"value": "cher"}, "Valeur : un nombre comme 2,5"),
        ({"drawing": "dragon"}, "Dessin : choisissez dans la liste."),
        ({"margin": "150"}, "Marge à la récolte, en % : un nombre entier, de 0 à 100."),
    ],
)
def test_what_is_not_right_is_refused_and_kept_as_typed(desk, session, change, says):
    refused = desk.submit(CARROTS, VEGETABLE | {"parcel": "Le grand champ"} | change)
    assert refused.status_code == 422
    assert says in text_of(refused) and 'value="Le grand champ"' in refused.text
    assert carrots(session).parcel is None
