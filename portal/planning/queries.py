"""A person's planning: cards, one for each delivery and pickup point, with the orders collected there."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy.orm import Session

from portal.boxes.queries import MemberBox, member_boxes, with_changes
from portal.catalogue.queries import formula_prices
from portal.deliveries.queries import DeliveryState, DeliveryView, upcoming
from portal.pickup.queries import ClosingView, PointView
from portal.rules.calendar import WEEK
from portal.rules.changes import refusal_to_change
from portal.rules.money import Money
from portal.rules.planning import closing_of, place_in, term_owing
from portal.rules.pricing import price_on
from portal.shop.queries import orders_between
from portal.shop.views import OrderView
from portal.subscriptions.queries import Holding, of_account


@dataclass(frozen=True, slots=True)
class Card:
    """What one person collects together, same delivery and same point; the boxes postponed off it too."""

    delivery: DeliveryView
    point: PointView
    boxes: tuple[MemberBox, ...]
    left: tuple[MemberBox, ...]
    state: DeliveryState
    can_change: bool
    orders: tuple[OrderView, ...] = ()

    @property
    def key(self) -> str:
        """Names the card's fragment on its page."""
        return f"livraison-{self.delivery.id}-{self.point.id}"

    @property
    def closing(self) -> ClosingView | None:
        """What is closed, so that this is collected here."""
        return next((box.closing for box in self.boxes if box.closing), None)

    @property
    def to_come(self) -> tuple[MemberBox, ...]:
        return tuple(box for box in self.boxes if not box.skipped)

    @property
    def brings(self) -> bool:
        """Whether there is something to collect."""
        return bool(self.to_come or self.orders)

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
        return [
            Week(
                monday,
                tuple(card for card in self.cards if card.delivery.week == monday),
                tuple(d for d in self.deliveries if d.cancelled and d.week == monday and self._owes(d)),
            )
            for monday in (since + n * WEEK for n in range(count))
        ]

    def _owes(self, delivery: DeliveryView) -> bool:
        """Whether a delivery would bring a box of its week, if it took place."""
        plans = (holding.plan for holding in self.holdings)
        return any(
            term_owing(plan, delivery.week)
            and (place := place_in(plan, delivery.week))
            and place.tour_id == delivery.tour_id
            for plan in plans
        )


def planning(session: Session, account_id: int, *, since: date, until: date, now: datetime) -> Planning:
    """What an account's subscriptions receive from one actual date to another, both included."""
    holdings = with_changes(session, of_account(session, account_id), since)
    tours = _tours(holdings)
    deliveries = upcoming(session, since, until, tours) if tours else []
    boxes = member_boxes(session, holdings, deliveries)
    orders = orders_between(session, account_id, since, until)
    cards = _cards(boxes, orders, holdings, deliveries, now)
    return Planning(tuple(holdings), tuple(cards), tuple(deliveries))


def _tours(holdings: Iterable[Holding]) -> set[int]:
    return {tour_id for holding in holdings for tour_id in holding.plan.tour_ids}


def _cards(
    boxes: Sequence[MemberBox],
    orders: Collection[OrderView],
    holdings: Collection[Holding],
    deliveries: Collection[DeliveryView],
    now: datetime,
) -> list[Card]:
    aboard: dict[tuple[date, int, int], list[MemberBox]] = {}
    left: dict[tuple[date, int, int], list[MemberBox]] = {}
    ordered: dict[tuple[date, int, int], list[OrderView]] = {}
    by_id = {delivery.id: delivery for delivery in deliveries}
    by_id |= {order.delivery.id: order.delivery for order in orders}
    points = {point.id: point for holding in holdings for point in holding.points.values()}
    points |= {box.point.id: box.point for box in boxes}
    points |= {order.point.id: order.point for order in orders}
    for order in orders:
        ordered.setdefault((order.delivery.day, order.delivery.id, order.point.id), []).append(order)
    for box in boxes:
        aboard.setdefault((box.delivery.day, box.delivery.id, box.point.id), []).append(box)
        if box.postponed and (home := _home(box, holdings, deliveries)):
            left.setdefault(home, []).append(box)
    cards = []
    for day, delivery_id, point_id in sorted({*aboard, *left, *ordered}):
        key, delivery = (day, delivery_id, point_id), by_id[delivery_id]
        cards.append(
            Card(
                delivery=delivery,
                point=points[point_id],
                boxes=tuple(aboard.get(key, ())),
                left=tuple(left.get(key, ())),
                state=delivery.state(now),
                can_change=refusal_to_change(delivery.for_rules, now) is None,
                orders=tuple(ordered.get(key, ())),
            )
        )
    return cards


def _home(
    box: MemberBox, holdings: Collection[Holding], deliveries: Collection[DeliveryView]
) -> tuple[date, int, int] | None:
    """The card that a postponed box has left, where it is shown."""
    plan = next(holding.plan for holding in holdings if holding.id == box.subscription_id)
    place = place_in(plan, box.week)
    for delivery in deliveries:
        if (
            place
            and (delivery.tour_id, delivery.week) == (place.tour_id, box.week)
            and not delivery.cancelled
        ):
            closed = closing_of(place.point_id, delivery.for_rules, plan.closings)
            return (delivery.day, delivery.id, closed.substitute_id if closed else place.point_id)
    return None


def cost(session: Session, boxes: Iterable[MemberBox]) -> Money:
    """What boxes are billed at once they are delivered, at the prices of their days."""
    prices = formula_prices(session)
    of_boxes = (price_on(prices[box.formula.id], box.delivery.day).price * box.quantity for box in boxes)
    return sum(of_boxes, Money.zero())


LOOK_AHEAD = timedelta(weeks=10)


def next_box(session: Session, holding: Holding, after: date) -> MemberBox | None:
    """The subscription's first box that comes after a day: when deliveries go on by themselves."""
    deliveries = upcoming(session, after + timedelta(days=1), after + LOOK_AHEAD, holding.plan.tour_ids)
    return next((box for box in member_boxes(session, [holding], deliveries) if not box.skipped), None)
