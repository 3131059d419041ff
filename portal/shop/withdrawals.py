"""Withdrawing from a purchase online (Code de la consommation, L221-21 and D221-5)."""

import re
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from flask import Flask
from sqlalchemy.orm import Session

from portal.accounts import answers
from portal.infra import audit, clock, locks, mail, outbox
from portal.profile.queries import get_farm
from portal.rules.cutoffs import is_past, local_day
from portal.rules.orders import OrderState
from portal.shop import queries, stock
from portal.shop.models import FIRST_ORDER_NUMBER, Happening, Order, OrderEvent, OrderLine, Withdrawal
from portal.shop.orders import bring, hold_own, work_out_discounts
from portal.shop.tokens import order_link
from portal.shop.views import OrderLineView, OrderView

_NUMBER = re.compile(r"[Bb]?([0-9]{5,9})", re.ASCII)


class WithdrawalRefusal(StrEnum):
    """Why nobody withdraws from that; its words are in the templates."""

    NOTHING_CHOSEN = "nothing_chosen"
    NOT_RETURNABLE = "not_returnable"


@dataclass(frozen=True, slots=True)
class Declared:
    """What came of a declaration: the order as it now stands, or why it was not taken."""

    order: OrderView
    refusal: WithdrawalRefusal | None = None


def declare(
    session: Session,
    order_id: int,
    account_id: int | None,
    line_ids: Collection[int],
    *,
    name: str,
    email: str,
    by: int | None = None,
) -> Declared | None:
    """Take a declaration and mail its receipt; None where the order is somebody else's.

    What was declared already is not declared twice. From the day of the delivery on staff settle it: then nobody
    knows who has collected what.
    """
    order = hold_own(session, order_id, account_id)
    if order is None:
        return None
    now = clock.now()
    view = queries.find(session, order.id)
    assert view is not None
    chosen = [line for line in view.lines if line.id in line_ids and line.withdrawal_id is None]
    if not chosen:
        known = {line.id for line in view.lines}
        declared = line_ids and known.issuperset(line_ids)
        return Declared(view, None if declared else WithdrawalRefusal.NOTHING_CHOSEN)
    if not set(chosen) <= set(view.returnable(local_day(now))):
        return Declared(view, WithdrawalRefusal.NOT_RETURNABLE)
    locks.checked()
    out = view.state is OrderState.DELIVERED or view.delivery.day <= local_day(now)
    made = Withdrawal(order_id=order.id, made_at=now, name=name, email=email, settled_at=None if out else now)
    lines = [line for line in order.lines if line.id in line_ids and line.withdrawal_id is None]
    _note(session, order, made, lines, by=by or account_id)
    if not out:
        _keep_back(session, order, lines, at=now)
    session.flush()
    stands = queries.find(session, order.id) or view
    _tell(session, stands, made, chosen)
    return Declared(stands)


def _note(
    session: Session, order: Order, made: Withdrawal, lines: list[OrderLine], *, by: int | None
) -> None:
    session.add(made)
    session.flush()
    for line in lines:
        line.withdrawal_id = made.id
    order.changed_at = made.made_at
    order.events.append(OrderEvent(at=made.made_at, what=Happening.WITHDRAWN, by_id=by))
    after: dict[str, object] = {"lines": [line.id for line in lines]}
    audit.record(session, "order.withdraw", ("shop_order", order.id), at=made.made_at, by=by, after=after)


def _keep_back(session: Session, order: Order, lines: list[OrderLine], *, at: datetime) -> None:
    """They are neither packed nor paid, and before the cutoff others can have them; nothing left is cancelled."""
    if not is_past(order.delivery.cutoff_at, at):
        back: Counter[int] = Counter()
        for line in lines:
            back[line.article_id] += line.reserved
        stock.give_back(session, order.delivery_id, back)
    for line in lines:
        line.given = 0
    work_out_discounts(session, [order])
    if order.state is OrderState.PREPARED:  # the bag is packed again
        bring(session, order, OrderState.ACCEPTED, at=at, by=None)
    if not any(line.paid for line in order.lines):
        bring(session, order, OrderState.CANCELLED, at=at, by=None, tell=False)


def _tell(session: Session, order: OrderView, made: Withdrawal, lines: list[OrderLineView]) -> None:
    """A receipt to the address that was given and to the order's own, and a word to the farm."""
    farm, at = get_farm(session), made.made_at
    context = {"farm": farm, "order": order, "made": made, "lines": lines, "day": local_day(at)}
    receipt = mail.render("withdrawal_received", **context, way=order_link(order.id, order.account_id))
    for to in {email.casefold(): email for email in (order.email, made.email)}.values():
        outbox.post(session, to=to, **receipt.parts, at=at)
    if outbox.can_send_to(farm.email):
        word = mail.render("withdrawal_to_farm", **context, way=mail.link("farm.order", order_id=order.id))
        outbox.post(session, to=farm.email, **word.parts, at=at)


def init_app(_app: Flask) -> None:
    answers.withdrawal.connect(send_link)


def send_link(number: str, *, session: Session, email: str) -> None:
    """Mail whoever has placed an order the way to it; nothing where the address is not theirs."""
    written = _NUMBER.fullmatch(number)
    view = queries.find(session, int(written[1]) - FIRST_ORDER_NUMBER) if written else None
    if view is None or view.email.casefold() != email.casefold():
        return
    way = order_link(view.id, view.account_id)
    rendered = mail.render("withdrawal_link", farm=get_farm(session), order=view, way=way)
    outbox.post(session, to=view.email, **rendered.parts, at=clock.now())
