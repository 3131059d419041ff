"""Placing an order: seen before, decided under the locks, made once."""

import json
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from enum import StrEnum
from hashlib import sha256

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.accounts.addresses import AddressView, remember_address
from portal.accounts.companies import named_on_papers
from portal.accounts.models import Account
from portal.accounts.services import hold_open
from portal.catalogue.models import Article
from portal.deliveries.models import Delivery
from portal.infra import audit, clock, locks
from portal.pickup.models import PickupPoint
from portal.profile.queries import ConditionsView, conditions_in_force, get_farm
from portal.rules.money import Money
from portal.rules.orders import OrderState
from portal.shop import carts, orders, papers, queries, stock, vouchers
from portal.shop.carts import CartView, Line
from portal.shop.drafts import Draft, Keeper
from portal.shop.models import Happening, Order, OrderEvent, OrderLine, VoucherUse
from portal.shop.settings import ShopRules, get_rules
from portal.shop.vouchers import Person
from portal.subscriptions.models import Subscription


class Refusal(StrEnum):
    """Why no order was made; its words are in the templates."""

    BELOW_MINIMUM = "below_minimum"
    CHANGED = "changed"
    """Something is no more as the page has shown it."""
    EMPTY = "empty"
    GUESTS_NOT_WELCOME = "guests_not_welcome"
    NOT_OPEN = "not_open"
    """The farm has published no conditions of sale that one could agree to (L221-5, L221-13)."""
    NOT_OF_AGE = "not_of_age"
    """Nobody has said that they may buy alcohol."""
    NOT_READY = "not_ready"
    """Something is missing, or the delivery is to be chosen anew."""
    ORDERED_OTHERWISE = "ordered_otherwise"
    """The same form has made an order of other contents."""


@dataclass(frozen=True, slots=True)
class Summary:
    """What is about to be ordered and under which conditions, all that a page shows above its button."""

    cart: CartView
    conditions: ConditionsView | None
    rules: ShopRules
    guest: bool

    @property
    def refusal(self) -> Refusal | None:
        """Why it cannot be ordered, whoever asks: the page or the button."""
        if not self.cart.lines:
            return Refusal.EMPTY
        if self.conditions is None:
            return Refusal.NOT_OPEN
        if self.guest and not self.rules.guests_welcome:
            return Refusal.GUESTS_NOT_WELCOME
        if not self.cart.ready:
            return Refusal.NOT_READY
        if self.gap.cents:
            return Refusal.BELOW_MINIMUM
        return None

    @property
    def gap(self) -> Money:
        """What a guest's order is short of."""
        return self.rules.lacking(self.cart.subtotal) if self.guest else Money.zero()

    @property
    def digest(self) -> str:
        """Tells whether the page has shown just this."""
        stop, cart = self.cart.stop, self.cart
        shown = (
            cart.draft.key,
            [(line.offer.article.id, line.quantity, line.price.cents) for line in cart.lines],
            stop and (stop.delivery.id, stop.delivery.day.isoformat(), stop.point.id, stop.with_box),
            cart.draft.voucher,
            cart.total.cents,
            self.conditions and self.conditions.id,
        )
        return sha256(json.dumps(shown).encode()).hexdigest()


def summary(session: Session, draft: Draft, person: Person, now: datetime) -> Summary:
    return Summary(
        carts.cart(session, draft, person, now),
        conditions_in_force(session),
        get_rules(session),
        person.account_id is None,
    )


@dataclass(frozen=True, slots=True)
class Contact:
    """Who orders, as the order keeps it."""

    name: str
    email: str
    phone: str
    street: str
    postcode: str
    town: str

    @classmethod
    def of(cls, order: Order) -> "Contact":
        return cls(**{field.name: getattr(order, field.name) for field in fields(cls)})


@dataclass(frozen=True, slots=True)
class Outcome:
    """The order that a form has made, now or before; or why it makes none, and how things stand."""

    order_id: int | None
    again: bool = False
    refusal: Refusal | None = None
    summary: Summary | None = None


def place(
    session: Session,
    keeper: Keeper,
    person: Person,
    contact: Contact,
    *,
    key: str,
    shown: str,
    of_age: bool = False,
) -> Outcome:
    """Make the order that a page has shown: `key` and `shown` are the cart's key and the digest on its form.

    One cart makes one order, however often its form arrives.
    """
    draft = keeper.hold(clock.now())
    made = session.scalar(
        select(Order).where(Order.cart_key == key, Order.account_id.is_not_distinct_from(person.account_id))
    )
    if made is None:
        _hold(session, draft, person)
    seen = summary(session, draft, person, now := clock.now())
    if made is not None:
        same = made.digest == shown and contact == Contact.of(made)
        return Outcome(made.id, again=True, refusal=None if same else Refusal.ORDERED_OTHERWISE, summary=seen)
    as_shown = (draft.key, seen.digest) == (key, shown)
    if refusal := seen.refusal or (None if as_shown else Refusal.CHANGED):
        return Outcome(None, refusal=refusal, summary=seen)
    if seen.cart.alcohol and not of_age:
        return Outcome(None, refusal=Refusal.NOT_OF_AGE, summary=seen)
    locks.checked()
    order = _write(session, seen, person, contact, now)
    keeper.save(Draft(), now)
    if person.account_id and person.by == person.account_id:
        _remember(session, person.account_id, contact, now)
    _settle(session, order, seen, now, by=person.by)
    return Outcome(order.id)


def _hold(session: Session, draft: Draft, person: Person) -> None:
    """Lock what an order depends on, in the house's order; the cart is held already."""
    if person.account_id:
        hold_open(session, person.account_id)
        boxes = select(Subscription).where(Subscription.account_id == person.account_id)
        session.scalars(locks.for_update(boxes.order_by(Subscription.id), of=Subscription)).all()
    stop, _ = carts.place(session, draft, person, clock.now())
    if stop:
        delivery = select(Delivery).where(Delivery.id == stop.delivery.id)
        session.scalars(locks.for_share(delivery, of=Delivery)).all()
        point = select(PickupPoint).where(PickupPoint.id == stop.point.id)
        session.scalars(locks.for_share(point, of=PickupPoint)).all()
    articles = select(Article).where(Article.id.in_(draft.entries)).order_by(Article.id)
    session.scalars(locks.for_update(articles, of=Article)).all()
    if draft.voucher:
        vouchers.hold(session, draft.voucher)


def _write(session: Session, seen: Summary, person: Person, contact: Contact, now: datetime) -> Order:
    """The order with its lines, and what it sets aside."""
    cart, stop = seen.cart, seen.cart.stop
    assert stop is not None and seen.conditions is not None
    order = Order(
        account_id=person.account_id,
        delivery_id=stop.delivery.id,
        pickup_point_id=stop.point.id,
        instead_of_id=stop.instead_of,
        with_box=stop.with_box,
        told_day=stop.delivery.day,
        state=OrderState.PLACED,
        placed_at=now,
        changed_at=now,
        cart_key=cart.draft.key,
        digest=seen.digest,
        conditions_id=seen.conditions.id,
        discount=cart.discount,
        lines=[_line(line) for line in cart.lines],
        events=[OrderEvent(at=now, what=Happening.PLACED, by_id=person.by)],
        **asdict(contact),
    )
    session.add(order)
    session.flush()
    stock.reserve(session, stop.delivery.id, orders.reserved(order))
    if cart.reduction and cart.reduction.voucher_id and cart.discount.cents:
        session.add(VoucherUse(order_id=order.id, voucher_id=cart.reduction.voucher_id))
    audit.record(
        session,
        "order.place",
        ("shop_order", order.id),
        at=now,
        by=person.by,
        after={"delivery": stop.delivery.id, "lines": len(cart.lines), "total": cart.total.cents},
    )
    return order


def _line(line: Line) -> OrderLine:
    article = line.offer.article
    return OrderLine(
        article_id=article.id,
        name=article.name,
        sale_unit=article.sale_unit,
        quantity=line.quantity,
        unit_price=line.price,
        vat_basis_points=line.vat_basis_points,
        perishable=article.perishable,
    )


def _remember(session: Session, account_id: int, contact: Contact, now: datetime) -> None:
    """What is asked once is there the next time."""
    account = session.get_one(Account, account_id)
    audit.change(session, account, {"phone": contact.phone}, at=now, by=account_id, unsaid={"phone"})
    address = AddressView(contact.name, contact.street, contact.postcode, contact.town)
    remember_address(session, account_id, address, at=now, by=account_id)


def _settle(session: Session, order: Order, seen: Summary, now: datetime, *, by: int | None) -> None:
    """Accept it where nobody judges, and confirm it with what was agreed to (L221-13)."""
    if seen.rules.accepts_at_once:
        orders.bring(session, order, OrderState.ACCEPTED, at=now, by=None, tell=False)
    session.flush()
    view, farm = queries.find(session, order.id), get_farm(session)
    assert view is not None and seen.conditions is not None
    company = named_on_papers(session, order.account_id) if order.account_id else None
    files = [papers.order_file(view, farm, company), papers.conditions_file(seen.conditions, farm)]
    orders.tell(session, [view], "order_placed", at=now, by=by, attachments=files, conditions=seen.conditions)
