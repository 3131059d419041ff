"""A guest's orders become an account's: once staff are sure whose they are, or a mailed code is."""

from dataclasses import dataclass

from blinker import Signal
from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from portal.accounts.models import Account, customer_number
from portal.accounts.queries import find_account, normalise_email
from portal.infra import audit, clock, locks
from portal.shop.models import Order
from portal.shop.orders import hold
from portal.shop.views import OrderView

claimed = Signal()
"""Sent with the account that guests' orders have become, the `order_ids` and `session`."""


@dataclass(frozen=True, slots=True)
class Claim:
    """The account that has a guest's mail address, if one does, and how many orders would be its own."""

    account_id: int | None
    name: str
    orders: int

    @property
    def number(self) -> str:
        return customer_number(self.account_id or 0)


def claim_of(session: Session, order: OrderView) -> Claim | None:
    """None for an order that is an account's already, or nobody's any more."""
    if order.account_id is not None or not order.email:
        return None
    account = find_account(session, normalise_email(order.email))
    orders = session.scalar(select(func.count(Order.id)).where(*_of_guest(order.email))) or 0
    return Claim(account.id if account else None, account.full_name if account else order.name, orders)


def unclaimed(session: Session, account: Account) -> int:
    """How many orders were placed with the account's mail address and without it."""
    return session.scalar(select(func.count(Order.id)).where(*_of_guest(account.email))) or 0


def claim(session: Session, email: str, account_id: int, *, by: int) -> int:
    """Give every guest's order of a mail address to the account that has it; how many there were."""
    held = locks.for_update(select(Account).where(Account.id == account_id), of=Account)
    account = session.scalars(held).one()
    if account.email != normalise_email(email):
        return 0
    ids = session.scalars(select(Order.id).where(*_of_guest(email))).all()
    orders = [order for order in hold(session, ids) if order.account_id is None]
    locks.checked()
    for order in orders:
        order.account_id = account_id
        audit.record(
            session,
            "order.claim",
            ("shop_order", order.id),
            at=clock.now(),
            by=by,
            before={"account": None},
            after={"account": account_id},
        )
    claimed.send(account_id, session=session, order_ids=[order.id for order in orders])
    return len(orders)


def _of_guest(email: str) -> tuple[ColumnElement[bool], ...]:
    return (
        Order.account_id.is_(None),
        Order.erased_at.is_(None),
        Order.email == normalise_email(email),
    )
