"""Making deliveries, and changing until when they can be changed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.deliveries.models import Delivery, Tour
from portal.infra import audit, clock, locks
from portal.rules.calendar import delivery_days, fortnight_of, monday_of
from portal.rules.cutoffs import Lead, cutoff_instant, is_past


class Refusal(StrEnum):
    """Why a tour stays as it is; its words are where it is asked for."""

    WEEKDAY = "weekday"


@dataclass(frozen=True, slots=True)
class RuleChange:
    """What came of it: how many open deliveries follow, which ones do not, or why nothing changed."""

    followed: int = 0
    kept: tuple[date, ...] = ()
    refusal: Refusal | None = None


def change_rule(session: Session, tour_id: int, *, weekday: int, lead: Lead) -> RuleChange:
    """Give a tour another lead; its open deliveries follow, closed ones never reopen.

    An open one keeps its cutoff where staff set it by hand, which is where it is not what the old lead gives,
    and where the new one is past: no delivery closes in the past. Another weekday is refused: the deliveries
    that exist are promised for their day. The clock is read once the locks are held.
    """
    tour = session.scalars(locks.for_update(select(Tour).where(Tour.id == tour_id), of=Tour)).one()
    old = tour.lead
    if weekday != tour.weekday:
        return RuleChange(refusal=Refusal.WEEKDAY)
    if lead == old:
        return RuleChange()
    standing = _lock_standing(session)
    now = clock.now()
    followed, kept = 0, []
    for delivery in standing:
        if delivery.tour_id != tour_id or is_past(delivery.cutoff_at, now):
            continue
        cutoff = cutoff_instant(delivery.day, lead)
        if is_past(cutoff, now) or delivery.cutoff_at != cutoff_instant(delivery.day, old):
            kept.append(delivery.day)
        else:
            delivery.cutoff_at = cutoff
            followed += 1
    tour.lead_days, tour.lead_time = lead.days, lead.time
    before, after = _for_trail(old), _for_trail(lead) | {"deliveries": followed}
    audit.record(session, "tour.rule", ("tour", tour_id), at=now, by=None, before=before, after=after)
    return RuleChange(followed, tuple(sorted(kept)))


def _lock_standing(session: Session) -> Sequence[Delivery]:
    """What is neither frozen nor cancelled, of all tours: so that who changes two locks in a skip's order."""
    standing = select(Delivery).where(Delivery.frozen_at.is_(None), Delivery.cancelled_at.is_(None))
    return session.scalars(locks.for_update(standing.order_by(Delivery.id), of=Delivery)).all()


def _for_trail(lead: Lead) -> dict[str, int | str]:
    return {"lead_days": lead.days, "lead_time": lead.time.isoformat("minutes")}


def generate(session: Session, since: date, until: date) -> int:
    """Make every tour's deliveries between two nominal dates, both included; those that exist are left alone.

    Returns how many were made.
    """
    made = 0
    for tour in session.scalars(locks.for_update(select(Tour).order_by(Tour.id), of=Tour)).all():
        existing = set(
            session.scalars(
                select(Delivery.week).where(Delivery.tour_id == tour.id, Delivery.week >= monday_of(since))
            )
        )
        for day in delivery_days(tour.weekday, since, until):
            if monday_of(day) not in existing:
                session.add(new_delivery(tour, day))
                made += 1
    return made


def new_delivery(tour: Tour, day: date) -> Delivery:
    """A delivery on its nominal date, with the cutoff that the tour's lead gives."""
    week = monday_of(day)
    return Delivery(
        tour_id=tour.id,
        week=week,
        fortnight=fortnight_of(week),
        nominal_day=day,
        day=day,
        cutoff_at=cutoff_instant(day, tour.lead),
    )
