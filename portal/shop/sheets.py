"""What staff prepare a delivery's orders by: bags by customer, piles by product, and what is still to do."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import groupby

from sqlalchemy import ColumnElement, and_, func, literal, select
from sqlalchemy.orm import Session

from portal.accounts.models import Account
from portal.catalogue.models import Article, Category, Supplier
from portal.deliveries.models import Delivery
from portal.infra.orm import View
from portal.rules.alphabet import french_order
from portal.rules.orders import LIVE, OrderState
from portal.rules.selling import Measured, SaleUnit
from portal.shop.models import Order, OrderLine, Withdrawal, order_number

HANDED_OUT = func.coalesce(OrderLine.given, OrderLine.quantity)
"""What of a line its owner gets, as far as it is known."""
TO_WEIGH = and_(OrderLine.sale_unit == SaleUnit.WEIGHT, OrderLine.given.is_(None), OrderLine.quantity > 0)


@dataclass(frozen=True, slots=True)
class Portion:
    """So much of an article in somebody's bag; nothing of what was missing."""

    article_id: int
    name: str
    shelf: int
    sale_unit: SaleUnit
    content: int | None
    measured: Measured | None
    supplier: str | None
    quantity: int


@dataclass(frozen=True, slots=True)
class Bag:
    """Somebody's order on a delivery; a guest has no account, and pays where it is collected."""

    id: int
    account_id: int | None
    last_name: str
    first_name: str
    pickup_point_id: int
    state: OrderState
    portions: tuple[Portion, ...] = ()

    @property
    def number(self) -> str:
        return order_number(self.id)

    @property
    def guest(self) -> bool:
        return self.account_id is None


@dataclass(frozen=True, slots=True)
class Pile:
    """All that a delivery carries of an article, and how much of it goes to which point."""

    portion: Portion
    by_point: Mapping[int, int]

    @property
    def total(self) -> int:
        return sum(self.by_point.values())


@dataclass(frozen=True, slots=True)
class Work:
    """What the orders of a delivery still ask for, and how many there are in which state."""

    states: Mapping[OrderState, int] = field(default_factory=dict)
    to_weigh: int = 0

    @property
    def to_accept(self) -> int:
        return self.states.get(OrderState.PLACED, 0)

    @property
    def to_prepare(self) -> int:
        return self.states.get(OrderState.ACCEPTED, 0)

    @property
    def live(self) -> int:
        return sum(number for state, number in self.states.items() if state in LIVE)


_BAG = (
    Order.id,
    Order.account_id,
    func.coalesce(Account.last_name, Order.name),
    func.coalesce(Account.first_name, literal("")),
    Order.pickup_point_id,
    Order.state,
)
_PORTION = View(
    Portion,
    article_id=OrderLine.article_id,
    name=OrderLine.name,
    shelf=Category.position,
    sale_unit=OrderLine.sale_unit,
    content=Article.content,
    measured=Article.measured,
    supplier=Supplier.name,
    quantity=HANDED_OUT,
)


def aboard(delivery_ids: Collection[int], *, although_cancelled: bool = False) -> ColumnElement[bool]:
    """The orders that travel with deliveries, of a statement that joins them."""
    live = and_(Order.delivery_id.in_(delivery_ids), Order.state.in_(sorted(LIVE)))
    return live if although_cancelled else and_(live, Delivery.cancelled_at.is_(None))


def bags(session: Session, delivery_id: int, *, although_cancelled: bool = False) -> list[Bag]:
    """The orders that travel with a delivery, in alphabetical order."""
    rows = session.execute(
        select(*_BAG, _PORTION)
        .join(Order.lines)
        .join(Order.delivery)
        .join(OrderLine.article)
        .join(Article.category)
        .outerjoin(Article.supplier)
        .outerjoin(Order.account)
        .where(aboard([delivery_id], although_cancelled=although_cancelled))
        .order_by(Category.position, OrderLine.name, OrderLine.id)
    ).all()
    portions: dict[int, list[Portion]] = {row.id: [] for row in rows}
    for row in rows:
        if row.Portion.quantity:
            portions[row.id].append(row.Portion)
    found = {row.id: _bag(Bag(*row[:-1], tuple(portions[row.id]))) for row in rows}
    return sorted(found.values(), key=lambda bag: (french_order(bag.last_name, bag.first_name), bag.id))


def contents(session: Session, delivery_id: int) -> Iterable[tuple[int, int, list[tuple[int, int]]]]:
    """What is in the bags of a delivery, whosever they are: order, point, then article and quantity."""
    lines = (
        select(Order.id, Order.pickup_point_id, OrderLine.article_id, HANDED_OUT)
        .join(Order.lines)
        .join(Order.delivery)
        .where(aboard([delivery_id]), HANDED_OUT > 0)
        .order_by(Order.id)
    )
    for order, found in groupby(session.execute(lines), key=lambda line: line[:2]):
        yield *order, [line[2:] for line in found]


def _bag(bag: Bag) -> Bag:
    """A guest writes one name: its last word is what one looks for."""
    if not bag.guest:
        return bag
    first, _, last = bag.last_name.rpartition(" ")
    return replace(bag, first_name=first, last_name=last)


def piles(found: Iterable[Bag]) -> list[Pile]:
    """The same portions by article, shelf by shelf."""
    first: dict[int, Portion] = {}
    by_point: dict[int, Counter[int]] = {}
    for bag in found:
        for portion in bag.portions:
            first.setdefault(portion.article_id, portion)
            by_point.setdefault(portion.article_id, Counter())[bag.pickup_point_id] += portion.quantity
    made = [Pile(portion, by_point[article_id]) for article_id, portion in first.items()]
    return sorted(made, key=lambda pile: (pile.portion.shelf, french_order(pile.portion.name)))


def orders_by_point(session: Session, delivery_id: int) -> dict[int, int]:
    """How many orders a delivery brings to each point."""
    counted = select(Order.pickup_point_id, func.count()).join(Order.delivery).where(aboard([delivery_id]))
    return dict(session.execute(counted.group_by(Order.pickup_point_id)).all())


def work(session: Session, delivery_ids: Collection[int]) -> dict[int, Work]:
    """For each of these deliveries, in one statement."""
    key = (Order.delivery_id, Order.state)
    counted = (
        select(*key, func.count(Order.id.distinct()), func.count(OrderLine.id))
        .outerjoin(Order.lines.and_(TO_WEIGH))
        .where(Order.delivery_id.in_(delivery_ids))
        .group_by(*key)
    )
    found: dict[int, dict[OrderState, int]] = {delivery_id: {} for delivery_id in delivery_ids}
    to_weigh: Counter[int] = Counter()
    for delivery_id, state, orders, lines in session.execute(counted):
        found[delivery_id][state] = orders
        if state in {OrderState.ACCEPTED, OrderState.DELIVERED}:
            to_weigh[delivery_id] += lines
    return {i: Work(states, to_weigh[i]) for i, states in found.items()}


@dataclass(frozen=True, slots=True)
class WithdrawalView:
    """That somebody has withdrawn, and when staff dealt with it."""

    id: int
    order_id: int
    name: str
    made_at: datetime
    settled_at: datetime | None

    @property
    def number(self) -> str:
        """The order's."""
        return order_number(self.order_id)


_WITHDRAWAL = View(
    WithdrawalView,
    id=Withdrawal.id,
    order_id=Withdrawal.order_id,
    name=Withdrawal.name,
    made_at=Withdrawal.made_at,
    settled_at=Withdrawal.settled_at,
)


def withdrawals(session: Session, order_id: int) -> list[WithdrawalView]:
    """Those of an order; its lines say what each is about."""
    own = select(_WITHDRAWAL).where(Withdrawal.order_id == order_id)
    return list(session.scalars(own.order_by(Withdrawal.id)))


def open_withdrawals(session: Session) -> list[WithdrawalView]:
    """Those that staff have still to settle, the oldest first."""
    waiting = select(_WITHDRAWAL).where(Withdrawal.settled_at.is_(None))
    return list(session.scalars(waiting.order_by(Withdrawal.made_at, Withdrawal.id)))
