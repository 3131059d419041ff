"""Orders and the boxes that they travel with.

An order is collected where a box of the same person comes. When that box stays away the person says what
becomes of the order; when it is only collected elsewhere in the same week, the order follows it.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime

from portal.rules.planning import Box, Plan, Season, project


@dataclass(frozen=True, slots=True)
class Spot:
    """A delivery and the point where something of it is collected, instead of one that is closed perhaps."""

    delivery_id: int
    point_id: int
    instead_of: int | None = field(default=None, compare=False)


def spot_of(box: Box) -> Spot:
    return Spot(box.delivery.id, box.point_id, box.instead_of)


def spots(plans: Iterable[Plan], season: Season) -> set[Spot]:
    """Where boxes come."""
    return {spot_of(box) for plan in plans for box in project(plan, season) if box.comes}


def followed(before: Collection[Plan], after: Collection[Plan], season: Season, spot: Spot) -> Spot | None:
    """Where what travels with the boxes at a spot is collected once the plans are others.

    There as long as a box comes there; else where a box that came there now comes in the same week. None where
    they are all skipped, suspended, postponed or gone.
    """
    if spot in spots(after, season):
        return spot
    gone = {
        (box.subscription_id, box.week, box.delivery.week)
        for plan in before
        for box in project(plan, season)
        if box.comes and spot_of(box) == spot
    }
    for plan in after:
        for box in project(plan, season):
            if box.comes and (box.subscription_id, box.week, box.delivery.week) in gone:
                return spot_of(box)
    return None


def later_spots(plans: Iterable[Plan], season: Season, spot: Spot, now: datetime) -> list[Spot]:
    """Where boxes come on later deliveries that are still open, soonest first."""
    days = {delivery.id: delivery.day for delivery in season}
    coming = [
        box
        for plan in plans
        for box in project(plan, season)
        if box.comes and box.delivery.is_open(now) and box.delivery.day > days[spot.delivery_id]
    ]
    coming.sort(key=lambda box: (box.delivery.day, box.delivery.id, box.point_id))
    return list(dict.fromkeys(map(spot_of, coming)))
