"""The oracle of stock: units in order lines + units left = units put in."""

import sqlite3
from contextlib import closing

from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from portal.catalogue.models import Article
from portal.infra.orm import Base, own_transaction
from portal.rules.money import Money
from portal.rules.selling import StockKind
from portal.shop.models import OrderLine, ShopSettings
from tests.shop.making import article


def open_to_all(session: Session) -> None:
    """Guests too, whatever they order, and nobody has to judge it."""
    session.add(ShopSettings(id=1, accepts_at_once=True, guests_welcome=True, guest_minimum=Money(0)))


def counted(app: Flask, units: int, *names: str) -> list[int]:
    """Articles of which there are so many units each."""
    with app.app_context(), own_transaction() as session:
        made = [article(session, name, stock_kind=StockKind.COUNTED, stock=units) for name in names]
        return [one.id for one in made]


def sold(app: Flask) -> dict[int, int]:
    """Article → units in order lines."""
    with app.app_context(), own_transaction() as session:
        lines = select(OrderLine.article_id, func.sum(OrderLine.quantity)).group_by(OrderLine.article_id)
        return dict(session.execute(lines).all())


def left(app: Flask) -> dict[int, int | None]:
    with app.app_context(), own_transaction() as session:
        return dict(session.execute(select(Article.id, Article.stock)).all())


def count(app: Flask, table: type[Base]) -> int:
    with app.app_context(), own_transaction() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def check_tables(app: Flask) -> None:
    """Nothing is broken, nothing hangs in the air; PostgreSQL sees to that itself."""
    url = app.config["SETTINGS"].database_url
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
