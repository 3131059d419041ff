"""Closing one's account, for good or for a while; coming back as long as one is not forgotten."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

from flask import Flask
from sqlalchemy import ColumnElement, Select, delete, exists, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from portal.accounts import household, services, team
from portal.accounts.answers import closed_door
from portal.accounts.models import Account, LinkPurpose, MailedLink
from portal.accounts.people import decided
from portal.accounts.queries import find_link
from portal.billing import holding
from portal.boxes.models import BoxChange
from portal.deliveries.models import Delivery
from portal.infra import audit, locks, mail, outbox
from portal.pickup.models import PickupPoint
from portal.planning import waiting
from portal.privacy.models import Departure
from portal.profile.queries import get_farm
from portal.rules.cutoffs import local_day
from portal.rules.orders import OrderState
from portal.shop.models import Order
from portal.subscriptions.models import Subscription, Term

MAY_RETURN = timedelta(days=30)
ASLEEP_LINK_LIVES = timedelta(hours=48)
UNDER_WAY = (OrderState.PLACED, OrderState.ACCEPTED, OrderState.PREPARED)


class Hindrance(StrEnum):
    """Why an account cannot be closed yet; its words, and the way out, are in the templates."""

    LAST_ADMIN = "last_admin"
    SUBSCRIPTION = "subscription"
    ORDER = "order"
    DEBT = "debt"
    UNBILLED = "unbilled"
    """What they owe is not known yet."""


def _running(today: date) -> Select[Any]:
    goes_on = or_(Subscription.last_day.is_(None), _still_served(today))
    return select(Subscription.account_id).where(goes_on)


def _still_served(today: date) -> ColumnElement[bool]:
    """Whether a delivery is ahead, up to the end, on a tour that its boxes take."""
    usual = (
        select(Term.pickup_point_id).where(Term.subscription_id == Subscription.id).correlate(Subscription)
    )
    once = select(BoxChange.pickup_point_id).where(BoxChange.subscription_id == Subscription.id)
    ahead = exists().where(
        Delivery.day.between(today, Subscription.last_day),
        Delivery.cancelled_at.is_(None),
        Delivery.tour_id == PickupPoint.tour_id,
        or_(PickupPoint.id.in_(usual), PickupPoint.id.in_(once.correlate(Subscription))),
    )
    return ahead.correlate(Subscription)


def _ordering(_today: date) -> Select[Any]:
    return select(Order.account_id).where(Order.account_id.is_not(None), Order.state.in_(UNDER_WAY))


HOLDS: Mapping[Hindrance, Callable[[date], Select[Any]]] = {
    Hindrance.SUBSCRIPTION: _running,
    Hindrance.ORDER: _ordering,
    Hindrance.DEBT: holding.owing,
    Hindrance.UNBILLED: holding.awaiting,
}
"""Whose accounts something holds open, on a day."""


def one_of(accounts: Select[Any], account_id: int | InstrumentedAttribute[int]) -> ColumnElement[bool]:
    """Asked of one account, not looked up among everybody's."""
    [whose] = accounts.selected_columns
    return accounts.where(whose == account_id).correlate(Account).exists()


def hindrances(session: Session, account: Account, at: datetime) -> list[Hindrance]:
    statement = select(*(one_of(holds(local_day(at)), account.id) for holds in HOLDS.values()))
    found = [
        hindrance for hindrance, holds in zip(HOLDS, session.execute(statement).one(), strict=True) if holds
    ]
    return [Hindrance.LAST_ADMIN, *found] if team.seems_last_admin(session, account) else found


@dataclass(frozen=True, slots=True)
class Closed:
    """Until when one may come back; None for as long as one likes."""

    erase_at: datetime | None


def close(
    session: Session, account: Account, *, for_good: bool, reason: str | None = None, at: datetime
) -> Closed | list[Hindrance]:
    """Shut the account at once, on every device, and mail the way back; or what holds it open.

    The account is locked, as by whoever orders or subscribes: what comes first is seen by the other.
    """
    if account.is_staff:
        team.is_last_admin(session, account)  # holds the role, which comes before accounts
    held = select(Account).where(Account.id == account.id)
    account = session.scalars(locks.for_update(held, of=Account)).one()
    if found := hindrances(session, account, at):
        return found
    locks.checked()
    erase_at = at + MAY_RETURN if for_good else None
    session.merge(Departure(account_id=account.id, asked_at=at, erase_at=erase_at, reason=reason or None))
    waiting.leave_all(session, account.id, at=at, by=account.id)
    household.dissolve(session, account, at=at)
    services.deactivate(session, account, at=at, by=account.id)
    after = {"erase_at": erase_at and erase_at.isoformat()}
    audit.record(session, "account_closed", ("account", account.id), at=at, by=account.id, after=after)
    token = services.new_link(
        session, account, LinkPurpose.COME_BACK, at=at, lives=MAY_RETURN if for_good else ASLEEP_LINK_LIVES
    )
    written = mail.render(
        "account_left",
        first_name=account.first_name,
        last_day=erase_at and local_day(erase_at),
        token=token,
        farm=get_farm(session),
    )
    outbox.post(session, to=account.email, at=at, secret=True, **written.parts)
    return Closed(erase_at)


def departure(session: Session, account_id: int) -> Departure | None:
    """That its owner has closed it, if so."""
    left = select(Departure).join(Account, Account.id == Departure.account_id)
    return session.scalar(left.where(Departure.account_id == account_id, ~Account.active))


def way_back(session: Session, account: Account, *, at: datetime) -> str | None:
    """The token of a link that opens the account again; None where its owner has not closed it."""
    left = departure(session, account.id)
    if left is None or (left.erase_at is not None and left.erase_at <= at):
        return None
    lives = left.erase_at - at if left.erase_at else ASLEEP_LINK_LIVES
    return services.new_link(session, account, LinkPurpose.COME_BACK, at=at, lives=lives, beside=True)


def come_back(session: Session, token: str, *, at: datetime) -> Account | None:
    """Open what its owner has closed: they sign in as before. The link's row is the right to it."""
    link = find_link(session, token, at)
    if link is None or link.purpose is not LinkPurpose.COME_BACK:
        return None
    held = select(Account).where(Account.id == link.account_id)
    account = session.scalars(locks.for_update(held, of=Account)).one()
    taken = delete(MailedLink).where(MailedLink.id == link.id).returning(MailedLink.id)
    left = departure(session, account.id)
    if session.scalar(taken) is None or left is None:
        return None
    session.delete(left)
    services.void_links(session, account, {LinkPurpose.COME_BACK})
    account.active = True
    account.seen_at = at
    services.prove_mailbox(account, at=at)
    audit.record(session, "account_reactivated", ("account", account.id), at=at, by=account.id)
    return account


def init_app(_app: Flask) -> None:
    closed_door.connect(_open_door, weak=False)
    decided.connect(_forget_departure, weak=False)


def _open_door(account: Account, *, session: Session, at: datetime) -> str | None:
    return way_back(session, account, at=at)


def _forget_departure(account: Account, *, session: Session) -> bool:
    left = delete(Departure).where(Departure.account_id == account.id)
    return session.scalar(left.returning(Departure.account_id)) is not None
