"""What staff do to a point for some days: close it, send what comes there to another, take that back.

The projection sends the boxes (`rules.planning.Closing`), the worker the orders; who is concerned is written down
as one notice each, and told once, of all deliveries together.
"""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Select, delete, func, insert, literal, or_, select
from sqlalchemy.orm import Session

from portal.accounts import household
from portal.accounts.models import Account
from portal.boxes.carried import carried, counts, loads
from portal.boxes.queries import MemberBox, member_boxes, with_changes
from portal.catalogue.queries import formulas
from portal.deliveries.queries import DeliveryView, of_weeks, upcoming
from portal.infra import audit, clock, locks
from portal.pickup.models import PickupPoint, PointClosing
from portal.pickup.queries import ClosingView, PointView, find_closing
from portal.planning.models import ClosingNotice
from portal.profile.queries import get_farm
from portal.rules import closings as rules
from portal.rules.calendar import WEEK, monday_of
from portal.rules.closings import Refusal
from portal.rules.cutoffs import local_day
from portal.rules.orders import LIVE, OrderState
from portal.rules.planning import Closing, Place
from portal.shop.models import Order, order_number
from portal.subscriptions.models import Subscription
from portal.subscriptions.queries import of_account, withheld

WAITING = sorted(LIVE - {OrderState.DELIVERED})


@dataclass(frozen=True, slots=True)
class Wish:
    """A point closed from one day to another, both included; another one stands in for it."""

    point: PointView
    substitute: PointView
    first_day: date
    last_day: date


@dataclass(frozen=True, slots=True)
class Diverted:
    """What a delivery brings elsewhere, and how many places are then left there: fewer than none is too many."""

    delivery: DeliveryView
    boxes: int
    orders: int
    free: int


@dataclass(frozen=True, slots=True)
class Preview:
    """What a closing would come to; deliveries that have closed already go where they went.

    `withheld` are the formulas, by name, that the substitute does not offer and boxes would bring there.
    """

    diverted: tuple[Diverted, ...]
    withheld: tuple[str, ...]
    closed: tuple[DeliveryView, ...]
    people: int
    refusal: Refusal | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """Whether something changed, how many people will be told, or why it stays; unchanged, it was so already."""

    changed: bool = False
    told: int = 0
    refusal: Refusal | None = None


def preview(session: Session, wish: Wish, now: datetime) -> Preview:
    """What closing a point would come to; writes nothing."""
    there = upcoming(session, wish.first_day, wish.last_day, [wish.point.tour_id])
    opened = [d for d in there if d.for_rules.is_open(now)]
    ids = [delivery.id for delivery in opened]
    orders = _orders_at(session, wish.point.id, ids)
    boxes = {
        delivery_id: [count for count in counted if count.pickup_point_id == wish.point.id]
        for delivery_id, counted in counts(session, ids).items()
    }
    brought = {(wish.substitute.id, count.formula_id) for counted in boxes.values() for count in counted}
    missing = brought & withheld(session)
    weeks = {delivery.week for delivery in opened}
    taken: Counter[date] = Counter()
    for (_, week), places in loads(session, [wish.point.id, wish.substitute.id], weeks).items():
        taken[week] += places
    return Preview(
        tuple(
            Diverted(
                d,
                sum(count.boxes for count in boxes[d.id]),
                orders.get(d.id, 0),
                wish.substitute.capacity - taken[d.week],
            )
            for d in opened
        ),
        tuple(one.name for one in formulas(session) if (wish.substitute.id, one.id) in missing),
        tuple(d for d in there if d not in opened and not d.cancelled),
        session.scalar(select(func.count()).select_from(_people(wish.point.id, ids).subquery())) or 0,
        _refusal(session, wish, now),
    )


def close(session: Session, wish: Wish, reason: str, *, by: int) -> Outcome:
    """Close a point for some days; said twice, once is enough."""
    of_weeks(
        session,
        monday_of(wish.first_day) - WEEK,
        monday_of(wish.last_day) + WEEK,
        [wish.point.tour_id],
        held=True,
    )
    now = _hold(session, wish.point.id, wish.substitute.id)
    values = {
        "pickup_point_id": wish.point.id,
        "substitute_id": wish.substitute.id,
        "first_day": wish.first_day,
        "last_day": wish.last_day,
    }
    if session.scalar(select(PointClosing.id).filter_by(**values).where(PointClosing.ended_at.is_(None))):
        return Outcome()
    if refusal := _refusal(session, wish, now):
        return Outcome(refusal=refusal)
    locks.checked()
    ids = _open_ids(session, wish.point.tour_id, wish.first_day, wish.last_day, now)
    people = session.scalars(_accounts(wish.point.id, ids)).all()
    closing = PointClosing(**values, reason=reason, made_at=now)
    session.add(closing)
    session.flush()
    _notify(session, closing.id, people, known=False, at=now)
    after = {
        "substitute": wish.substitute.id,
        "since": wish.first_day.isoformat(),
        "until": wish.last_day.isoformat(),
        "told": len(people),
    }
    audit.record(session, "point.close", ("pickup_point", wish.point.id), at=now, by=by, after=after)
    return Outcome(changed=True, told=len(people))


def reopen(session: Session, closing: ClosingView, *, by: int) -> Outcome:
    """Take a closing back: what is still open comes to its point again."""
    of_weeks(
        session,
        monday_of(closing.first_day) - WEEK,
        monday_of(closing.last_day) + WEEK,
        [closing.point.tour_id],
        held=True,
    )
    now = _hold(session, closing.point.id, closing.substitute.id)
    row = session.scalars(
        locks.for_update(select(PointClosing).where(PointClosing.id == closing.id), of=PointClosing)
    ).one()
    if row.ended_at:
        return Outcome()
    if refusal := rules.refusal_to_reopen(closing.for_rules, local_day(now)):
        return Outcome(refusal=refusal)
    locks.checked()
    row.ended_at = now
    session.flush()
    waiting = (ClosingNotice.closing_id == row.id, ClosingNotice.known.is_(False))
    unaware = set(session.scalars(delete(ClosingNotice).where(*waiting).returning(ClosingNotice.account_id)))
    ids = _open_ids(session, closing.point.tour_id, closing.first_day, closing.last_day, now)
    people = set(session.scalars(_accounts(closing.point.id, ids))) - unaware
    _notify(session, row.id, people, known=True, at=now)
    after = {"closing": row.id, "told": len(people)}
    audit.record(session, "point.reopen", ("pickup_point", closing.point.id), at=now, by=by, after=after)
    return Outcome(changed=True, told=len(people))


def _refusal(session: Session, wish: Wish, now: datetime) -> Refusal | None:
    standing = select(PointClosing).where(PointClosing.ended_at.is_(None))
    return rules.refusal_to_close(
        Place(wish.point.id, wish.point.tour_id),
        Place(wish.substitute.id, wish.substitute.tour_id),
        wish.first_day,
        wish.last_day,
        standing=[
            Closing(row.pickup_point_id, row.substitute_id, row.first_day, row.last_day, row.made_at)
            for row in session.scalars(standing)
        ],
        today=local_day(now),
    )


def _hold(session: Session, *point_ids: int) -> datetime:
    """Lock points; the moment, now that they are held."""
    wanted = select(PickupPoint).where(PickupPoint.id.in_(point_ids)).order_by(PickupPoint.id)
    session.scalars(locks.for_update(wanted, of=PickupPoint)).all()
    return clock.now()


def _open_ids(session: Session, tour_id: int, first_day: date, last_day: date, now: datetime) -> list[int]:
    return [d.id for d in upcoming(session, first_day, last_day, [tour_id]) if d.for_rules.is_open(now)]


def _orders_at(session: Session, point_id: int, delivery_ids: Collection[int]) -> dict[int, int]:
    counted = select(Order.delivery_id, func.count()).where(*_ordered(point_id, delivery_ids))
    return dict(session.execute(counted.group_by(Order.delivery_id)).all())


def _ordered(point_id: int, delivery_ids: Collection[int]) -> tuple[Any, ...]:
    """The orders that are collected at a point, or would be if it was open."""
    there = or_(Order.pickup_point_id == point_id, Order.instead_of_id == point_id)
    return (Order.delivery_id.in_(delivery_ids), Order.state.in_(WAITING), there)


def _accounts(point_id: int, delivery_ids: Collection[int]) -> Select[int]:
    """Whose boxes or orders come to a point with these deliveries."""
    boxes = carried(delivery_ids)
    subscribed = select(boxes.c.subscription_id).where(boxes.c.pickup_point_id == point_id)
    ordering = select(Order.account_id).where(*_ordered(point_id, delivery_ids))
    return select(Account.id).where(
        or_(
            Account.id.in_(select(Subscription.account_id).where(Subscription.id.in_(subscribed))),
            Account.id.in_(ordering.where(Order.account_id.is_not(None))),
        )
    )


def _people(point_id: int, delivery_ids: Collection[int]) -> Any:
    """Those, and guests by their addresses."""
    guests = select(Order.email).where(*_ordered(point_id, delivery_ids), Order.account_id.is_(None))
    accounts = select(Account.email).where(Account.id.in_(_accounts(point_id, delivery_ids)))
    return accounts.union(guests)


def _notify(session: Session, closing_id: int, people: Collection[int], *, known: bool, at: datetime) -> None:
    rows = select(literal(closing_id), Account.id, literal(known), literal(at)).where(Account.id.in_(people))
    columns = ["closing_id", "account_id", "known", "due_at"]
    session.execute(insert(ClosingNotice).from_select(columns, rows))


def tell(session: Session, closing_id: int, account_id: int) -> None:
    """Tell one person, once, of all deliveries together; nothing where nothing of theirs is concerned."""
    own = (ClosingNotice.closing_id == closing_id, ClosingNotice.account_id == account_id)
    notice = session.scalar(locks.for_update(select(ClosingNotice).where(*own), of=ClosingNotice))
    closing, now = find_closing(session, closing_id), clock.now()
    if notice is None or closing is None:  # another worker was here
        return
    session.delete(notice)
    if notice.known != closing.ended:
        return
    account = session.get_one(Account, account_id)
    boxes = _boxes(session, closing, account_id, now)
    orders = _orders(session, closing, account_id)
    if not boxes and not orders:
        return
    household.tell(
        session,
        account,
        "point_closed",
        at=now,
        farm=get_farm(session),
        closing=closing,
        there=closing.point if closing.ended else closing.substitute,
        boxes=boxes,
        orders=[order_number(order.id) for order in orders],
        days=sorted({box.delivery.day for box in boxes} | {order.delivery.day for order in orders}),
    )


def _boxes(session: Session, closing: ClosingView, account_id: int, now: datetime) -> list[MemberBox]:
    """The boxes that are collected elsewhere while it lasts; once it is over, those that come back."""
    there = upcoming(session, closing.first_day, closing.last_day, [closing.point.tour_id])
    holdings = with_changes(session, of_account(session, account_id), closing.first_day)
    coming = [box for box in member_boxes(session, holdings, there) if not box.skipped]
    if closing.ended:
        back = [box for box in coming if box.point.id == closing.point.id]
        return [box for box in back if box.delivery.for_rules.is_open(now)]
    return [box for box in coming if box.closing and box.closing.id == closing.id]


def _orders(session: Session, closing: ClosingView, account_id: int) -> list[Order]:
    there = upcoming(session, closing.first_day, closing.last_day, [closing.point.tour_id])
    still = [d.id for d in there if closing.ended != closing.for_rules.covers(d.for_rules)]
    mine = select(Order).where(*_ordered(closing.point.id, still), Order.account_id == account_id)
    return list(session.scalars(mine.order_by(Order.id)))
