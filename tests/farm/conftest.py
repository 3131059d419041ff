"""Who works at the farm."""

import pytest

from tests.client import Browser
from tests.world import STAFF


@pytest.fixture
def staff(browser: Browser) -> Browser:
    browser.sign_in(STAFF)
    browser.get("/ferme")
    return browser


@pytest.fixture
def desk(client: Browser) -> Browser:
    """A member of staff without JavaScript."""
    client.sign_in(STAFF)
    client.get("/ferme")
    return client
