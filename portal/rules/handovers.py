"""Who else may have a box that it is too late to skip: from its cutoff until its point closes."""

from datetime import UTC, date, datetime, time
from enum import StrEnum

from portal.rules.cutoffs import PARIS, is_past


class HandoverRefusal(StrEnum):
    """Why a box is not handed over, or not taken back; its words are in the templates."""

    STILL_OPEN = "still_open"
    """It can be skipped, moved, postponed: that is better."""
    OVER = "over"
    """The point has closed, or opened where it is to be taken back."""


def refusal_to_hand_over(cutoff: datetime, day: date, closes: time, now: datetime) -> HandoverRefusal | None:
    if not is_past(cutoff, now):
        return HandoverRefusal.STILL_OPEN
    return HandoverRefusal.OVER if now >= _instant(day, closes) else None


def refusal_to_take_back(day: date, opens: time, now: datetime) -> HandoverRefusal | None:
    """From then on somebody may have collected it."""
    return HandoverRefusal.OVER if now >= _instant(day, opens) else None


def _instant(day: date, wall: time) -> datetime:
    return datetime.combine(day, wall, PARIS).astimezone(UTC)
