"""The calendar feed: a person's coming boxes for the calendar of their phone.

Its address is a secret that can be made anew at will. The token is drawn from the site's key, so that the page
can show the address again while the database holds only a hash.
"""

import base64
import hashlib
import hmac
from collections.abc import Collection
from datetime import datetime, timedelta

from icalendar import Calendar, Event, vDuration
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from portal.accounts.models import Account
from portal.accounts.sessions import hash_token
from portal.deliveries.models import Delivery
from portal.infra import audit, locks
from portal.pickup.models import PointClosing
from portal.planning.models import CalendarFeed
from portal.planning.queries import Card, planning
from portal.rules.cutoffs import PARIS, local_day
from portal.shop.models import Order
from portal.subscriptions.models import Subscription
from portal.web.i18n import gettext as _

BEHIND, AHEAD = timedelta(weeks=4), timedelta(weeks=52)
REFRESH = timedelta(hours=6)
_TOKEN_BYTES = 20
_EPOCH = datetime(2020, 1, 1, tzinfo=PARIS)


def token_of(feed: CalendarFeed, key: str) -> str | None:
    """The token of a feed, or None if the site's key has changed since: then a new one must be made."""
    token = _draw(feed.account_id, feed.version, key)
    return token if hash_token(token) == feed.token_hash else None


def _draw(account_id: int, version: int, key: str) -> str:
    """160 bits that nobody can guess without the key."""
    message = f"calendar {account_id} {version}".encode()
    digest = hmac.new(key.encode(), message, hashlib.sha256).digest()[:_TOKEN_BYTES]
    return base64.b32encode(digest).decode().lower()


def of_account(session: Session, account_id: int) -> CalendarFeed | None:
    return session.get(CalendarFeed, account_id)


def renew(session: Session, account: Account, key: str, *, at: datetime) -> CalendarFeed:
    """Make an address; the one before it, if any, opens nothing any more."""
    session.scalars(locks.for_update(select(Account.id).where(Account.id == account.id), of=Account)).one()
    feed = session.get(CalendarFeed, account.id, populate_existing=True)
    if feed is None:
        feed = CalendarFeed(account_id=account.id, version=0)
        session.add(feed)
    feed.version += 1
    feed.token_hash = hash_token(_draw(account.id, feed.version, key))
    feed.made_at = at
    audit.record(session, "calendar.renew", ("account", account.id), at=at, by=account.id)
    return feed


def remove(session: Session, account: Account, *, at: datetime) -> None:
    """The address opens nothing any more. Its version stays, so that no token ever comes back."""
    feed = session.get(CalendarFeed, account.id)
    if feed is not None and feed.token_hash != _closed(account.id):
        feed.token_hash = _closed(account.id)
        audit.record(session, "calendar.remove", ("account", account.id), at=at, by=account.id)


def _closed(account_id: int) -> str:
    """No hash, so that no token has it."""
    return f"closed {account_id}"


def find(session: Session, token: str) -> int | None:
    """Whose calendar a token opens, while they may sign in."""
    return session.scalar(
        select(CalendarFeed.account_id)
        .join(Account, Account.id == CalendarFeed.account_id)
        .where(CalendarFeed.token_hash == hash_token(token), Account.active)
    )


def write(session: Session, account_id: int, *, farm: str, host: str, link: str, now: datetime) -> bytes:
    """A person's calendar as RFC 5545 has it; the same bytes while nothing changes."""
    today = local_day(now)
    cards = planning(session, account_id, since=today - BEHIND, until=today + AHEAD, now=now).cards
    changed = _changes(session, account_id, [card.delivery.id for card in cards])
    calendar = Calendar()
    calendar.add("prodid", f"-//{farm}//portal//FR")
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    for name in ("name", "x-wr-calname"):
        calendar.add(name, _("Paniers, %(farm)s", farm=farm))
    calendar.add("refresh-interval", vDuration(REFRESH), parameters={"VALUE": "DURATION"})
    calendar.add("x-published-ttl", vDuration(REFRESH))
    for card in cards:
        if card.brings:
            calendar.add_component(_event(card, changed, host, link))
    calendar.add_missing_timezones()
    written: bytes = calendar.to_ical()
    return written


def _event(card: Card, changed: dict[tuple[str, int], datetime], host: str, link: str) -> Event:
    """One card is one event. Its name is that of its first box, wherever that box goes, or of its order.

    SEQUENCE grows with every change to a subscription, to a delivery, to any closed point or to any order, which
    may have gone from here to another one: it counts the seconds until the last.
    """
    first = min(card.to_come, key=lambda box: (box.week, box.subscription_id), default=None)
    name = f"panier-{first.subscription_id}-{first.week:%Y%m%d}" if first else f"commande-{card.orders[0].id}"
    stamps = [changed["subscription", box.subscription_id] for box in card.to_come]
    last = max([*stamps, changed["orders", 0], changed["points", 0], changed["delivery", card.delivery.id]])
    point = card.point
    event = Event()
    event.add("uid", f"{name}@{host}")
    event.add("sequence", int((last - _EPOCH).total_seconds()))
    event.add("dtstamp", last)
    event.add("last-modified", last)
    event.add("dtstart", datetime.combine(card.delivery.day, point.opens, PARIS))
    event.add("dtend", datetime.combine(card.delivery.day, point.closes, PARIS))
    names = [
        f"{box.quantity} × {box.formula.name}" if box.quantity > 1 else box.formula.name
        for box in card.to_come
    ]
    names += [_("commande %(number)s", number=order.number) for order in card.orders]
    event.add("summary", ", ".join(names))
    event.add("location", f"{point.name}, {point.address}, {point.postcode} {point.town}")
    event.add("geo", (point.latitude, point.longitude))
    said = [point.access, link]
    if closing := card.closing:
        said.insert(
            0, _("%(point)s est fermé : %(reason)s.", point=closing.point.name, reason=closing.reason)
        )
    event.add("description", "\n".join(filter(None, said)))
    event.add("url", link)
    event.add("transp", "TRANSPARENT")
    return event


def _changes(
    session: Session, account_id: int, delivery_ids: Collection[int]
) -> dict[tuple[str, int], datetime]:
    """When subscriptions, deliveries, orders and closings last changed; what was before 2020 counts from then."""
    changed: dict[tuple[str, int], datetime] = {}
    subscriptions = select(Subscription.id, Subscription.created_at, Subscription.changed_at)
    for number, made, last in session.execute(subscriptions.where(Subscription.account_id == account_id)):
        changed["subscription", number] = max(last or made, _EPOCH)
    deliveries = select(Delivery.id, Delivery.changed_at)
    for number, last in session.execute(deliveries.where(Delivery.id.in_(delivery_ids))):
        changed["delivery", number] = max(last or _EPOCH, _EPOCH)
    orders = select(func.max(Order.changed_at)).where(Order.account_id == account_id)
    closings = select(func.max(func.coalesce(PointClosing.ended_at, PointClosing.made_at)))
    latest = session.execute(select(orders.scalar_subquery(), closings.scalar_subquery())).one()
    changed["orders", 0], changed["points", 0] = (max(last or _EPOCH, _EPOCH) for last in latest)
    return changed
