"""Reading pickup points."""

from dataclasses import dataclass
from datetime import time

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.pickup.models import PickupPoint
from portal.rules.distances import Position


@dataclass(frozen=True, slots=True)
class PointView:
    """A pickup point as pages and papers name it; hours are on the wall clock."""

    id: int
    tour_id: int
    tour_slug: str
    weekday: int
    position: int
    slug: str
    name: str
    address: str
    postcode: str
    town: str
    latitude: float
    longitude: float
    opens: time
    closes: time
    access: str
    capacity: int
    free_places: int | None
    retired: bool

    @property
    def coordinates(self) -> Position:
        return Position(self.latitude, self.longitude)

    @property
    def full(self) -> bool:
        """As last counted; not known is not full."""
        return self.free_places is not None and self.free_places <= 0

    @property
    def directions(self) -> str:
        """A geo link, which phones open in the person's own map application: no other site is asked."""
        return f"geo:{self.latitude:.5f},{self.longitude:.5f}?q={self.latitude:.5f},{self.longitude:.5f}"


def view(row: PickupPoint) -> PointView:
    return PointView(
        id=row.id,
        tour_id=row.tour_id,
        tour_slug=row.tour.slug,
        weekday=row.tour.weekday,
        position=row.position,
        slug=row.slug,
        name=row.name,
        address=row.address,
        postcode=row.postcode,
        town=row.town,
        latitude=row.latitude,
        longitude=row.longitude,
        opens=row.opens,
        closes=row.closes,
        access=row.access,
        capacity=row.capacity,
        free_places=row.free_places,
        retired=row.retired_at is not None,
    )


def offered_points(session: Session) -> list[PointView]:
    """The points that can be chosen, tour by tour in the order of the round."""
    rows = select(PickupPoint).where(PickupPoint.retired_at.is_(None))
    return [view(row) for row in session.scalars(rows.order_by(PickupPoint.tour_id, PickupPoint.position))]


def points(session: Session) -> list[PointView]:
    """All points, tour by tour in the order of the round."""
    return [
        view(row)
        for row in session.scalars(select(PickupPoint).order_by(PickupPoint.tour_id, PickupPoint.position))
    ]


def find(session: Session, point_id: int) -> PointView | None:
    row = session.get(PickupPoint, point_id)
    return view(row) if row else None
