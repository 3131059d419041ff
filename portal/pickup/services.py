"""What staff do to pickup points."""

from collections.abc import Callable, Mapping
from datetime import datetime
from itertools import count
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from portal.deliveries.models import Tour
from portal.infra import audit, locks
from portal.pickup.models import PickupPoint
from portal.rules.alphabet import slug_of

UNSAID = {"name", "address", "postcode", "town", "latitude", "longitude", "access"} | {
    "contact",
    "phone",
    "driver_note",
}
"""A point may be somebody's home, and an access the code of a door."""


def add_point(session: Session, values: Mapping[str, Any], *, at: datetime, by: int) -> PickupPoint:
    """A new point, the last one of its round; its slug is made from its name."""
    session.scalars(locks.for_update(select(Tour).order_by(Tour.id), of=Tour)).all()  # one point at a time
    point = PickupPoint(
        **values,
        slug=_free_slug(session, values["name"]),
        position=_end_of_round(session, values["tour_id"]),
        free_places=values["capacity"],
    )
    session.add(point)
    session.flush()
    after = {"tour_id": point.tour_id, "capacity": point.capacity}
    audit.record(session, "pickup_point.create", ("pickup_point", point.id), at=at, by=by, after=after)
    return point


def change_point(
    session: Session,
    point_id: int,
    values: Mapping[str, Any],
    *,
    in_use: Callable[[], bool],
    at: datetime,
    by: int,
) -> list[str] | None:
    """The fields that have changed; None where the tour of a point in use was to change.

    Another tour would move people's day behind their backs. `in_use` is asked under the lock that whoever newly
    collects there takes as well.
    """
    point = _locked(session, point_id)
    values = dict(values)
    if values["tour_id"] != point.tour_id:
        if in_use():
            return None
        values["position"] = _end_of_round(session, values["tour_id"])
    if point.free_places is not None:
        point.free_places += values["capacity"] - point.capacity
    return audit.change(session, point, values, at=at, by=by, unsaid=UNSAID)


def place_point(session: Session, point_id: int, place: int, *, at: datetime, by: int) -> bool:
    """Make it the round's stop of that number, from 0; whether it was another until now."""
    stops = session.scalars(
        locks.for_update(select(PickupPoint).order_by(PickupPoint.id), of=PickupPoint)
    ).all()
    point = next(stop for stop in stops if stop.id == point_id)
    in_round = sorted((s for s in stops if s.tour_id == point.tour_id), key=lambda s: (s.position, s.id))
    before = in_round.index(point)
    in_round.remove(point)
    in_round.insert(place, point)
    after = in_round.index(point)
    if before == after:
        return False
    for position, stop in enumerate(in_round):
        stop.position = position
    audit.record(
        session,
        "pickup_point.place",
        ("pickup_point", point_id),
        at=at,
        by=by,
        before={"place": before},
        after={"place": after},
    )
    return True


def set_retired(session: Session, point_id: int, retired: bool, *, at: datetime, by: int) -> bool:
    """Offer it to nobody any more, or to all again; whether it was otherwise until now."""
    point = _locked(session, point_id)
    if (point.retired_at is not None) == retired:
        return False
    audit.change(session, point, {"retired_at": at if retired else None}, at=at, by=by)
    return True


def _locked(session: Session, point_id: int) -> PickupPoint:
    statement = select(PickupPoint).where(PickupPoint.id == point_id)
    return session.scalars(locks.for_update(statement, of=PickupPoint)).one()


def _end_of_round(session: Session, tour_id: int) -> int:
    last = session.scalar(select(func.max(PickupPoint.position)).where(PickupPoint.tour_id == tour_id))
    return 0 if last is None else last + 1


def _free_slug(session: Session, name: str) -> str:
    taken = set(session.scalars(select(PickupPoint.slug)))
    slug = slug_of(name)[:50].strip("-") or "point"
    names = (slug if number == 1 else f"{slug}-{number}" for number in count(1))
    return next(name for name in names if name not in taken)
