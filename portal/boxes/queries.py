"""What is received: by a person (the rules' projection) and by a delivery (one statement).

The two say the same of every box; a property test holds them equal. What is frozen is read from its rows.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import date

from sqlalchemy import Select, Subquery, and_, func, or_, select, union_all
from sqlalchemy.orm import Session

from portal.accounts.models import Account
from portal.boxes.models import Basket, BoxChange
from portal.catalogue.models import Formula
from portal.catalogue.queries import FormulaView
from portal.catalogue.queries import view as formula_view
from portal.deliveries.models import Delivery
from portal.deliveries.queries import DeliveryView
from portal.pickup.models import PickupPoint
from portal.pickup.queries import PointView
from portal.pickup.queries import view as point_view
from portal.rules.calendar import Fortnight, Rhythm
from portal.rules.planning import project
from portal.subscriptions.models import Subscription, Term
from portal.subscriptions.queries import Holding


@dataclass(frozen=True, slots=True)
class MemberBox:
    """A box of a person's subscription, skipped or not."""

    subscription_id: int
    week: date
    delivery: DeliveryView
    formula: FormulaView
    quantity: int
    point: PointView
    skipped: bool


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


def with_skips(session: Session, holdings: Iterable[Holding]) -> list[Holding]:
    """The same subscriptions, knowing their skipped weeks."""
    holdings = list(holdings)
    skipped: dict[int, set[date]] = {}
    rows = session.execute(
        select(BoxChange.subscription_id, BoxChange.week).where(
            BoxChange.subscription_id.in_([h.id for h in holdings]), BoxChange.skip.is_(True)
        )
    )
    for subscription_id, week in rows:
        skipped.setdefault(subscription_id, set()).add(week)
    return [
        replace(h, plan=replace(h.plan, skipped_weeks=frozenset(skipped.get(h.id, ())))) for h in holdings
    ]


def member_boxes(
    session: Session, holdings: Collection[Holding], deliveries: Collection[DeliveryView]
) -> list[MemberBox]:
    """The boxes that these subscriptions receive on these deliveries, in date order, the skipped ones marked.

    `holdings` know their skips (`with_skips`); a frozen delivery's boxes are read from its rows.
    """
    by_id = {delivery.id: delivery for delivery in deliveries}
    frozen = _frozen_boxes(session, holdings, [d for d in deliveries if d.frozen_at])
    boxes = []
    for holding in holdings:
        for box in project(holding.plan, [d.for_rules for d in deliveries]):
            delivery = by_id[box.delivery.id]
            if delivery.frozen_at and not box.skipped:
                continue  # its row, if there is one, says more than the projection
            boxes.append(
                MemberBox(
                    subscription_id=holding.id,
                    week=box.week,
                    delivery=delivery,
                    formula=holding.formulas[box.formula_id],
                    quantity=box.quantity,
                    point=holding.points[box.point_id],
                    skipped=box.skipped,
                )
            )
    boxes += frozen
    return sorted(boxes, key=lambda b: (b.delivery.day, b.delivery.id, b.formula.position, b.subscription_id))


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
            skipped=False,
        )
        for basket, formula, point in rows
    ]


def received() -> Select[int, date, int, int, int, int]:
    """The boxes that deliveries bring, by the terms and changes of this moment: what the freeze writes down.

    Narrow it with `.where(Delivery.id…)`. Columns: subscription, week, delivery, formula, quantity, point.
    """
    skip = and_(BoxChange.subscription_id == Term.subscription_id, BoxChange.week == Delivery.week)
    return (
        select(
            Term.subscription_id,
            Delivery.week,
            Delivery.id.label("delivery_id"),
            Term.formula_id,
            Term.quantity,
            Term.pickup_point_id,
        )
        .select_from(Delivery)
        .join(PickupPoint, PickupPoint.tour_id == Delivery.tour_id)
        .join(
            Term,
            and_(
                Term.pickup_point_id == PickupPoint.id,
                Term.monday <= Delivery.week,
                or_(Term.until.is_(None), Term.until > Delivery.week),
            ),
        )
        .join(Subscription, Subscription.id == Term.subscription_id)
        .outerjoin(BoxChange, skip)
        .where(
            Delivery.cancelled_at.is_(None),
            or_(Subscription.last_day.is_(None), Subscription.last_day >= Delivery.day),
            or_(
                Term.rhythm == Rhythm.WEEKLY,
                and_(Term.rhythm == Rhythm.FORTNIGHT_A, Delivery.fortnight == Fortnight.A),
                and_(Term.rhythm == Rhythm.FORTNIGHT_B, Delivery.fortnight == Fortnight.B),
            ),
            func.coalesce(BoxChange.skip, False).is_(False),
        )
    )


def _carried(delivery_ids: Collection[int]) -> Subquery:
    """The boxes of deliveries: frozen rows where they are written, else what is received."""
    ids = list(delivery_ids)
    frozen = (
        select(
            Basket.subscription_id,
            Basket.week,
            Basket.delivery_id,
            Basket.formula_id,
            Basket.quantity,
            Basket.pickup_point_id,
        )
        .join(Delivery, Delivery.id == Basket.delivery_id)
        .where(Delivery.id.in_(ids), Delivery.cancelled_at.is_(None))
    )
    open_ = received().where(Delivery.id.in_(ids), Delivery.frozen_at.is_(None))
    return union_all(frozen, open_).subquery()


def counts(session: Session, delivery_ids: Collection[int]) -> dict[int, list[Count]]:
    """Boxes by formula and point for each of these deliveries, in one statement."""
    carried = _carried(delivery_ids)
    key = (carried.c.delivery_id, carried.c.formula_id, carried.c.pickup_point_id)
    counted: dict[int, list[Count]] = {delivery_id: [] for delivery_id in delivery_ids}
    for delivery_id, formula_id, point_id, boxes in session.execute(
        select(*key, func.sum(carried.c.quantity)).group_by(*key).order_by(*key)
    ):
        counted[delivery_id].append(Count(formula_id, point_id, int(boxes)))
    return counted


def packing(session: Session, delivery_id: int) -> list[PackedBox]:
    """Who receives what and where on a delivery; in no order, names are sorted as the list's language does."""
    carried = _carried([delivery_id])
    rows = session.execute(
        select(
            Account.id,
            Account.first_name,
            Account.last_name,
            carried.c.formula_id,
            func.sum(carried.c.quantity),
            carried.c.pickup_point_id,
        )
        .join(Subscription, Subscription.id == carried.c.subscription_id)
        .join(Account, Account.id == Subscription.account_id)
        .group_by(
            Account.id, Account.first_name, Account.last_name, carried.c.formula_id, carried.c.pickup_point_id
        )
    )
    return [PackedBox(*row) for row in rows]
