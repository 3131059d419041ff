"""What staff do to a delivery's orders: judge, share out what is short, weigh, mark as prepared.

Orders are held one after the other by their numbers, then their deliveries; the clock is read once these are held.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.catalogue.articles import Offer, offers
from portal.infra import audit, clock, locks
from portal.rules.cutoffs import local_day
from portal.rules.money import Money
from portal.rules.orders import OrderState, Refusal, refusal_to_judge, refusal_to_prepare
from portal.rules.selling import SaleUnit, least
from portal.shop import queries, stock
from portal.shop.follow import closes_at
from portal.shop.models import Happening, Order, OrderEvent, OrderLine, Withdrawal
from portal.shop.orders import bring, bring_all, hold, post_change, work_out_discounts
from portal.shop.views import OrderLineView, OrderView

AT_WORK = frozenset({OrderState.ACCEPTED, OrderState.PREPARED})
"""Those that are packed."""
AT_THE_SCALE = AT_WORK | {OrderState.DELIVERED}
"""Those that are weighed: what was forgotten, after it has left too."""
SHORT_OF = AT_WORK | {OrderState.PLACED}
"""Those in which something can be missing."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How many orders changed, or why one stays; unchanged, it was so already. `left` still wait for the scale."""

    changed: int = 0
    refusal: Refusal | None = None
    left: int = 0


def judge(
    session: Session, order_id: int, to: OrderState, *, by: int, reason: str | None = None
) -> Outcome | None:
    """Accept or refuse an order, or cancel it for its owner; None where there is none."""
    held = hold(session, [order_id])
    if not held:
        return None
    [order], now = held, clock.now()
    if order.state is to or (to is OrderState.ACCEPTED and order.state in AT_WORK):
        return Outcome()
    shortage = any(event.what is Happening.SHORT for event in order.events)
    cutoff_at = closes_at(order) if to is OrderState.CANCELLED else order.delivery.cutoff_at
    refusal = refusal_to_judge(order.state, to, cutoff_at, now, shortage=shortage)
    if refusal:
        return Outcome(refusal=refusal)
    locks.checked()
    bring(session, order, to, at=now, by=by, reason=reason)
    return Outcome(changed=1)


def accept_all(session: Session, delivery_id: int, *, by: int) -> Outcome:
    """Accept whatever nobody has judged yet on a delivery."""
    held, now = _hold_on(session, delivery_id, {OrderState.PLACED})
    locks.checked()
    bring_all(session, held, OrderState.ACCEPTED, at=now, by=by, tell=held)
    return Outcome(changed=len(held))


def set_prepared(session: Session, order_id: int, prepared: bool, *, by: int) -> Outcome | None:
    """Mark an order as ready to be taken along, or undo that; None where there is none."""
    held = hold(session, [order_id])
    if not held:
        return None
    [order], now = held, clock.now()
    to = OrderState.PREPARED if prepared else OrderState.ACCEPTED
    if order.state is to:
        return Outcome()
    refusal = _refusal_to_prepare(order, to, now)
    if refusal is None:
        locks.checked()
        _prepare(session, held, to, at=now, by=by)
    return Outcome(changed=refusal is None, refusal=refusal)


def prepare_all(session: Session, delivery_id: int, *, point_id: int | None = None, by: int) -> Outcome:
    """Mark all orders of a delivery, or of one of its points, as prepared, but for those that are not weighed."""
    held, now = _hold_on(session, delivery_id, {OrderState.ACCEPTED})
    here = [order for order in held if point_id is None or order.pickup_point_id == point_id]
    refusals = [_refusal_to_prepare(order, OrderState.PREPARED, now) for order in here]
    if Refusal.BEFORE_CUTOFF in refusals:
        return Outcome(refusal=Refusal.BEFORE_CUTOFF)
    ready = [order for order, refusal in zip(here, refusals, strict=True) if refusal is None]
    locks.checked()
    _prepare(session, ready, OrderState.PREPARED, at=now, by=by)
    return Outcome(changed=len(ready), left=len(here) - len(ready))


def _refusal_to_prepare(order: Order, to: OrderState, now: datetime) -> Refusal | None:
    return refusal_to_prepare(order.state, to, order.delivery.cutoff_at, now, to_weigh=_to_weigh(order))


def _prepare(session: Session, orders: list[Order], to: OrderState, *, at: datetime, by: int) -> None:
    """Whoever was told once that it is ready is not told again after a slip, nor that it was one."""
    told = {order for order in orders if any(event.what is Happening.PREPARED for event in order.events)}
    tell = [order for order in orders if to is OrderState.PREPARED and order not in told]
    bring_all(session, orders, to, at=at, by=by, tell=tell)


def _to_weigh(order: Order) -> bool:
    return any(
        line.sale_unit is SaleUnit.WEIGHT and line.given is None and line.quantity for line in order.lines
    )


def weigh(
    session: Session, delivery_id: int, weights: Mapping[int, int | None], *, by: int
) -> Refusal | None:
    """Write down what lines of a delivery weigh (line → grams, None to weigh it again), all of them or none.

    What is paid follows from it; who has it by now is told.
    """
    held, now = _hold_lines(session, weights)
    lines = [line for order in held for line in order.lines if line.id in weights]
    here = all(order.delivery_id == delivery_id and order.state in AT_THE_SCALE for order in held)
    if not here or any(line.sale_unit is not SaleUnit.WEIGHT or line.kept_back for line in lines):
        return Refusal.NOT_IN_THIS_STATE
    if any(line.order.state is OrderState.DELIVERED and weights[line.id] is None for line in lines):
        return Refusal.TO_WEIGH
    before = queries.these(session, [order.id for order in held])
    weighed = [
        line.order
        for line in lines
        if audit.change(session, line, {"given": weights[line.id]}, at=now, by=by)
    ]
    changed = list(dict.fromkeys(weighed))
    work_out_discounts(session, changed)
    for order in changed:
        order.changed_at = now
        if not _to_weigh(order):
            order.events.append(OrderEvent(at=now, what=Happening.WEIGHED, by_id=by))
        elif order.state is OrderState.PREPARED:
            bring(session, order, OrderState.ACCEPTED, at=now, by=by)
        if order.state is OrderState.DELIVERED:
            post_change(session, order, before[order.id], at=now, by=by)
    return None


@dataclass(frozen=True, slots=True)
class Shortage:
    """What orders get of an article that is short (line → units or grams), and what fills the gap, if anything."""

    article_id: int
    shares: Mapping[int, int]
    instead_id: int | None
    reason: str


def settle_shortage(session: Session, delivery_id: int, short: Shortage, *, by: int) -> Outcome:
    """Give what there is, tell each whose order changes once; who would get nothing at all is refused."""
    held, now = _hold_lines(session, short.shares)
    lines = [line for order in held for line in order.lines if line.id in short.shares]
    astray = any(order.delivery_id != delivery_id or order.state not in SHORT_OF for order in held)
    if astray or any(line.article_id != short.article_id or line.kept_back for line in lines):
        return Outcome(refusal=Refusal.NOT_IN_THIS_STATE)
    filler = _filler(session, delivery_id, short, held, now)
    gaps = {line.id: fills(line, short.shares[line.id], filler) for line in lines}
    if filler and not _is_there(filler, gaps, held):
        return Outcome(refusal=Refusal.NOTHING_LEFT)
    locks.checked()
    before = queries.these(session, [order.id for order in held])
    shared = [
        line.order for line in lines if _share(session, line, short, filler, gaps[line.id], at=now, by=by)
    ]
    changed = list(dict.fromkeys(shared))
    work_out_discounts(session, changed)
    for order in changed:
        _tell_shortage(session, order, before[order.id], short.reason, at=now, by=by)
    return Outcome(changed=len(changed))


def _tell_shortage(
    session: Session, order: Order, before: OrderView, reason: str, *, at: datetime, by: int
) -> None:
    order.changed_at = at
    order.events.append(OrderEvent(at=at, what=Happening.SHORT, by_id=by, reason=reason))
    if not any(line.paid for line in order.lines):
        bring(session, order, OrderState.REFUSED, at=at, by=by, reason=reason)
        return
    if order.state is OrderState.PREPARED:  # the bag is packed again
        bring(session, order, OrderState.ACCEPTED, at=at, by=by)
    post_change(session, order, before, at=at, by=by, reason=reason)


def _share(
    session: Session,
    line: OrderLine,
    short: Shortage,
    filler: Offer | None,
    gap: int,
    *,
    at: datetime,
    by: int,
) -> bool:
    """Give a line its share and fill the gap; whether anything is other than it was."""
    share = short.shares[line.id]
    changed = share != line.paid
    if changed:
        audit.change(session, line, {"given": given(line, share)}, at=at, by=by)
    return _fill(session, line, filler, gap, at=at, by=by) or changed


def _fill(
    session: Session, line: OrderLine, filler: Offer | None, gap: int, *, at: datetime, by: int
) -> bool:
    """Let what replaces a line be just that; whether it was otherwise."""
    order = line.order
    existing = [other for other in order.lines if other.instead_of_id == line.id]
    wanted = {f"article {filler.article.id}": gap} if filler and gap else {}
    before = {f"article {other.article_id}": other.quantity for other in existing}
    if before == wanted:
        return False
    audit.record(
        session, "order_line.replace", ("order_line", line.id), at=at, by=by, before=before, after=wanted
    )
    for other in existing:
        stock.give_back(session, order.delivery_id, {other.article_id: other.reserved})
        order.lines.remove(other)
    if filler and gap:
        stock.reserve(session, order.delivery_id, {filler.article.id: gap})
        article = filler.article
        order.lines.append(
            OrderLine(
                article_id=article.id,
                instead_of_id=line.id,
                name=article.name,
                sale_unit=article.sale_unit,
                quantity=gap,
                unit_price=article.price,
                vat_basis_points=article.vat_basis_points,
                perishable=article.perishable,
            )
        )
    return True


def given(line: OrderLine | OrderLineView, share: int) -> int | None:
    """What is written down of a share; who gets what was ordered has it weighed, where it is."""
    return None if share == line.quantity else share


def fills(line: OrderLine | OrderLineView, share: int, filler: Offer | None) -> int:
    """How much of another article stands in for what a line lacks: as many units or grams, in whole steps."""
    if filler is None:
        return 0
    step = least(filler.goods)
    return max(line.quantity - share, 0) // step * step


def can_fill(offer: Offer, *, article_id: int, sale_unit: SaleUnit, unit_price: Money) -> bool:
    """Whether an article can replace another: counted alike, and nobody pays more."""
    article = offer.article
    return (
        article.id != article_id
        and not article.retired
        and (article.sale_unit is SaleUnit.WEIGHT) == (sale_unit is SaleUnit.WEIGHT)
        and article.price is not None
        and article.price <= unit_price
    )


def _filler(
    session: Session, delivery_id: int, short: Shortage, held: list[Order], now: datetime
) -> Offer | None:
    """None where nothing replaces what is short. Locks all that may be taken or come back at once."""
    concerned = {line.article_id for order in held for line in order.lines}
    if short.instead_id is not None:
        concerned.add(short.instead_id)
    found = offers(session, concerned, local_day(now), delivery_id=delivery_id, held=True)
    return found.get(short.instead_id) if short.instead_id is not None else None


def _is_there(filler: Offer, gaps: Mapping[int, int], held: list[Order]) -> bool:
    """Counting what already replaces these very lines."""
    taken = (
        line.reserved
        for order in held
        for line in order.lines
        if line.instead_of_id in gaps and line.article_id == filler.article.id
    )
    return filler.left is None or sum(gaps.values()) <= filler.left + sum(taken)


def settle_withdrawal(
    session: Session, order_id: int, withdrawal_id: int, *, at: datetime, by: int
) -> Withdrawal | None:
    """Note that what somebody has sent back is dealt with."""
    own = select(Withdrawal).where(Withdrawal.id == withdrawal_id, Withdrawal.order_id == order_id)
    row = session.scalar(locks.for_update(own, of=Withdrawal))
    if row is not None and row.settled_at is None:
        row.settled_at = at
        audit.record(session, "withdrawal.settle", ("withdrawal", row.id), at=at, by=by)
    return row


def _hold_on(
    session: Session, delivery_id: int, states: Collection[OrderState]
) -> tuple[list[Order], datetime]:
    """A delivery's orders in these states, held, and the moment."""
    wanted = select(Order.id).where(Order.delivery_id == delivery_id, Order.state.in_(sorted(states)))
    held = hold(session, session.scalars(wanted).all())
    return [o for o in held if o.delivery_id == delivery_id and o.state in states], clock.now()


def _hold_lines(session: Session, line_ids: Collection[int]) -> tuple[list[Order], datetime]:
    """The orders of lines, held, and the moment."""
    wanted = select(OrderLine.order_id).where(OrderLine.id.in_(line_ids))
    return hold(session, set(session.scalars(wanted))), clock.now()
