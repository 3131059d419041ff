"""Who works at the farm: `staff` and `admin` with and without JavaScript, `desk` and `office` without."""

import pytest
from sqlalchemy.orm import Session

from portal.catalogue.models import Article
from portal.rules.selling import Measured, StockKind
from tests.client import Browser
from tests.shop.making import article
from tests.world import ADMIN, STAFF


def at_work(browser: Browser, email: str) -> Browser:
    browser.sign_in(email)
    browser.get("/ferme")
    return browser


@pytest.fixture
def staff(browser: Browser) -> Browser:
    return at_work(browser, STAFF)


@pytest.fixture
def desk(client: Browser) -> Browser:
    return at_work(client, STAFF)


@pytest.fixture
def admin(browser: Browser) -> Browser:
    return at_work(browser, ADMIN)


@pytest.fixture
def office(client: Browser) -> Browser:
    return at_work(client, ADMIN)


@pytest.fixture
def honey(session: Session) -> Article:
    """Twelve jars of a neighbour's honey."""
    made = article(session, content=250, measured=Measured.GRAMS, stock_kind=StockKind.COUNTED, stock=12)
    session.commit()
    return made
