"""What a subscriber has ordered."""

import pytest

from tests.shop.making import article, order
from tests.shop.ordered import signed_in
from tests.world import CAMILLE


@pytest.fixture
def camille(browser):
    return signed_in(browser, CAMILLE)


@pytest.fixture
def placed(session):
    """Two jars and a bread, which spoils."""
    made = order(session, {article(session): 2, article(session, "Pain", 400, perishable=True): 1})
    made_id = made.id
    session.commit()
    return made_id
