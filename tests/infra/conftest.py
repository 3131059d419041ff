"""A letterbox that mail goes into, and the application around it."""

import pytest

from tests.infra import smtp


@pytest.fixture
def box():
    with smtp.letterbox() as box:
        yield box


@pytest.fixture
def within(app):
    with app.app_context():
        yield
