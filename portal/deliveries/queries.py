"""Reading tours and deliveries."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time
from enum import StrEnum

from sqlalchemy import bindparam, func, or_, select
from sqlalchemy.orm import Session

from portal.deliveries.models import Delivery, Tour
from portal.infra import locks
from portal.infra.orm import View
from portal.rules import planning
from portal.rules.cutoffs import Lead, is_past, local_day


class DeliveryState(StrEnum):
    """Where a delivery stands; its word and shape are in the templates."""

    OPEN = "open"
    CLOSED = "closed"
    DONE = "done"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class DeliveryView:
    """A delivery with its tour, for pages and papers."""

    id: int
    tour_id: int
    tour_slug: str
    tour_name: str
    week: date
    nominal_day: date
    day: date
    cutoff_at: datetime
    cancelled: bool
    cancel_reason: str | None
    move_reason: str | None
    frozen_at: datetime | None

    def state(self, now: datetime) -> DeliveryState:
        if self.cancelled:
            return DeliveryState.CANCELLED
        if self.day < local_day(now):
            return DeliveryState.DONE
        return DeliveryState.CLOSED if self.frozen_at or is_past(self.cutoff_at, now) else DeliveryState.OPEN

    @property
    def for_rules(self) -> planning.Delivery:
        return planning.Delivery(
            id=self.id,
            tour_id=self.tour_id,
            week=self.week,
            day=self.day,
            cutoff=self.cutoff_at,
            cancelled=self.cancelled,
            frozen=self.frozen_at is not None,
        )


@dataclass(frozen=True, slots=True)
class TourView:
    """A weekly round; its last minute on the wall clock is `cutoff_weekday` (Monday = 0), `cutoff_time`."""

    id: int
    slug: str
    name: str
    weekday: int
    lead: Lead
    retired: bool = False

    @property
    def cutoff_weekday(self) -> int:
        return (self.weekday - self.lead.days) % 7

    @property
    def cutoff_time(self) -> time:
        return self.lead.time


def tours(session: Session) -> list[TourView]:
    """All tours in the order of the week."""
    return [
        TourView(row.id, row.slug, row.name, row.weekday, row.lead, retired=row.retired_at is not None)
        for row in session.scalars(select(Tour).order_by(Tour.weekday, Tour.id))
    ]


def prepared_until(session: Session) -> dict[int, date]:
    """The last delivery that each tour has."""
    rows = session.execute(select(Delivery.tour_id, func.max(Delivery.day)).group_by(Delivery.tour_id))
    return dict(rows.all())


DELIVERY = View(
    DeliveryView,
    id=Delivery.id,
    tour_id=Delivery.tour_id,
    tour_slug=Tour.slug,
    tour_name=Tour.name,
    week=Delivery.week,
    nominal_day=Delivery.nominal_day,
    day=Delivery.day,
    cutoff_at=Delivery.cutoff_at,
    cancelled=Delivery.cancelled_at.is_not(None),
    cancel_reason=Delivery.cancel_reason,
    move_reason=Delivery.move_reason,
    frozen_at=Delivery.frozen_at,
)
"""Of a statement that joins the delivery's tour."""

_DELIVERIES = select(DELIVERY).join(Delivery.tour)
_UPCOMING = _DELIVERIES.where(Delivery.day.between(bindparam("since"), bindparam("until"))).order_by(
    Delivery.day, Delivery.id
)
_UPCOMING_OF_TOURS = _UPCOMING.where(Delivery.tour_id.in_(bindparam("tour_ids", expanding=True)))


def find(session: Session, day: date, tour_slug: str) -> DeliveryView | None:
    """The delivery of a date and tour: two tours may share a date. A moved one is found by its first date too."""
    dated = _DELIVERIES.where(Tour.slug == tour_slug, or_(Delivery.day == day, Delivery.nominal_day == day))
    return session.scalar(dated.order_by(Delivery.day != day).limit(1))


def upcoming(
    session: Session, since: date, until: date, tour_ids: Iterable[int] | None = None
) -> list[DeliveryView]:
    """The deliveries from one actual date to another, both included, in date order."""
    days = {"since": since, "until": until}
    if tour_ids is None:
        return list(session.scalars(_UPCOMING, days))
    return list(session.scalars(_UPCOMING_OF_TOURS, days | {"tour_ids": list(tour_ids)}))


def of_weeks(
    session: Session, since: date, until: date, tour_ids: Iterable[int] | None = None, *, held: bool = False
) -> list[DeliveryView]:
    """The deliveries from one week to another, given by their Mondays; `held` keeps them until our commit."""
    statement = _DELIVERIES.where(Delivery.week.between(since, until)).order_by(Delivery.id)
    if tour_ids is not None:
        statement = statement.where(Delivery.tour_id.in_(list(tour_ids)))
    if held:
        statement = locks.for_share(statement, of=Delivery)
    return list(session.scalars(statement))


def view(row: Delivery) -> DeliveryView:
    return DeliveryView(
        id=row.id,
        tour_id=row.tour_id,
        tour_slug=row.tour.slug,
        tour_name=row.tour.name,
        week=row.week,
        nominal_day=row.nominal_day,
        day=row.day,
        cutoff_at=row.cutoff_at,
        cancelled=row.cancelled_at is not None,
        cancel_reason=row.cancel_reason,
        move_reason=row.move_reason,
        frozen_at=row.frozen_at,
    )
