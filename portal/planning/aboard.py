"""What becomes of a person's orders when a change takes the box away that they travel with."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from sqlalchemy.orm import Session

from portal.accounts.household import acts_for_farm
from portal.infra import audit
from portal.planning.case import Case, Fate, Question, Settled
from portal.rules.aboard import Spot, followed, later_spots, spots
from portal.rules.cutoffs import is_past
from portal.rules.orders import Aboard, OrderState
from portal.rules.planning import Plan, closing_of
from portal.shop import follow
from portal.shop.models import Order
from portal.shop.orders import bring
from portal.subscriptions.queries import Holding


@dataclass(frozen=True, slots=True)
class _Lost:
    order: Order
    missing: tuple[str, ...]
    next: Spot | None
    can_cancel: bool

    def allows(self, wish: Aboard | None) -> bool:
        if wish is Aboard.MOVE:
            return self.next is not None
        return wish is Aboard.ALONE or (wish is Aboard.CANCEL and self.can_cancel)


def spot_of_order(case: Case, order: Order) -> Spot:
    """Where it is collected: the worker may be on its way to take it from a closed point to the other, or back."""
    usual = order.instead_of_id or order.pickup_point_id
    closed = case.holdings[0].plan.closings if case.holdings else ()
    closing = closing_of(usual, case.deliveries[order.delivery_id].for_rules, closed)
    return Spot(order.delivery_id, closing.substitute_id if closing else usual)


def settle(session: Session, case: Case, changed: Collection[tuple[Holding, Plan]]) -> bool:
    """Let the orders follow their boxes, or do with them as the person wishes; False where that is to be asked.

    Staff are not asked, unless they see the site as that person: the order stays where it is. Nothing is written
    where one is asked.
    """
    plans = {holding.id: holding.plan for holding in (*case.others, *case.holdings)}
    before, after = list(plans.values()), list((plans | {h.id: plan for h, plan in changed}).values())
    astray = list(_astray(case, before, after))
    if astray:
        follow.hold_articles(session, [order for order, _ in astray])
    lost = []
    for order, there in astray:
        missing = _missing(session, case, order, there) if there else ()
        if there is None or missing:
            free = not is_past(follow.closes_at(order), case.facts.now)
            lost.append(_Lost(order, missing, _next(session, case, after, order) if free else None, free))
    unasked = acts_for_farm(case.by, case.account) and audit.deputy.get() is None
    wish = case.orders.wish or (Aboard.ALONE if unasked else None)
    if not all(one.allows(wish) for one in lost):
        case.orders.question = _question(case, lost)
        return False
    left = {one.order.id for one in lost}
    for order, there in astray:
        _do(session, case, after, order, there if order.id not in left else wish)
    _reunite(case, after)
    return True


def _astray(
    case: Case, before: Collection[Plan], after: Collection[Plan]
) -> Iterable[tuple[Order, Spot | None]]:
    """The orders whose boxes do not come to them any more, and where these come instead, if at all."""
    for order in _open_ones(case):
        spot = spot_of_order(case, order)
        if order.with_box and (there := followed(before, after, case.facts.season, spot)) != spot:
            yield order, there


def _open_ones(case: Case) -> list[Order]:
    known = ((order, case.deliveries.get(order.delivery_id)) for order in case.orders.held)
    return [order for order, d in known if d and d.for_rules.is_open(case.facts.now)]


def _reunite(case: Case, after: Collection[Plan]) -> None:
    """An order that was left alone travels with the box again that comes back to it."""
    coming = spots(after, case.facts.season)
    for order in _open_ones(case):
        order.with_box = order.with_box or spot_of_order(case, order) in coming


def _missing(session: Session, case: Case, order: Order, spot: Spot) -> tuple[str, ...]:
    """What of an order does not come to a spot."""
    delivery = case.deliveries[spot.delivery_id]
    return tuple(follow.missing_aboard(session, order, delivery, case.facts.now))


def _next(session: Session, case: Case, after: Collection[Plan], order: Order) -> Spot | None:
    """The soonest later delivery with a box that can bring all that an order holds."""
    later = later_spots(after, case.facts.season, spot_of_order(case, order), case.facts.now)
    return next((there for there in later if not _missing(session, case, order, there)), None)


def _question(case: Case, lost: Collection[_Lost]) -> Question:
    destinations = {one.next.delivery_id for one in lost if one.next}
    can_all = all(one.next for one in lost)
    theirs = {one.order.delivery_id for one in lost}
    return Question(
        numbers=tuple(one.order.number for one in lost),
        deliveries=tuple(sorted((case.deliveries[i] for i in theirs), key=lambda d: (d.day, d.id))),
        next=min((case.deliveries[i] for i in destinations), key=lambda d: (d.day, d.id))
        if can_all
        else None,
        can_cancel=all(one.can_cancel for one in lost),
        missing=tuple(dict.fromkeys(name for one in lost for name in one.missing)),
    )


def _do(
    session: Session, case: Case, after: Collection[Plan], order: Order, fate: Spot | Aboard | None
) -> None:
    """To the spot that its box has gone to, or as the person wishes.

    Where an order that went before it has taken the last, it waits alone.
    """
    if fate is Aboard.CANCEL:
        bring(session, order, OrderState.CANCELLED, at=case.facts.now, by=case.by.id)
        return _note(case, order, Fate.CANCELLED)
    there = _next(session, case, after, order) if fate is Aboard.MOVE else None
    if isinstance(fate, Spot) and not _missing(session, case, order, fate):
        there = fate
    if there is None:
        order.with_box = False
        return _note(case, order, Fate.ALONE)
    delivery, point = case.deliveries[there.delivery_id], case.point(there.point_id)
    follow.travel(
        session,
        order,
        delivery,
        point,
        with_box=True,
        instead_of=there.instead_of,
        at=case.facts.now,
        by=case.by.id,
    )
    return _note(case, order, Fate.MOVED if fate is Aboard.MOVE else Fate.FOLLOWED)


def _note(case: Case, order: Order, fate: Fate) -> None:
    point = case.point(order.pickup_point_id)
    case.orders.add(Settled((order.number,), fate, case.deliveries[order.delivery_id], point))
