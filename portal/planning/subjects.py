"""What the lines of the trail are about, by the names that people know."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.accounts.models import Account
from portal.boxes.models import Basket
from portal.catalogue.models import Article, Category, Formula, Product, Supplier
from portal.compositions.models import Composition
from portal.deliveries.models import Delivery, Tour
from portal.pickup.models import PickupPoint
from portal.planning.journal import Change, Line, read
from portal.shop.models import Order, OrderLine, Voucher, order_number
from portal.subscriptions.models import Subscription

_PERSON = Account.first_name + " " + Account.last_name
_OF_SUBSCRIPTION = select(Subscription.id, _PERSON).join(Subscription.account)

_NAMED: Mapping[str, Any] = {
    "account": select(Account.id, _PERSON),
    "subscription": _OF_SUBSCRIPTION,
    "basket": select(Basket.id, _PERSON, Delivery.day)
    .join(Subscription, Subscription.id == Basket.subscription_id)
    .join(Subscription.account)
    .join(Delivery, Delivery.id == Basket.delivery_id),
    "shop_order": select(Order.id, Order.id),
    "order_line": select(OrderLine.id, OrderLine.order_id),
    "delivery": select(Delivery.id, Tour.name, Delivery.day).join(Delivery.tour),
    "composition": select(Composition.id, Formula.name, Delivery.day)
    .join(Formula, Formula.id == Composition.formula_id)
    .join(Delivery, Delivery.id == Composition.delivery_id),
    "formula": select(Formula.id, Formula.name),
    "product": select(Product.id, Product.name),
    "article": select(Article.id, Article.name),
    "category": select(Category.id, Category.name),
    "supplier": select(Supplier.id, Supplier.name),
    "voucher": select(Voucher.id, Voucher.code),
    "tour": select(Tour.id, Tour.name),
    "pickup_point": select(PickupPoint.id, PickupPoint.name),
}
_MEANT = {
    "formula": "formula",
    "formula_id": "formula",
    "formula_ids": "formula",
    "withheld": "formula",
    "pickup_point": "pickup_point",
    "pickup_point_id": "pickup_point",
    "point": "pickup_point",
    "point_ids": "pickup_point",
    "substitute": "pickup_point",
    "delivery": "delivery",
    "from_delivery": "delivery",
    "product_id": "product",
    "instead_id": "product",
    "article": "article",
    "category_id": "category",
    "supplier_id": "supplier",
    "not_on": "tour",
    "account": "account",
}
"""The fields that say a key, and of which table."""


@dataclass(frozen=True, slots=True)
class Name:
    """What something is called, and the day that it is of, if it is of one."""

    text: str
    day: date | None = None


@dataclass(frozen=True, slots=True)
class Names:
    found: Mapping[tuple[str, str], Name]

    def of(self, line: Line) -> Name | None:
        return self.found.get((line.kind, line.key))

    def changes(self, line: Line) -> list[Change]:
        """From what to what, keys by the names of what they stand for."""
        old, new = line.before or {}, line.after or {}
        return [
            Change(field, self._said(field, old.get(field)), self._said(field, new.get(field)))
            for field in {**old, **new}
        ]

    def said(self, values: Mapping[str, Any] | None) -> dict[str, Any]:
        return {field: self._said(field, value) for field, value in (values or {}).items()}

    def _said(self, field: str, value: Any) -> Any:
        match value:
            case dict():
                return self.said(value)
            case list():
                return [self._said(field, one) for one in value]
        kind = _MEANT.get(field)
        named = self.found.get((kind, str(value))) if kind and type(value) is int else None
        return (named.day or named.text) if named else read(field, value)


def names(session: Session, lines: Iterable[Line]) -> Names:
    """At most one query a table, however many lines."""
    wanted: dict[str, set[int]] = defaultdict(set)
    for line in lines:
        for kind, key in ((line.kind, line.key), *_keys(line.before), *_keys(line.after)):
            if kind in _NAMED and key.isdecimal() and len(key) < 10:
                wanted[kind].add(int(key))
    return Names(
        {
            (kind, str(key)): Name(order_number(text) if isinstance(text, int) else text, *day)
            for kind, ids in wanted.items()
            for key, text, *day in session.execute(_of(kind, ids))
        }
    )


def _of(kind: str, ids: set[int]) -> Any:
    statement = _NAMED[kind]
    return statement.where(statement.selected_columns[0].in_(ids))


def _keys(values: Mapping[str, Any] | None) -> Iterator[tuple[str, str]]:
    for field, value in (values or {}).items():
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, dict):
                yield from _keys(one)
            elif field in _MEANT and type(one) is int:
                yield _MEANT[field], str(one)
