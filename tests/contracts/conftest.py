"""The site that the contracts go over."""

import pytest

from tests.conftest import Farms
from tests.contracts.site import Site


@pytest.fixture
def site(farms: Farms, backend: str) -> Site:
    return Site(farms, backend)
