"""What lies on the shelves, and how they say it."""

import re
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.catalogue.models import Article, Category
from tests.client import Browser
from tests.pages import text_of

SHOP = "/boutique"
NAMES = re.compile(r'class="ware-name"><a href="[^"]+">([^<]+)<')


def shelf(session: Session, slug: str, name: str, position: int = 1) -> Category:
    made = Category(slug=slug, name=name, position=position, drawing="leek")
    session.add(made)
    return made


def names(browser: Browser, path: str = SHOP) -> list[str]:
    return NAMES.findall(browser.get(path).text)


def card(browser: Browser, name: str, path: str = SHOP) -> str:
    """The words of one article."""
    page = text_of(browser.get(path))
    start = page.index(name, page.index("Envies") if "Envies" in page else page.index("Tout"))
    return page[start : start + 220]


def find(session: Session, name: str) -> Article:
    return session.scalars(select(Article).where(Article.name == name)).one()


def change(session: Session, name: str, **values: Any) -> None:
    found = find(session, name)
    for field, value in values.items():
        setattr(found, field, value)
    session.commit()
