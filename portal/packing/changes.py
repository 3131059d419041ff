"""What has changed since each person's box before, point by point."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from itertools import chain
from operator import attrgetter
from typing import Any

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from portal.accounts.models import Account
from portal.boxes.carried import carried, owed
from portal.catalogue.queries import FormulaView, formulas
from portal.deliveries.models import Delivery
from portal.deliveries.queries import DeliveryView
from portal.packing.before import Earlier, beginners, previous_boxes
from portal.packing.queries import Item
from portal.pickup.queries import PointView, points
from portal.rules.alphabet import french_order
from portal.rules.calendar import Fortnight, Rhythm
from portal.subscriptions.models import Subscription, Term


class What(StrEnum):
    """What has changed for somebody; its words are in `papers`."""

    FIRST = "first"
    SECOND = "second"
    BACK = "back"
    ADDED = "added"
    BOX = "box"
    QUANTITY = "quantity"
    POINT = "point"
    ABSENT = "absent"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Change:
    """What somebody receives now and received before, where, and when that was."""

    what: What
    now: tuple[Item, ...] = ()
    before: tuple[Item, ...] = ()
    place: str = ""
    day: date | None = None


@dataclass(frozen=True, slots=True)
class Concerned:
    """Somebody for whom something has changed."""

    last_name: str
    first_name: str
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class News:
    """The points where something has changed, in the order of the round, with those whom it concerns by name."""

    stops: tuple[tuple[PointView, tuple[Concerned, ...]], ...]

    @property
    def empty(self) -> bool:
        return not self.stops

    @property
    def people(self) -> int:
        return sum(len(concerned) for _, concerned in self.stops)


@dataclass(frozen=True, slots=True)
class _Run:
    """An earlier delivery of the tour."""

    week: date
    day: date
    fortnight: Fortnight


def news(session: Session, delivery: DeliveryView) -> News:
    """Compared with the last box that was frozen for each subscription."""
    known = formulas(session)
    first = beginners(session, delivery)
    before = previous_boxes(session, delivery)
    runs = _earlier_runs(session, delivery)
    names: dict[int, tuple[str, str]] = {}
    found: dict[tuple[int, int], list[Change]] = {}
    here = _here(session, delivery)
    places = {point.id: point for point in points(session)}
    for box in here.values():
        names[box.account_id] = box.name
        changes = found.setdefault((box.point_id, box.account_id), [])
        now = _items(box.boxes, known)
        if box.account_id in first:
            said = Change(What.FIRST if first[box.account_id] == 1 else What.SECOND, now)
            changes.append(said)
        earlier = before.get(box.subscription_id)
        if earlier:
            changes += _since(box, earlier, known, places, _due(runs, box.rhythm))
        elif box.account_id not in first:
            changes.append(Change(What.ADDED, now))
    for account_id, name, point_id, change in _missing(session, delivery, here, known, runs):
        names[account_id] = name
        found.setdefault((point_id, account_id), []).append(change)
    return News(_by_point(found, names, places))


@dataclass(frozen=True, slots=True)
class _Here:
    """A subscription's boxes on the delivery."""

    account_id: int
    name: tuple[str, str]
    subscription_id: int
    point_id: int
    rhythm: Rhythm | None
    boxes: Counter[int]


def _here(session: Session, delivery: DeliveryView) -> dict[int, _Here]:
    boxes = carried([delivery.id])
    rows = session.execute(
        select(
            Account.id,
            Account.last_name,
            Account.first_name,
            Subscription.id,
            boxes.c.pickup_point_id,
            Term.rhythm,
            boxes.c.formula_id,
            boxes.c.quantity,
        )
        .join(Subscription, Subscription.id == boxes.c.subscription_id)
        .join(Account, Account.id == Subscription.account_id)
        .outerjoin(
            Term,
            and_(
                Term.subscription_id == Subscription.id,
                Term.monday <= delivery.week,
                or_(Term.until.is_(None), Term.until > delivery.week),
            ),
        )
    )
    found: dict[int, _Here] = {}
    for account_id, last, first, subscription_id, point_id, rhythm, formula_id, quantity in rows:
        box = found.setdefault(
            subscription_id, _Here(account_id, (last, first), subscription_id, point_id, rhythm, Counter())
        )
        box.boxes[formula_id] += quantity
    return found


def _since(
    box: _Here,
    earlier: Earlier,
    known: Iterable[FormulaView],
    places: Mapping[int, PointView],
    due: _Run | None,
) -> list[Change]:
    changes = []
    if due and earlier.week < due.week:
        changes.append(Change(What.BACK, _items(box.boxes, known), day=earlier.day))
    before = {earlier.formula_id: earlier.quantity}
    if before != box.boxes:
        what = What.QUANTITY if before.keys() == box.boxes.keys() else What.BOX
        changes.append(Change(what, _items(box.boxes, known), _items(before, known)))
    if earlier.point_id != box.point_id:
        changes.append(Change(What.POINT, _items(box.boxes, known), place=places[earlier.point_id].name))
    return changes


def _missing(
    session: Session,
    delivery: DeliveryView,
    here: Mapping[int, _Here],
    known: Iterable[FormulaView],
    runs: list[_Run],
) -> Iterable[tuple[int, tuple[str, str], int, Change]]:
    """Whose own box does not come, and who had a box here the last time and has ended since."""
    due = owed(delivery.id).subquery()
    rows = session.execute(
        select(due, Account.id.label("account_id"), Account.last_name, Account.first_name)
        .join(Subscription, Subscription.id == due.c.subscription_id)
        .join(Account, Account.id == Subscription.account_id)
    )
    for row in rows:
        last = _due(runs, row.rhythm)
        ended = row.last_day is not None and row.last_day < delivery.day
        if row.subscription_id in here or (ended and (last is None or row.last_day < last.day)):
            continue
        usual = _items(Counter({row.formula_id: row.quantity}), known)
        change = Change(What.ENDED if ended else What.ABSENT, before=usual)
        yield row.account_id, (row.last_name, row.first_name), row.pickup_point_id, change


def _earlier_runs(session: Session, delivery: DeliveryView) -> list[_Run]:
    """The tour's deliveries before, the latest first; so many that each fortnight is among them."""
    rows: Any = session.execute(
        select(Delivery.week, Delivery.day, Delivery.fortnight)
        .where(
            Delivery.tour_id == delivery.tour_id,
            Delivery.day < delivery.day,
            Delivery.cancelled_at.is_(None),
        )
        .order_by(Delivery.day.desc())
        .limit(8)
    )
    return [_Run(*row) for row in rows]


def _due(runs: list[_Run], rhythm: Rhythm | None) -> _Run | None:
    """The last delivery on which a box of this rhythm would have come."""
    fortnight = {Rhythm.FORTNIGHT_A: Fortnight.A, Rhythm.FORTNIGHT_B: Fortnight.B}.get(
        rhythm or Rhythm.WEEKLY
    )
    return next((run for run in runs if fortnight in {None, run.fortnight}), None)


def _items(boxes: Mapping[int, int], known: Iterable[FormulaView]) -> tuple[Item, ...]:
    return tuple(Item(formula, boxes[formula.id]) for formula in known if boxes.get(formula.id))


def _by_point(
    found: Mapping[tuple[int, int], list[Change]],
    names: Mapping[int, tuple[str, str]],
    places: Mapping[int, PointView],
) -> tuple[tuple[PointView, tuple[Concerned, ...]], ...]:
    by_point: dict[int, list[Concerned]] = {}
    for (point_id, account_id), changes in found.items():
        if changes:
            by_point.setdefault(point_id, []).append(Concerned(*names[account_id], tuple(_once(changes))))
    return tuple(
        (point, tuple(sorted(by_point[point.id], key=lambda c: french_order(c.last_name, c.first_name))))
        for point in sorted(places.values(), key=lambda point: point.position)
        if point.id in by_point
    )


def _once(changes: list[Change]) -> list[Change]:
    """What several subscriptions of a person say alike, as one: « de retour : 1 Grand, 1 Œufs »."""
    merged: dict[tuple[What, str, date | None], Change] = {}
    for change in changes:
        key = (change.what, change.place, change.day)
        said = merged.get(key, Change(change.what, place=change.place, day=change.day))
        now, before = _together(said.now, change.now), _together(said.before, change.before)
        merged[key] = replace(said, now=now, before=before)
    return sorted(merged.values(), key=lambda change: list(What).index(change.what))


def _together(*items: tuple[Item, ...]) -> tuple[Item, ...]:
    """In the farm's order, each formula once."""
    numbers: Counter[FormulaView] = Counter()
    for item in chain(*items):
        numbers[item.formula] += item.quantity
    return tuple(Item(f, numbers[f]) for f in sorted(numbers, key=attrgetter("position")))
