"""What is received: by a person (the rules' projection) and by a delivery (one statement).

The two say the same of every box; a property test holds them equal. What is frozen is read from its rows.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from types import MappingProxyType

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from portal.boxes.models import Basket, BoxChange, Suspension
from portal.catalogue.models import Formula
from portal.catalogue.queries import FormulaView
from portal.catalogue.queries import view as formula_view
from portal.deliveries.queries import DeliveryView
from portal.pickup.models import PickupPoint
from portal.pickup.queries import PointView
from portal.pickup.queries import view as point_view
from portal.rules import planning
from portal.rules.changes import POSTPONED_AT_MOST
from portal.rules.planning import Absence, place_in, project, term_owing
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

    @property
    def skipped(self) -> bool:
        return self.absence is not None

    @property
    def postponed(self) -> bool:
        return self.week != self.delivery.week


REACH = POSTPONED_AT_MOST + timedelta(weeks=2)
"""How far before a day a change can lie that still shows on it: postponed boxes, moved deliveries."""


def with_changes(session: Session, holdings: Iterable[Holding], since: date) -> list[Holding]:
    """The same subscriptions, knowing their one-off changes and suspensions that matter from a day on."""
    holdings = list(holdings)
    ids = [h.id for h in holdings]
    changes = session.scalars(
        select(BoxChange)
        .where(BoxChange.subscription_id.in_(ids), BoxChange.week >= since - REACH)
        .options(joinedload(BoxChange.pickup_point), joinedload(BoxChange.formula))
    ).all()
    suspensions = session.scalars(
        select(Suspension)
        .where(Suspension.subscription_id.in_(ids), Suspension.last_day >= since - REACH)
        .order_by(Suspension.first_day, Suspension.id)
    ).all()
    return [
        _changed(
            holding,
            [row for row in changes if row.subscription_id == holding.id],
            [row for row in suspensions if row.subscription_id == holding.id],
        )
        for holding in holdings
    ]


def _changed(holding: Holding, changes: list[BoxChange], suspensions: list[Suspension]) -> Holding:
    by_week = {row.week: week_change(row) for row in changes}
    plan = replace(
        holding.plan,
        changes=MappingProxyType(
            {w: change for w, change in by_week.items() if change != planning.NO_CHANGE}
        ),
        suspensions=tuple(suspension(row) for row in suspensions),
    )
    points = {row.pickup_point.id: point_view(row.pickup_point) for row in changes if row.pickup_point}
    formulas = {row.formula.id: formula_view(row.formula) for row in changes if row.formula}
    return replace(holding, plan=plan, points=points | holding.points, formulas=formulas | holding.formulas)


def week_change(row: BoxChange) -> planning.WeekChange:
    """A row as the rules see it."""
    point = row.pickup_point
    return planning.WeekChange(
        skip=row.skip,
        skip_at=row.skip_at,
        to_week=row.to_week,
        place=planning.Place(point.id, point.tour_id) if point else None,
        formula_id=row.formula_id,
        quantity=row.quantity,
    )


def suspension(row: Suspension) -> planning.Suspension:
    """A row as the rules see it."""
    return planning.Suspension(row.first_day, row.last_day, row.made_at, row.ended_at, id=row.id)


def member_boxes(
    session: Session, holdings: Collection[Holding], deliveries: Collection[DeliveryView]
) -> list[MemberBox]:
    """The boxes that these subscriptions receive on these deliveries, in date order, absent ones marked.

    `holdings` know their changes (`with_changes`); a frozen delivery's boxes are read from its rows.
    """
    by_id = {delivery.id: delivery for delivery in deliveries}
    frozen = _frozen_boxes(session, holdings, [d for d in deliveries if d.frozen_at])
    boxes = []
    for holding in holdings:
        for box in project(holding.plan, [d.for_rules for d in deliveries]):
            delivery = by_id[box.delivery.id]
            if delivery.frozen_at and box.comes:
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
    )


def _frozen_boxes(
    session: Session, holdings: Collection[Holding], deliveries: Collection[DeliveryView]
) -> list[MemberBox]:
    if not deliveries:
        return []
    by_id = {d.id: d for d in deliveries if not d.cancelled}
    rows = session.execute(
        select(Basket, Formula, PickupPoint)  # those of the row: the terms may have changed since
        .join(Formula, Formula.id == Basket.formula_id)
        .join(PickupPoint, PickupPoint.id == Basket.pickup_point_id)
        .where(Basket.subscription_id.in_([h.id for h in holdings]), Basket.delivery_id.in_(list(by_id)))
    )
    return [
        MemberBox(
            subscription_id=basket.subscription_id,
            week=basket.week,
            delivery=by_id[basket.delivery_id],
            formula=formula_view(formula),
            quantity=basket.quantity,
            point=point_view(point),
            absence=None,
        )
        for basket, formula, point in rows
    ]
