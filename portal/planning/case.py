"""What an act on a planning works on, and what becomes of the orders that travel with its boxes."""

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum

from portal.accounts.models import Account
from portal.boxes.queries import MemberBox, member_box
from portal.deliveries.queries import DeliveryView
from portal.pickup.queries import PointView
from portal.rules.changes import Facts
from portal.rules.orders import Aboard
from portal.rules.planning import Plan, boxes_on, carrier
from portal.shop.models import Order
from portal.subscriptions.queries import Holding


class Fate(StrEnum):
    """What became of an order; its words are in the templates."""

    CANCELLED = "cancelled"
    MOVED = "moved"
    ALONE = "alone"
    FOLLOWED = "followed"


@dataclass(frozen=True, slots=True)
class Settled:
    """Orders that have fared alike, and where they are now collected."""

    numbers: tuple[str, ...]
    fate: Fate
    delivery: DeliveryView
    point: PointView


@dataclass(frozen=True, slots=True)
class Question:
    """Orders whose box goes away: the person says what becomes of them.

    `deliveries` are theirs, soonest first; `next` is the first that they can go to instead, if all can. `missing`
    names what the box's new delivery does not bring. What is being made already (bread) is neither moved nor
    cancelled.
    """

    numbers: tuple[str, ...]
    deliveries: tuple[DeliveryView, ...]
    next: DeliveryView | None
    can_cancel: bool
    missing: tuple[str, ...] = ()


@dataclass(slots=True)
class Orders:
    """A person's open orders, held; their wish for those that lose their box, and what came of it."""

    held: Collection[Order] = ()
    wish: Aboard | None = None
    question: Question | None = None
    settled: list[Settled] = field(default_factory=list)

    def add(self, one: Settled) -> None:
        """To those that have fared alike, so that they are told of together."""
        for number, other in enumerate(self.settled):
            if replace(other, numbers=one.numbers) == one:
                self.settled[number] = replace(other, numbers=other.numbers + one.numbers)
                return
        self.settled.append(one)


@dataclass(frozen=True, slots=True)
class Case:
    """Some subscriptions of an account, the farm's deliveries and the moment, all held until our commit.

    `by` is who acts: the account itself, or staff for it, who may fill a point beyond its places. `others` are
    the account's other subscriptions: an order may travel with their boxes.
    """

    account: Account
    by: Account
    holdings: tuple[Holding, ...]
    deliveries: dict[int, DeliveryView]
    facts: Facts
    others: tuple[Holding, ...] = ()
    orders: Orders = field(default_factory=Orders)

    def point(self, point_id: int) -> PointView:
        known = (*self.holdings, *self.others)
        return next(h.points[point_id] for h in known if point_id in h.points)

    def box(self, holding: Holding, plan: Plan, week: date) -> MemberBox | None:
        """A week's own box by a plan, as pages and mails show it."""
        delivery = carrier(plan, week, self.facts.season)
        aboard = boxes_on(plan, delivery) if delivery else []
        planned = replace(holding, plan=plan)
        found = (box for box in aboard if box.week == week)
        return next((member_box(planned, box, self.deliveries[box.delivery.id]) for box in found), None)
