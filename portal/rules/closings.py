"""When the farm may close a point for some days and send what comes there to another of its tour."""

from collections.abc import Iterable
from datetime import date
from enum import StrEnum

from portal.rules.planning import Closing, Place


class Refusal(StrEnum):
    """Why a point stays open, or closed; its words are in the templates."""

    BAD_RANGE = "bad_range"
    CLOSED = "closed"
    OTHER_TOUR = "other_tour"
    OVER = "over"
    STANDS_IN = "stands_in"
    SUBSTITUTE_CLOSED = "substitute_closed"


def refusal_to_close(
    point: Place,
    substitute: Place,
    first_day: date,
    last_day: date,
    *,
    standing: Iterable[Closing],
    today: date,
) -> Refusal | None:
    """Why a point cannot be closed for these days, or None if it can.

    `standing` are the closings that were not taken back. A point is closed once at a time, and no detour leads to
    another, so that everything is one step away from where it belongs.
    """
    if not today <= last_day >= first_day:
        return Refusal.BAD_RANGE
    if point.tour_id != substitute.tour_id or point == substitute:
        return Refusal.OTHER_TOUR
    meanwhile = [c for c in standing if c.first_day <= last_day and first_day <= c.last_day]
    if any(closing.point_id == point.point_id for closing in meanwhile):
        return Refusal.CLOSED
    if any(closing.substitute_id == point.point_id for closing in meanwhile):
        return Refusal.STANDS_IN
    if any(closing.point_id == substitute.point_id for closing in meanwhile):
        return Refusal.SUBSTITUTE_CLOSED
    return None


def refusal_to_reopen(closing: Closing, today: date) -> Refusal | None:
    """Why a closing cannot be taken back, or None if it can: what has closed since stays where it went."""
    return Refusal.OVER if closing.last_day < today else None
