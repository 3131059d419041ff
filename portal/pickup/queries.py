"""Reading pickup points."""

from dataclasses import dataclass
from datetime import time

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.deliveries.models import Tour
from portal.infra.orm import View
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
        """A map of the place, which phones may open in the person's own application; asked when it is pressed."""
        place = f"{self.latitude:.5f}/{self.longitude:.5f}"
        return f"https://www.openstreetmap.org/?mlat={self.latitude:.5f}&mlon={self.longitude:.5f}#map=17/{place}"


POINT = View(
    PointView,
    id=PickupPoint.id,
    tour_id=PickupPoint.tour_id,
    tour_slug=Tour.slug,
    weekday=Tour.weekday,
    position=PickupPoint.position,
    slug=PickupPoint.slug,
    name=PickupPoint.name,
    address=PickupPoint.address,
    postcode=PickupPoint.postcode,
    town=PickupPoint.town,
    latitude=PickupPoint.latitude,
    longitude=PickupPoint.longitude,
    opens=PickupPoint.opens,
    closes=PickupPoint.closes,
    access=PickupPoint.access,
    capacity=PickupPoint.capacity,
    free_places=PickupPoint.free_places,
    retired=PickupPoint.retired_at.is_not(None),
)
"""Of a statement that joins the point's tour."""

_POINTS = select(POINT).join(PickupPoint.tour).order_by(PickupPoint.tour_id, PickupPoint.position)


def offered_points(session: Session) -> list[PointView]:
    """The points that can be chosen, tour by tour in the order of the round."""
    return list(session.scalars(_POINTS.where(PickupPoint.retired_at.is_(None))))


def points(session: Session) -> list[PointView]:
    """All points, tour by tour in the order of the round."""
    return list(session.scalars(_POINTS))


def find(session: Session, point_id: int) -> PointView | None:
    return session.scalar(_POINTS.where(PickupPoint.id == point_id))
