"""Waiting for places at a pickup point; inviting, first come first, with a place kept for some days.

A kept place counts like a taken one until it is taken, given back, or the worker ends the invitation: all of that
under the point's lock.
"""

import logging
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session, aliased

from portal.accounts.models import Account, customer_number
from portal.accounts.services import hold_open
from portal.boxes.carried import loads
from portal.catalogue.models import Formula
from portal.catalogue.queries import FORMULA, FormulaView
from portal.deliveries.models import Tour
from portal.infra import audit, clock, locks, mail, outbox
from portal.infra.orm import insert, own_reading, own_transaction
from portal.pickup.models import PickupPoint
from portal.pickup.queries import POINT, PointView, find
from portal.planning.models import Waiting
from portal.planning.places import kept_places, served
from portal.planning.terms import Answer
from portal.profile.queries import get_farm
from portal.rules.calendar import WEEK, monday_of
from portal.rules.cutoffs import local_day
from portal.rules.waiting import kept_until

logger = logging.getLogger(__name__)

PLACES_AHEAD = 8
"""Weeks, from the next one on."""


@dataclass(frozen=True, slots=True)
class Wait:
    """Somebody's place in a point's list: the first is 1; with a `kept_until` they are invited."""

    point: PointView
    formula: FormulaView
    quantity: int
    asked_at: datetime
    kept_until: datetime | None
    place: int
    account_id: int
    name: str

    @property
    def customer_number(self) -> str:
        return customer_number(self.account_id)

    @property
    def places(self) -> int:
        return self.quantity * self.formula.weight


_Earlier = aliased(Waiting)
_PLACE = (
    select(func.count())
    .where(
        _Earlier.pickup_point_id == Waiting.pickup_point_id,
        _Earlier.kept_until.is_(None),
        (_Earlier.asked_at < Waiting.asked_at)
        | ((_Earlier.asked_at == Waiting.asked_at) & (_Earlier.account_id <= Waiting.account_id)),
    )
    .correlate(Waiting)
    .scalar_subquery()
)
_WAITS = (
    select(
        POINT,
        FORMULA,
        Waiting.quantity,
        Waiting.asked_at,
        Waiting.kept_until,
        _PLACE,
        Account.id,
        Account.first_name + " " + Account.last_name,
    )
    .select_from(Waiting)
    .join(PickupPoint, PickupPoint.id == Waiting.pickup_point_id)
    .join(Tour, Tour.id == PickupPoint.tour_id)
    .join(Formula, Formula.id == Waiting.formula_id)
    .join(Account, Account.id == Waiting.account_id)
    .order_by(Waiting.asked_at, Waiting.account_id)
)


def of_account(session: Session, account_id: int) -> list[Wait]:
    return [Wait(*row) for row in session.execute(_WAITS.where(Waiting.account_id == account_id))]


def of_point(session: Session, point_id: int) -> list[Wait]:
    """First come first."""
    return [Wait(*row) for row in session.execute(_WAITS.where(Waiting.pickup_point_id == point_id))]


def ask(
    session: Session,
    account: Account,
    point_id: int,
    formula_id: int,
    quantity: int,
    *,
    at: datetime,
    by: int,
) -> None:
    """Be told when there is room; who waits already may wait for something else, and keeps their place."""
    hold_open(session, account.id)
    wish = {"formula_id": formula_id, "quantity": quantity}
    key = {"account_id": account.id, "pickup_point_id": point_id}
    row = insert(session, Waiting).values(**key, **wish, asked_at=at)
    session.execute(
        row.on_conflict_do_update(index_elements=list(key), set_=wish, where=Waiting.kept_until.is_(None))
    )
    _record(session, "waiting.ask", (account.id, point_id), at=at, by=by, **wish)


def leave(session: Session, account_id: int, point_id: int, *, at: datetime, by: int) -> bool:
    """Wait no longer; whether one did."""
    _hold(session, point_id)
    if not served(session, account_id, [point_id]):
        return False
    _record(session, "waiting.leave", (account_id, point_id), at=at, by=by)
    return True


@dataclass(frozen=True, slots=True)
class Invited:
    """What came of an invitation; `full` where it goes beyond the point's places."""

    answer: Answer
    full: bool = False


def invite(session: Session, account_id: int, point_id: int, *, by: int) -> Invited | None:
    """Keep a place for somebody for some days, and tell them; None where they wait no longer.

    Staff choose whom, and may exceed the point's places.
    """
    point = _hold(session, point_id)
    found = select(Waiting).where(Waiting.account_id == account_id, Waiting.pickup_point_id == point_id)
    row = session.scalars(locks.for_update(found, of=Waiting)).one_or_none()
    if row is None or point is None:
        return None
    if row.kept_until:
        return Invited(Answer.ALREADY)
    now = clock.now()
    weeks = weeks_ahead(now)
    formula = session.get_one(Formula, row.formula_id)
    places = formula.weight * row.quantity
    taken = max(loads(session, [point_id], weeks).values(), default=0)
    kept = kept_places(session, [point_id]).total()
    locks.checked()
    row.invited_at, row.kept_until = now, kept_until(now)
    session.flush()
    if point.free_places is not None:
        point.free_places -= places
    until = row.kept_until.isoformat()
    _record(session, "waiting.invite", (account_id, point_id), at=now, by=by, kept_until=until)
    _tell(session, "waiting_invited", row, now)
    return Invited(Answer.DONE, taken + kept + places > point.capacity)


def weeks_ahead(now: datetime) -> list[date]:
    this_week = monday_of(local_day(now))
    return [this_week + n * WEEK for n in range(1, PLACES_AHEAD + 1)]


def end_invitations() -> None:
    """Give back the places that nobody took in time; each in a transaction of its own."""
    with own_transaction() as session:
        over = select(Waiting.account_id, Waiting.pickup_point_id).where(Waiting.kept_until <= clock.now())
        due = session.execute(over).all()
    for account_id, point_id in due:
        try:
            with own_transaction() as session:
                _end_invitation(session, account_id, point_id)
        except Exception:  # one that cannot be ended must not hold up the others
            logger.exception("invitation not ended", extra={"account": account_id, "point": point_id})


def _end_invitation(session: Session, account_id: int, point_id: int) -> None:
    point, now = _hold(session, point_id), clock.now()
    row = session.get(Waiting, (account_id, point_id))
    if row is None or row.kept_until is None or row.kept_until > now or point is None:
        return
    if point.free_places is not None:
        point.free_places += row.quantity * session.get_one(Formula, row.formula_id).weight
    _tell(session, "waiting_over", row, now)
    session.delete(row)


def count_places() -> None:
    """Note how many places each point has left in the fullest of the coming weeks, without those that are kept.

    Pages show it without counting; who takes a place is checked against the boxes themselves. It is counted beside
    whoever writes: a point whose number somebody has changed meanwhile waits for the next time.
    """
    weeks = weeks_ahead(clock.now())
    with own_reading() as session:
        noted = select(PickupPoint.id, PickupPoint.capacity, PickupPoint.free_places)
        points = session.execute(noted.order_by(PickupPoint.id)).all()
    for point_id, capacity, before in points:
        with own_reading() as session:
            taken = max(loads(session, [point_id], weeks).values(), default=0)
            free = capacity - taken - kept_places(session, [point_id]).total()
        if free != before:
            unchanged = (PickupPoint.id == point_id, PickupPoint.free_places.is_not_distinct_from(before))
            with own_transaction() as session:
                session.execute(update(PickupPoint).where(*unchanged).values(free_places=free))


def leave_all(session: Session, account_id: int, *, at: datetime, by: int) -> None:
    own = select(Waiting.pickup_point_id).where(Waiting.account_id == account_id)
    for point_id in session.scalars(own.order_by(Waiting.pickup_point_id)).all():
        leave(session, account_id, point_id, at=at, by=by)


def _hold(session: Session, point_id: int) -> PickupPoint | None:
    point = select(PickupPoint).where(PickupPoint.id == point_id)
    return session.scalars(locks.for_update(point, of=PickupPoint)).one_or_none()


def _tell(session: Session, name: str, row: Waiting, now: datetime) -> None:
    account, point = session.get_one(Account, row.account_id), find(session, row.pickup_point_id)
    rendered = mail.render(
        name,
        first_name=account.first_name,
        point=point,
        formula=session.get_one(Formula, row.formula_id),
        quantity=row.quantity,
        until=row.kept_until,
        farm=get_farm(session),
    )
    outbox.post(session, to=account.email, **rendered.parts, at=now)


def _record(
    session: Session, action: str, row: tuple[int, int], *, at: datetime, by: int, **after: object
) -> None:
    account_id, point_id = row
    said = {"account": account_id, **after}
    audit.record(session, action, ("pickup_point", point_id), at=at, by=by, after=said)
