"""Short words for tests that compose boxes."""

from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.catalogue.models import Formula, Product
from portal.compositions.models import CompositionState
from portal.compositions.queries import grid
from portal.compositions.services import Cell, Refusal, set_amounts, set_state
from portal.deliveries.queries import DeliveryView, find
from tests.world import NOW

SOMEBODY = 3
"""The account that acts, in the trail."""


def delivery_on(session: Session, day: date, tour: str = "mardi") -> DeliveryView:
    found = find(session, day, tour)
    assert found
    return found


def formula(session: Session, slug: str) -> int:
    return session.scalars(select(Formula.id).where(Formula.slug == slug)).one()


def product(session: Session, slug: str) -> int:
    return session.scalars(select(Product.id).where(Product.slug == slug)).one()


def put(
    session: Session, delivery: DeliveryView, box: str, content: str, amount: int, at: datetime = NOW
) -> Refusal | None:
    cell = Cell(formula(session, box), product(session, content))
    return set_amounts(session, delivery.id, {cell: amount}, at=at)


def show(
    session: Session,
    delivery: DeliveryView,
    state: CompositionState = CompositionState.FORECAST,
    at: datetime = NOW,
) -> Refusal | None:
    return set_state(session, delivery.id, state, at=at, by=SOMEBODY)


def contents(session: Session, delivery: DeliveryView) -> dict[tuple[str, str], int]:
    return {
        (column.formula.slug, line.product.name): line.amount
        for column in grid(session, delivery).columns
        for line in column.lines
    }
