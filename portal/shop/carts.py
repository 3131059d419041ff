"""What is in the order that somebody is filling, where it will go, and what it comes to."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from sqlalchemy.orm import Session

from portal.catalogue.articles import Offer, offers
from portal.catalogue.pictures import widths
from portal.deliveries import queries as deliveries
from portal.deliveries.models import Delivery
from portal.deliveries.queries import DeliveryView
from portal.pickup import queries as pickup
from portal.rules import selling
from portal.rules.cutoffs import local_day
from portal.rules.money import Money
from portal.rules.selling import Journey, Missing, QuantityRefusal, SaleUnit
from portal.shop.drafts import MOST_LINES, Draft, Entry
from portal.shop.travel import Stop, box_stops, point_stops
from portal.shop.views import Vat, vat_of
from portal.shop.vouchers import Person, Reduction, reduction


@dataclass(frozen=True, slots=True)
class Line:
    """So much of an article, and why it cannot be had like that."""

    offer: Offer
    quantity: int
    seen_price: Money
    missing: Missing | None

    @property
    def price(self) -> Money:
        """Of a unit, or a kilo; nothing for what is not sold any more."""
        return self.offer.article.price or Money.zero()

    @property
    def vat_basis_points(self) -> int:
        return self.offer.article.vat_basis_points or 0

    @property
    def amount(self) -> Money:
        return selling.amount(self.price, self.offer.article.sale_unit, self.quantity)

    @property
    def estimated(self) -> bool:
        return self.offer.article.sale_unit is SaleUnit.WEIGHT

    @property
    def repriced(self) -> bool:
        return self.missing is not Missing.NOT_SOLD and self.price != self.seen_price

    @property
    def step(self) -> int:
        return selling.least(self.offer.goods)

    @property
    def most(self) -> int:
        return most(self.offer)

    @property
    def last(self) -> bool:
        return is_last(self.offer)

    @property
    def picture_width(self) -> int | None:
        """Of the smallest file of its photograph, if it has one."""
        width = self.offer.article.picture_width
        return widths(width)[0] if width else None

    @property
    def at_most(self) -> int:
        """How much of what is wanted can be had."""
        return min(self.quantity, self.most) if self.missing in {None, Missing.TOO_FEW} else 0


def most(offer: Offer) -> int:
    """The most that can be ordered of it now."""
    by_weight = offer.article.sale_unit is SaleUnit.WEIGHT
    limit = selling.MOST_GRAMS if by_weight else selling.MOST_UNITS
    step = selling.least(offer.goods)
    return min(limit, limit if offer.left is None else offer.left) // step * step


def is_last(offer: Offer) -> bool:
    """Whether who takes the most of it leaves nothing that can be ordered."""
    return offer.left is not None and offer.left < most(offer) + selling.least(offer.goods)


@dataclass(frozen=True, slots=True)
class CartView:
    """An order before it is placed, as it stands now.

    `stop` is where it will go. What was chosen and is no more is `lost`: `stop` is then what there is instead,
    to be agreed to. What is missing there costs nothing.
    """

    draft: Draft
    lines: tuple[Line, ...]
    stop: Stop | None
    lost: DeliveryView | None
    reduction: Reduction | None
    now: datetime

    @property
    def missing(self) -> list[Line]:
        return [line for line in self.lines if line.missing]

    @property
    def held(self) -> list[Line]:
        """What there is of it."""
        return [line for line in self.lines if not line.missing]

    @property
    def ready(self) -> bool:
        return bool(self.lines) and not self.missing and self.stop is not None and self.lost is None

    @property
    def subtotal(self) -> Money:
        return sum((line.amount for line in self.held), Money.zero())

    @property
    def discount(self) -> Money:
        return self.reduction.off if self.reduction else Money.zero()

    @property
    def total(self) -> Money:
        return self.subtotal - self.discount

    @property
    def vat(self) -> list[Vat]:
        return vat_of(self.held, self.discount)

    @property
    def estimated(self) -> bool:
        return any(line.estimated for line in self.held)

    @property
    def alcohol(self) -> bool:
        return any(line.offer.article.alcohol for line in self.lines)

    @property
    def perishable(self) -> list[Line]:
        """What there is no right to send back (L221-28, 4°)."""
        return [line for line in self.held if line.offer.article.perishable]

    @property
    def returnable(self) -> list[Line]:
        return [line for line in self.held if not line.offer.article.perishable]


def cart(session: Session, draft: Draft, person: Person, now: datetime) -> CartView:
    """A draft with its articles, its delivery and its sums."""
    if not draft.entries:
        return CartView(draft, (), None, None, None, now)
    return filled(session, draft, person, now, place(session, draft, person, now))


def filled(
    session: Session,
    draft: Draft,
    person: Person,
    now: datetime,
    where: tuple[Stop | None, DeliveryView | None],
) -> CartView:
    """The same where its place is known already."""
    stop, lost = where
    lines = tuple(_lines(session, draft, stop, now)) if draft.entries else ()
    view = CartView(draft, lines, stop, lost, None, now)
    if draft.voucher is None:
        return view
    off = reduction(session, draft.voucher, total=view.subtotal, day=local_day(now), person=person)
    return replace(view, reduction=off)


def _lines(session: Session, draft: Draft, stop: Stop | None, now: datetime) -> Iterator[Line]:
    found = _offers(session, list(draft.entries), stop, now)
    for article_id, entry in draft.entries.items():
        if offer := found.get(article_id):
            missing = offer.missing(_journey(stop), now, entry.quantity)
            yield Line(offer, entry.quantity, entry.seen_price, missing)


def _offers(session: Session, ids: Sequence[int], stop: Stop | None, now: datetime) -> dict[int, Offer]:
    return offers(session, ids, local_day(now), delivery_id=stop.delivery.id if stop else None)


def _journey(stop: Stop | None) -> Journey | None:
    return stop.journey if stop else None


# Where it goes


def place(
    session: Session, draft: Draft, person: Person, now: datetime
) -> tuple[Stop | None, DeliveryView | None]:
    """Where a draft goes; and, where that is no more, with which delivery it was to go before."""
    boxes = box_stops(session, person.account_id, now) if person.account_id else []
    if draft.delivery_id is None:
        return next(iter(boxes), None), None
    point = pickup.find(session, draft.point_id) if draft.point_id else None
    alone = point_stops(session, point, now) if point and not point.retired else []
    stops = [*boxes, *alone]
    for stop in stops:
        if stop.delivery.id == draft.delivery_id and draft.point_id in {None, stop.point.id}:
            return stop, None
    before = session.get(Delivery, draft.delivery_id)
    if before is None:  # a cookie may be older than the database
        return next(iter(boxes), None), None
    return next(iter(stops), None), deliveries.view(before)


def choose(
    session: Session, draft: Draft, person: Person, now: datetime, *, delivery_id: int, point_id: int
) -> Draft | None:
    """The same going with another delivery, to another point; None where that cannot be."""
    if session.get(Delivery, delivery_id) is None:
        return None
    chosen = replace(draft, delivery_id=delivery_id, point_id=point_id)
    _, lost = place(session, chosen, person, now)
    return None if lost else chosen


# What is in it


class Refusal(StrEnum):
    """Why something is not put in; its words are in the templates."""

    TOO_MANY_LINES = "too_many_lines"


@dataclass(frozen=True, slots=True)
class Put:
    """What came of it: the draft, changed or not, and why it is not."""

    draft: Draft
    offer: Offer
    quantity: int
    refusal: Refusal | Missing | QuantityRefusal | None

    @property
    def step(self) -> int:
        return selling.least(self.offer.goods)

    @property
    def most(self) -> int:
        return most(self.offer)

    @property
    def last(self) -> bool:
        return is_last(self.offer)


def put(
    session: Session,
    draft: Draft,
    person: Person,
    now: datetime,
    *,
    article_id: int,
    quantity: int,
    shown: Money | None = None,
) -> Put | None:
    """Let a draft have so much of an article, nothing of it at 0; None where there is no such article.

    `shown` is the price that stood beside it: another one is still to be told. An account's order is bound to
    the next box from its first article on, so that its buyer is told when that has left.
    """
    stop, lost = place(session, draft, person, now)
    if lost and not draft.entries:
        draft = replace(draft, delivery_id=None, point_id=None)
        stop, _ = place(session, draft, person, now)
    offer = _offers(session, [article_id], stop, now).get(article_id)
    if offer is None:
        return None
    entry = draft.entries.get(article_id)
    if quantity and (refusal := _refusal(draft, offer, stop, quantity, now)):
        return Put(draft, offer, entry.quantity if entry else 0, refusal)
    price = offer.article.price or Money.zero()
    told = entry.seen_price if entry and shown != price else price
    after = draft.having(article_id, Entry(quantity, told))
    if stop and stop.with_box and draft.delivery_id is None:
        after = replace(after, delivery_id=stop.delivery.id)
    return Put(after, offer, quantity, None)


def _refusal(
    draft: Draft, offer: Offer, stop: Stop | None, quantity: int, now: datetime
) -> Refusal | Missing | QuantityRefusal | None:
    if offer.article.id not in draft.entries and len(draft.entries) >= MOST_LINES:
        return Refusal.TOO_MANY_LINES
    return selling.refusal_of_quantity(offer.goods, quantity) or offer.missing(_journey(stop), now, quantity)


def fitted(view: CartView) -> Draft:
    """What there is of an order, where it goes now: what is missing is left out, what is short is less."""
    draft = view.draft
    for line in view.lines:
        draft = draft.having(line.offer.article.id, Entry(line.at_most, line.price))
    if view.lost and view.stop:
        draft = replace(draft, delivery_id=view.stop.delivery.id, point_id=view.stop.point.id)
    return draft


def joined(session: Session, mine: Draft, theirs: Draft, now: datetime) -> Draft:
    """An account's draft with what was put into another before: quantities add up to what there is."""
    if not mine.entries:
        chosen = (theirs.delivery_id or 0, theirs.point_id or 0)
        if session.get(Delivery, chosen[0]) and pickup.find(session, chosen[1]):
            mine = replace(mine, delivery_id=chosen[0], point_id=chosen[1])
    found = _offers(session, list(theirs.entries), None, now)
    for article_id, entry in theirs.entries.items():
        own = mine.entries.get(article_id)
        room = own or len(mine.entries) < MOST_LINES
        if room and (offer := found.get(article_id)):
            quantity = min(entry.quantity + (own.quantity if own else 0), most(offer))
            mine = mine.having(article_id, Entry(quantity, own.seen_price if own else entry.seen_price))
    return replace(mine, voucher=mine.voucher or theirs.voucher)
