"""Tours: making them and their deliveries, changing until when these can be changed."""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from portal.deliveries.models import Delivery, Tour
from portal.deliveries.queries import view
from portal.infra import audit, clock, locks
from portal.rules.calendar import delivery_days, fortnight_of, monday_of
from portal.rules.cutoffs import Lead, cutoff_instant, is_past
from portal.rules.deliveries import following


class Refusal(StrEnum):
    """Why a tour stays as it is; its words are where it is asked for."""

    IN_USE = "in_use"
    WEEKDAY = "weekday"


@dataclass(frozen=True, slots=True)
class RuleChange:
    """What came of it: how many open deliveries follow, which ones do not and why, or why nothing changed."""

    followed: int = 0
    by_hand: tuple[date, ...] = ()
    too_late: tuple[date, ...] = ()
    out_of_order: tuple[date, ...] = ()
    refusal: Refusal | None = None

    @property
    def kept(self) -> tuple[date, ...]:
        return tuple(sorted(self.by_hand + self.too_late + self.out_of_order))


def add_tour(
    session: Session, *, slug: str, name: str, weekday: int, lead: Lead, at: datetime, by: int | None
) -> Tour | None:
    """A new tour, without deliveries; None where the slug is another's."""
    tour = Tour(slug=slug, name=name, weekday=weekday, lead_days=lead.days, lead_time=lead.time)
    try:
        with session.begin_nested():
            session.add(tour)
    except IntegrityError:
        return None
    after = {"slug": slug, "name": name, "weekday": weekday} | _for_trail(lead)
    audit.record(session, "tour.create", ("tour", tour.id), at=at, by=by, after=after)
    return tour


def rename_tour(session: Session, tour_id: int, name: str, *, at: datetime, by: int | None) -> bool:
    """Whether it had another name until now."""
    tour = session.scalars(locks.for_update(select(Tour).where(Tour.id == tour_id), of=Tour)).one()
    return bool(audit.change(session, tour, {"name": name}, at=at, by=by))


def set_retired(
    session: Session, tour_id: int, retired: bool, *, in_use: Callable[[], bool], at: datetime, by: int
) -> Refusal | None:
    """Prepare no delivery of it any more, or go on; refused while somebody may collect from it."""
    tour = session.scalars(locks.for_update(select(Tour).where(Tour.id == tour_id), of=Tour)).one()
    if (tour.retired_at is not None) == retired:
        return None
    if retired and in_use():
        return Refusal.IN_USE
    audit.change(session, tour, {"retired_at": at if retired else None}, at=at, by=by)
    return None


def change_rule(
    session: Session, tour_id: int, *, weekday: int, lead: Lead, by: int | None = None
) -> RuleChange:
    """Give a tour another lead; its open deliveries follow, closed ones never reopen.

    An open one keeps its cutoff where staff set it by hand, which is where it is not what the old lead gives,
    where the new one is past, as no delivery closes in the past, and where the new one would reach that of
    another delivery, as cutoffs stay in the order of their weeks. Another weekday is refused: people are to
    be told of it (`planning.rounds`). The clock is read once the locks are held.
    """
    tour = session.scalars(locks.for_update(select(Tour).where(Tour.id == tour_id), of=Tour)).one()
    old = tour.lead
    if weekday != tour.weekday:
        return RuleChange(refusal=Refusal.WEEKDAY)
    if lead == old:
        return RuleChange()
    standing = _lock_standing(session)
    now = clock.now()
    own = session.scalars(select(Delivery).where(Delivery.tour_id == tour_id)).all()
    followed, change = _following(tour, standing, own, lead, now)
    for delivery in own:
        delivery.cutoff_at = followed.get(delivery.id, delivery.cutoff_at)
    tour.lead_days, tour.lead_time = lead.days, lead.time
    before, after = _for_trail(old), _for_trail(lead) | {"deliveries": len(followed)}
    audit.record(session, "tour.rule", ("tour", tour_id), at=now, by=by, before=before, after=after)
    return change


def preview_rule(session: Session, tour_id: int, lead: Lead, now: datetime) -> RuleChange:
    """What another lead would come to; writes nothing."""
    tour = session.get_one(Tour, tour_id)
    own = session.scalars(select(Delivery).where(Delivery.tour_id == tour_id)).all()
    standing = [delivery for delivery in own if not delivery.frozen_at and not delivery.cancelled_at]
    return RuleChange() if lead == tour.lead else _following(tour, standing, own, lead, now)[1]


def _following(
    tour: Tour, standing: Iterable[Delivery], own: Collection[Delivery], lead: Lead, now: datetime
) -> tuple[dict[int, datetime], RuleChange]:
    """The new cutoffs of the deliveries that follow a lead, and what that comes to."""
    cutoffs, by_hand, too_late = {}, [], []
    for delivery in standing:
        if delivery.tour_id != tour.id or is_past(delivery.cutoff_at, now):
            continue
        cutoff = cutoff_instant(delivery.day, lead)
        if delivery.cutoff_at != cutoff_instant(delivery.day, tour.lead):
            by_hand.append(delivery.day)
        elif is_past(cutoff, now):
            too_late.append(delivery.day)
        else:
            cutoffs[delivery.id] = cutoff
    followed = following((view(delivery).for_rules for delivery in own), cutoffs)
    out_of_order = sorted(delivery.day for delivery in own if delivery.id in cutoffs.keys() - followed.keys())
    kept = (tuple(sorted(by_hand)), tuple(sorted(too_late)), tuple(out_of_order))
    return followed, RuleChange(len(followed), *kept)


def _lock_standing(session: Session) -> Sequence[Delivery]:
    """What is neither frozen nor cancelled, of all tours: so that who changes two locks in a skip's order."""
    standing = select(Delivery).where(Delivery.frozen_at.is_(None), Delivery.cancelled_at.is_(None))
    return session.scalars(locks.for_update(standing.order_by(Delivery.id), of=Delivery)).all()


def _for_trail(lead: Lead) -> dict[str, int | str]:
    return {"lead_days": lead.days, "lead_time": lead.time.isoformat("minutes")}


def prepare(session: Session, since: date, until: date, *, at: datetime, by: int) -> int:
    """Make deliveries when staff ask for them; returns how many were made."""
    made = generate(session, since, until)
    if made:
        after = {"deliveries": made, "until": until.isoformat()}
        audit.record(session, "delivery.generate", ("delivery", "*"), at=at, by=by, after=after)
    return made


def generate(session: Session, since: date, until: date) -> int:
    """Make every tour's deliveries between two nominal dates, both included; those that exist are left alone.

    Returns how many were made.
    """
    made = 0
    running = select(Tour).where(Tour.retired_at.is_(None)).order_by(Tour.id)
    for tour in session.scalars(locks.for_update(running, of=Tour)).all():
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
