"""Reading pickup points."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, time

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from portal.deliveries.models import Tour
from portal.infra.orm import View
from portal.pickup.models import PickupPoint, PointClosing
from portal.rules import planning
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
_SOME = _POINTS.where(PickupPoint.id.in_(bindparam("point_ids", expanding=True)))


def offered_points(session: Session) -> list[PointView]:
    """The points that can be chosen, tour by tour in the order of the round."""
    return list(session.scalars(_POINTS.where(PickupPoint.retired_at.is_(None))))


def points(session: Session) -> list[PointView]:
    """All points, tour by tour in the order of the round."""
    return list(session.scalars(_POINTS))


def find(session: Session, point_id: int) -> PointView | None:
    return session.scalar(_POINTS.where(PickupPoint.id == point_id))


@dataclass(frozen=True, slots=True)
class Reception:
    """Who receives the driver at a point, and what to know there: said to who drives there, and to nobody else."""

    contact: str | None
    phone: str | None
    driver_note: str | None


def receptions(session: Session, point_ids: Collection[int]) -> dict[int, Reception]:
    columns = (PickupPoint.id, PickupPoint.contact, PickupPoint.phone, PickupPoint.driver_note)
    rows = session.execute(select(*columns).where(PickupPoint.id.in_(point_ids)))
    return {point_id: Reception(*said) for point_id, *said in rows}


@dataclass(frozen=True, slots=True)
class ClosingView:
    """A point that takes nothing for some days, and where what comes there is collected meanwhile."""

    point: PointView
    substitute: PointView
    reason: str
    for_rules: planning.Closing

    @property
    def id(self) -> int:
        assert self.for_rules.id is not None, "what is read has an id"
        return self.for_rules.id

    @property
    def first_day(self) -> date:
        return self.for_rules.first_day

    @property
    def last_day(self) -> date:
        return self.for_rules.last_day

    @property
    def ended(self) -> bool:
        return self.for_rules.ended_at is not None


_CLOSING = View(
    planning.Closing,
    point_id=PointClosing.pickup_point_id,
    substitute_id=PointClosing.substitute_id,
    first_day=PointClosing.first_day,
    last_day=PointClosing.last_day,
    made_at=PointClosing.made_at,
    ended_at=PointClosing.ended_at,
    id=PointClosing.id,
)


def closings(session: Session, since: date) -> list[ClosingView]:
    """The closings that last until a day or longer, those too that were taken back, in their order."""
    lasting = select(_CLOSING, PointClosing.reason).where(PointClosing.last_day >= since)
    rows = session.execute(lasting.order_by(PointClosing.first_day, PointClosing.id))
    return closing_views(session, [(closing, reason) for closing, reason in rows])


def closing_views(session: Session, rows: Collection[tuple[planning.Closing, str]]) -> list[ClosingView]:
    """Closings and their reasons with the points that they name; asks for these where there are any."""
    named = {point_id for closing, _ in rows for point_id in (closing.point_id, closing.substitute_id)}
    known = {point.id: point for point in _some(session, named)} if named else {}
    return [
        ClosingView(known[closing.point_id], known[closing.substitute_id], reason, closing)
        for closing, reason in rows
    ]


def find_closing(session: Session, closing_id: int) -> ClosingView | None:
    found = session.execute(
        select(_CLOSING, PointClosing.reason).where(PointClosing.id == closing_id)
    ).first()
    if found is None:
        return None
    closing, reason = found
    known = {point.id: point for point in _some(session, (closing.point_id, closing.substitute_id))}
    return ClosingView(known[closing.point_id], known[closing.substitute_id], reason, closing)


def _some(session: Session, point_ids: Collection[int]) -> list[PointView]:
    return list(session.scalars(_SOME, {"point_ids": list(point_ids)}))
