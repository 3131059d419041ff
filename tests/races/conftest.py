"""The control of the tests on races: the same application without its locks (BAR K15)."""

from collections.abc import Iterator

import pytest
from flask import Flask

from portal import create_app
from portal.infra.orm import db
from tests.client import Browser
from tests.conftest import settings_for


@pytest.fixture
def unlocked(app: Flask) -> Iterator[Flask]:
    """A second application on the same database, that takes no lock and pauses after each check."""
    unlocked = create_app(settings_for(app.config["SETTINGS"].database_url, race_pause=0.05))
    unlocked.test_client_class = Browser
    yield unlocked
    with unlocked.app_context():
        db.engine.dispose()
