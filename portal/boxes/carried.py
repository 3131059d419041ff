"""What deliveries carry and what points hold, for all subscriptions at once: one statement each.

The freeze, the counts, the lists and the check of a point's places read these; `queries` says the same of one
person by the rules. A property test holds the two equal.
"""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Select,
    Subquery,
    and_,
    case,
    func,
    or_,
    select,
    true,
    union,
    union_all,
)
from sqlalchemy.orm import Session, aliased

from portal.accounts.models import Account
from portal.boxes.models import Basket, BoxChange, Suspension
from portal.catalogue.models import Formula
from portal.deliveries.models import Delivery
from portal.pickup.models import PickupPoint, PointClosing
from portal.rules.calendar import Fortnight, Rhythm
from portal.subscriptions.models import Subscription, Term


@dataclass(frozen=True, slots=True)
class Count:
    """How many boxes of a formula a delivery brings to a point."""

    formula_id: int
    pickup_point_id: int
    boxes: int


@dataclass(frozen=True, slots=True)
class PackedBox:
    """A person's boxes of one formula on a delivery."""

    account_id: int
    first_name: str
    last_name: str
    formula_id: int
    quantity: int
    pickup_point_id: int


_Origin = aliased(Delivery)
_There = aliased(Term)
_Then = aliased(BoxChange)


def received(delivery_ids: Collection[int], *, although_cancelled: bool = False) -> CompoundSelect[Any]:
    """The boxes that deliveries bring, by the terms and changes of this moment: what the freeze writes down.

    Columns: subscription, week of origin, delivery, formula, quantity, point: that which stands in for a closed
    one. A cancelled delivery brings none, unless one asks what it would bring.
    """
    columns = (
        Term.subscription_id,
        func.coalesce(BoxChange.formula_id, Term.formula_id).label("formula_id"),
        func.coalesce(BoxChange.quantity, Term.quantity).label("quantity"),
        func.coalesce(PointClosing.substitute_id, PickupPoint.id).label("pickup_point_id"),
        Delivery.id.label("delivery_id"),
    )
    runs = (
        Delivery.id.in_(delivery_ids),
        _takes_place(although_cancelled),
        _before_the_end(),
        _comes(),
    )
    usual = (BoxChange.to_week.is_(None), BoxChange.pickup_point_id.is_(None))
    here = (BoxChange.to_week.is_(None),)
    there = (PickupPoint.id == func.coalesce(_Then.pickup_point_id, _There.pickup_point_id),)
    branches = (
        _usual(*columns, Delivery.week.label("week")).where(*runs, *usual),
        _elsewhere(*columns, BoxChange.week).where(*runs, *here),
        _postponed(*columns, BoxChange.week).where(*runs, *there),
    )
    return union_all(*(branch.outerjoin(PointClosing, _closed()) for branch in branches))


def loads(
    session: Session, point_ids: Collection[int], weeks: Collection[date], without: Collection[int] = ()
) -> Counter[tuple[int, date]]:
    """The places taken at points in weeks, leaving some subscriptions out: (point, week) → places.

    As `rules.capacity` counts them: wherever a box comes back to when something is undone, and where it goes.
    """
    once_formula = aliased(Formula)
    usual = Formula.weight * Term.quantity
    once = func.coalesce(once_formula.weight, Formula.weight) * func.coalesce(
        BoxChange.quantity, Term.quantity
    )
    size = case((once > usual, once), else_=usual).label("places")
    where = (Delivery.week.in_(weeks), Term.subscription_id.not_in(without), _before_the_end())

    def ways(point: Any) -> list[Select[Any]]:
        key = (Term.subscription_id, point.label("point_id"), Delivery.week.label("week"))
        found = (
            _usual(*key, Delivery.week.label("origin"), size),
            _elsewhere(*key, BoxChange.week, size),
            _postponed(*key, BoxChange.week, size),
        )
        return [
            way.join(Formula, Formula.id == Term.formula_id)
            .outerjoin(once_formula, once_formula.id == BoxChange.formula_id)
            .where(*where)
            for way in found
        ]

    own = [way.where(PickupPoint.id.in_(point_ids)) for way in ways(PickupPoint.id)]
    others = [
        way.join(PointClosing, _closed()).where(PointClosing.substitute_id.in_(point_ids))
        for way in ways(PointClosing.substitute_id)
    ]
    taken = union(*own, *others).subquery()  # a box that comes to a point in two ways has one place there
    by_point = (taken.c.point_id, taken.c.week)
    rows = session.execute(select(*by_point, func.sum(taken.c.places)).group_by(*by_point))
    return Counter({(point_id, week): int(places) for point_id, week, places in rows})


# The three ways in which a box comes to travel with a delivery, its subscription, its term and its change at hand.


def _usual(*columns: Any) -> Select[Any]:
    """By its terms, whatever its change of the week says."""
    return (
        select(*columns)
        .select_from(Delivery)
        .join(PickupPoint, PickupPoint.tour_id == Delivery.tour_id)
        .join(Term, and_(Term.pickup_point_id == PickupPoint.id, _in_force(Term, Delivery.week)))
        .join(Subscription, Subscription.id == Term.subscription_id)
        .outerjoin(
            BoxChange,
            and_(BoxChange.subscription_id == Term.subscription_id, BoxChange.week == Delivery.week),
        )
        .where(_owes(Delivery.fortnight))
    )


def _elsewhere(*columns: Any) -> Select[Any]:
    """Collected at another point for once."""
    return (
        select(*columns)
        .select_from(Delivery)
        .join(BoxChange, BoxChange.week == Delivery.week)
        .join(
            PickupPoint,
            and_(PickupPoint.id == BoxChange.pickup_point_id, PickupPoint.tour_id == Delivery.tour_id),
        )
        .join(Term, _of_change(BoxChange.week))
        .join(Subscription, Subscription.id == Term.subscription_id)
        .where(_owes(Delivery.fortnight))
    )


def _postponed(*columns: Any) -> Select[Any]:
    """Postponed to the delivery's week, at the point of that week: for once, and as usual."""
    fortnights = select(_Origin.week, func.min(_Origin.fortnight).label("fortnight")).group_by(_Origin.week)
    origin = fortnights.subquery()
    return (
        select(*columns)
        .select_from(Delivery)
        .join(BoxChange, BoxChange.to_week == Delivery.week)
        .join(origin, origin.c.week == BoxChange.week)
        .join(Term, _of_change(BoxChange.week))
        .join(Subscription, Subscription.id == Term.subscription_id)
        .join(
            _There,
            and_(_There.subscription_id == Term.subscription_id, _in_force(_There, Delivery.week)),
        )
        .outerjoin(_Then, and_(_Then.subscription_id == Term.subscription_id, _Then.week == Delivery.week))
        .join(
            PickupPoint,
            and_(
                PickupPoint.id.in_((_Then.pickup_point_id, _There.pickup_point_id)),
                PickupPoint.tour_id == Delivery.tour_id,
            ),
        )
        .where(_owes(origin.c.fortnight))
    )


def _of_change(week: Any) -> ColumnElement[bool]:
    return and_(Term.subscription_id == BoxChange.subscription_id, _in_force(Term, week))


def served(tour_id: int, week: date) -> CompoundSelect[int]:
    """The subscriptions whose boxes of a week a tour carries, as usual or for once, if they have any."""
    on_tour = PickupPoint.tour_id == tour_id
    usual = select(Term.subscription_id).join(Term.pickup_point).where(on_tour, _in_force(Term, week))
    once = (
        select(BoxChange.subscription_id).join(BoxChange.pickup_point).where(on_tour, BoxChange.week == week)
    )
    return union(usual, once)


def owed(delivery_id: int) -> Select[Any]:
    """Who has a box of their own on a delivery by their terms, whether it comes or not, and who has ended.

    Columns: subscription, formula, quantity, point, rhythm, last day.
    """
    return _usual(
        Term.subscription_id,
        Term.formula_id,
        Term.quantity,
        Term.pickup_point_id,
        Term.rhythm,
        Subscription.last_day,
    ).where(Delivery.id == delivery_id)


def absent(*columns: Any) -> Select[Any]:
    """Boxes owed that do not come with deliveries, skipped or suspended."""
    return _usual(*columns).where(_before_the_end(), ~_comes())


def _in_force(term: Any, week: Any) -> ColumnElement[bool]:
    return and_(term.monday <= week, or_(term.until.is_(None), term.until > week))


def _owes(fortnight: Any) -> ColumnElement[bool]:
    """Whether a term has a box of its own in the weeks of a fortnight."""
    return or_(
        Term.rhythm == Rhythm.WEEKLY,
        and_(Term.rhythm == Rhythm.FORTNIGHT_A, fortnight == Fortnight.A),
        and_(Term.rhythm == Rhythm.FORTNIGHT_B, fortnight == Fortnight.B),
    )


def _takes_place(although_cancelled: bool) -> ColumnElement[bool]:
    return true() if although_cancelled else Delivery.cancelled_at.is_(None)


def _before_the_end() -> ColumnElement[bool]:
    return or_(Subscription.last_day.is_(None), Subscription.last_day >= Delivery.day)


def _comes() -> ColumnElement[bool]:
    """Neither skipped nor suspended; the latest wish counts."""
    taken_back = and_(BoxChange.skip.is_(False), BoxChange.skip_at >= Suspension.made_at)
    suspended = select(Suspension.id).where(
        Suspension.subscription_id == Subscription.id,
        Delivery.day.between(Suspension.first_day, Suspension.last_day),
        Suspension.made_at < Delivery.cutoff_at,
        or_(Suspension.ended_at.is_(None), Delivery.cutoff_at <= Suspension.ended_at),
        func.coalesce(taken_back, False).is_(False),
    )
    return and_(
        func.coalesce(BoxChange.skip, False).is_(False),
        ~suspended.correlate(Subscription, Delivery, BoxChange).exists(),
    )


def _closed() -> ColumnElement[bool]:
    """What keeps a point shut when a delivery comes."""
    return and_(
        PointClosing.pickup_point_id == PickupPoint.id,
        Delivery.day.between(PointClosing.first_day, PointClosing.last_day),
        PointClosing.made_at < Delivery.cutoff_at,
        or_(PointClosing.ended_at.is_(None), Delivery.cutoff_at <= PointClosing.ended_at),
    )


def carried(delivery_ids: Collection[int], *, although_cancelled: bool = False) -> Subquery:
    """The boxes of deliveries, with the columns of `received`: frozen rows where they are written."""
    ids = list(delivery_ids)
    frozen = (
        select(
            Basket.subscription_id,
            Basket.formula_id,
            Basket.quantity,
            Basket.pickup_point_id,
            Basket.delivery_id,
            Basket.week,
        )
        .join(Delivery, Delivery.id == Basket.delivery_id)
        .where(Delivery.id.in_(ids), Basket.quantity > 0, _takes_place(although_cancelled))
    )
    expected = received(ids, although_cancelled=although_cancelled).subquery()
    not_frozen = select(expected).join(Delivery, Delivery.id == expected.c.delivery_id)
    return union_all(frozen, not_frozen.where(Delivery.frozen_at.is_(None))).subquery()


def counts(session: Session, delivery_ids: Collection[int]) -> dict[int, list[Count]]:
    """Boxes by formula and point for each of these deliveries, in one statement."""
    boxes = carried(delivery_ids)
    key = (boxes.c.delivery_id, boxes.c.formula_id, boxes.c.pickup_point_id)
    counted: dict[int, list[Count]] = {delivery_id: [] for delivery_id in delivery_ids}
    for delivery_id, formula_id, point_id, number in session.execute(
        select(*key, func.sum(boxes.c.quantity)).group_by(*key).order_by(*key)
    ):
        counted[delivery_id].append(Count(formula_id, point_id, int(number)))
    return counted


def packing(session: Session, delivery_id: int, *, although_cancelled: bool = False) -> list[PackedBox]:
    """Who receives what and where on a delivery; in no order, names are sorted as the list's language does."""
    boxes = carried([delivery_id], although_cancelled=although_cancelled)
    rows = session.execute(
        select(
            Account.id,
            Account.first_name,
            Account.last_name,
            boxes.c.formula_id,
            func.sum(boxes.c.quantity),
            boxes.c.pickup_point_id,
        )
        .join(Subscription, Subscription.id == boxes.c.subscription_id)
        .join(Account, Account.id == Subscription.account_id)
        .group_by(
            Account.id, Account.first_name, Account.last_name, boxes.c.formula_id, boxes.c.pickup_point_id
        )
    )
    return [PackedBox(*row) for row in rows]
