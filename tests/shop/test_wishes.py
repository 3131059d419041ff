"""The mail that says what is back: once, to whoever missed it."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select, update
from sqlalchemy.orm import Session
from time_machine import Traveller

from portal.accounts.models import Account
from portal.catalogue.models import Article
from portal.infra.outbox import Mail
from portal.rules.selling import StockKind
from portal.shop import wishes
from portal.shop.models import Wish
from tests.shop.making import article
from tests.world import CAMILLE, NOW, YACINE


@pytest.fixture
def shop(session: Session, app: Flask) -> Iterator[Session]:
    """Nuts that are sold out, strawberries out of season, honey of which there is enough."""
    article(session, "Noix", stock_kind=StockKind.COUNTED, stock=0)
    article(session, "Fraises", season_first=701, season_last=731)
    article(session, "Miel")
    session.commit()
    yield session


def account(session: Session, email: str) -> int:
    return session.scalars(select(Account.id).where(Account.email == email)).one()


def wish(session: Session, email: str, *names: str) -> None:
    ids = session.scalars(select(Article.id).where(Article.name.in_(names))).all()
    assert all(
        wishes.set_wish(session, account(session, email), number, wanted=True, at=NOW) for number in ids
    )
    session.commit()


def stock(session: Session, number: int) -> None:
    session.execute(update(Article).where(Article.name == "Noix").values(stock=number))
    session.commit()


def work(session: Session) -> None:
    session.rollback()
    while wishes.tell_what_is_back():
        pass


def mails(session: Session) -> list[tuple[str, str]]:
    session.rollback()
    return list(session.execute(select(Mail.recipient, Mail.subject).order_by(Mail.id)))


def test_one_mail_names_all_that_is_back_once(shop: Session, clock: Traveller) -> None:
    wish(shop, CAMILLE, "Noix", "Fraises", "Miel")
    wish(shop, YACINE, "Noix")
    work(shop)
    assert mails(shop) == []
    clock.move_to(NOW + timedelta(days=22))
    stock(shop, 4)
    work(shop)
    assert sorted(mails(shop)) == [
        (CAMILLE, "2 produits de vos envies sont de retour"),
        (YACINE, "De retour à la boutique : Noix".replace(" :", "\u00a0:")),
    ]
    text = shop.scalars(select(Mail.text).where(Mail.recipient == CAMILLE)).one()
    assert "Noix, 6,50\u00a0€ le pot" in (text or "")
    assert "http://localhost/boutique/fraises" in (text or "")
    assert "Miel" not in (text or "")
    work(shop)
    assert len(mails(shop)) == 2


def test_what_was_always_there_is_no_news(shop: Session) -> None:
    wish(shop, CAMILLE, "Miel")
    work(shop)
    work(shop)
    assert mails(shop) == []


def test_what_is_gone_again_and_back_again_is_told_again(shop: Session) -> None:
    wish(shop, CAMILLE, "Noix")
    for number in (1, 0, 2):
        stock(shop, number)
        work(shop)
    assert len(mails(shop)) == 2


def test_what_was_let_go_meanwhile_is_not_told(shop: Session) -> None:
    wish(shop, CAMILLE, "Noix")
    number = shop.scalars(select(Article.id).where(Article.name == "Noix")).one()
    assert wishes.set_wish(shop, account(shop, CAMILLE), number, wanted=False, at=NOW)
    stock(shop, 1)
    work(shop)
    assert mails(shop) == []


def test_a_closed_account_gets_nothing(shop: Session) -> None:
    wish(shop, CAMILLE, "Noix")
    shop.execute(update(Account).where(Account.email == CAMILLE).values(active=False))
    stock(shop, 1)
    work(shop)
    assert mails(shop) == []


def test_one_that_cannot_be_told_holds_up_nobody_and_is_tried_again(
    shop: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    wish(shop, CAMILLE, "Noix")
    wish(shop, YACINE, "Noix")
    stock(shop, 1)
    tell, camille = wishes.tell, account(shop, CAMILLE)

    def fail(session: Session, account_id: int, now: object) -> None:
        assert account_id != camille, "no mail for her"
        tell(session, account_id, now)  # type: ignore[arg-type]

    monkeypatch.setattr(wishes, "tell", fail)
    work(shop)
    assert [recipient for recipient, _ in mails(shop)] == [YACINE]
    monkeypatch.setattr(wishes, "tell", tell)
    work(shop)
    assert [recipient for recipient, _ in mails(shop)] == [YACINE, CAMILLE]


def test_many_are_told_in_steps(shop: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wishes, "AT_ONCE", 1)
    wish(shop, CAMILLE, "Noix")
    wish(shop, YACINE, "Noix")
    stock(shop, 1)
    shop.rollback()
    assert [wishes.tell_what_is_back() for _ in range(3)] == [True, True, False]
    assert len(mails(shop)) == 2


def test_a_wish_made_twice_stands_once(shop: Session) -> None:
    wish(shop, CAMILLE, "Noix")
    wish(shop, CAMILLE, "Noix")
    assert len(shop.scalars(select(Wish)).all()) == 1
