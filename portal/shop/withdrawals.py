"""Withdrawing from a purchase online (Code de la consommation, L221-21 and D221-5)."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy.orm import Session

from portal.infra import audit, clock, locks, mail, outbox
from portal.profile.queries import get_farm
from portal.rules.cutoffs import local_day
from portal.shop import queries
from portal.shop.models import FIRST_ORDER_NUMBER, Happening, OrderEvent, Withdrawal
from portal.shop.orders import hold_own
from portal.shop.queries import OrderView
from portal.shop.tokens import order_link

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
) -> Declared | None:
    """Take a declaration and mail its receipt; None where the order is somebody else's.

    What was declared already is not declared twice.
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
    declaration = Withdrawal(order_id=order.id, made_at=now, name=name, email=email)
    session.add(declaration)
    session.flush()
    ids = {line.id for line in chosen}
    for line in order.lines:
        if line.id in ids:
            line.withdrawal_id = declaration.id
    order.changed_at = now
    order.events.append(OrderEvent(at=now, what=Happening.WITHDRAWN, by_id=account_id))
    after: dict[str, object] = {"lines": sorted(ids)}
    audit.record(session, "order.withdraw", ("shop_order", order.id), at=now, by=account_id, after=after)
    rendered = mail.render(
        "withdrawal_received",
        farm=get_farm(session),
        order=view,
        way=order_link(order.id, account_id),
        lines=chosen,
        name=name,
        email=email,
        now=now,
        day=local_day(now),
    )
    outbox.post(session, to=email, **rendered.parts, at=now)
    session.flush()
    return Declared(queries.find(session, order.id) or view)


def send_link(session: Session, number: str, email: str) -> None:
    """Mail whoever has placed an order the way to it; nothing where the address is not theirs."""
    written = _NUMBER.fullmatch(number)
    view = queries.find(session, int(written[1]) - FIRST_ORDER_NUMBER) if written else None
    if view is None or view.email.casefold() != email.casefold():
        return
    way = order_link(view.id, view.account_id)
    rendered = mail.render("withdrawal_link", farm=get_farm(session), order=view, way=way)
    outbox.post(session, to=view.email, **rendered.parts, at=clock.now())
