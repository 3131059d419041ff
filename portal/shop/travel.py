"""With which deliveries an order can travel, and where it is then collected."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from portal.boxes.queries import member_boxes, with_changes
from portal.deliveries.queries import DeliveryView, upcoming
from portal.pickup.queries import PointView, closings
from portal.rules.cutoffs import local_day
from portal.rules.planning import closing_of
from portal.rules.selling import Journey
from portal.subscriptions.queries import of_account

AHEAD = timedelta(weeks=9)
"""How far ahead an order can be placed."""


@dataclass(frozen=True, slots=True)
class Stop:
    """A delivery and the point where an order is collected; `with_box` where a box of the person comes too.

    `instead_of` is the point that the box would come to if that was not closed.
    """

    delivery: DeliveryView
    point: PointView
    with_box: bool
    instead_of: int | None = None

    @property
    def journey(self) -> Journey:
        return journey(self.delivery)

    def is_open(self, now: datetime) -> bool:
        return self.delivery.for_rules.is_open(now)


def journey(delivery: DeliveryView) -> Journey:
    return Journey(delivery.day, delivery.tour_id, delivery.cutoff_at, delivery.cancelled)


def box_stops(session: Session, account_id: int, now: datetime) -> list[Stop]:
    """Where a person's boxes arrive on deliveries that are still open, soonest first."""
    today = local_day(now)
    holdings = with_changes(session, of_account(session, account_id), today)
    tours = {tour_id for holding in holdings for tour_id in holding.plan.tour_ids}
    if not tours:
        return []
    open_ones = [d for d in upcoming(session, today, today + AHEAD, tours) if d.for_rules.is_open(now)]
    stops: dict[tuple[int, int], Stop] = {}
    for box in member_boxes(session, holdings, open_ones):
        if not box.skipped:
            closed = box.closing.point.id if box.closing else None
            stop = Stop(box.delivery, box.point, with_box=True, instead_of=closed)
            stops.setdefault((box.delivery.id, box.point.id), stop)
    return list(stops.values())


def point_stops(session: Session, point: PointView, now: datetime) -> list[Stop]:
    """The open deliveries that come to a point, soonest first: for who collects an order alone."""
    today = local_day(now)
    closed = [closing.for_rules for closing in closings(session, today)]
    return [
        Stop(delivery, point, with_box=False)
        for delivery in upcoming(session, today, today + AHEAD, [point.tour_id])
        if delivery.for_rules.is_open(now) and not closing_of(point.id, delivery.for_rules, closed)
    ]
