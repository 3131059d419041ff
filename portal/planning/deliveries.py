"""What staff do to a delivery: cancel it, let it take place after all, move it. Each concerns many people.

Who is concerned is decided under the delivery's lock and written down as one notice each; the worker tells
them, and takes along the boxes that lose their way (`notices`). Concerned is who has a box on the delivery
before or after, frozen or expected, postponed to it and there for once included. Who skips or suspends it has
no box before nor after and hears nothing; but where a move takes a delivery out of a suspension, or into it,
there is a box before or after. Where one comes to a cancelled delivery for once and is skipped or suspended
there, a notice sees to it that it never vanishes, though there may be nothing to tell.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Insert,
    Select,
    and_,
    case,
    delete,
    func,
    insert,
    literal,
    or_,
    select,
    update,
)
from sqlalchemy.orm import Session, aliased

from portal.boxes import services as boxes
from portal.boxes.carried import carried, served
from portal.boxes.models import BoxChange
from portal.deliveries.models import Delivery, Tour
from portal.deliveries.queries import DeliveryView, view
from portal.infra import audit, clock, locks
from portal.planning.models import DeliveryNotice
from portal.rules import deliveries as rules
from portal.rules import planning
from portal.rules.cutoffs import Lead, is_past
from portal.rules.deliveries import Refusal
from portal.subscriptions.models import Subscription


@dataclass(frozen=True, slots=True)
class Outcome:
    """Whether a delivery changed, how many people will be told, or why it stays; unchanged, it was so already.

    `unpriced` names the formulas for want of whose price it cannot be frozen.
    """

    changed: bool = False
    told: int = 0
    refusal: Refusal | None = None
    unpriced: tuple[str, ...] = ()


def cancel(session: Session, delivery_id: int, reason: str, *, by: int) -> Outcome:
    """Let a delivery fall. Skips stay; its boxes are not billed, not even where they are frozen."""
    row, now = _hold(session, delivery_id)
    if row.cancelled_at:
        return Outcome()
    if refusal := rules.refusal_to_cancel(view(row).for_rules, now):
        return Outcome(refusal=refusal)
    values = {"cancelled_at": now, "cancel_reason": reason}
    return _change(session, row, "delivery.cancel", values, at=now, by=by)


def reinstate(session: Session, delivery_id: int, *, by: int) -> Outcome:
    """Let a cancelled delivery take place after all: each person's state is what it was."""
    row, now = _hold(session, delivery_id)
    if not row.cancelled_at:
        return Outcome()
    if refusal := rules.refusal_to_reinstate(view(row).for_rules, now):
        return Outcome(refusal=refusal)
    values = {"cancelled_at": None, "cancel_reason": None}
    return _change(session, row, "delivery.reinstate", values, at=now, by=by)


def move(
    session: Session,
    delivery_id: int,
    day: date,
    *,
    reason: str | None = None,
    cutoff: datetime | None = None,
    by: int,
) -> Outcome:
    """Let a delivery take place on another day; it closes as its tour does, or at `cutoff`."""
    row, now = _hold(session, delivery_id)
    same_day = row.day == day
    if same_day and cutoff in {None, row.cutoff_at}:
        return Outcome()
    delivery, lead = view(row).for_rules, row.tour.lead
    others = _beside(session, delivery)
    if refusal := rules.refusal_to_move(delivery, others, day, lead=lead, now=now, cutoff=cutoff):
        return Outcome(refusal=refusal)
    after = rules.moved(delivery, day, lead=lead, now=now, cutoff=cutoff)
    if same_day:
        reason = row.move_reason
    away = after.day != row.nominal_day
    values = {"day": after.day, "cutoff_at": after.cutoff, "move_reason": reason if away else None}
    return _change(session, row, "delivery.move", values, at=now, by=by)


@dataclass(frozen=True, slots=True)
class MovePreview:
    """When a delivery would close on another day, or why it cannot be moved there."""

    cutoff_at: datetime
    refusal: Refusal | None


def preview_move(
    session: Session, delivery: DeliveryView, day: date, *, now: datetime, cutoff: datetime | None = None
) -> MovePreview:
    """What moving a delivery would come to; writes nothing."""
    moving, lead = delivery.for_rules, session.get_one(Tour, delivery.tour_id).lead
    others = _beside(session, moving)
    return MovePreview(
        rules.moved(moving, day, lead=lead, now=now, cutoff=cutoff).cutoff,
        rules.refusal_to_move(moving, others, day, lead=lead, now=now, cutoff=cutoff),
    )


def preview_moves(
    session: Session, days: Mapping[int, date], now: datetime, *, lead: Lead | None = None
) -> dict[int, MovePreview]:
    """What moving deliveries would come to, one after the other in the order of their weeks; writes nothing.

    They close as their tours do, or by another lead.
    """
    own = select(Delivery.tour_id).where(Delivery.id.in_(days))
    rows = session.scalars(select(Delivery).where(Delivery.tour_id.in_(own))).all()
    leads = {row.tour_id: row.tour.lead for row in rows}
    known = {row.id: view(row).for_rules for row in rows}
    found = {}
    for delivery_id in sorted(days, key=lambda delivery_id: (known[delivery_id].week, delivery_id)):
        moving, day = known[delivery_id], days[delivery_id]
        others = [d for d in known.values() if d.tour_id == moving.tour_id and d.id != delivery_id]
        rule = lead or leads[moving.tour_id]
        refusal = rules.refusal_to_move(moving, others, day, lead=rule, now=now)
        after = rules.moved(moving, day, lead=rule, now=now)
        found[delivery_id] = MovePreview(after.cutoff, refusal)
        if refusal is None:
            known[delivery_id] = after
    return found


@dataclass(frozen=True, slots=True)
class Reach:
    """How many people a delivery concerns and how many boxes it brings, among them those postponed to it."""

    people: int
    boxes: int
    postponed: int


def reach(session: Session, delivery: DeliveryView) -> Reach:
    """Whom a change of a delivery concerns at this moment; a cancelled one, as if it took place."""
    aboard = carried([delivery.id], although_cancelled=True)
    postponed = case((aboard.c.week != delivery.week, aboard.c.quantity), else_=0)
    counted = select(
        func.count(Subscription.account_id.distinct()),
        func.coalesce(func.sum(aboard.c.quantity), 0),
        func.coalesce(func.sum(postponed), 0),
    ).join_from(aboard, Subscription, Subscription.id == aboard.c.subscription_id)
    return Reach(*session.execute(counted).one())


def reaches(session: Session, delivery_ids: Collection[int]) -> dict[int, Reach]:
    """The same of each of these deliveries; those that concern nobody are left out."""
    aboard, weeks = carried(delivery_ids, although_cancelled=True), aliased(Delivery)
    postponed = case((aboard.c.week != weeks.week, aboard.c.quantity), else_=0)
    counted = (
        select(
            aboard.c.delivery_id,
            func.count(Subscription.account_id.distinct()),
            func.sum(aboard.c.quantity),
            func.sum(postponed),
        )
        .join_from(aboard, Subscription, Subscription.id == aboard.c.subscription_id)
        .join(weeks, weeks.id == aboard.c.delivery_id)
        .group_by(aboard.c.delivery_id)
    )
    return {
        delivery_id: Reach(people, boxes, late)
        for delivery_id, people, boxes, late in session.execute(counted)
    }


def people(session: Session, delivery_ids: Collection[int]) -> int:
    """How many people these deliveries bring something, each counted once."""
    aboard = carried(delivery_ids, although_cancelled=True)
    counted = select(func.count(Subscription.account_id.distinct()))
    return (
        session.scalar(counted.join_from(aboard, Subscription, Subscription.id == aboard.c.subscription_id))
        or 0
    )


def waiting(session: Session, delivery_ids: Collection[int]) -> int:
    """How many people are still to be told of these deliveries, each counted once."""
    told = select(func.count(DeliveryNotice.account_id.distinct()))
    return session.scalar(told.where(DeliveryNotice.delivery_id.in_(delivery_ids))) or 0


def together(session: Session, acts: Mapping[int, Callable[[], Outcome]]) -> list[Outcome]:
    """Do something to each of these deliveries, in their order, or to none where one of them stays as it is."""
    _hold_all(session, acts)
    with session.begin_nested() as all_of_it:
        outcomes = [act() for act in acts.values()]
        if any(outcome.refusal for outcome in outcomes):
            all_of_it.rollback()
    return outcomes


def _hold_all(session: Session, delivery_ids: Collection[int]) -> None:
    """In the order in which one act locks."""
    own = select(Delivery.tour_id).where(Delivery.id.in_(delivery_ids))
    session.scalars(locks.for_update(select(Tour).where(Tour.id.in_(own)).order_by(Tour.id), of=Tour)).all()
    wanted = select(Delivery).where(Delivery.id.in_(delivery_ids)).order_by(Delivery.id)
    session.scalars(locks.for_update(wanted, of=Delivery)).all()


def _beside(session: Session, delivery: planning.Delivery) -> list[planning.Delivery]:
    """The other deliveries of its tour, cancelled ones too, which a move may not pass."""
    others = select(Delivery).where(Delivery.tour_id == delivery.tour_id, Delivery.id != delivery.id)
    return [view(row).for_rules for row in session.scalars(others)]


def _hold(session: Session, delivery_id: int) -> tuple[Delivery, datetime]:
    """A delivery and the moment, held until our commit.

    Its tour is locked before it, so that two who move neighbours never pass each other.
    """
    own_tour = select(Delivery.tour_id).where(Delivery.id == delivery_id).scalar_subquery()
    session.scalars(locks.for_update(select(Tour).where(Tour.id == own_tour), of=Tour)).one()
    row = session.scalars(
        locks.for_update(select(Delivery).where(Delivery.id == delivery_id), of=Delivery)
    ).one()
    return row, clock.now()


def _change(
    session: Session, row: Delivery, action: str, values: dict[str, Any], *, at: datetime, by: int
) -> Outcome:
    """Write down what changes, in the trail too, and a notice for everybody whom it concerns.

    A delivery that has closed is frozen first.
    """
    if row.frozen_at is None and is_past(row.cutoff_at, at):
        if missing := boxes.unpriced(session, row):
            return Outcome(refusal=Refusal.PRICE_MISSING, unpriced=tuple(missing))
        boxes.freeze(session, row.id)
    locks.checked()
    notice = (
        literal(row.id),
        literal(row.day),
        literal(row.cancelled_at is not None),
        literal(by),
        literal(at),
    )
    before = _for_trail(row)
    waiting = DeliveryNotice.delivery_id == row.id
    session.execute(update(DeliveryNotice).where(waiting).values(made_by=by, due_at=at))
    session.execute(_insert_notices(row, notice, _with_a_box(row)))
    for name, value in (values | {"changed_at": at}).items():
        setattr(row, name, value)
    session.flush()
    session.execute(_insert_notices(row, notice, _with_a_box(row)))
    as_known = (
        DeliveryNotice.known_day == row.day,
        DeliveryNotice.known_cancelled == (row.cancelled_at is not None),
    )
    session.execute(delete(DeliveryNotice).where(waiting, *as_known))
    told = session.scalar(select(func.count()).select_from(DeliveryNotice).where(waiting)) or 0
    if row.cancelled_at and not row.frozen_at:
        session.execute(_insert_notices(row, notice, _there_for_once(row)))
    after = _for_trail(row) | {"told": told}
    audit.record(session, action, ("delivery", row.id), at=at, by=by, before=before, after=after)
    return Outcome(changed=True, told=told)


def _with_a_box(row: Delivery) -> Select[int]:
    """The subscriptions that the delivery brings something, as it stands."""
    return select(carried([row.id]).c.subscription_id)


def _there_for_once(row: Delivery) -> Select[int]:
    """The subscriptions with a box postponed to the delivery, or collected elsewhere, even where it stays away."""
    elsewhere = and_(BoxChange.week == row.week, BoxChange.pickup_point_id.is_not(None))
    return select(BoxChange.subscription_id).where(
        or_(BoxChange.to_week == row.week, elsewhere),
        BoxChange.subscription_id.in_(served(row.tour_id, row.week)),
    )


def _insert_notices(row: Delivery, notice: tuple[ColumnElement[Any], ...], whose: Select[int]) -> Insert:
    """For the owners of subscriptions whom no notice waits for yet."""
    delivery_id, *rest = notice
    waiting = select(DeliveryNotice.account_id).where(DeliveryNotice.delivery_id == row.id)
    people = (
        select(delivery_id, Subscription.account_id, *rest)
        .distinct()
        .where(Subscription.id.in_(whose), Subscription.account_id.not_in(waiting))
    )
    return insert(DeliveryNotice).from_select([column.name for column in DeliveryNotice.__table__.c], people)


def _for_trail(row: Delivery) -> dict[str, Any]:
    return {
        "day": row.day.isoformat(),
        "cutoff": row.cutoff_at.isoformat(),
        "cancelled": row.cancelled_at is not None,
    }
