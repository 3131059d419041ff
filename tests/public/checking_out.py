"""How people order on /ma-commande/validation."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from portal.catalogue.models import Article
from portal.shop.models import Order
from tests.client import Browser
from tests.pages import text_of
from tests.public.test_cart import enter, go, put, stop
from tests.world import CAMILLE

PAGE = "/ma-commande/validation"
HIDDEN = re.compile(r'<input type="hidden" name="(commande|vu|sure)" value="([^"]*)">')
SECOND = timedelta(seconds=1)
CONTACT = {
    "nom": "Emma Roux",
    "telephone": "06 39 98 00 02",
    "adresse": "3 rue du Four",
    "code-postal": "05700",
    "ville": "Serres",
}
GUEST = {**CONTACT, "email": "emma@example.org"}


def seen(page: TestResponse) -> dict[str, str]:
    """What the form carries along."""
    return dict(HIDDEN.findall(page.text))


def ready(
    browser: Browser, session: Session, honey: int, who: str | None, quantity: int = 3
) -> dict[str, str]:
    """A filled order, with its form on the screen."""
    if who:
        enter(browser, who)
    put(browser, honey, quantity)
    if not who:
        go(browser, stop(session))
    return form(browser, who)


def form(browser: Browser, who: str | None) -> dict[str, str]:
    page = browser.get(PAGE)
    assert page.status_code == 200
    return {**(CONTACT if who else GUEST), **seen(page)}


def orders(session: Session) -> list[Order]:
    session.rollback()
    return list(session.scalars(select(Order).order_by(Order.id)))


def stock(session: Session, number: int) -> int | None:
    session.rollback()
    return session.get_one(Article, number).stock


def refused(answer: TestResponse) -> str:
    assert answer.status_code == 422
    return text_of(answer)


WHO = pytest.mark.parametrize("who", [None, CAMILLE])
