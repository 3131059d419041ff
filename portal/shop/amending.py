"""What whoever has ordered does to an order: cancel it, order more or less of what it holds."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from sqlalchemy.orm import Session

from portal.catalogue.articles import Offer, offers
from portal.infra import audit, clock, locks
from portal.rules.cutoffs import is_past, local_day
from portal.rules.money import Money
from portal.rules.orders import OrderState, Refusal, refusal_to_amend
from portal.rules.selling import Missing, QuantityRefusal, refusal_of_quantity
from portal.shop import queries, stock
from portal.shop.models import Happening, Order, OrderEvent
from portal.shop.orders import bring, hold_own, post_change
from portal.shop.settings import get_rules
from portal.shop.travel import journey
from portal.shop.views import OrderLineView, OrderView
from portal.shop.vouchers import off_order


class Objection(StrEnum):
    """What else stands in the way of a change; its words are in the templates."""

    BELOW_MINIMUM = "below_minimum"
    BY_FARM = "by_farm"
    """The farm has weighed it, or has given what there was."""
    OTHER_TOTAL = "other_total"
    """The page has shown another sum than there is to pay."""
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a line cannot be so; `left` is what could still be had, where it is counted."""

    why: Missing | QuantityRefusal | Objection
    left: int | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of an act: the order as it now stands, or as it would, and why nothing was done."""

    order: OrderView
    refusal: Refusal | Objection | None = None
    faults: Mapping[int, Fault] = field(default_factory=dict)
    done: bool = False

    @property
    def refused(self) -> bool:
        return self.refusal is not None or bool(self.faults)


def cancel(
    session: Session, order_id: int, account_id: int | None, *, by: int | None = None
) -> Outcome | None:
    """Cancel an order for whoever has placed it; None where it is somebody else's."""
    order = hold_own(session, order_id, account_id)
    if order is None:
        return None
    now = clock.now()
    view = _view(session, order)
    if order.state is OrderState.CANCELLED:
        return Outcome(view)
    if refusal := view.refusal_to_cancel(now):
        return Outcome(view, refusal)
    locks.checked()
    bring(session, order, OrderState.CANCELLED, at=now, by=by or account_id)
    session.flush()
    return Outcome(_view(session, order), done=True)


def preview(session: Session, order: OrderView, wanted: Mapping[int, int], now: datetime) -> Outcome:
    """An order as it would be with these quantities (line → units or grams), and what stands in the way."""
    return _weigh(session, order, wanted, now, held=False)


def amend(
    session: Session,
    order_id: int,
    account_id: int | None,
    wanted: Mapping[int, int],
    shown: Money | None,
    *,
    by: int | None = None,
) -> Outcome | None:
    """Change quantities, 0 for what shall go; None where the order is somebody else's.

    `shown` is the total that stood above the button: whoever orders with an obligation to pay knows how much.
    """
    order = hold_own(session, order_id, account_id)
    if order is None:
        return None
    now = clock.now()
    before = _view(session, order)
    outcome = _weigh(session, before, wanted, now, held=True)
    if outcome.refused or outcome.order.lines == before.lines:
        return outcome
    if outcome.order.total != shown:
        return replace(outcome, refusal=Objection.OTHER_TOTAL)
    locks.checked()
    _write(session, order, before, outcome.order, at=now, by=by or account_id)
    post_change(session, order, before, at=now, by=by or account_id)
    return Outcome(_view(session, order), done=True)


def _view(session: Session, order: Order) -> OrderView:
    view = queries.find(session, order.id)
    assert view is not None, "it is held"
    return view


def _weigh(
    session: Session, order: OrderView, wanted: Mapping[int, int], now: datetime, *, held: bool
) -> Outcome:
    changed = [line for line in order.lines if wanted.get(line.id, line.quantity) != line.quantity]
    found = offers(
        session,
        {line.article_id for line in changed},
        local_day(now),
        delivery_id=order.delivery.id,
        held=held,
    )
    after = _amended(session, order, wanted)
    refusal: Refusal | Objection | None = refusal_to_amend(
        order.state,
        order.delivery.cutoff_at,
        now,
        cancelled=order.delivery.cancelled,
        empty=not any(line.paid for line in after.lines),
    )
    if refusal is None and changed and order.account_id is None:
        below = after.subtotal < min(get_rules(session).guest_minimum, order.subtotal)
        refusal = Objection.BELOW_MINIMUM if below else None
    return Outcome(after, refusal, _faults(order, changed, wanted, found, now))


def _faults(
    order: OrderView,
    changed: Iterable[OrderLineView],
    wanted: Mapping[int, int],
    found: Mapping[int, Offer],
    now: datetime,
) -> dict[int, Fault]:
    more = _more(changed, wanted)
    faults = {}
    for line in changed:
        asked, offer = wanted[line.id], found[line.article_id]
        if fault := _fault(order, line, asked, offer, now, more=more[line.article_id]):
            faults[line.id] = fault
    return faults


def _more(changed: Iterable[OrderLineView], wanted: Mapping[int, int]) -> Counter[int]:
    """How much more of each article than before: what replaces one may stand beside a line of its own."""
    more: Counter[int] = Counter()
    for line in changed:
        more[line.article_id] += wanted[line.id] - line.quantity
    return more


def _fault(
    order: OrderView, line: OrderLineView, quantity: int, offer: Offer, now: datetime, *, more: int
) -> Fault | None:
    if line.given is not None:
        return Fault(Objection.BY_FARM)
    if is_past(line.closes_at(order.delivery), now):
        return Fault(Missing.CLOSED_EARLIER)
    if quantity and (refusal := refusal_of_quantity(offer.goods, quantity)):
        return Fault(refusal)
    if quantity < line.quantity or more <= 0:
        return None
    missing = offer.missing(journey(order.delivery), now, wanted=more)
    left = None if offer.left is None else line.quantity + offer.left
    return Fault(missing, left) if missing else None


def _amended(session: Session, order: OrderView, wanted: Mapping[int, int]) -> OrderView:
    """With other quantities, at the prices that were agreed, its voucher worked out anew."""
    lines = (replace(line, quantity=wanted.get(line.id, line.quantity)) for line in order.lines)
    after = replace(order, lines=tuple(line for line in lines if line.quantity))
    return replace(after, discount=off_order(session, order.id, after.subtotal))


def _write(
    session: Session, order: Order, before: OrderView, after: OrderView, *, at: datetime, by: int | None
) -> None:
    wanted = {line.id: after.quantity_of(line.id) for line in before.lines}
    for line in list(order.lines):
        if quantity := wanted[line.id]:
            line.quantity = quantity
        else:
            order.lines.remove(line)
    stock.reserve(session, order.delivery_id, _more(before.lines, wanted))
    order.discount, order.changed_at = after.discount, at
    order.events.append(OrderEvent(at=at, what=Happening.CHANGED, by_id=by))
    audit.record(
        session,
        "order.amend",
        ("shop_order", order.id),
        at=at,
        by=by,
        before=_plain(before),
        after=_plain(after),
    )


def _plain(order: OrderView) -> dict[str, object]:
    """As the trail keeps it."""
    return {"total": order.total.cents, "quantities": {str(line.id): line.quantity for line in order.lines}}
