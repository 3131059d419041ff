"""The boxes of many people, and what they hold: as each one's own pages say, in as many statements as for one."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from babel.lists import format_list
from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.boxes.queries import MemberBox, member_boxes, with_changes
from portal.compositions.queries import ShownContents, shown_contents
from portal.deliveries.queries import DeliveryView, upcoming
from portal.pickup.queries import ClosingView, PointView
from portal.rules.calendar import monday_of
from portal.rules.cutoffs import local_day
from portal.subscriptions.models import Subscription
from portal.subscriptions.queries import Holding, of_anybody
from portal.web.i18n import language

HORIZON = timedelta(weeks=6)


@dataclass(frozen=True, slots=True)
class NextBoxes:
    """What somebody collects next, at one point; of what is not published yet there are no contents."""

    delivery: DeliveryView
    point: PointView
    boxes: tuple[MemberBox, ...]
    contents: Mapping[tuple[int, int], ShownContents]

    @property
    def formulas(self) -> str:
        """« Grand panier et Œufs »"""
        return format_list(list(dict.fromkeys(box.formula.name for box in self.boxes)), locale=language())

    @property
    def closing(self) -> ClosingView | None:
        """What is closed, so that this is collected here."""
        return next((box.closing for box in self.boxes if box.closing), None)


def next_boxes(session: Session, account_ids: Collection[int], now: datetime) -> dict[int, NextBoxes]:
    """By account; nobody who receives nothing in the next weeks."""
    today = local_day(now)
    owner, holdings = _holdings(session, account_ids, today)
    tours = {tour_id for holding in holdings for tour_id in holding.plan.tour_ids}
    deliveries = upcoming(session, today, today + HORIZON, tours)
    first: dict[int, list[MemberBox]] = {}
    for box in member_boxes(session, holdings, deliveries):
        if not box.skipped:
            together = first.setdefault(owner[box.subscription_id], [box])
            if box is not together[0] and _together(box, together[0]):
                together.append(box)
    contents = _contents(session, [box for boxes in first.values() for box in boxes])
    return {
        account_id: NextBoxes(boxes[0].delivery, boxes[0].point, tuple(boxes), contents[boxes[0].delivery.id])
        for account_id, boxes in first.items()
    }


def next_week(session: Session, today: date) -> date:
    """The week, by its Monday, of the boxes that come next: what the week's letter is about."""
    coming = upcoming(session, today, today + HORIZON)
    return next((delivery.week for delivery in coming if not delivery.cancelled), monday_of(today))


def boxes_on(
    session: Session, account_ids: Collection[int], delivery: DeliveryView
) -> dict[int, list[NextBoxes]]:
    """What comes with one delivery, by account, then point by point."""
    owner, holdings = _holdings(session, account_ids, delivery.day)
    coming = [box for box in member_boxes(session, holdings, [delivery]) if not box.skipped]
    contents = _contents(session, coming).get(delivery.id, {})
    at: dict[tuple[int, int], list[MemberBox]] = {}
    for box in sorted(coming, key=lambda box: box.point.position):
        at.setdefault((owner[box.subscription_id], box.point.id), []).append(box)
    found: dict[int, list[NextBoxes]] = {}
    for (account_id, _point), boxes in at.items():
        there = NextBoxes(delivery, boxes[0].point, tuple(boxes), contents)
        found.setdefault(account_id, []).append(there)
    return found


def _holdings(
    session: Session, account_ids: Collection[int], since: date
) -> tuple[dict[int, int], list[Holding]]:
    """Whose each subscription is, and all of them with what changes them from a day on."""
    owned = select(Subscription.id, Subscription.account_id).where(Subscription.account_id.in_(account_ids))
    owner: dict[int, int] = dict(session.execute(owned).all())
    return owner, with_changes(session, of_anybody(session, owner), since)


def _together(box: MemberBox, other: MemberBox) -> bool:
    return (box.delivery.id, box.point.id) == (other.delivery.id, other.point.id)


def _contents(
    session: Session, boxes: Collection[MemberBox]
) -> dict[int, Mapping[tuple[int, int], ShownContents]]:
    """By delivery: of those there are as many as tours."""
    wanted: dict[int, set[tuple[int, int]]] = {}
    for box in boxes:
        wanted.setdefault(box.delivery.id, set()).add((box.formula.id, box.point.id))
    return {delivery_id: shown_contents(session, delivery_id, some) for delivery_id, some in wanted.items()}
