"""Setting right the boxes of a delivery that has closed, each time with a reason, and taking that back.

The subscription is held, then the orders that travel with its boxes, the delivery, the point; what staff saw of the
box must still be so.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.accounts import household
from portal.accounts.models import Account
from portal.boxes import services as boxes
from portal.boxes.carried import carried
from portal.boxes.models import Basket, BasketCorrection
from portal.boxes.queries import with_changes
from portal.catalogue.queries import formula_prices, formulas
from portal.deliveries.models import Delivery
from portal.deliveries.queries import DeliveryView, of_weeks, view
from portal.infra import audit, clock, locks
from portal.pickup.models import PickupPoint
from portal.pickup.queries import find as find_point
from portal.pickup.queries import points
from portal.profile.queries import get_farm
from portal.rules.changes import POSTPONED_AT_MOST
from portal.rules.corrections import FrozenBox, Refusal, Wish, corrected, refusal_to_work
from portal.rules.money import Money
from portal.rules.orders import LIVE
from portal.rules.planning import Season, carrier
from portal.rules.pricing import DatedPrice, price_on
from portal.shop.follow import put
from portal.shop.models import Order
from portal.subscriptions.models import Subscription
from portal.subscriptions.queries import of_anybody

NOTHING = {"quantity": 0, "billed": 0}


@dataclass(frozen=True, slots=True)
class Outcome:
    """Whether something was set right, or why not; unchanged, it was so already.

    `unpriced` names the formulas for want of whose price the delivery cannot be frozen.
    """

    changed: bool = False
    refusal: Refusal | None = None
    unpriced: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Correction:
    """What staff want of a box, and what they saw of it (`stamp`); `tell` mails the subscriber."""

    week: date
    wish: Wish
    seen: str
    reason: str
    farm_fault: bool = False
    tell: bool = False


def stamp(box: FrozenBox | None) -> str:
    """Names a box as it stands: a form carries it, and comes too late where the box is another by then."""
    return "-".join(map(str, to_json(box).values())) if box else "none"


def correct(
    session: Session, delivery_id: int, subscription_id: int, asked: Correction, *, by: int
) -> Outcome | None:
    """Take a box off, bring it back, add it or make it another one; None where there is no such subscription."""
    held = _hold(session, delivery_id, subscription_id)
    if held is None:
        return None
    delivery, orders, now = held
    if outcome := _refusal_to_begin(session, delivery, now):
        return outcome
    row = _row(session, subscription_id, asked.week)
    before = _frozen(row) if row else None
    after = _after(session, delivery, before, asked, _is_here(session, delivery, subscription_id, asked, row))
    if isinstance(after, Refusal):
        return Outcome(refusal=after)
    if after == before or (before is None and after.nothing):
        return Outcome()
    if asked.seen != stamp(before):
        return Outcome(refusal=Refusal.CHANGED_SINCE)
    locks.checked()
    if row is None:
        row = Basket(subscription_id=subscription_id, week=asked.week, delivery_id=delivery.id)
    _write(row, after)
    session.add(row)
    session.flush()
    correction = BasketCorrection(
        basket_id=row.id,
        delivery_id=delivery.id,
        at=now,
        by_id=by,
        reason=asked.reason,
        farm_fault=asked.farm_fault,
        before=to_json(before) if before else None,
        after=to_json(after),
    )
    session.add(correction)
    _record(session, "basket.correct", row, before, after, at=now, by=by)
    _take_along(session, delivery, orders, before, after, at=now, by=by)
    if asked.tell:
        _tell(session, delivery, correction, at=now)
    return Outcome(changed=True)


def undo(
    session: Session, delivery_id: int, correction_id: int, *, tell: bool = False, by: int
) -> Outcome | None:
    """Write back what was before, if nothing newer stands on it; what was added is taken off, and not billed."""
    own = (BasketCorrection.id == correction_id, BasketCorrection.delivery_id == delivery_id)
    whose = select(Basket.subscription_id).join(BasketCorrection, BasketCorrection.basket_id == Basket.id)
    subscription_id = session.scalar(whose.where(*own))
    held = _hold(session, delivery_id, subscription_id) if subscription_id else None
    if held is None:
        return None
    delivery, orders, now = held
    correction = session.scalars(
        locks.for_update(select(BasketCorrection).where(*own), of=BasketCorrection)
    ).one()
    if correction.undone_at:
        return Outcome()
    if refusal := refusal_to_work(view(delivery).for_rules, now):
        return Outcome(refusal=refusal)
    row = session.get_one(Basket, correction.basket_id)
    present = _frozen(row)
    if to_json(present) != correction.after or _newer(session, correction):
        return Outcome(refusal=Refusal.NEWER)
    locks.checked()
    after = from_json(correction.before or correction.after | NOTHING)
    _write(row, after)
    correction.undone_at, correction.undone_by_id = now, by
    session.flush()
    _record(session, "basket.uncorrect", row, present, after, at=now, by=by)
    _take_along(session, delivery, orders, present, after, at=now, by=by)
    if tell:
        _tell(session, delivery, correction, at=now, undone=True)
    return Outcome(changed=True)


def price_of(session: Session, formula_id: int, day: date) -> DatedPrice | None:
    try:
        return price_on(formula_prices(session).get(formula_id, ()), day)
    except LookupError:
        return None


def standing(session: Session, delivery: DeliveryView, subscription_id: int) -> dict[date, FrozenBox]:
    """A subscription's boxes on a closed delivery: week of origin → box; as they will be, until it is frozen."""
    if delivery.frozen_at:
        own = (Basket.subscription_id == subscription_id, Basket.delivery_id == delivery.id)
        rows = session.scalars(select(Basket).where(*own).order_by(Basket.week))
        return {row.week: _frozen(row) for row in rows}
    expected = carried([delivery.id])
    found = select(expected).where(expected.c.subscription_id == subscription_id).order_by(expected.c.week)
    boxes = {}
    for row in session.execute(found):
        if price := price_of(session, row.formula_id, delivery.day):
            boxes[row.week] = FrozenBox(
                row.formula_id,
                row.quantity,
                row.pickup_point_id,
                price.price,
                price.vat_basis_points,
                billed=row.quantity,
            )
    return boxes


def _hold(
    session: Session, delivery_id: int, subscription_id: int
) -> tuple[Delivery, list[Order], datetime] | None:
    """The delivery, the orders that travel with the person's boxes and the moment, held until our commit."""
    own = select(Subscription).where(Subscription.id == subscription_id)
    subscription = session.scalar(locks.for_update(own, of=Subscription))
    if subscription is None:
        return None
    aboard = (
        Order.account_id == subscription.account_id,
        Order.delivery_id == delivery_id,
        Order.with_box,
        Order.state.in_(sorted(LIVE)),
    )
    wanted = select(Order).where(*aboard).order_by(Order.id)
    orders = list(session.scalars(locks.for_update(wanted, of=Order)))
    held = select(Delivery).where(Delivery.id == delivery_id)
    delivery = session.scalars(locks.for_update(held, of=Delivery)).one()
    return delivery, orders, clock.now()


def _refusal_to_begin(session: Session, delivery: Delivery, now: datetime) -> Outcome | None:
    """What keeps a delivery's boxes as they are; where nothing does, it is frozen from now on."""
    if refusal := refusal_to_work(view(delivery).for_rules, now):
        return Outcome(refusal=refusal)
    if delivery.frozen_at is None:
        if missing := boxes.unpriced(session, delivery):
            return Outcome(refusal=Refusal.PRICE_MISSING, unpriced=tuple(missing))
        boxes.freeze(session, delivery.id)
    return None


def _row(session: Session, subscription_id: int, week: date) -> Basket | None:
    own = select(Basket).where(Basket.subscription_id == subscription_id, Basket.week == week)
    return session.scalar(locks.for_update(own, of=Basket))


def _is_here(
    session: Session, delivery: Delivery, subscription_id: int, asked: Correction, row: Basket | None
) -> bool:
    """Whether the box of the week is this delivery's, or no delivery's yet."""
    if row:
        return row.delivery_id == delivery.id
    return asked.week == delivery.week and not _comes_elsewhere(session, delivery, subscription_id)


def _after(
    session: Session, delivery: Delivery, before: FrozenBox | None, asked: Correction, here: bool
) -> FrozenBox | Refusal:
    if not here:
        return Refusal.OTHER_BOX
    wish = asked.wish
    if (before is None or before.point_id != wish.point_id) and not _serves(session, delivery, wish.point_id):
        return Refusal.OTHER_ROUND
    price = price_of(session, wish.formula_id, delivery.day)
    if price is None:
        return Refusal.PRICE_MISSING
    return corrected(before, wish, price, farm_fault=asked.farm_fault)


def _serves(session: Session, delivery: Delivery, point_id: int) -> bool:
    """Whether a point is on the delivery's round; it stays there until our commit."""
    own = select(PickupPoint).where(PickupPoint.id == point_id)
    point = session.scalar(locks.for_share(own, of=PickupPoint))
    return point is not None and point.tour_id == delivery.tour_id and point.retired_at is None


def _comes_elsewhere(session: Session, delivery: Delivery, subscription_id: int) -> bool:
    """Whether another delivery that is not frozen carries the week's box, or would if it were not skipped."""
    [holding] = with_changes(session, of_anybody(session, [subscription_id]), delivery.week)
    tours = {*holding.plan.tour_ids, delivery.tour_id}
    span = (delivery.week - POSTPONED_AT_MOST, delivery.week + 2 * POSTPONED_AT_MOST)
    season = Season(found.for_rules for found in of_weeks(session, *span, tours))
    there = carrier(holding.plan, delivery.week, season)
    return there is not None and there.id != delivery.id and not there.frozen


def _frozen(row: Basket) -> FrozenBox:
    return FrozenBox(
        row.formula_id,
        row.quantity,
        row.pickup_point_id,
        row.unit_price,
        row.vat_basis_points,
        billed=row.billed_quantity,
    )


def _write(row: Basket, box: FrozenBox) -> None:
    row.formula_id, row.quantity, row.pickup_point_id = box.formula_id, box.quantity, box.point_id
    row.unit_price, row.vat_basis_points = box.unit_price, box.vat_basis_points
    row.billed_quantity = box.billed


def to_json(box: FrozenBox) -> dict[str, Any]:
    return {
        "formula": box.formula_id,
        "quantity": box.quantity,
        "point": box.point_id,
        "price": box.unit_price.cents,
        "vat": box.vat_basis_points,
        "billed": box.billed,
    }


def from_json(kept: dict[str, Any]) -> FrozenBox:
    return FrozenBox(
        kept["formula"],
        kept["quantity"],
        kept["point"],
        Money(kept["price"]),
        kept["vat"],
        billed=kept["billed"],
    )


def _take_along(
    session: Session,
    delivery: Delivery,
    orders: list[Order],
    before: FrozenBox | None,
    after: FrozenBox,
    *,
    at: datetime,
    by: int,
) -> None:
    """An order goes where its person's box goes, unless another box of theirs stays."""
    there = [order for order in orders if before and order.pickup_point_id == before.point_id]
    if not there or not before or before.point_id == after.point_id or not after.quantity:
        return
    staying = (
        select(Basket.id)
        .join(Subscription, Subscription.id == Basket.subscription_id)
        .where(
            Subscription.account_id == there[0].account_id,
            Basket.delivery_id == delivery.id,
            Basket.pickup_point_id == before.point_id,
            Basket.quantity > 0,
        )
    )
    if session.scalar(select(staying.exists())):
        return
    point = find_point(session, after.point_id)
    assert point is not None, "it is on the round"
    for order in there:
        put(session, order, view(delivery), point, with_box=True, at=at, by=by)


def _newer(session: Session, correction: BasketCorrection) -> bool:
    later = select(BasketCorrection.id).where(
        BasketCorrection.basket_id == correction.basket_id,
        BasketCorrection.id > correction.id,
        BasketCorrection.undone_at.is_(None),
    )
    return session.scalar(select(later.exists())) or False


def _record(
    session: Session,
    action: str,
    row: Basket,
    before: FrozenBox | None,
    after: FrozenBox,
    *,
    at: datetime,
    by: int,
) -> None:
    said = to_json(before) if before else None
    audit.record(session, action, ("basket", row.id), at=at, by=by, before=said, after=to_json(after))


def _tell(
    session: Session, delivery: Delivery, correction: BasketCorrection, *, at: datetime, undone: bool = False
) -> None:
    whose = select(Account).join(Subscription, Subscription.account_id == Account.id)
    account = session.scalars(
        whose.join(Basket, Basket.subscription_id == Subscription.id).where(Basket.id == correction.basket_id)
    ).one()
    then = from_json(correction.before) if correction.before else None
    now = from_json(correction.after)
    household.tell(
        session,
        account,
        "box_corrected",
        at=at,
        farm=get_farm(session),
        delivery=view(delivery),
        before=now if undone else then,
        after=then if undone else now,
        formulas={formula.id: formula for formula in formulas(session)},
        points={point.id: point for point in points(session)},
        reason=None if undone else correction.reason,
    )
