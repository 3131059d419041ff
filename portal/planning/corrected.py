"""What staff have set right on a delivery, and whose box they may set right, for their pages."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

from sqlalchemy import Select, and_, func, select
from sqlalchemy.orm import Session, aliased

from portal.accounts.models import Account
from portal.boxes.carried import carried
from portal.boxes.models import Basket, BasketCorrection
from portal.catalogue.models import Formula
from portal.deliveries.queries import DeliveryView
from portal.planning.corrections import from_json
from portal.rules.alphabet import search_key, search_words
from portal.rules.corrections import FrozenBox
from portal.rules.orders import LIVE, OrderState
from portal.rules.selling import SaleUnit
from portal.shop.models import Order, OrderCorrection, OrderLine, order_number
from portal.subscriptions.models import Subscription, Term

FOUND_AT_MOST = 30


@dataclass(frozen=True, slots=True)
class Signature:
    """Who did it, when and why; taken back by whom, if so. `last` where nothing newer stands on it."""

    id: int
    whose: str
    at: datetime
    by: str
    reason: str
    undone_at: datetime | None
    undone_by: str | None
    last: bool


@dataclass(frozen=True, slots=True)
class BoxCorrection:
    signature: Signature
    subscription_id: int
    farm_fault: bool
    before: FrozenBox | None
    after: FrozenBox


@dataclass(frozen=True, slots=True)
class LineChange:
    name: str
    sale_unit: SaleUnit
    before: int
    after: int


@dataclass(frozen=True, slots=True)
class OrderChange:
    """An order that was cancelled, or brought back, or of which less is given (`lines`)."""

    signature: Signature
    order_id: int
    live_before: bool
    live_after: bool
    lines: tuple[LineChange, ...]

    @property
    def number(self) -> str:
        return order_number(self.order_id)


_By, _UndoneBy = aliased(Account), aliased(Account)


def boxes_corrected(session: Session, delivery_id: int) -> list[BoxCorrection]:
    """The latest first."""
    rows = session.execute(
        _signed(
            BasketCorrection,
            BasketCorrection.basket_id,
            Account.last_name + " " + Account.first_name,
            Basket.subscription_id,
        )
        .join(Basket, Basket.id == BasketCorrection.basket_id)
        .join(Subscription, Subscription.id == Basket.subscription_id)
        .join(Account, Account.id == Subscription.account_id)
        .where(BasketCorrection.delivery_id == delivery_id)
    ).all()
    return [
        BoxCorrection(
            signature,
            row.subscription_id,
            row[0].farm_fault,
            from_json(row[0].before) if row[0].before else None,
            from_json(row[0].after),
        )
        for row, signature in _with_signatures(rows)
    ]


def orders_corrected(session: Session, delivery_id: int) -> list[OrderChange]:
    """The latest first."""
    rows = session.execute(
        _signed(OrderCorrection, OrderCorrection.order_id, Order.name)
        .join(Order, Order.id == OrderCorrection.order_id)
        .where(OrderCorrection.delivery_id == delivery_id)
    ).all()
    ids = {row[0].order_id for row in rows}
    lines = {
        str(line.id): line for line in session.scalars(select(OrderLine).where(OrderLine.order_id.in_(ids)))
    }
    return [
        OrderChange(
            signature,
            row[0].order_id,
            OrderState(row[0].before["state"]) in LIVE,
            OrderState(row[0].after["state"]) in LIVE,
            tuple(_line_changes(row[0].before["given"], row[0].after["given"], lines)),
        )
        for row, signature in _with_signatures(rows)
    ]


def _signed(table: type[BasketCorrection | OrderCorrection], of: Any, whose: Any, *more: Any) -> Select[Any]:
    return (
        select(table, of.label("of"), whose.label("whose"), _By.first_name, _UndoneBy.first_name, *more)
        .join(_By, _By.id == table.by_id)
        .outerjoin(_UndoneBy, _UndoneBy.id == table.undone_by_id)
        .order_by(table.id.desc())
    )


def _with_signatures(rows: Iterable[Any]) -> Iterable[tuple[Any, Signature]]:
    """Rows come with the latest first: what is met first of a box or an order has nothing newer on it."""
    met: set[int] = set()
    for row in rows:
        kept, of, whose, by, undone_by = row[:5]
        last = kept.undone_at is None and of not in met
        if last:
            met.add(of)
        yield (
            row,
            Signature(kept.id, whose, kept.at, by, kept.reason, kept.undone_at, undone_by, last),
        )


def _line_changes(
    before: Mapping[str, int | None], after: Mapping[str, int | None], lines: Mapping[str, OrderLine]
) -> Iterable[LineChange]:
    for key, given in after.items():
        if before.get(key) != given and key in lines:
            line = lines[key]
            was = before.get(key)
            yield LineChange(
                line.name,
                line.sale_unit,
                line.quantity if was is None else was,
                line.quantity if given is None else given,
            )


@dataclass(frozen=True, slots=True)
class Candidate:
    """A subscription, and how many boxes the delivery brings it."""

    subscription_id: int
    name: str
    formula: str
    boxes: int


def candidates(session: Session, delivery: DeliveryView, text: str) -> list[Candidate]:
    """Whose box may be set right or added: by name alone, who receives one before who does not.

    Whoever sets boxes right need not be one who may look people up by how they are reached.
    """
    words = search_words(text)
    if not words:
        return []
    here = carried([delivery.id])
    received = (
        select(here.c.subscription_id, func.sum(here.c.quantity).label("boxes"))
        .group_by(here.c.subscription_id)
        .subquery()
    )
    boxes = func.coalesce(received.c.boxes, 0)
    begun = and_(Term.subscription_id == Subscription.id, Term.monday <= delivery.week)
    latest = select(func.max(Term.monday)).where(begun).correlate(Subscription).scalar_subquery()
    rows = session.execute(
        select(Subscription.id, Account.first_name, Account.last_name, Formula.name, boxes)
        .join(Account, Account.id == Subscription.account_id)
        .join(Term, and_(Term.subscription_id == Subscription.id, Term.monday == latest))
        .join(Formula, Formula.id == Term.formula_id)
        .outerjoin(received, received.c.subscription_id == Subscription.id)
        .where(*(Account.search_key.contains(word, autoescape=True) for word in words))
        .order_by((boxes > 0).desc(), Account.search_key, Subscription.id)
    )
    found = (
        Candidate(key, f"{last} {first}", formula, number)
        for key, first, last, formula, number in rows
        if all(word in search_key(last, first) for word in words)
    )
    return list(islice(found, FOUND_AT_MOST))
