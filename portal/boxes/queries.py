"""What is received: by a person (the rules' projection) and by a delivery (one statement).

The two say the same of every box; a property test holds them equal. What is frozen is read from its rows.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from types import MappingProxyType
from typing import Any

from sqlalchemy import Integer, String, bindparam, cast, func, null, or_, select, union_all
from sqlalchemy.orm import Session

from portal.boxes.models import Basket, BasketCorrection, BoxChange, Suspension
from portal.catalogue.models import Formula
from portal.catalogue.queries import FORMULA, FormulaView
from portal.deliveries.queries import DeliveryView
from portal.infra.orm import narrowing
from portal.pickup.models import PickupPoint, PointClosing
from portal.pickup.queries import POINT, ClosingView, PointView, closing_views
from portal.rules import planning
from portal.rules.changes import POSTPONED_AT_MOST
from portal.rules.planning import Absence, closing_of, place_in, project, term_owing
from portal.subscriptions.queries import Holding


@dataclass(frozen=True, slots=True)
class MemberBox:
    """A box of a person's subscription, on its way or not; `for_once` names what is not as usual."""

    subscription_id: int
    week: date
    delivery: DeliveryView
    formula: FormulaView
    quantity: int
    point: PointView
    absence: Absence | None
    elsewhere: bool = False
    """Collected at another point for once."""
    varied: bool = False
    """Another formula or quantity for once."""
    corrected: bool = False
    """By the farm, once the delivery had closed; of a quantity of nothing, taken off it."""
    closing: ClosingView | None = None
    """What is closed, so that it is collected elsewhere."""

    @property
    def skipped(self) -> bool:
        return self.absence is not None or not self.quantity

    @property
    def postponed(self) -> bool:
        return self.week != self.delivery.week


REACH = POSTPONED_AT_MOST + timedelta(weeks=2)
"""How far before a day a change can lie that still shows on it: postponed boxes, moved deliveries."""


_CHANGES = (
    select(
        BoxChange.subscription_id,
        BoxChange.week,
        BoxChange.skip,
        BoxChange.skip_at,
        BoxChange.to_week,
        BoxChange.formula_id,
        BoxChange.quantity,
        FORMULA,
        POINT,
    )
    .outerjoin(BoxChange.formula)
    .outerjoin(BoxChange.pickup_point)
    .outerjoin(PickupPoint.tour)
    .where(
        BoxChange.subscription_id.in_(bindparam("subscription_ids", expanding=True)),
        func.coalesce(BoxChange.to_week, BoxChange.week) >= bindparam("since"),
    )
)
_RANGES = union_all(
    select(
        Suspension.subscription_id.label("of"),
        cast(null(), Integer).label("substitute_id"),
        Suspension.first_day,
        Suspension.last_day,
        Suspension.made_at,
        Suspension.ended_at,
        Suspension.id,
        cast(null(), String).label("reason"),
    ).where(
        Suspension.subscription_id.in_(bindparam("subscription_ids", expanding=True)),
        Suspension.last_day >= bindparam("since"),
    ),
    select(
        PointClosing.pickup_point_id,
        PointClosing.substitute_id,
        PointClosing.first_day,
        PointClosing.last_day,
        PointClosing.made_at,
        PointClosing.ended_at,
        PointClosing.id,
        PointClosing.reason,
    ).where(PointClosing.last_day >= bindparam("since")),
).order_by("first_day", "id")
"""Suspensions by subscription and closings by point, which have a reason, in one statement."""


def with_changes(session: Session, holdings: Iterable[Holding], since: date) -> list[Holding]:
    """The same subscriptions, knowing what matters from a day on: one-off changes, suspensions, closed points."""
    holdings = list(holdings)
    wanted = {"subscription_ids": [holding.id for holding in holdings], "since": since - REACH}
    changes: dict[int, list[Any]] = {holding.id: [] for holding in holdings}
    suspensions: dict[int, list[planning.Suspension]] = {holding.id: [] for holding in holdings}
    for change in session.execute(_CHANGES, wanted):
        changes[change.subscription_id].append(change)
    closed = []
    for away in session.execute(_RANGES, wanted):
        days = (away.first_day, away.last_day, away.made_at, away.ended_at, away.id)
        if away.reason is None:
            suspensions[away.of].append(planning.Suspension(*days))
        else:
            closed.append((planning.Closing(away.of, away.substitute_id, *days), away.reason))
    shut = closing_views(session, closed)
    holdings = [holding.with_closings(shut) for holding in holdings]
    return [_changed(holding, changes[holding.id], suspensions[holding.id]) for holding in holdings]


def _changed(holding: Holding, rows: list[Any], suspensions: list[planning.Suspension]) -> Holding:
    by_week = {row.week: _week_change(row) for row in rows}
    plan = replace(
        holding.plan,
        changes=MappingProxyType(
            {w: change for w, change in by_week.items() if change != planning.NO_CHANGE}
        ),
        suspensions=tuple(suspensions),
    )
    points = {row.PointView.id: row.PointView for row in rows if row.PointView}
    formulas = {row.FormulaView.id: row.FormulaView for row in rows if row.FormulaView}
    return replace(holding, plan=plan, points=points | holding.points, formulas=formulas | holding.formulas)


def _week_change(row: Any) -> planning.WeekChange:
    return planning.WeekChange(
        skip=row.skip,
        skip_at=row.skip_at,
        to_week=row.to_week,
        place=planning.Place(row.PointView.id, row.PointView.tour_id) if row.PointView else None,
        formula_id=row.formula_id,
        quantity=row.quantity,
    )


def member_boxes(
    session: Session, holdings: Collection[Holding], deliveries: Collection[DeliveryView]
) -> list[MemberBox]:
    """The boxes that these subscriptions receive on these deliveries, in date order, absent ones marked.

    `holdings` know their changes (`with_changes`); a frozen delivery's boxes are read from its rows.
    """
    by_id = {delivery.id: delivery for delivery in deliveries}
    frozen = _frozen_boxes(session, holdings, [d for d in deliveries if d.frozen_at])
    written = {(box.subscription_id, box.week) for box in frozen}
    boxes = []
    for holding in holdings:
        for box in project(holding.plan, [d.for_rules for d in deliveries]):
            delivery = by_id[box.delivery.id]
            if delivery.frozen_at and (box.comes or (holding.id, box.week) in written):
                continue  # its row, if there is one, says more than the projection
            boxes.append(member_box(holding, box, delivery))
    boxes += frozen
    return sorted(boxes, key=lambda b: (b.delivery.day, b.delivery.id, b.formula.position, b.subscription_id))


def member_box(holding: Holding, box: planning.Box, delivery: DeliveryView) -> MemberBox:
    """A projected box as pages show it."""
    plan = holding.plan
    term, change = term_owing(plan, box.week), plan.change_of(box.week)
    place = place_in(plan, delivery.week)
    return MemberBox(
        subscription_id=holding.id,
        week=box.week,
        delivery=delivery,
        formula=holding.formulas[box.formula_id],
        quantity=box.quantity,
        point=holding.points[box.point_id],
        absence=box.absence,
        elsewhere=bool(term and place and plan.change_of(delivery.week).place),
        varied=change.formula_id is not None or change.quantity is not None,
        closing=_closing(holding, box.point_id, delivery),
    )


def _closing(holding: Holding, point_id: int, delivery: DeliveryView) -> ClosingView | None:
    """What is closed where a subscription's boxes are collected at a point instead."""
    place = place_in(holding.plan, delivery.week)
    closing = place and closing_of(place.point_id, delivery.for_rules, holding.plan.closings)
    if closing is None or closing.substitute_id != point_id:
        return None
    return next(view for view in holding.closings if view.for_rules == closing)


_CORRECTED = (
    select(BasketCorrection.id)
    .where(BasketCorrection.basket_id == Basket.id, BasketCorrection.undone_at.is_(None))
    .exists()
)
_FROZEN = (
    select(
        Basket.subscription_id,
        Basket.week,
        Basket.delivery_id,
        Basket.quantity,
        FORMULA,
        POINT,
        _CORRECTED.label("corrected"),
    )
    .join(Formula, Formula.id == Basket.formula_id)  # those of the row: the terms may have changed since
    .join(PickupPoint, PickupPoint.id == Basket.pickup_point_id)
    .join(PickupPoint.tour)
    .where(
        Basket.subscription_id.in_(bindparam("subscription_ids", expanding=True)),
        narrowing(Basket.delivery_id).in_(bindparam("delivery_ids", expanding=True)),
        or_(Basket.quantity > 0, _CORRECTED),  # one that was added and taken back was never there
    )
)


def _frozen_boxes(
    session: Session, holdings: Collection[Holding], deliveries: Collection[DeliveryView]
) -> list[MemberBox]:
    if not deliveries:
        return []
    by_id = {d.id: d for d in deliveries if not d.cancelled}
    whose = {holding.id: holding for holding in holdings}
    wanted = {"subscription_ids": list(whose), "delivery_ids": list(by_id)}
    return [
        MemberBox(
            subscription_id,
            week,
            by_id[delivery_id],
            formula,
            quantity,
            point,
            absence=None,
            corrected=corrected,
            closing=_closing(whose[subscription_id], point.id, by_id[delivery_id]),
        )
        for subscription_id, week, delivery_id, quantity, formula, point, corrected in session.execute(
            _FROZEN, wanted
        )
    ]
