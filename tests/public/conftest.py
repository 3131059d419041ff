"""What is on the stall."""

import pytest
from sqlalchemy.orm import Session

from portal.catalogue.models import Label
from portal.rules.selling import Measured, SaleUnit, StockKind
from tests.public.shelves import shelf
from tests.public.test_cart import made
from tests.shop.making import article


@pytest.fixture
def honey(session: Session) -> int:
    return made(session, stock_kind=StockKind.COUNTED, stock=10)


@pytest.fixture
def stall(session: Session) -> Session:
    """Two shelves: honey and noodles of a neighbour, vegetables of the farm."""
    vegetables = shelf(session, "legumes", "Légumes")
    article(session, "Miel de châtaignier", 650, content=250, measured=Measured.GRAMS)
    article(session, "Œufs de plein air", 270, sale_unit=SaleUnit.PIECE, allergens="œufs")
    article(
        session, "Carottes", 290, sale_unit=SaleUnit.WEIGHT, step=250, category=vegetables,
        label=Label.ORGANIC, origin="France, Hautes-Alpes", season_first=601, season_last=1031,
    )  # fmt: skip
    article(
        session, "Radis", 180, sale_unit=SaleUnit.BUNCH, category=vegetables, product="radis",
        label=Label.CONVERSION, season_first=301, season_last=531,
    )  # fmt: skip
    session.commit()
    return session
