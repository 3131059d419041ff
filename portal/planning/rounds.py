"""A tour on another day of the week: what is still open moves within its week, and each person is told once."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from portal.deliveries.models import Delivery, Tour
from portal.deliveries.queries import view
from portal.infra import audit, clock, locks
from portal.planning import deliveries
from portal.rules.cutoffs import Lead, cutoff_instant


@dataclass(frozen=True, slots=True)
class Shift:
    """What another weekday comes to: the deliveries that follow, those that stay on their day, who is told."""

    followed: tuple[date, ...]
    kept: tuple[date, ...]
    people: int


def preview(session: Session, tour_id: int, weekday: int, lead: Lead, now: datetime) -> Shift:
    """What another weekday would come to; writes nothing."""
    rows, own = _open(session, tour_id, now), session.get_one(Tour, tour_id).lead
    following = {row.id: _day(row, weekday) for row in rows if _by_rule(row, own)}
    moves = deliveries.preview_moves(session, following, now, lead=lead)
    ids = [delivery_id for delivery_id, move in moves.items() if move.refusal is None]
    return Shift(
        tuple(following[delivery_id] for delivery_id in ids),
        tuple(row.day for row in rows if row.id not in ids),
        deliveries.people(session, ids),
    )


def change_weekday(session: Session, tour_id: int, weekday: int, *, by: int) -> Shift | None:
    """Give a tour another weekday; what has closed, what staff set by hand and what would cross it stays.

    None where it is so already. What is prepared later is prepared for the new day.
    """
    tour = session.scalars(locks.for_update(select(Tour).where(Tour.id == tour_id), of=Tour)).one()
    before = tour.weekday
    if before == weekday:
        return None
    opened = locks.for_update(_standing(tour_id), of=Delivery)
    session.scalars(opened).all()
    now = clock.now()
    tour.weekday = weekday
    followed, kept = [], []
    for row in _open(session, tour_id, now):
        day, nominal = _day(row, weekday), row.nominal_day
        if _by_rule(row, tour.lead):
            row.nominal_day = day
            if deliveries.move(session, row.id, day, by=by).changed:
                followed.append(row)
                continue
            row.nominal_day = nominal
        kept.append(row.day)
    session.flush()
    after = {"weekday": weekday, "deliveries": len(followed)}
    audit.record(
        session, "tour.weekday", ("tour", tour_id), at=now, by=by, before={"weekday": before}, after=after
    )
    told = deliveries.waiting(session, [row.id for row in followed])
    return Shift(tuple(row.day for row in followed), tuple(kept), told)


def _standing(tour_id: int) -> Select[Delivery]:
    return (
        select(Delivery)
        .where(Delivery.tour_id == tour_id, Delivery.frozen_at.is_(None))
        .order_by(Delivery.id)
    )


def _open(session: Session, tour_id: int, now: datetime) -> list[Delivery]:
    rows = session.scalars(_standing(tour_id)).all()
    return sorted((row for row in rows if view(row).for_rules.is_open(now)), key=lambda row: row.week)


def _by_rule(row: Delivery, lead: Lead) -> bool:
    """Whether it is when its tour says: staff have set the others by hand."""
    return row.day == row.nominal_day and row.cutoff_at == cutoff_instant(row.day, lead)


def _day(row: Delivery, weekday: int) -> date:
    return row.week + timedelta(days=weekday)
