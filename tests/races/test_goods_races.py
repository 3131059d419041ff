"""Staff who price, count and show products while others do, and while people buy (BAR K8)."""

import itertools
from collections.abc import Callable, Iterator
from functools import partial
from io import BytesIO
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import delete, func, select, update

from portal.catalogue import services
from portal.catalogue.models import Article, ArticlePrice, DeliveryStock, Picture
from portal.infra import locks
from portal.infra.audit import AuditEvent
from portal.infra.orm import own_transaction
from portal.rules.money import Money
from portal.rules.pricing import DatedPrice
from portal.rules.selling import StockKind
from portal.shop.models import ShopSettings
from portal.shop.settings import ShopRules, get_rules, save
from portal.shop.stock import reserve
from tests.photographs import picture
from tests.races.helpers import meetings
from tests.shop.making import article, delivery
from tests.world import NOW, TODAY

SOPHIE, GERARD = 3, 4


@pytest.fixture
def honey(app: Flask) -> int:
    with app.app_context(), own_transaction() as session:
        return article(session, stock_kind=StockKind.COUNTED, stock=1000).id


def act(app: Flask, do: Callable[..., Any], *args: Any, by: int = SOPHIE, **more: Any) -> Any:
    """As a request does it."""
    with app.app_context(), own_transaction() as session:
        return do(session, *args, at=NOW, by=by, **more)


def buy(app: Flask, article_id: int, delivery_id: int, quantity: int = 1) -> None:
    """As an order reserves what it holds."""
    with app.app_context(), own_transaction() as session:
        session.scalars(locks.for_update(select(Article).where(Article.id == article_id), of=Article)).all()
        reserve(session, delivery_id, {article_id: quantity})


def count(app: Flask, statement: Any) -> Any:
    with app.app_context(), own_transaction() as session:
        return session.scalar(statement)


def both_count(
    app: Flask, first: Callable[[], Any], second: Callable[[], Any], together: int
) -> Iterator[bool]:
    """Whether each of two acts on the stock counts in full, meeting after meeting."""
    before = stock(app)
    for answers in meetings(app, first, second, every=1):
        after = stock(app)
        yield answers == (None, None) and after == before + together
        before = after


def stock(app: Flask) -> int:
    return count(app, select(Article.stock))


def staff_and_staff(app: Flask, honey: int) -> Iterator[bool]:
    fewer = partial(act, app, services.count_stock, honey, -3)
    return both_count(app, fewer, partial(act, app, services.count_stock, honey, 10, by=GERARD), 7)


def test_what_two_of_the_staff_count_at_once_both_counts(app: Flask, honey: int) -> None:
    assert set(staff_and_staff(app, honey)) == {True}


def test_without_locks_a_count_is_lost(unlocked: Flask, honey: int) -> None:
    assert not all(staff_and_staff(unlocked, honey))


@pytest.mark.parametrize("staff_first", [True, False])
def test_a_count_and_a_sale_at_once_both_count(app: Flask, honey: int, staff_first: bool) -> None:
    with app.app_context(), own_transaction() as session:
        tuesday = delivery(session).id
    more, sale = partial(act, app, services.count_stock, honey, 10), partial(buy, app, honey, tuesday)
    first, second = (more, sale) if staff_first else (sale, more)
    assert set(both_count(app, first, second, 9)) == {True}


def test_the_first_count_of_a_delivery_and_its_first_sale_both_count(app: Flask, honey: int) -> None:
    with app.app_context(), own_transaction() as session:
        session.execute(update(Article).values(stock_kind=StockKind.BY_DELIVERY, stock=None, per_delivery=50))
        tuesday = delivery(session).id
    more = partial(act, app, services.count_stock, honey, 5, delivery_id=tuesday)
    for answers in meetings(app, more, partial(buy, app, honey, tuesday, 2), every=1):
        assert answers == (None, None)
        assert count(app, select(DeliveryStock.remaining)) == 53
        with app.app_context(), own_transaction() as session:
            session.execute(delete(DeliveryStock))


def test_of_two_prices_for_one_day_one_stands_and_the_trail_knows_both(app: Flask, honey: int) -> None:
    cents = itertools.count(700)

    def set_price(by: int) -> Any:
        return act(app, services.set_price, honey, DatedPrice(TODAY, Money(next(cents)), 550), by=by)

    for answers in meetings(app, partial(set_price, SOPHIE), partial(set_price, GERARD), every=1):
        assert answers == (True, True)
        with app.app_context(), own_transaction() as session:
            [price] = session.scalars(select(ArticlePrice.price).where(ArticlePrice.since == TODAY))
            last, other = session.scalars(select(AuditEvent).order_by(AuditEvent.id.desc()).limit(2))
            assert (last.after["price"], last.before["price"]) == (price.cents, other.after["price"])


def test_two_who_show_the_same_picture_at_once_share_it(app: Flask, honey: int) -> None:
    with app.app_context(), own_transaction() as session:
        other = article(session, "Pollen").id
    shown = [picture(size=(64, 40))]

    def show(article_id: int, by: int) -> Any:
        return act(app, services.set_picture, article_id, BytesIO(shown[-1]), by=by)

    for answers in meetings(app, partial(show, honey, SOPHIE), partial(show, other, GERARD), every=1):
        assert answers == (None, None)
        assert count(app, select(func.count(Picture.id))) == 1
        shown.append(picture(size=(64, 40 + len(shown))))


def test_a_picture_that_one_article_loses_and_another_gains_at_once_stays(app: Flask, honey: int) -> None:
    with app.app_context(), own_transaction() as session:
        other = article(session, "Pollen").id
    shown = picture(size=(64, 40))

    def begin() -> None:
        act(app, services.set_picture, honey, BytesIO(shown))
        act(app, services.remove_picture, other)

    begin()
    for answers in meetings(
        app,
        partial(act, app, services.remove_picture, honey),
        lambda: act(app, services.set_picture, other, BytesIO(shown), by=GERARD),
    ):
        assert answers == (None, None)
        assert count(app, select(func.count(Picture.id)).join(Article).where(Article.id == other)) == 1
        begin()


def test_two_who_swap_the_pictures_of_two_articles_never_wait_for_ever(app: Flask, honey: int) -> None:
    with app.app_context(), own_transaction() as session:
        other = article(session, "Pollen").id
    one, two = picture(size=(64, 40)), picture(size=(64, 41))

    def show(article_id: int, shown: bytes, by: int = SOPHIE) -> Any:
        return act(app, services.set_picture, article_id, BytesIO(shown), by=by)

    def begin() -> None:
        show(honey, one)
        show(other, two)

    begin()
    for answers in meetings(app, lambda: show(honey, two), lambda: show(other, one, GERARD), every=1):
        assert answers == (None, None)
        shown = select(func.count(Picture.id.distinct())).join(Article, Article.picture_id == Picture.id)
        assert count(app, shown) == 2 == count(app, select(func.count(Picture.id)))
        begin()


def test_two_who_settle_how_the_shop_sells_for_the_first_time_are_both_heard(app: Flask) -> None:
    one, other = ShopRules(False, True, Money(0)), ShopRules(True, False, Money(1000))
    for answers in meetings(
        app, partial(act, app, save, one), partial(act, app, save, other, by=GERARD), every=1
    ):
        assert answers == (True, True)
        with app.app_context(), own_transaction() as session:
            assert get_rules(session) in {one, other}
            session.execute(delete(ShopSettings))
