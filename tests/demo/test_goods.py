"""What the demo farm's shop offers: enough of every kind, labelled and taxed as the law wants it, well told."""

import re
from collections import Counter

import pytest

from portal.catalogue.models import Label
from portal.demo.conditions import CONDITIONS
from portal.demo.farm import FARM, TOURS
from portal.demo.goods import CATEGORIES, FOOD, ORNAMENTAL, STANDARD, SUPPLIERS, Article
from portal.demo.shelves import ARTICLES
from portal.demo.vegetables import VEGETABLES, Vegetable
from portal.rules.cutoffs import Lead
from portal.rules.money import Money
from portal.rules.selling import SaleUnit, per_measure
from portal.settings import ROOT

DRAWINGS = set(re.findall(r'<symbol id="([^"]+)"', (ROOT / "static" / "drawings.svg").read_text()))
ALLERGENS = {
    "lait": "lait",
    "crème": "lait",
    "beurre": "lait",
    "œufs?": "œufs",
    "blé": "blé",
    "seigle": "seigle",
    "épeautre": "épeautre",
    "orge": "orge",
    "sésame": "sésame",
    "céleri": "céleri",
    "moutarde": "moutarde",
    "amandes?": "amandes",
    "noix": "noix",
    "sulfites": "sulfites",
}
"""Those of annex II of the regulation (EU) 1169/2011 that the neighbours use, as they write them."""

each = pytest.mark.parametrize("article", ARTICLES, ids=lambda article: article.slug)


def test_sixty_articles_stand_on_eight_shelves() -> None:
    shelves = Counter(article.category for article in ARTICLES)
    assert (len(ARTICLES), len(CATEGORIES)) == (60, 8)
    assert shelves.keys() == {category.slug for category in CATEGORIES}
    assert min(shelves.values()) >= 6


def test_nothing_is_called_like_something_else() -> None:
    slugs = [thing.slug for thing in (*ARTICLES, *CATEGORIES)]
    assert len(slugs) == len(set(slugs))
    assert all(re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", slug) for slug in slugs)
    assert len({article.name for article in ARTICLES}) == len(ARTICLES)
    vegetables = {vegetable.slug for vegetable in VEGETABLES}
    goods = {article.product for article in ARTICLES if not isinstance(article.product, Vegetable)}
    assert len({good.slug for good in goods} | vegetables) == len(goods) + len(vegetables)


def test_every_way_of_selling_is_tried() -> None:
    assert {article.sale_unit for article in ARTICLES} == set(SaleUnit)
    assert {article.label for article in ARTICLES} == {*Label, None}
    assert {article.vat for article in ARTICLES} == {FOOD, ORNAMENTAL, STANDARD}
    assert {article.supplier for article in ARTICLES} == {*SUPPLIERS, None}
    assert any(article.former_price for article in ARTICLES)
    assert any(article.coming_price for article in ARTICLES)
    counted = [article.stock for article in ARTICLES if article.stock is not None]
    assert counted.count(0) == 2 and len([left for left in counted if 0 < left <= 5]) >= 3
    products = Counter(article.product.slug for article in ARTICLES)
    assert sorted(slug for slug, count in products.items() if count > 1) == [
        "farine-de-ble-t80", "pommes-de-terre", "tomates",
    ]  # fmt: skip


def test_every_drawing_is_in_the_sprite() -> None:
    assert {article.product.drawing for article in ARTICLES} <= DRAWINGS
    assert {category.drawing for category in CATEGORIES} <= DRAWINGS


@each
def test_an_article_is_told_in_sentences(article: Article) -> None:
    for text in (article.description, article.product.storage):
        assert text[0].isupper() or text[0].isdigit()
        assert text.endswith(".") and "  " not in text
        assert 60 <= len(text) <= 260
    assert len(article.name) <= 40 and article.origin.endswith(", France")


@each
def test_what_is_sold_adds_up_with_what_is_harvested(article: Article) -> None:
    match article.product.unit:
        case "kg" | "g":
            assert article.sale_unit is SaleUnit.WEIGHT or article.grams
        case "bunch":
            assert article.sale_unit is SaleUnit.BUNCH
        case "piece":
            assert article.sale_unit not in {SaleUnit.WEIGHT, SaleUnit.BUNCH}


@each
def test_what_is_packed_beforehand_has_a_price_by_the_kilo_or_litre(article: Article) -> None:
    content = article.grams or article.millilitres
    counted = article.product.slug.startswith(("oeufs-", "plant")) or isinstance(article.product, Vegetable)
    loose = article.sale_unit in {SaleUnit.WEIGHT, SaleUnit.BUNCH}
    assert loose or content or (counted and article.sale_unit in {SaleUnit.PIECE, SaleUnit.PACK})
    assert not (article.grams and article.millilitres) and not (loose and content)
    if content:
        assert 150 <= per_measure(Money(article.price), content).cents <= 25_000


@each
def test_conversion_is_said_of_a_single_plant_only(article: Article) -> None:
    if article.label is not Label.CONVERSION:
        return
    assert "," not in (article.ingredients or "")
    assert article.category in {"fruits", "pains-et-farines", "tisanes-et-plants"}


@each
def test_organic_ingredients_are_marked_where_they_are_listed(article: Article) -> None:
    if article.ingredients:
        assert ("*" in article.ingredients) is (article.label is Label.ORGANIC)
        assert article.ingredients.count("agriculture biologique") == (article.label is Label.ORGANIC)


@each
def test_what_has_several_ingredients_lists_them(article: Article) -> None:
    if article.category in {"conserves-et-huiles", "miel-et-douceurs", "jus-et-boissons"}:
        alone = article.product.drawing in {"honey", "oil"}
        assert alone or article.ingredients
    if article.product.drawing in {"bread", "brioche", "cheese", "goat-cheese", "yoghurt", "butter"}:
        assert article.ingredients and article.allergens


@each
def test_allergens_stand_out_in_the_list_and_are_named_beside_it(article: Article) -> None:
    found = set()
    for pattern, name in ALLERGENS.items():
        for written in re.findall(rf"\b{pattern}\b", article.ingredients or "", re.IGNORECASE):
            assert written.isupper()
            found.add(name)
    said = article.allergens or ""
    if article.ingredients:
        assert all(name in said for name in found) and bool(said) is bool(found)


@each
def test_what_tells_its_strength_is_not_for_minors(article: Article) -> None:
    assert article.alcohol == bool(re.search(r"\d % vol\.", article.description))


@each
def test_vat_is_that_of_the_law(article: Article) -> None:
    if article.alcohol or article.product.drawing in {"nougat", "quince-paste"}:
        assert article.vat == STANDARD
    elif article.product.drawing == "flowers":
        assert article.vat == ORNAMENTAL
    else:
        assert article.vat == FOOD


@each
def test_what_keeps_can_be_sent_back_and_what_spoils_cannot(article: Article) -> None:
    spoils = {"legumes", "oeufs-et-cremerie"}
    keeps = {"miel-et-douceurs", "jus-et-boissons"}
    assert article.category not in (keeps if article.perishable else spoils)
    if article.product.drawing in {"flour", "lentils", "walnut", "herb-tea", "oil"}:
        assert not article.perishable


def test_bread_is_ordered_four_days_ahead_and_before_every_tour_closes() -> None:
    bread = [article for article in ARTICLES if article.product.drawing in {"bread", "brioche"}]
    assert {article.lead_days for article in bread} == {4}
    assert all(Lead(4, tour.closes_at).days > tour.lead_days for tour in TOURS)
    assert {article.lead_days for article in ARTICLES if article not in bread} == {None}
    tours = {tour.slug for tour in TOURS}
    assert all(set(article.not_on) < tours for article in ARTICLES)
    assert {slug for article in ARTICLES for slug in article.not_on} == tours


@each
def test_a_vegetable_is_sold_while_it_is_in_season(article: Article) -> None:
    if article.season is None:
        return
    (first, last), months = article.season, set()
    month = first // 100
    while month != last // 100:
        months.add(month)
        month = month % 12 + 1
    months.add(month)
    assert first % 100 == 1 and last % 100 in {29, 30, 31}
    if isinstance(article.product, Vegetable):
        assert months <= article.product.months


def test_eggs_say_how_the_hens_live_and_when_they_lay() -> None:
    eggs = [article for article in ARTICLES if article.product.drawing == "eggs"]
    assert len(eggs) == 2
    assert all("plein air" in egg.description and "ponte" in egg.description for egg in eggs)


def test_the_neighbours_are_nobody() -> None:
    assert len(SUPPLIERS) == 6
    for supplier in SUPPLIERS:
        assert re.fullmatch(r"[a-z-]+@example\.org", supplier.email)
        assert re.fullmatch(r"06 39 98 \d\d \d\d", supplier.phone)


@pytest.mark.parametrize(
    "words",
    [
        "Commander avec obligation de paiement",
        "Renoncer au contrat ici",
        "quatorze jours",
        "se gâter ou se périmer rapidement",
        "remplacé par un autre de même valeur",
        "toutes taxes comprises",
        "mardi se ferme le dimanche à 23 h 59",
        "médiateur de la consommation",
        "garantie légale de conformité",
        "CNIL",
        FARM.email,
        FARM.phone,
    ],
)
def test_the_conditions_say_what_the_law_wants_said(words: str) -> None:
    assert words in CONDITIONS


def test_the_conditions_have_a_heading_over_every_part() -> None:
    parts = re.split(r"^# (.+)$", CONDITIONS, flags=re.MULTILINE)
    assert not parts[0].strip()
    assert len(parts[1::2]) == len(set(parts[1::2])) > 8
    assert all(part.strip().endswith((".", " :")) for part in parts[2::2])
