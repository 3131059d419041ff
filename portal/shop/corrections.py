"""Setting an order right once its delivery has closed, each time with a reason, and taking that back.

The order is held, then its delivery. Stock stays as it is, as it does whenever something falls after the cutoff:
what is left is counted; but what had come back before is taken once more.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from portal.catalogue.articles import offers
from portal.deliveries.queries import view
from portal.infra import audit, clock, locks
from portal.rules.corrections import Refusal, refusal_to_work
from portal.rules.cutoffs import is_past, local_day
from portal.rules.money import Money
from portal.rules.orders import LIVE, OrderState
from portal.shop import queries, stock, vouchers
from portal.shop.models import Happening, Order, OrderCorrection, OrderEvent, VoucherUse
from portal.shop.orders import bring, hold, post, post_change, reserved, work_out_discounts
from portal.shop.preparing import given
from portal.shop.views import OrderView


class Act(StrEnum):
    """What staff do to an order of a closed delivery."""

    CHANGE = "change"
    CANCEL = "cancel"
    RESTORE = "restore"


@dataclass(frozen=True, slots=True)
class Outcome:
    """Whether something was set right, or why not; unchanged, it was so already.

    `voucher_gone`: what came back did without the voucher that it had, used up by others meanwhile.
    """

    changed: bool = False
    refusal: Refusal | None = None
    voucher_gone: bool = False


@dataclass(frozen=True, slots=True)
class Correction:
    """What staff want of an order (`shares`: line → what is given of it), and what they saw of it (`stamp`)."""

    act: Act
    seen: str
    reason: str
    shares: Mapping[int, int]
    tell: bool = False


def stamp(order: Order | OrderView) -> str:
    """Names an order as it stands: a form carries it, and comes too late where the order is another by then."""
    lines = "-".join(f"{line.id}.{line.paid}" for line in order.lines)
    return f"{order.state in LIVE:d}-{lines}"


def correct(session: Session, order_id: int, asked: Correction, *, by: int) -> Outcome | None:
    """Give less of an order or none of it, cancel it, or bring it back; None where there is none."""
    held = hold(session, [order_id])
    if not held:
        return None
    [order], now = held, clock.now()
    if refusal := refusal_to_work(view(order.delivery).for_rules, now):
        return Outcome(refusal=refusal)
    if _is_so(order, asked):
        return Outcome()
    refusal = _refusal(session, order, asked, now)
    if refusal:
        return Outcome(refusal=refusal)
    locks.checked()
    before, seen = _to_json(session, order), queries.find(session, order.id)
    assert seen is not None, "it is held"
    _apply(session, order, asked, at=now, by=by)
    session.flush()
    after = _to_json(session, order)
    session.add(
        OrderCorrection(
            order_id=order.id,
            delivery_id=order.delivery_id,
            at=now,
            by_id=by,
            reason=asked.reason,
            before=before,
            after=after,
        )
    )
    _record(session, "order.correct", order, before, after, at=now, by=by)
    if asked.tell:
        _tell(session, order, seen, at=now, by=by, reason=asked.reason)
    return Outcome(changed=True)


def undo(
    session: Session, delivery_id: int, correction_id: int, *, tell: bool = False, by: int
) -> Outcome | None:
    """Let the order be what it was before, if nothing newer stands on it."""
    own = (OrderCorrection.id == correction_id, OrderCorrection.delivery_id == delivery_id)
    order_id = session.scalar(select(OrderCorrection.order_id).where(*own))
    held = hold(session, [order_id] if order_id else [])
    if not held:
        return None
    [order], now = held, clock.now()
    correction = session.scalars(
        locks.for_update(select(OrderCorrection).where(*own), of=OrderCorrection)
    ).one()
    if correction.undone_at:
        return Outcome()
    if refusal := refusal_to_work(view(order.delivery).for_rules, now):
        return Outcome(refusal=refusal)
    present, seen = _to_json(session, order), queries.find(session, order.id)
    assert seen is not None, "it is held"
    if not _stands(present, correction) or _newer(session, correction):
        return Outcome(refusal=Refusal.NEWER)
    locks.checked()
    _write_back(session, order, correction, at=now, by=by)
    correction.undone_at, correction.undone_by_id = now, by
    session.flush()
    after = _to_json(session, order)
    _record(session, "order.uncorrect", order, present, after, at=now, by=by)
    if tell:
        _tell(session, order, seen, at=now, by=by)
    return Outcome(changed=True, voucher_gone=after["voucher"] != correction.before["voucher"])


def _is_so(order: Order, asked: Correction) -> bool:
    live = order.state in LIVE
    if asked.act is Act.CHANGE:
        return live and all(asked.shares.get(line.id, line.paid) == line.paid for line in order.lines)
    return live is (asked.act is Act.RESTORE)


def _refusal(session: Session, order: Order, asked: Correction, now: datetime) -> Refusal | None:
    live = order.state in LIVE
    if asked.seen != stamp(order) or live is (asked.act is Act.RESTORE):
        return Refusal.CHANGED_SINCE
    most = {line.id: max(line.quantity, line.paid) for line in order.lines}
    if any(share > most.get(line_id, 0) for line_id, share in asked.shares.items()):
        return Refusal.CHANGED_SINCE
    wanted = asked.shares if asked.act is Act.CHANGE else {}
    if asked.act is not Act.CANCEL and not any(wanted.get(line.id, line.paid) for line in order.lines):
        return Refusal.EMPTY
    if asked.act is Act.RESTORE and not _is_there(session, order, now):
        return Refusal.NOTHING_LEFT
    return None


def _came_back(order: Order) -> bool:
    """Whether what was reserved for an ended order can be had by others since: it fell before the cutoff."""
    fallen = [event.at for event in order.events if event.what in {Happening.CANCELLED, Happening.REFUSED}]
    return bool(fallen) and not is_past(order.delivery.cutoff_at, fallen[-1])


def _is_there(session: Session, order: Order, now: datetime) -> bool:
    if not _came_back(order):
        return True
    wanted = reserved(order)
    found = offers(session, wanted, local_day(now), delivery_id=order.delivery_id, held=True)
    return all(offer.left is None or offer.left >= wanted[key] for key, offer in found.items())


def _apply(session: Session, order: Order, asked: Correction, *, at: datetime, by: int) -> None:
    if asked.act is Act.CHANGE:
        for line in order.lines:
            if asked.shares.get(line.id, line.paid) != line.paid:
                line.given = given(line, asked.shares[line.id])
        _changed(session, order, at=at, by=by, reason=asked.reason)
    elif asked.act is Act.CANCEL:
        session.execute(delete(VoucherUse).where(VoucherUse.order_id == order.id))
        _become(order, OrderState.CANCELLED, at=at, by=by, reason=asked.reason)
    else:
        if _came_back(order):
            stock.reserve(session, order.delivery_id, reserved(order))
        order.discount = Money.zero()  # its voucher is free since it fell
        _become(order, OrderState.ACCEPTED, at=at, by=by, reason=asked.reason)


def _changed(session: Session, order: Order, *, at: datetime, by: int, reason: str | None = None) -> None:
    """What follows from other lines; a bag that is ready is packed again."""
    work_out_discounts(session, [order])
    order.changed_at = at
    order.events.append(OrderEvent(at=at, what=Happening.CORRECTED, by_id=by, reason=reason))
    if order.state is OrderState.PREPARED:
        bring(session, order, OrderState.ACCEPTED, at=at, by=by)


def _become(order: Order, state: OrderState, *, at: datetime, by: int, reason: str | None = None) -> None:
    """Steps that `rules.orders` does not know: an order that has left may fall, and one that fell come back."""
    order.state, order.changed_at = state, at
    what = Happening.CORRECTED if state in LIVE else Happening(state)
    order.events.append(OrderEvent(at=at, what=what, by_id=by, reason=reason))


def _write_back(
    session: Session, order: Order, correction: OrderCorrection, *, at: datetime, by: int
) -> None:
    before = correction.before
    state = OrderState(before["state"])
    if (state in LIVE) is not (order.state in LIVE):
        _become(order, state, at=at, by=by)
        if before["voucher"]:
            _take_voucher(session, order, before["voucher"])
        return
    for line in order.lines:
        if str(line.id) in _touched(correction):
            line.given = before["given"][str(line.id)]
    _changed(session, order, at=at, by=by)


def _take_voucher(session: Session, order: Order, voucher_id: int) -> None:
    if vouchers.take_again(session, order, voucher_id):
        work_out_discounts(session, [order])
    else:
        order.discount = Money.zero()


def _to_json(session: Session, order: Order) -> dict[str, Any]:
    used = select(VoucherUse.voucher_id).where(VoucherUse.order_id == order.id)
    return {
        "state": order.state,
        "given": {str(line.id): line.given for line in order.lines},
        "voucher": session.scalar(used),
    }


def _touched(correction: OrderCorrection) -> set[str]:
    before, after = correction.before["given"], correction.after["given"]
    return {line_id for line_id in after if before.get(line_id) != after[line_id]}


def _stands(present: Mapping[str, Any], correction: OrderCorrection) -> bool:
    """Whether what was corrected is still so; accepted, prepared and delivered come by themselves."""
    after = correction.after
    same = (OrderState(after["state"]) in LIVE) is (OrderState(present["state"]) in LIVE)
    return same and all(present["given"].get(key) == after["given"][key] for key in _touched(correction))


def _newer(session: Session, correction: OrderCorrection) -> bool:
    later = select(OrderCorrection.id).where(
        OrderCorrection.order_id == correction.order_id,
        OrderCorrection.id > correction.id,
        OrderCorrection.undone_at.is_(None),
    )
    return session.scalar(select(later.exists())) or False


def _record(
    session: Session,
    action: str,
    order: Order,
    before: dict[str, Any],
    after: dict[str, Any],
    *,
    at: datetime,
    by: int,
) -> None:
    audit.record(session, action, ("shop_order", order.id), at=at, by=by, before=before, after=after)


def _tell(
    session: Session, order: Order, before: OrderView, *, at: datetime, by: int, reason: str | None = None
) -> None:
    if order.state in LIVE:
        post_change(session, order, before, at=at, by=by, reason=reason)
    else:
        post(session, order, "order_cancelled", at=at, by=by)
