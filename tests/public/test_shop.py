"""/boutique: what is on the shelves, how it is found, and what is to be known before it is bought."""

from collections.abc import Callable
from datetime import time, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session
from time_machine import Traveller

from portal.accounts.models import Account
from portal.catalogue.models import ArticlePrice, NotOnTour, Product
from portal.deliveries.models import Tour
from portal.rules.money import Money
from portal.rules.selling import MOST_UNITS, Measured, SaleUnit, StockKind
from portal.shop.models import ShopSettings, Wish
from tests.client import Browser
from tests.pages import text_of
from tests.public.shelves import NAMES, SHOP, change, find, names, shelf
from tests.shop.making import article
from tests.world import CAMILLE, CUTOFF, NOW, TODAY

# What a card says


def test_a_card_says_what_the_law_wants_and_what_it_costs(client: Browser, stall: Session) -> None:
    page = text_of(client.get(SHOP))
    assert "Miel de châtaignier France 6,50 € TTC, le pot de 250 g 26,00 € le kilo" in page
    assert "Œufs de plein air France Allergènes : œufs 2,70 € TTC, la pièce" in page
    assert "Carottes France, Hautes-Alpes Issu de l'agriculture biologique 2,90 € TTC, le kilo" in page
    assert "Radis France En conversion vers l'agriculture biologique Pas en cette saison" in page


def test_a_price_of_a_kilo_is_not_said_twice(client: Browser, stall: Session) -> None:
    change(stall, "Miel de châtaignier", content=1000, sale_unit=SaleUnit.PACK)
    page = text_of(client.get(SHOP))
    assert "6,50 € TTC, le kilo" in page
    assert "6,50 € le kilo" not in page


def test_the_shelves_stand_in_their_order_and_what_there_is_comes_first(
    client: Browser, stall: Session
) -> None:
    assert names(client) == ["Miel de châtaignier", "Œufs de plein air", "Carottes", "Radis"]
    article(stall, "Ail", 100, category=find(stall, "Radis").category)
    change(stall, "Carottes", stock_kind=StockKind.COUNTED, stock=0)
    assert names(client)[2:] == ["Ail", "Carottes", "Radis"]


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"stock_kind": StockKind.COUNTED, "stock": 0}, "Épuisé"),
        ({"stock_kind": StockKind.COUNTED, "stock": 3}, "Plus que 3"),
        ({"stock_kind": StockKind.BY_DELIVERY, "per_delivery": 2}, "Plus que 2"),
        ({"season_first": 901, "season_last": 131}, "Pas en cette saison"),
        ({"lead_days": 7, "lead_time": time(12)}, "À commander 7 jours avant"),
        ({"lead_days": 1, "lead_time": time(12), "retired_at": None}, "Allergènes : œufs 2,70 €"),
    ],
)
def test_what_is_missing_or_scarce_is_said_and_not_hidden(
    client: Browser, stall: Session, values: dict[str, Any], words: str
) -> None:
    change(stall, "Œufs de plein air", **values)
    client.sign_in(CAMILLE)
    page = client.get(SHOP)
    assert words in text_of(page)
    missing = words.startswith(("É", "Pas", "À"))
    assert ("Ajouter : Œufs de plein air" not in text_of(page)) is missing


def test_what_closes_before_the_delivery_says_so_while_there_is_time(client: Browser, stall: Session) -> None:
    change(stall, "Œufs de plein air", lead_days=4, lead_time=time(23, 59))
    client.sign_in(CAMILLE)
    assert "À commander 4 jours avant" in text_of(client.get(SHOP))
    assert "Ajouter : Œufs de plein air" in text_of(client.get(SHOP))
    assert "à commander avant le vendredi 12 juin, 23 h 59" in text_of(
        client.get(f"{SHOP}/œufs-de-plein-air")
    )


def test_what_a_tour_does_not_carry_is_missing_for_those_whom_it_brings_their_boxes(
    client: Browser, stall: Session
) -> None:
    tuesday = stall.scalars(select(Tour.id).where(Tour.slug == "mardi")).one()
    stall.add(NotOnTour(article_id=find(stall, "Carottes").id, tour_id=tuesday))
    stall.commit()
    assert "Ajouter : Carottes" in text_of(client.get(SHOP))
    client.sign_in(CAMILLE)
    assert "Pas livré le mardi" in text_of(client.get(SHOP))
    assert "Ajouter : Carottes" not in text_of(client.get(SHOP))


def test_a_price_holds_from_its_day_on(client: Browser, stall: Session, clock: Traveller) -> None:
    tomorrow = TODAY + timedelta(days=1)
    number = find(stall, "Carottes").id
    stall.add(ArticlePrice(article_id=number, since=tomorrow, price=Money(3_10), vat_basis_points=550))
    stall.commit()
    assert "2,90 €" in text_of(client.get(SHOP))
    clock.move_to(NOW + timedelta(days=1))
    assert "3,10 €" in text_of(client.get(SHOP))


# Where it goes


def test_a_subscriber_is_told_with_which_box_it_comes_and_until_when(
    client: Browser, stall: Session, clock: Traveller
) -> None:
    client.sign_in(CAMILLE)
    said = "Pour le mardi 16 juin, avec votre panier Halle de Serres À commander avant le dimanche 14 juin, 23 h 59"
    assert said in text_of(client.get(SHOP))
    clock.move_to(CUTOFF)
    assert "Pour le mardi 23 juin, avec votre panier" in text_of(client.get(SHOP))


def test_a_visitor_needs_no_account_and_is_asked_where_to_collect(client: Browser, stall: Session) -> None:
    page = text_of(client.get(SHOP))
    assert "Sans compte ni abonnement, à partir de 15,00 €" in page
    assert "Choisir mon retrait" in page
    assert "Ajouter : Carottes" in page


def test_where_guests_are_not_welcome_a_visitor_looks_and_signs_in(client: Browser, stall: Session) -> None:
    stall.add(ShopSettings(id=1, accepts_at_once=True, guests_welcome=False, guest_minimum=Money(0)))
    stall.commit()
    page = client.get(SHOP)
    assert "Ajouter" not in text_of(page)
    assert "La boutique est ouverte aux personnes abonnées" in text_of(page)
    client.sign_in(CAMILLE)
    assert "Ajouter : Carottes" in text_of(client.get(SHOP))


# Finding


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("miel", ["Miel de châtaignier"]),
        ("CHATAIGN", ["Miel de châtaignier"]),
        ("oeuf", ["Œufs de plein air"]),
        ("Œuf", ["Œufs de plein air"]),
        ("  carotte ", ["Carottes"]),
        ("miels", ["Miel de châtaignier"]),
        ("legumes", ["Carottes", "Radis"]),
        ("air plein", ["Œufs de plein air"]),
        ("taignier", []),
        ("%", ["Miel de châtaignier", "Œufs de plein air", "Carottes", "Radis"]),
        ("navet", []),
    ],
)
def test_it_is_found_however_it_is_typed(
    client: Browser, stall: Session, typed: str, found: list[str]
) -> None:
    page = client.get(SHOP, query_string={"q": typed})
    assert NAMES.findall(page.text) == found
    assert ("Rien de tel sur l'étal" in text_of(page)) is (not found)


def test_it_is_narrowed_and_sorted_as_the_address_says(client: Browser, stall: Session) -> None:
    assert names(client, f"{SHOP}?rayon=legumes") == ["Carottes", "Radis"]
    assert names(client, f"{SHOP}?saison=oui") == ["Carottes"]
    assert names(client, f"{SHOP}?tri=nom") == [
        "Carottes",
        "Miel de châtaignier",
        "Œufs de plein air",
        "Radis",
    ]
    assert names(client, f"{SHOP}?tri=prix") == [
        "Radis",
        "Œufs de plein air",
        "Carottes",
        "Miel de châtaignier",
    ]
    assert names(client, f"{SHOP}?envies=oui") == names(client)
    client.sign_in(CAMILLE)
    camille = stall.scalars(select(Account.id).where(Account.email == CAMILLE)).one()
    stall.add(Wish(account_id=camille, article_id=find(stall, "Radis").id, made_at=NOW))
    stall.commit()
    assert names(client, f"{SHOP}?envies=oui") == ["Radis"]
    assert names(client, f"{SHOP}?envies=oui&saison=oui") == []


def test_the_aisles_keep_what_is_looked_for(client: Browser, stall: Session) -> None:
    page = client.get(f"{SHOP}?q=carotte&tri=nom").text
    assert 'href="/boutique?q=carotte&amp;rayon=legumes&amp;tri=nom"' in page
    assert 'href="/boutique?q=carotte&amp;rayon=epicerie&amp;tri=nom"' in page
    assert '<input type="hidden" form="recherche" name="rayon" value="">' in page
    page = client.get(f"{SHOP}?q=carotte&rayon=epicerie")
    assert "Chercher dans tous les rayons" in text_of(page)


@pytest.mark.parametrize(
    "query", ["tri=x", "saison=1", "rayon=legumes&rayon=x&tri=", "q=&envies=non", "tri=nom'--", "inconnu=1"]
)
def test_what_no_page_sends_counts_as_nothing(client: Browser, stall: Session, query: str) -> None:
    assert client.get(f"{SHOP}?{query}").status_code == 200
    assert set(names(client, f"{SHOP}?{query}")) >= {"Carottes", "Radis"}


def test_what_is_typed_is_shown_as_text_and_not_without_end(client: Browser, stall: Session) -> None:
    page = client.get(SHOP, query_string={"q": '"><evil>' + "x" * 5000, "rayon": '"><evil>'})
    assert page.status_code == 200
    assert "<evil>" not in page.text
    assert len(page.text) < 20_000


def test_htmx_gets_the_stalls_and_who_goes_back_the_page(client: Browser, stall: Session) -> None:
    headers = {"HX-Request": "true"}
    piece = client.get(f"{SHOP}?q=carotte", headers=headers).text
    assert piece.lstrip().startswith('<div id="etals" data-announce="1 produit"')
    assert NAMES.findall(piece) == ["Carottes"]
    again = client.get(f"{SHOP}?q=carotte", headers=headers | {"HX-History-Restore-Request": "true"}).text
    assert again.lstrip().startswith("<!doctype html>")
    assert 'value="carotte"' in again


def test_an_empty_shop_says_so(client: Browser, session: Session) -> None:
    assert "La boutique est encore vide" in text_of(client.get(SHOP))


def test_markup_in_what_staff_type_is_text(client: Browser, session: Session) -> None:
    evil = "<evil>\"'{{7*7}}"
    article(
        session, evil, slug="x", description=evil, origin=evil, variety=evil, allergens=evil, ingredients=evil,
        category=shelf(session, "y", evil),
    )  # fmt: skip
    session.commit()
    client.sign_in(CAMILLE)
    for path in (SHOP, f"{SHOP}/x"):
        page = client.get(path)
        assert "<evil>" not in page.text
        assert evil in text_of(page)


def test_what_is_called_like_that_comes_before_what_stands_beside_it(client: Browser, stall: Session) -> None:
    eggs = shelf(stall, "oeufs", "Œufs et crémerie")
    article(stall, "Beurre", 300, category=eggs)
    article(stall, "Pâtes aux œufs", 380)
    stall.commit()
    found = names(client, f"{SHOP}?q=oeufs")
    assert found == ["Œufs de plein air", "Pâtes aux œufs", "Beurre"]


def test_who_ticked_a_box_that_hides_all_is_told_which(client: Browser, stall: Session) -> None:
    client.sign_in(CAMILLE)
    page = client.get(f"{SHOP}?rayon=epicerie&saison=oui")
    assert "« De saison » en cache 2." in text_of(page)
    assert names(client, f"{SHOP}?rayon=epicerie") and f'href="{SHOP}?rayon=epicerie"' in page.text
    wishing = text_of(client.get(f"{SHOP}?q=miel&envies=oui"))
    assert "« Mes envies » en cache un." in wishing and "De saison » en cache" not in wishing
    assert "en cache" not in text_of(client.get(f"{SHOP}?q=navet&saison=oui"))


# Into the order


@pytest.mark.parametrize("who", [None, CAMILLE])
def test_it_is_put_into_the_order_from_the_shelf_and_one_is_back_where_one_was(
    browser: Browser, stall: Session, who: str | None
) -> None:
    if who:
        browser.sign_in(who)
    number = find(stall, "Carottes").id
    back = f"{SHOP}?q=carotte"
    browser.get(back)
    for wanted, shown in ((250, "250 g"), (500, "500 g"), (0, "Ajouter : Carottes")):
        form = {"article": number, "quantity": wanted, "prix": 290, "retour": back}
        answer = browser.submit("/ma-commande/produits", form)
        if not browser.htmx:
            assert answer.location == f"{back}#quantite-{number}"
            answer = browser.get(back)
            assert f'id="quantite-{number}"' in answer.text
        assert shown in text_of(answer)


def test_no_more_is_offered_than_there_is(client: Browser, stall: Session) -> None:
    change(stall, "Radis", stock_kind=StockKind.COUNTED, stock=2, season_first=None, season_last=None)
    client.sign_in(CAMILLE)
    client.get(SHOP)
    client.submit(
        "/ma-commande/produits",
        {"article": find(stall, "Radis").id, "quantity": 1, "prix": "", "retour": SHOP},
    )
    assert 'aria-label="Plus\u00a0: Radis"' in client.get(SHOP).text
    assert "C'est tout ce qui reste" not in text_of(client.get(SHOP))
    client.submit(
        "/ma-commande/produits",
        {"article": find(stall, "Radis").id, "quantity": 2, "prix": "", "retour": SHOP},
    )
    assert 'aria-label="Plus\u00a0: Radis"' not in client.get(SHOP).text
    assert "C'est tout ce qui reste" in text_of(client.get(SHOP))
    assert 'aria-label="Moins\u00a0: Radis"' in client.get(SHOP).text


def test_what_is_in_the_order_can_be_taken_out_though_it_is_gone(client: Browser, stall: Session) -> None:
    client.sign_in(CAMILLE)
    client.get(SHOP)
    client.submit(
        "/ma-commande/produits", {"article": find(stall, "Carottes").id, "quantity": 250, "prix": ""}
    )
    change(stall, "Carottes", stock_kind=StockKind.COUNTED, stock=0)
    assert 'aria-label="Retirer\u00a0: Carottes"' in client.get(SHOP).text
    assert 'aria-label="Plus\u00a0: Carottes"' not in client.get(SHOP).text


def test_the_order_stays_in_sight_with_what_it_comes_to(browser: Browser, stall: Session) -> None:
    assert 'id="barre-commande" href="/ma-commande" hidden' in browser.get(SHOP).text
    number = find(stall, "Miel de châtaignier").id
    answer = browser.submit("/ma-commande/produits", {"article": number, "quantity": 2, "retour": SHOP})
    for path in (SHOP, f"{SHOP}/miel-de-châtaignier"):
        shown = answer if browser.htmx else browser.get(path)
        bar = shown.text.partition('id="barre-commande"')[2].partition("</a>")[0]
        assert "hidden" not in bar.partition(">")[0]
        for words in ("1 produit", "encore 2,00", "13,00"):
            assert words in bar


def test_a_limit_that_is_not_the_stocks_is_not_called_all_there_is(client: Browser, stall: Session) -> None:
    number = find(stall, "Miel de châtaignier").id
    client.submit("/ma-commande/produits", {"article": number, "quantity": MOST_UNITS})
    page = client.get(SHOP).text
    assert 'aria-label="Plus\u00a0: Miel' not in page and "tout ce qui reste" not in page


# What it costs


def test_it_asks_the_database_as_often_however_much_there_is(
    client: Browser, stall: Session, count_queries: Callable[[], Any]
) -> None:
    def asked(path: str) -> list[str]:
        client.get(path)
        with count_queries() as statements:
            assert client.get(path).status_code == 200
        return statements

    paths = (SHOP, f"{SHOP}?q=carotte&tri=prix", f"{SHOP}/carottes")
    few: dict[str | None, list[int]] = {None: [len(asked(path)) for path in paths]}
    client.sign_in(CAMILLE)
    few[CAMILLE] = [len(asked(path)) for path in paths]
    fill(stall, 300)
    many = [asked(path) for path in paths]
    assert [len(statements) for statements in many] == few[CAMILLE]
    assert max(few[CAMILLE]) <= 8, "\n".join(many[0])
    assert max(few[None]) <= 4


def fill(session: Session, number: int) -> None:
    """So many articles more, half of them wished by Camille, on shelves of their own."""
    camille = session.scalars(select(Account.id).where(Account.email == CAMILLE)).one()
    product = session.scalars(select(Product.id)).first()
    tours = session.scalars(select(Tour.id)).all()
    for n in range(number):
        if n % 40 == 0:
            aisle = shelf(session, f"rayon-{n}", f"Rayon {n}", 2 + n)
        made = article(
            session, f"Article {n}", 100 + n, category=aisle, content=1 + n, measured=Measured.GRAMS
        )
        assert made.product_id == product
        if n % 2:
            session.add(Wish(account_id=camille, article_id=made.id, made_at=NOW))
            session.add_all(NotOnTour(article_id=made.id, tour_id=tour_id) for tour_id in tours)
    session.commit()
