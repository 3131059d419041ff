"""/ferme/produits/rayons and /fournisseurs: the shelves of the shop in their order, and who supplies it."""

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.catalogue.models import Category, Supplier
from tests.farm.forms import NEW_ARTICLE, SHELF, SUPPLIER
from tests.farm.products import ADD, LIST
from tests.farm.trail import events
from tests.pages import text_of
from tests.shop.making import article

SHELVES, SUPPLIERS = "/ferme/produits/rayons", "/ferme/produits/fournisseurs"


def shelves(session: Session) -> list[str]:
    session.expire_all()
    return list(session.scalars(select(Category.name).order_by(Category.position)))


def test_a_farm_without_a_shop_is_told_where_to_begin(desk):
    assert "La boutique n'a pas encore de rayon" in text_of(desk.get(LIST))
    answer = desk.submit(ADD, NEW_ARTICLE)
    assert answer.status_code == 422 and "Rayon : choisissez dans la liste." in text_of(answer)


def test_shelves_are_added_one_after_the_other(staff, session):
    assert "Pas encore de rayon" in text_of(staff.get(SHELVES))
    for name in ("Crémerie", "Œufs & pain"):
        assert staff.submit(f"{SHELVES}/ajout", SHELF | {"name": name}).status_code == 303
    assert shelves(session) == ["Crémerie", "Œufs & pain"]
    assert session.scalars(select(Category.slug).order_by(Category.id)).all() == ["cremerie", "oeufs-pain"]
    shown = text_of(staff.get(SHELVES))
    assert "Crémerie 0 produit Œufs & pain 0 produit" in shown
    assert [event.action for event in events(session)] == ["category.create"] * 2


def test_a_shelf_is_renamed_and_keeps_its_address(staff, session):
    article(session)
    session.commit()
    assert staff.submit(f"{SHELVES}/1", SHELF | {"name": "Douceurs"}).status_code == 303
    changed = session.get_one(Category, 1)
    assert (changed.name, changed.slug, changed.drawing) == ("Douceurs", "epicerie", "cheese")
    assert "Douceurs 1 produit" in text_of(staff.get(SHELVES))
    [event] = events(session)
    assert (event.action, event.before["name"]) == ("category.change", "Épicerie")


def test_shelves_are_put_in_order(staff, session):
    for name in ("Légumes", "Fruits", "Pain"):
        staff.submit(f"{SHELVES}/ajout", SHELF | {"name": name})
    for place, order in (
        ("3", ["Fruits", "Pain", "Légumes"]),
        ("1", ["Légumes", "Fruits", "Pain"]),
        ("1", None),
    ):
        assert staff.submit(f"{SHELVES}/1/place", {"place": place}).status_code == 303
        assert shelves(session) == (order or ["Légumes", "Fruits", "Pain"])
    assert [event.after for event in events(session)][3:] == [{"place": 2}, {"place": 0}]


@pytest.mark.parametrize("place", ["0", "-1", "x", "", "1_0", ["1", "2"]])
def test_what_is_no_place_is_refused(desk, session, place):
    desk.submit(f"{SHELVES}/ajout", SHELF)
    assert desk.submit(f"{SHELVES}/1/place", {"place": place}).status_code == 422


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"name": ""}, "Nom du rayon : à remplir."),
        ({"name": "x" * 81}, "Nom du rayon : 80 caractères au plus, il y en a 81."),
        ({"name": "!?"}, "Nom du rayon : au moins une lettre ou un chiffre."),
        ({"name": "épicerie"}, "Nom du rayon : un autre rayon porte déjà ce nom."),
        ({"drawing": "evil"}, "Dessin : choisissez dans la liste."),
    ],
)
def test_what_is_no_shelf_is_refused_by_name(desk, session, change, says):
    article(session)
    session.commit()
    answer = desk.submit(f"{SHELVES}/ajout", SHELF | change)
    assert answer.status_code == 422 and says in text_of(answer)
    assert shelves(session) == ["Épicerie"] and events(session) == []


def test_a_supplier_is_added_and_changed_and_the_trail_has_no_person(staff, session):
    assert "Pas encore de fournisseur" in text_of(staff.get(SUPPLIERS))
    assert staff.submit(f"{SUPPLIERS}/ajout", SUPPLIER).status_code == 303
    assert staff.submit(f"{SUPPLIERS}/1", SUPPLIER | {"email": "", "phone": ""}).status_code == 303
    [supplier] = session.scalars(select(Supplier))
    assert (supplier.name, supplier.email, supplier.phone) == ("Ferme des Aires", None, None)
    article(session, supplier_id=1)
    session.commit()
    assert "Ferme des Aires 1 produit" in text_of(staff.get(SUPPLIERS))
    assert [(event.action, event.before, event.after) for event in events(session)] == [
        ("supplier.create", None, None),
        ("supplier.change", None, {"fields": ["email", "phone"]}),
    ]


def test_two_suppliers_of_one_name_are_refused(desk, session):
    desk.submit(f"{SUPPLIERS}/ajout", SUPPLIER)
    desk.submit(f"{SUPPLIERS}/ajout", SUPPLIER | {"name": "Rucher"})
    for path in (f"{SUPPLIERS}/ajout", f"{SUPPLIERS}/2"):
        answer = desk.submit(path, SUPPLIER | {"email": "autre@example.org"})
        assert answer.status_code == 422
        assert "Nom : un autre fournisseur porte déjà ce nom." in text_of(answer)
    assert len(events(session)) == 2


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"name": ""}, "Nom : à remplir."),
        ({"email": "a@b.fr\r\nBcc: c@d.fr"}, "Adresse e-mail : une adresse entière, comme nom@exemple.fr."),
        ({"phone": "112"}, "Téléphone : dix chiffres, comme 04 65 71 00 01."),
    ],
)
def test_what_is_no_supplier_is_refused_by_name(desk, session, change, says):
    answer = desk.submit(f"{SUPPLIERS}/ajout", SUPPLIER | change)
    assert answer.status_code == 422 and says in text_of(answer)


@pytest.mark.parametrize("key", ["0", "-1", "99", f"{2**63}", "%00", "x"])
def test_what_does_not_exist_is_not_found(desk, key):
    for path in (f"{SHELVES}/{key}", f"{SUPPLIERS}/{key}"):
        assert desk.get(path).status_code == 404
        assert desk.submit(path, SHELF | SUPPLIER).status_code in {404, 405}
    assert desk.submit(f"{SHELVES}/{key}/place", {"place": "1"}).status_code == 404


@pytest.mark.parametrize("path", [SHELVES, SUPPLIERS, f"{SHELVES}/ajout", f"{SUPPLIERS}/ajout"])
def test_a_page_takes_few_statements(desk, session, count_queries, path):
    for n in range(20):
        session.add(Category(slug=f"r{n}", name=f"R{n}", position=n, drawing="leek"))
        session.add(Supplier(name=f"F{n}"))
    session.commit()
    with count_queries() as statements:
        assert desk.get(path).status_code == 200
    assert len(statements) <= 5
