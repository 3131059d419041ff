"""A person's planning: cards, one for each delivery and pickup point."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby

from sqlalchemy.orm import Session

from portal.boxes.queries import MemberBox, member_boxes, with_skips
from portal.deliveries.queries import DeliveryState, DeliveryView, upcoming
from portal.pickup.queries import PointView
from portal.rules.calendar import WEEK
from portal.rules.planning import refusal_to_skip
from portal.subscriptions.queries import Holding, of_account


@dataclass(frozen=True, slots=True)
class Card:
    """The boxes of one person that travel together: same delivery, same point."""

    delivery: DeliveryView
    point: PointView
    boxes: tuple[MemberBox, ...]
    state: DeliveryState
    can_change: bool

    @property
    def key(self) -> str:
        """Names the card's fragment on its page."""
        return f"livraison-{self.delivery.id}-{self.point.id}"

    @property
    def to_come(self) -> tuple[MemberBox, ...]:
        return tuple(box for box in self.boxes if not box.skipped)

    @property
    def skipped(self) -> tuple[MemberBox, ...]:
        return tuple(box for box in self.boxes if box.skipped)


@dataclass(frozen=True, slots=True)
class Week:
    """A week of the planning; `cancelled` says whether it is the farm's doing that there is no box."""

    monday: date
    cards: tuple[Card, ...]
    cancelled: tuple[DeliveryView, ...]


@dataclass(frozen=True, slots=True)
class Planning:
    """A person's deliveries from one day to another."""

    holdings: tuple[Holding, ...]
    cards: tuple[Card, ...]
    deliveries: tuple[DeliveryView, ...]

    def weeks(self, since: date, count: int) -> list[Week]:
        """Every week from a Monday on, those without a box too."""
        tours = {term.tour_id for holding in self.holdings for term in holding.plan.terms}
        return [
            Week(
                monday,
                tuple(card for card in self.cards if card.delivery.week == monday),
                tuple(d for d in self.deliveries if d.cancelled and d.tour_id in tours and d.week == monday),
            )
            for monday in (since + n * WEEK for n in range(count))
        ]


def planning(
    session: Session,
    account_id: int,
    *,
    since: date,
    until: date,
    now: datetime,
) -> Planning:
    """What an account's subscriptions receive from one actual date to another, both included."""
    holdings = with_skips(session, of_account(session, account_id))
    tours = {term.tour_id for holding in holdings for term in holding.plan.terms}
    deliveries = upcoming(session, since, until, tours) if tours else []
    boxes = member_boxes(session, holdings, deliveries)
    return Planning(tuple(holdings), tuple(_cards(boxes, now)), tuple(deliveries))


def _cards(boxes: Sequence[MemberBox], now: datetime) -> list[Card]:
    def together(box: MemberBox) -> tuple[date, int, int]:
        return (box.delivery.day, box.delivery.id, box.point.id)

    cards = []
    for _, group in groupby(sorted(boxes, key=together), key=together):
        members = tuple(group)
        delivery = members[0].delivery
        refusal = refusal_to_skip(
            box_expected=True,
            cancelled=delivery.cancelled,
            frozen=delivery.frozen_at is not None,
            cutoff=delivery.cutoff_at,
            now=now,
        )
        cards.append(Card(delivery, members[0].point, members, delivery.state(now), refusal is None))
    return cards


LOOK_AHEAD = timedelta(weeks=10)


def next_box(session: Session, holding: Holding, after: date) -> MemberBox | None:
    """The subscription's first box that is not skipped after a day: when deliveries go on by themselves."""
    tours = {term.tour_id for term in holding.plan.terms}
    deliveries = upcoming(session, after + timedelta(days=1), after + LOOK_AHEAD, tours)
    return next((box for box in member_boxes(session, [holding], deliveries) if not box.skipped), None)
