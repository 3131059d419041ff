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
from portal.shop.models import Happening, Order, OrderEvent, OrderLine, Withdrawal
from portal.shop.orders import bring, hold, post_change

AT_WORK = frozenset({OrderState.ACCEPTED, OrderState.PREPARED})
"""Those that are weighed and packed."""
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
    """Accept or refuse an order; None where there is none."""
    held = hold(session, [order_id])
    if not held:
        return None
    [order], now = held, clock.now()
    if order.state is to or (to is OrderState.ACCEPTED and order.state in AT_WORK):
        return Outcome()
    shortage = any(event.what is Happening.SHORT for event in order.events)
    refusal = refusal_to_judge(order.state, to, order.delivery.cutoff_at, now, shortage=shortage)
    if refusal:
        return Outcome(refusal=refusal)
    locks.checked()
    bring(session, order, to, at=now, by=by, reason=reason)
    return Outcome(changed=1)


def accept_all(session: Session, delivery_id: int, *, by: int) -> Outcome:
    """Accept whatever nobody has judged yet on a delivery."""
    held, now = _hold_on(session, delivery_id, {OrderState.PLACED})
    locks.checked()
    for order in held:
        bring(session, order, OrderState.ACCEPTED, at=now, by=by)
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
    refusal = refusal_to_prepare(order.state, to, to_weigh=_to_weigh(order))
    if refusal is None:
        locks.checked()
        _prepare(session, order, to, at=now, by=by)
    return Outcome(changed=refusal is None, refusal=refusal)


def prepare_all(session: Session, delivery_id: int, *, point_id: int | None = None, by: int) -> Outcome:
    """Mark all orders of a delivery, or of one of its points, as prepared, but for those that are not weighed."""
    held, now = _hold_on(session, delivery_id, {OrderState.ACCEPTED})
    here = [order for order in held if point_id is None or order.pickup_point_id == point_id]
    ready = [order for order in here if not _to_weigh(order)]
    locks.checked()
    for order in ready:
        _prepare(session, order, OrderState.PREPARED, at=now, by=by)
    return Outcome(changed=len(ready), left=len(here) - len(ready))


def _prepare(session: Session, order: Order, to: OrderState, *, at: datetime, by: int) -> None:
    """Whoever was told once that it is ready is not told again after a slip."""
    told = any(event.what is Happening.PREPARED for event in order.events)
    bring(session, order, to, at=at, by=by, tell=not told)


def _to_weigh(order: Order) -> bool:
    return any(
        line.sale_unit is SaleUnit.WEIGHT and line.given is None and line.quantity for line in order.lines
    )


def weigh(
    session: Session, delivery_id: int, weights: Mapping[int, int | None], *, by: int
) -> Refusal | None:
    """Write down what lines of a delivery weigh (line → grams, None to weigh it again), all of them or none.

    What is paid follows from it.
    """
    held, now = _hold_lines(session, weights)
    lines = [line for order in held for line in order.lines if line.id in weights]
    fit = (line.sale_unit is SaleUnit.WEIGHT for line in lines)
    if any(order.delivery_id != delivery_id or order.state not in AT_WORK for order in held) or not all(fit):
        return Refusal.NOT_IN_THIS_STATE
    for order in held:
        own = [line for line in order.lines if line.id in weights]
        changed = [audit.change(session, line, {"given": weights[line.id]}, at=now, by=by) for line in own]
        if any(changed):
            order.changed_at = now
            if not _to_weigh(order):
                order.events.append(OrderEvent(at=now, what=Happening.WEIGHED, by_id=by))
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
    if astray or any(line.article_id != short.article_id for line in lines):
        return Outcome(refusal=Refusal.NOT_IN_THIS_STATE)
    filler = _filler(session, delivery_id, short, now)
    gaps = {line.id: fills(line, short.shares[line.id], filler) for line in lines}
    if filler and not _is_there(session, filler, gaps):
        return Outcome(refusal=Refusal.NOTHING_LEFT)
    locks.checked()
    changed = 0
    for order in held:
        before = queries.find(session, order.id)
        assert before is not None
        own = [line for line in order.lines if line.id in short.shares]
        moved = [_share(session, line, short, filler, gaps[line.id], at=now, by=by) for line in own]
        if not any(moved):
            continue
        changed += 1
        order.changed_at = now
        order.events.append(OrderEvent(at=now, what=Happening.SHORT, by_id=by, reason=short.reason))
        if not any(line.quantity if line.given is None else line.given for line in order.lines):
            bring(session, order, OrderState.REFUSED, at=now, by=by, reason=short.reason)
            continue
        if order.state is OrderState.PREPARED:  # the bag is packed again
            bring(session, order, OrderState.ACCEPTED, at=now, by=by, tell=False)
        post_change(session, order, before, at=now, by=by, reason=short.reason)
    return Outcome(changed=changed)


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
    now_given = line.quantity if line.given is None else line.given
    changed = share != now_given
    if changed:
        given = None if share >= line.quantity else share
        audit.change(session, line, {"given": given}, at=at, by=by)
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
        stock.give_back(session, order.delivery_id, {other.article_id: other.quantity})
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


def fills(line: OrderLine | queries.OrderLineView, share: int, filler: Offer | None) -> int:
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


def _filler(session: Session, delivery_id: int, short: Shortage, now: datetime) -> Offer | None:
    """Locked; None where nothing replaces what is short."""
    if short.instead_id is None:
        return None
    found = offers(session, [short.instead_id], local_day(now), delivery_id=delivery_id, held=True)
    return found.get(short.instead_id)


def _is_there(session: Session, filler: Offer, gaps: Mapping[int, int]) -> bool:
    """Counting what already replaces these very lines."""
    taken = select(OrderLine.quantity).where(
        OrderLine.instead_of_id.in_(gaps), OrderLine.article_id == filler.article.id
    )
    return filler.left is None or sum(gaps.values()) <= filler.left + sum(session.scalars(taken))


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
