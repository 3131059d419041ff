"""/ferme/produits: what the shop sells, as staff describe and retire it."""

import re
from datetime import date, time, timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from portal.catalogue.models import (
    Article,
    ArticlePrice,
    Label,
    NotOnTour,
    Product,
    Unit,
)
from portal.profile.models import FarmProfile
from portal.rules.money import Money
from portal.rules.orders import OrderState
from portal.rules.selling import Measured, SaleUnit, StockKind
from tests.client import Browser
from tests.farm.forms import ARTICLE, NEW_ARTICLE, PRICE
from tests.farm.products import ADD, HONEY, LIST, prices, row, send
from tests.farm.trail import events
from tests.pages import text_of
from tests.photographs import picture
from tests.shop.making import article, order
from tests.world import CAMILLE, NOW, TODAY

pytestmark = pytest.mark.usefixtures("honey")


# The list


@pytest.fixture
def stall(session: Session, desk: Browser) -> Browser:
    """Honey, of which there is enough, and one article in each other state."""
    article(session, "Crème de châtaigne", stock_kind=StockKind.COUNTED, stock=2)
    article(session, "Épeautre", stock_kind=StockKind.COUNTED, stock=0)
    article(session, "Cerises", season_first=1101, season_last=201)
    article(session, "Cidre", retired_at=NOW)
    article(session, "Sirop", prices=[])
    article(
        session,
        "Pommes",
        290,
        sale_unit=SaleUnit.WEIGHT,
        step=250,
        stock_kind=StockKind.BY_DELIVERY,
        per_delivery=12_500,
    )
    session.commit()
    return desk


def names(stall: Browser, query: str = "") -> list[str]:
    return re.findall(r'<h3><a href="[^"]+">([^<]+)</a>', stall.get(f"{LIST}{query}").text)


def test_the_list_says_what_each_costs_what_is_left_and_what_is_the_matter(stall):
    shown = text_of(stall.get(LIST))
    assert "Miel 6,50 € le pot de 250 g en stock : 12" in shown
    assert "Pommes 6,50" not in shown and "Pommes 2,90 € le kilo par livraison : 12,5 kg" in shown
    assert "Crème de châtaigne 6,50 € le pot en stock : 2 Bientôt épuisé" in shown
    assert "Épeautre 6,50 € le pot en stock : plus rien Épuisé" in shown
    assert "Cerises 6,50 € le pot sans compter Hors saison" in shown
    assert "Cidre 6,50 € le pot sans compter Retiré" in shown
    assert "Sirop pas de prix sans compter Pas de prix" in shown


@pytest.mark.parametrize(
    ("kind", "found"),
    [
        ("tous", ["Cerises", "Cidre", "Crème de châtaigne", "Miel", "Pommes", "Sirop", "Épeautre"]),
        ("en-vente", ["Cerises", "Crème de châtaigne", "Miel", "Pommes", "Épeautre"]),
        ("bientot-epuises", ["Crème de châtaigne", "Épeautre"]),
        ("hors-saison", ["Cerises"]),
        ("retires", ["Cidre"]),
        ("autre", ["Cerises", "Cidre", "Crème de châtaigne", "Miel", "Pommes", "Sirop", "Épeautre"]),
    ],
)
def test_the_list_is_narrowed_to_what_is_looked_for(stall, kind, found):
    assert sorted(names(stall, f"?voir={kind}")) == found


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("chataigne", ["Crème de châtaigne"]),
        ("EPEAU", ["Épeautre"]),
        ("creme chat", ["Crème de châtaigne"]),
        ("epicerie miel", ["Miel"]),
        ("tracteur", []),
        ("' OR 1=1 --", []),
        ("%", ["Cerises", "Cidre", "Crème de châtaigne", "Miel", "Pommes", "Sirop", "Épeautre"]),
    ],
)
def test_words_are_found_without_their_accents(stall, typed, found):
    page = stall.get(LIST, query_string={"q": typed})
    assert sorted(re.findall(r'<h3><a href="[^"]+">([^<]+)</a>', page.text)) == found
    assert found or "Aucun produit ne correspond" in text_of(page)


def test_typing_answers_with_the_list_alone(stall):
    answer = stall.get(f"{LIST}?q=miel", headers={"HX-Request": "true"})
    assert "<h1>" not in answer.text and 'data-announce="1 produit"' in answer.text


def test_the_list_takes_as_many_statements_with_many_articles(desk, session, count_queries):
    taken = []
    for n in range(2):
        with count_queries() as statements:
            assert desk.get(LIST).status_code == 200
        taken.append(len(statements))
        for m in range(30):
            article(session, f"Pot {n} {m}")
        session.commit()
    assert taken[0] == taken[1] <= 6


# A new one


def test_a_new_product_is_on_sale_at_once(staff, session):
    answer = staff.submit(ADD, NEW_ARTICLE | {"perishable": "y"})
    assert (answer.status_code, answer.location) == (303, f"{LIST}/2")
    made = row(session, 2)
    assert (made.slug, made.name, made.origin) == ("miel-de-lavande", "Miel de lavande", "France, Valensole")
    assert (made.content, made.measured, made.step) == (500, Measured.GRAMS, None)
    assert (made.label, made.supplier_id, made.perishable) == (Label.ORGANIC, None, True)
    assert (made.season_first, made.season_last, made.stock) == (615, 930, 12)
    assert prices(session, 2) == [(TODAY, 950)]
    created, priced = events(session)
    assert (created.action, created.account_id, priced.action) == ("article.create", 3, "article.price")
    assert priced.after == {"since": "2026-06-10", "price": 950, "vat_basis_points": 550}


def test_a_product_that_no_box_has_held_can_be_put_into_one(desk, session):
    desk.submit(ADD, NEW_ARTICLE)
    made = row(session, 2).product
    assert (made.name, made.slug, made.unit, made.value) == (
        "Miel de lavande",
        "miel-de-lavande",
        Unit.PIECE,
        Money(950),
    )
    desk.submit(ADD, NEW_ARTICLE | {"name": "Farine", "sale_unit": "pack", "content": "2000", "price": "5"})
    assert (row(session, 3).product.unit, row(session, 3).product.value) == (Unit.KILO, Money(250))
    desk.submit(ADD, NEW_ARTICLE | {"name": "Persil", "sale_unit": "bunch", "content": "", "price": "1.5"})
    assert (row(session, 4).product.unit, row(session, 4).product.value) == (Unit.BUNCH, Money(150))


def test_an_article_may_sell_what_boxes_hold(desk, session):
    before = session.scalar(select(func.count(Product.id)))
    desk.submit(ADD, NEW_ARTICLE | {"product_id": "1"})
    assert row(session, 2).product.name == "Carottes"
    assert session.scalar(select(func.count(Product.id))) == before


def test_two_of_one_name_have_two_addresses(desk, session):
    for price in ("6,40", "6,60"):
        desk.submit(ADD, NEW_ARTICLE | {"price": price})
    assert [row(session, key).slug for key in (2, 3)] == ["miel-de-lavande", "miel-de-lavande-2"]


def test_by_weight_stock_is_typed_in_kilos_and_kept_in_grams(desk, session):
    weighed = {"sale_unit": "weight", "step": "250", "stock": "12,5", "content": "500"}
    desk.submit(ADD, NEW_ARTICLE | weighed)
    made = row(session, 2)
    assert (made.step, made.stock, made.content, made.measured) == (250, 12_500, None, None)
    desk.submit(ADD, NEW_ARTICLE | weighed | {"stock_kind": "by_delivery", "delivery_stock": "7,25"})
    assert (row(session, 3).per_delivery, row(session, 3).stock) == (7250, None)
    assert 'value="7,25"' in desk.get(f"{LIST}/3").text


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"name": ""}, "Nom : à remplir."),
        ({"name": "x" * 121}, "Nom : 120 caractères au plus, il y en a 121."),
        ({"name": ["Miel", "Miel"]}, "Nom : envoyez ce champ une fois."),
        ({"origin": ""}, "Origine : à remplir."),
        ({"category_id": "9"}, "Rayon : choisissez dans la liste."),
        ({"supplier_id": "9"}, "Fournisseur : choisissez dans la liste."),
        ({"product_id": "99"}, "Dans les paniers, c'est : choisissez dans la liste."),
        ({"sale_unit": "gros"}, "Se vend : choisissez dans la liste."),
        ({"content": ""}, "Une unité contient : à remplir, pour que le prix au kilo ou au litre se calcule."),
        ({"content": "0"}, "Une unité contient : un nombre entier, de 1 à 100 000."),
        ({"sale_unit": "weight"}, "Se commande par : à remplir, en grammes."),
        ({"sale_unit": "weight", "step": "5"}, "Se commande par : un nombre entier, de 10 à 5 000."),
        (
            {"label": "conversion", "ingredients": "miel, noix"},
            "Label : la conversion ne se dit que d'une plante seule",
        ),
        ({"stock_kind": "by_delivery"}, "Par livraison : à remplir."),
        ({"stock_kind": "by_delivery", "delivery_stock": "1,5"}, "Par livraison : un nombre entier."),
        ({"stock": "1,5"}, "Il y en a : un nombre entier."),
        ({"stock": "-1"}, "Il y en a : un nombre comme 2,5, de 0 à 10 000."),
        ({"price": "0"}, "Prix TTC : un nombre comme 2,5, de 0,01 à 9 999,99."),
        ({"price": ""}, "Prix TTC : à remplir."),
        ({"vat": "0"}, "TVA : choisissez dans la liste."),
        ({"first_day": "31", "first_month": "6"}, "Saison : ce mois n'a pas autant de jours."),
        ({"last_month": "0"}, "Saison : choisissez les deux jours et les deux mois, ou rien."),
        ({"tours": []}, "Tournées : choisissez dans la liste."),
        ({"tours": ["1", "9"]}, "Tournées : choisissez dans la liste."),
        ({"lead_days": "4"}, "Dernière minute : à remplir aussi, ou laissez les deux vides."),
        ({"lead_time": "12:00"}, "Jours avant la livraison : à remplir aussi, ou laissez les deux vides."),
    ],
)
def test_what_cannot_be_sold_is_refused_by_name_and_kept_on_the_page(desk, session, change, says):
    answer = desk.submit(ADD, NEW_ARTICLE | change)
    assert answer.status_code == 422 and text_of(answer).count(says) == 2
    assert "Du plateau." in answer.text
    assert session.scalar(select(func.count(Article.id))) == 1 and events(session) == []


def test_a_missing_field_is_refused(desk, session):
    for field in NEW_ARTICLE:
        answer = desk.submit(ADD, {key: typed for key, typed in NEW_ARTICLE.items() if key != field})
        assert answer.status_code == 422, field
    assert session.scalar(select(func.count(Article.id))) == 1


# One that is there


def test_a_product_is_changed_and_keeps_its_address(staff, session):
    change = {"tours": ["1"], "lead_days": "4", "lead_time": "18:00", "supplier_id": "0", "product_id": "1"}
    assert staff.submit(HONEY, ARTICLE | change).status_code == 303
    changed = row(session)
    assert (changed.slug, changed.name, changed.stock) == ("miel", "Miel de lavande", 12)
    assert (changed.lead_days, changed.lead_time, changed.perishable) == (4, time(18), False)
    assert sorted(session.scalars(select(NotOnTour.tour_id))) == [2, 3]
    described, carried = events(session)
    assert (described.action, described.before["name"], described.after["name"]) == (
        "article.change",
        "Miel",
        "Miel de lavande",
    )
    assert described.after["lead_time"] == "18:00" and described.after["fields"] == ["description"]
    assert (carried.action, carried.after) == ("article.tours", {"not_on": [2, 3]})
    page = staff.get(HONEY)
    assert "Le produit est enregistré." in text_of(page)
    assert re.search(r'<option selected value="615">|<option selected value="6">juin', page.text)


def test_alcohol_is_said_and_noted(staff, session):
    staff.submit(HONEY, ARTICLE | {"alcohol": "y"})
    assert row(session).alcohol
    assert events(session)[0].after["alcohol"] is True
    assert re.search(r'<input checked[^>]* id="alcohol"', staff.get(HONEY).text)
    staff.submit(HONEY, ARTICLE)
    assert not row(session).alcohol


@pytest.mark.parametrize("page", [ADD, HONEY])
def test_a_label_asks_for_a_certificate_until_there_is_one(desk, session, page):
    assert "Un label demande un certificat" in text_of(desk.get(page))
    session.get_one(FarmProfile, 1).certifier = "FR-BIO-01"
    session.get_one(FarmProfile, 1).certificate = "https://example.org/c"
    session.commit()
    assert "Un label demande un certificat" not in text_of(desk.get(page))


def test_saving_the_same_notes_nothing(desk, session):
    for _ in range(2):
        desk.submit(HONEY, ARTICLE | {"product_id": "1"})
    assert [event.action for event in events(session)] == ["article.change"]
    assert "Rien n'a changé." in text_of(desk.get(HONEY))


def test_what_is_sold_by_the_piece_is_never_sold_by_weight_later(desk, session):
    """Its stock and what carts hold of it are counted in pieces, and would be grams."""
    assert 'value="weight"' not in desk.get(HONEY).text
    answer = desk.submit(HONEY, ARTICLE | {"sale_unit": "weight", "step": "250"})
    assert answer.status_code == 422 and row(session).sale_unit is SaleUnit.JAR
    assert desk.submit(HONEY, ARTICLE | {"sale_unit": "bunch"}).status_code == 303


@pytest.mark.parametrize("state", [OrderState.PLACED, OrderState.ACCEPTED, OrderState.PREPARED])
def test_how_stock_is_counted_stays_while_orders_to_come_hold_it(staff, session, honey, clock, state):
    made = order(session, {honey: 2}, state=state)
    session.commit()
    by_delivery = ARTICLE | {"stock_kind": "by_delivery", "delivery_stock": "10", "name": "Miel de thym"}
    refused = staff.submit(HONEY, by_delivery)
    assert refused.status_code == 422 and 'value="Miel de thym"' in refused.get_data(as_text=True)
    assert "Stock : des commandes à livrer en contiennent." in text_of(refused)
    assert row(session).stock_kind is StockKind.COUNTED and row(session).stock == 12
    assert staff.submit(HONEY, ARTICLE).status_code == 303, "the rest of it changes"
    made.state = OrderState.DELIVERED
    session.commit()
    assert staff.submit(HONEY, by_delivery).status_code == 303
    assert row(session).stock_kind is StockKind.BY_DELIVERY


def test_what_begins_to_be_counted_begins_with_none(desk, session):
    desk.submit(HONEY, ARTICLE | {"stock_kind": "unlimited"})
    assert row(session).stock is None
    desk.submit(HONEY, ARTICLE)
    assert row(session).stock == 0
    assert [event.after["stock"] for event in events(session) if "stock" in event.after] == [None, 0]


def test_extra_fields_change_nothing(desk, session):
    desk.submit(
        HONEY, ARTICLE | {"id": "9", "slug": "x", "stock": "999", "price": "0,01", "retired_at": "2026-01-01"}
    )
    changed = row(session)
    assert (changed.slug, changed.stock, changed.retired_at) == ("miel", 12, None)
    assert prices(session) == [(date(2025, 1, 1), 650)]


def test_a_product_is_retired_and_brought_back(staff, session):
    for path, retired in (("retrait", True), ("retrait", True), ("retour", False), ("retour", False)):
        assert staff.submit(f"{HONEY}/{path}").status_code == 303
        assert (row(session).retired_at is not None) == retired
    assert len(events(session)) == 2
    assert "Retiré" in text_of(staff.get(LIST)) or "Retirer de la vente" in staff.get(HONEY).text


@pytest.mark.parametrize("key", ["0", "-1", "99", f"{2**63}", "%00", "x"])
def test_a_product_that_does_not_exist_is_not_found(desk, key):
    assert desk.get(f"{LIST}/{key}").status_code == 404
    for path in ("", "/photo", "/photo/suppression", "/prix", "/stock", "/retrait", "/retour"):
        assert desk.submit(f"{LIST}/{key}{path}", ARTICLE | PRICE).status_code in {404, 405}, path


@pytest.mark.parametrize("path", [HONEY, ADD])
def test_a_page_takes_few_statements(desk, session, count_queries, path):
    taken = []
    for n in range(2):
        with count_queries() as statements:
            assert desk.get(path).status_code == 200
        taken.append(len(statements))
        for day in range(20):
            since = TODAY + timedelta(days=1 + day + 100 * n)
            session.add(ArticlePrice(article_id=1, since=since, price=Money(700), vat_basis_points=550))
        article(session, f"Autre {n}")
        session.commit()
    assert taken[0] == taken[1] <= 12


def test_a_subscriber_can_do_none_of_it(client, session, honey):
    client.sign_in(CAMILLE)
    client.get("/mon-compte")
    for path, form in (("", ARTICLE), ("/prix", PRICE), ("/stock", {"quantity": "5"}), ("/retrait", {})):
        assert client.submit(f"{HONEY}{path}", form).status_code == 403
    assert send(client, picture()).status_code == 403
    assert events(session) == [] and row(session).name == "Miel"


def test_markup_is_text(desk):
    evil = {
        "name": "<evil>x",
        "description": "<script>1</script>",
        "origin": "'\"><evil>",
        "variety": "{{7*7}}",
    }
    desk.submit(HONEY, ARTICLE | evil)
    for path in (LIST, HONEY):
        page = desk.get(path).text
        assert "<evil" not in page and "<script>1" not in page
    assert "{{7*7}}" in page
