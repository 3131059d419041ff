"""Reminders that come with a subscription: what the box holds, that it closes tomorrow, that it waits today.

Each once for a person and a delivery: whoever writes the row writes the mail, in one transaction. What is no use any
more is not sent, however long the worker has slept.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from babel.lists import format_list
from sqlalchemy import ColumnElement, and_, func, select
from sqlalchemy.orm import Session

from portal.accounts.models import Account, Muted
from portal.boxes.carried import carried
from portal.boxes.handovers import Handed, handed_boxes
from portal.boxes.queries import MemberBox
from portal.compositions.models import Composition, CompositionState
from portal.deliveries.queries import DeliveryView, upcoming
from portal.infra import clock, mail, outbox
from portal.infra.orm import insert, own_transaction
from portal.messages.models import Reminder
from portal.messages.next_boxes import NextBoxes, boxes_on
from portal.messages.sending import WAITING_AT_MOST
from portal.messages.unsubscribing import unsubscribe_link
from portal.pickup.models import PickupPoint
from portal.planning.taps import Tap, tap_link
from portal.profile.queries import get_farm
from portal.rules.consents import Notice
from portal.rules.cutoffs import PARIS, local_day
from portal.rules.reminders import is_time
from portal.shop.queries import orders_aboard
from portal.shop.views import OrderView
from portal.subscriptions.models import Subscription
from portal.web.filters import day_month
from portal.web.i18n import gettext as _
from portal.web.i18n import language

MAILS = {
    Notice.COMPOSITION: "reminder_composition",
    Notice.CUTOFF: "reminder_cutoff",
    Notice.PICKUP: "reminder_pickup",
}
AT_ONCE = 50
HORIZON = timedelta(weeks=5)
SETTLES = timedelta(minutes=10)
"""So long a composition stands before people are told: staff often see their slip once it is shown."""
FRESH = timedelta(days=1)
"""And no longer than that: what was published long ago is no news."""


def remind() -> bool:
    """Remind some people of a delivery; True if others may wait."""
    now = clock.now()
    with own_transaction() as session:
        if outbox.count_due(session, now) >= WAITING_AT_MOST:
            return False
        for notice, delivery in _due(session, now):
            if waiting := _waiting(session, notice, delivery, now):
                write(session, notice, delivery, waiting, now)
                return True
    return False


def _due(session: Session, now: datetime) -> Iterator[tuple[Notice, DeliveryView]]:
    shown = set(session.scalars(select(Composition.delivery_id).where(_just_shown(now))))
    today = local_day(now)
    for delivery in upcoming(session, today, today + HORIZON):
        for notice in Notice:
            if delivery.cancelled or (notice is Notice.COMPOSITION and delivery.id not in shown):
                continue
            if is_time(notice, day=delivery.day, cutoff=delivery.cutoff_at, now=now):
                yield notice, delivery


def _just_shown(now: datetime) -> ColumnElement[bool]:
    return and_(
        Composition.state != CompositionState.DRAFT, Composition.shown_at.between(now - FRESH, now - SETTLES)
    )


def _waiting(session: Session, notice: Notice, delivery: DeliveryView, now: datetime) -> list[int]:
    """Some of those who receive it, or share what comes, and are still to be reminded."""
    boxes = carried([delivery.id])
    told = select(Reminder.account_id).where(
        Reminder.account_id == Account.id, Reminder.delivery_id == delivery.id, Reminder.notice == notice
    )
    silent = select(Muted.account_id).where(Muted.account_id == Account.id, Muted.notice == notice)
    found = (
        select(Account.id)
        .distinct()
        .join(Subscription, Subscription.account_id == func.coalesce(Account.payer_id, Account.id))
        .join(boxes, boxes.c.subscription_id == Subscription.id)
        .where(Account.active, Account.erased_at.is_(None), ~told.exists(), ~silent.exists())
    )
    if notice is Notice.COMPOSITION:
        of_box = (Composition.delivery_id == delivery.id, Composition.formula_id == boxes.c.formula_id)
        found = found.join(Composition, and_(*of_box)).where(_just_shown(now))
    if notice is Notice.PICKUP:
        still = PickupPoint.closes > now.astimezone(PARIS).time()
        found = found.join(PickupPoint, PickupPoint.id == boxes.c.pickup_point_id).where(still)
    return list(session.scalars(found.order_by(Account.id).limit(AT_ONCE)))


@dataclass(frozen=True, slots=True)
class Stop:
    """What somebody collects at a point on the day, or what became of it."""

    coming: NextBoxes
    orders: tuple[OrderView, ...]
    handed: Handed | None

    @property
    def origins(self) -> str:
        """« celui de la semaine du 8 juin et celui de la semaine du 15 juin »; nothing where all are of one week."""
        weeks = sorted({box.week for box in self.coming.boxes})
        said = [_("celui de la semaine du %(day)s", day=day_month(week)) for week in weeks]
        return format_list(said, locale=language()) if len(said) > 1 else ""


@dataclass(frozen=True, slots=True)
class Skipping:
    """A link that skips a week's boxes at once."""

    boxes: tuple[MemberBox, ...]
    link: str


def write(
    session: Session, notice: Notice, delivery: DeliveryView, waiting: Collection[int], now: datetime
) -> None:
    """Remind these people; who is noted already has been reminded by another worker meanwhile."""
    rows = [
        {"account_id": account_id, "delivery_id": delivery.id, "notice": notice, "at": now}
        for account_id in waiting
    ]
    noted = insert(session, Reminder).values(rows).on_conflict_do_nothing().returning(Reminder.account_id)
    whose = select(Account).where(Account.id.in_(session.scalars(noted).all())).order_by(Account.id)
    people = [account for account in session.scalars(whose) if outbox.can_send_to(account.email)]
    owners = {person.payer_id or person.id for person in people}
    stops = _stops(session, notice, owners, delivery)
    farm, still_open = get_farm(session), delivery.for_rules.is_open(now)
    for person in people:
        own = stops.get(person.payer_id or person.id)
        if not own:  # skipped at this very moment
            continue
        unsubscribe = unsubscribe_link(person.id, notice)
        rendered = mail.render(
            MAILS[notice],
            farm=farm,
            first_name=person.first_name,
            delivery=delivery,
            stops=own,
            boxes=[box for stop in own for box in stop.coming.boxes],
            skippings=_skippings(person, own) if still_open else (),
            open=still_open,
            unsubscribe=unsubscribe,
        )
        outbox.post(session, to=person.email, at=now, unsubscribe=unsubscribe, **rendered.parts)


def _stops(
    session: Session, notice: Notice, owners: Collection[int], delivery: DeliveryView
) -> Mapping[int, list[Stop]]:
    """By account; of as many people as one likes in as many statements as of one."""
    collected = boxes_on(session, owners, delivery)
    handed: Mapping[tuple[int, date], Handed] = {}
    orders: list[OrderView] = []
    if notice is Notice.PICKUP:
        boxes = [box for stops in collected.values() for stop in stops for box in stop.boxes]
        handed = handed_boxes(session, {box.subscription_id for box in boxes})
        orders = orders_aboard(session, delivery.id, owners)

    def stop(owner: int, coming: NextBoxes) -> Stop:
        here = tuple(o for o in orders if o.account_id == owner and o.point.id == coming.point.id)
        gone = (handed.get((box.subscription_id, box.week)) for box in coming.boxes)
        return Stop(coming, here, next(filter(None, gone), None))

    return {owner: [stop(owner, coming) for coming in stops] for owner, stops in collected.items()}


def _skippings(person: Account, stops: Iterable[Stop]) -> list[Skipping]:
    boxes = [box for stop in stops for box in stop.coming.boxes]
    return [
        Skipping(
            tuple(box for box in boxes if box.week == week),
            tap_link(person, Tap.of(boxes, week, skip=True)),
        )
        for week in sorted({box.week for box in boxes})
    ]
