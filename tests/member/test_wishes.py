"""/envies: one private list, kept by hearts."""

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.accounts.models import Account
from portal.catalogue.models import Article
from portal.rules.selling import StockKind
from portal.shop.models import CartLine, Wish
from tests.client import Browser
from tests.pages import text_of
from tests.shop.making import article
from tests.world import CAMILLE, NOW, YACINE

LIST = "/envies"


@pytest.fixture
def honey(session: Session) -> int:
    return made(session, "Miel")


def made(session: Session, name: str, **changes: object) -> int:
    number = article(session, name, **changes).id
    session.commit()
    return number


def enter(browser: Browser, email: str = CAMILLE) -> None:
    browser.sign_in(email)
    browser.get("/mon-compte")


def wishes(session: Session, email: str = CAMILLE) -> list[int]:
    session.rollback()
    own = select(Wish.article_id).join(Account, Account.id == Wish.account_id).where(Account.email == email)
    return list(session.scalars(own.order_by(Wish.article_id)))


def wish(session: Session, *numbers: int, email: str = CAMILLE) -> None:
    account = session.scalars(select(Account.id).where(Account.email == email)).one()
    session.add_all(Wish(account_id=account, article_id=number, made_at=NOW) for number in numbers)
    session.commit()


def in_order(session: Session) -> dict[int, int]:
    session.rollback()
    return dict(session.execute(select(CartLine.article_id, CartLine.quantity)).all())


def test_a_heart_keeps_an_article_and_lets_it_go_however_often_it_is_pressed(
    browser: Browser, session: Session, honey: int
) -> None:
    enter(browser)
    for said, kept, pressed in (("oui", [honey], "true"), ("oui", [honey], "true"), ("non", [], "false")):
        answer = browser.submit(f"{LIST}/{honey}", {"voulu": said, "retour": "/boutique?q=miel"})
        if browser.htmx:
            assert answer.text.lstrip().startswith(f'<form class="heart" id="envie-{honey}"')
            assert f'aria-pressed="{pressed}"' in answer.text
            assert "data-announce" in answer.text
        else:
            assert (answer.status_code, answer.location) == (303, "/boutique?q=miel")
        assert wishes(session) == kept
        assert f'aria-pressed="{pressed}"' in browser.get("/boutique").text


def test_a_heart_leads_nobody_off_the_site(client: Browser, honey: int) -> None:
    enter(client)
    for back in ("//evil.example", "https://evil.example", "/\\evil.example", ""):
        assert client.submit(f"{LIST}/{honey}", {"voulu": "oui", "retour": back}).location == LIST


@pytest.mark.parametrize(
    "form", [{}, {"voulu": "peut-être"}, {"voulu": ["oui", "non"]}, {"voulu": ""}, {"voulu": "OUI"}]
)
def test_what_no_page_sends_changes_nothing(
    client: Browser, session: Session, honey: int, form: dict[str, object]
) -> None:
    enter(client)
    assert client.submit(f"{LIST}/{honey}", form).status_code == 400
    assert wishes(session) == []


def test_what_there_is_not_or_no_more_cannot_be_wished_but_let_go(
    client: Browser, session: Session, honey: int
) -> None:
    enter(client)
    assert client.submit(f"{LIST}/{honey + 1}", {"voulu": "oui"}).status_code == 404
    assert client.submit(f"{LIST}/{honey + 1}", {"voulu": "non"}).status_code == 404
    wish(session, honey)
    session.get_one(Article, honey).retired_at = NOW
    session.commit()
    assert "N'est plus vendu" in text_of(client.get(LIST))
    assert client.submit(f"{LIST}/{honey}", {"voulu": "non"}).status_code == 303
    assert client.submit(f"{LIST}/{honey}", {"voulu": "oui"}).status_code == 404
    assert wishes(session) == []


def test_a_visitors_heart_leads_to_the_sign_in_page_and_back(client: Browser, honey: int) -> None:
    assert 'href="/connexion?next=/boutique/miel"' in client.get("/boutique").text
    answer = client.submit("/connexion?next=/boutique/miel", {"email": CAMILLE, "password": "x"})
    assert answer.status_code == 422
    enter(client)
    assert "/connexion?next=" not in client.get("/boutique").text


def test_the_list_is_ones_own(client: Browser, session: Session, honey: int) -> None:
    wish(session, honey)
    enter(client, YACINE)
    assert "Rien sur votre liste" in text_of(client.get(LIST))
    client.submit(f"{LIST}/{honey}", {"voulu": "non"})
    client.submit(f"{LIST}/commande")
    assert wishes(session) == [honey]
    assert in_order(session) == {}


def test_the_list_tells_what_can_be_had_now_from_what_cannot(
    client: Browser, session: Session, honey: int
) -> None:
    gone = made(session, "Noix", stock_kind=StockKind.COUNTED, stock=0)
    wish(session, honey, gone)
    enter(client)
    page = text_of(client.get(LIST))
    assert page.index("À commander maintenant") < page.index("Miel") < page.index("Pas cette fois")
    assert page.index("Pas cette fois") < page.index("Noix")
    assert "Le mettre dans ma commande" in page


def test_all_are_put_into_the_order_beside_what_is_there(
    client: Browser, session: Session, honey: int
) -> None:
    jam = made(session, "Confiture")
    gone = made(session, "Noix", stock_kind=StockKind.COUNTED, stock=0)
    wish(session, honey, jam, gone)
    enter(client)
    client.submit("/ma-commande/produits", {"article": honey, "quantity": 3, "prix": ""})
    assert client.submit(f"{LIST}/commande").location == "/ma-commande"
    assert in_order(session) == {honey: 3, jam: 1}
    assert "Un produit ajouté à votre commande." in text_of(client.get("/ma-commande"))
    assert client.submit(f"{LIST}/commande").location == LIST
    page = text_of(client.get(LIST))
    assert "Rien de plus à commander" in page
    assert "dans ma commande Noix" not in page
    assert in_order(session) == {honey: 3, jam: 1}
    assert wishes(session) == [honey, jam, gone]
