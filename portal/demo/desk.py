"""The desk of the demo farm's shop: who orders, what there is, and what happens to an order."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from random import Random
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.accounts.models import Account
from portal.catalogue.articles import Offer, on_sale
from portal.catalogue.models import ArticlePrice
from portal.deliveries.models import Delivery
from portal.demo import people
from portal.pickup.models import PickupPoint
from portal.profile.models import Conditions
from portal.rules import vouchers
from portal.rules.cutoffs import PARIS, is_past, local_day
from portal.rules.money import Money
from portal.rules.orders import LIVE, OrderState
from portal.rules.pricing import DatedPrice, price_on
from portal.rules.selling import Journey, SaleUnit, StockKind, amount, least, why_missing
from portal.shop.models import Happening, ShopSettings, Voucher
from portal.shop.vouchers import terms_of
from portal.web.i18n import french

DEAR = Money(10_00)
"""Of what costs more a kilo, people take a little."""
SHORTAGE = "Il n'y en a pas eu assez cette semaine, nous en sommes désolés."


@dataclass(frozen=True, slots=True)
class Buyer:
    """Whoever orders, as an order names them; `since` is when they could first do so."""

    account_id: int | None
    eagerness: float
    since: datetime
    paper: dict[str, str]


@dataclass(frozen=True, slots=True)
class Stop:
    """A delivery and the point where somebody's box, or a guest's order, waits."""

    delivery: Delivery
    point: PickupPoint

    @property
    def journey(self) -> Journey:
        delivery = self.delivery
        return Journey(delivery.day, delivery.tour_id, delivery.cutoff_at, delivery.cancelled_at is not None)


@dataclass(slots=True)
class Draft:
    """An order to be written, with its rows."""

    row: dict[str, Any]
    lines: list[dict[str, Any]]
    events: list[dict[str, Any]] = field(default_factory=list)
    voucher_id: int | None = None

    @property
    def total(self) -> Money:
        amounts = (amount(line["unit_price"], line["sale_unit"], line["quantity"]) for line in self.lines)
        return sum(amounts, Money.zero())

    def happened(self, what: Happening, at: datetime, by_id: int | None, reason: str | None = None) -> None:
        self.events.append({"at": at, "what": what, "by_id": by_id, "reason": reason})
        self.row["changed_at"] = at


class Stall:
    """What there is to order, at which price, and what has been taken of it delivery by delivery."""

    def __init__(self, session: Session, draw: Random, now: datetime) -> None:
        self.draw = draw
        self.offers = on_sale(session, local_day(now))
        self.by_slug = {offer.article.slug: offer for offer in self.offers}
        self.prices: dict[int, list[DatedPrice]] = defaultdict(list)
        for row in session.scalars(select(ArticlePrice)):
            self.prices[row.article_id].append(DatedPrice(row.since, row.price, row.vat_basis_points))
        self.taken: Counter[tuple[int, int]] = Counter()

    def lines(self, stop: Stop, at: datetime, slugs: Sequence[str] = ()) -> list[dict[str, Any]]:
        """What somebody puts into an order at a moment, of what can be had with that delivery."""
        draw, day, journey = self.draw, local_day(at), stop.journey
        wanted = [self.by_slug[slug] for slug in slugs] or draw.sample(self.offers, 12)
        most = len(slugs) or draw.choices((1, 2, 3, 4, 5, 6), (8, 20, 28, 22, 14, 8))[0]
        lines: list[dict[str, Any]] = []
        for offer in wanted:
            quantity = self._quantity(offer)
            if why_missing(offer.goods, journey, at, left=self._left(offer, stop), wanted=quantity) is None:
                lines.append(self._line(offer, quantity, day))
            if len(lines) == most:
                break
        return lines

    def take(self, delivery_id: int, lines: Iterable[dict[str, Any]]) -> None:
        for line in lines:
            self.taken[line["article_id"], delivery_id] += line["quantity"]

    def remaining(self) -> Iterator[dict[str, int]]:
        """What is left of what is counted by delivery, wherever something of it was ordered."""
        per_delivery = {
            offer.article.id: offer.article.per_delivery
            for offer in self.offers
            if offer.goods.stock_kind is StockKind.BY_DELIVERY
        }
        for (article_id, delivery_id), taken in self.taken.items():
            if most := per_delivery.get(article_id):
                yield {"article_id": article_id, "delivery_id": delivery_id, "remaining": most - taken}

    def _left(self, offer: Offer, stop: Stop) -> int | None:
        if offer.goods.stock_kind is StockKind.BY_DELIVERY:
            return (offer.article.per_delivery or 0) - self.taken[offer.article.id, stop.delivery.id]
        sold_out_since = offer.left == 0 and not stop.delivery.frozen_at
        return 0 if sold_out_since else None

    def _quantity(self, offer: Offer) -> int:
        if offer.goods.sale_unit is not SaleUnit.WEIGHT:
            return self.draw.choices((1, 2, 3), (75, 20, 5))[0]
        dear = offer.article.price is not None and offer.article.price > DEAR
        return self.draw.choice((1, 1, 2) if dear else (2, 3, 4, 4, 6, 8)) * least(offer.goods)

    def _line(self, offer: Offer, quantity: int, day: date) -> dict[str, Any]:
        price = price_on(self.prices[offer.article.id], day)
        return {
            "article_id": offer.article.id,
            "name": offer.article.name,
            "sale_unit": offer.goods.sale_unit,
            "quantity": quantity,
            "given": None,
            "unit_price": price.price,
            "vat_basis_points": price.vat_basis_points,
            "perishable": offer.article.perishable,
        }


class Desk:
    """Takes orders and lets happen to them what has happened by now."""

    def __init__(self, session: Session, draw: Random, now: datetime) -> None:
        self.draw, self.now, self.today = draw, now, local_day(now)
        self.stall = Stall(session, draw, now)
        self.staff_id = session.scalars(select(Account.id).where(Account.email == people.STAFF.email)).one()
        self.conditions_id = session.scalars(select(Conditions.id)).one()
        self.guest_minimum = session.scalars(select(ShopSettings.guest_minimum)).one()
        newest_first = select(Voucher).order_by(Voucher.id.desc())
        self.vouchers = [(row.id, terms_of(row)) for row in session.scalars(newest_first)]
        self.used: Counter[int] = Counter()
        self.used_by: Counter[tuple[int, int | None]] = Counter()
        self.drafts: list[Draft] = []

    def order(
        self, buyer: Buyer, stop: Stop, state: OrderState | None = None, slugs: Sequence[str] = ()
    ) -> None:
        """Let somebody order with a delivery, if there is time and anything to be had."""
        delivery = stop.delivery
        last = min(delivery.cutoff_at, self.now) - timedelta(minutes=10)
        first = max(buyer.since, last - timedelta(days=5))
        if first >= last:
            return
        at = self._between(first, first + timedelta(hours=20) if slugs else last)  # bread closes early
        lines = self.stall.lines(stop, at, slugs)
        draft = Draft(self._row(buyer, stop, at), lines)
        if not lines or (buyer.account_id is None and draft.total < self.guest_minimum):
            return
        draft.row["state"] = state = state or self._fate(delivery, mishaps=not slugs)
        if slugs or self.draw.random() < 0.15:
            self._use_voucher(draft, buyer, local_day(at), counts=state in LIVE)
        if state in LIVE:
            self.stall.take(delivery.id, lines)
        draft.happened(Happening.PLACED, at, buyer.account_id)
        self._judge(draft, state, delivery, buyer)
        if state in (OrderState.PREPARED, OrderState.DELIVERED):
            self._prepare(draft, delivery)
        if state is OrderState.DELIVERED:
            collected = datetime.combine(delivery.day, stop.point.closes, PARIS)
            draft.happened(Happening.DELIVERED, collected, None)
        self.drafts.append(draft)

    def _row(self, buyer: Buyer, stop: Stop, at: datetime) -> dict[str, Any]:
        return {
            **buyer.paper,
            "account_id": buyer.account_id,
            "delivery_id": stop.delivery.id,
            "pickup_point_id": stop.point.id,
            "with_box": buyer.account_id is not None,
            "told_day": stop.delivery.day,
            "placed_at": at,
            "cart_key": f"{self.draw.getrandbits(128):032x}",
            "digest": f"{self.draw.getrandbits(256):064x}",
            "conditions_id": self.conditions_id,
            "discount": Money.zero(),
        }

    def _fate(self, delivery: Delivery, *, mishaps: bool) -> OrderState:
        roll = self.draw.random()
        if mishaps and roll < 0.04:
            return OrderState.CANCELLED
        if not is_past(delivery.cutoff_at, self.now):
            return OrderState.PLACED if roll < 0.5 else OrderState.ACCEPTED
        if mishaps and roll < 0.06:
            return OrderState.REFUSED
        if delivery.day < self.today:
            return OrderState.DELIVERED
        return OrderState.PREPARED if delivery.day == self.today or roll < 0.5 else OrderState.ACCEPTED

    def _use_voucher(self, draft: Draft, buyer: Buyer, day: date, *, counts: bool) -> None:
        """The first that counts, if any does; what is not delivered in the end does not use it up."""
        total = draft.total
        for voucher_id, terms in self.vouchers:
            own = (voucher_id, buyer.account_id)
            if vouchers.refusal(terms, day, total, self.used[voucher_id], self.used_by[own]) is None:
                draft.row["discount"] = vouchers.discount(terms, total)
                if counts:
                    draft.voucher_id = voucher_id
                    self.used[voucher_id] += 1
                    self.used_by[own] += 1
                return

    def _judge(self, draft: Draft, state: OrderState, delivery: Delivery, buyer: Buyer) -> None:
        """By staff, or by the clockwork when the delivery closes; its owner may cancel before."""
        closing = min(delivery.cutoff_at, self.now)
        at = self._between(draft.row["placed_at"], closing)
        match state:
            case OrderState.PLACED:
                return
            case OrderState.CANCELLED:
                draft.happened(Happening.CANCELLED, at, buyer.account_id)
            case OrderState.REFUSED:
                draft.happened(Happening.REFUSED, at, self.staff_id, french(SHORTAGE))
            case _ if closing == delivery.cutoff_at and self.draw.random() < 0.2:
                draft.happened(Happening.ACCEPTED, closing, None)
            case _:
                draft.happened(Happening.ACCEPTED, at, self.staff_id)

    def _prepare(self, draft: Draft, delivery: Delivery) -> None:
        """In the morning of the delivery: weighed, and now and then something is missing."""
        morning = datetime.combine(delivery.day, time(9), PARIS)
        ready = min(morning + timedelta(minutes=self.draw.randrange(150)), self.now)
        begun = max(delivery.cutoff_at, ready - timedelta(hours=2))
        if len(draft.lines) > 1 and self.draw.random() < 0.06:
            draft.lines[-1]["given"] = 0
            draft.happened(Happening.SHORT, begun, self.staff_id, french(SHORTAGE))
        by_weight = (line for line in draft.lines if line["sale_unit"] is SaleUnit.WEIGHT)
        weighed = [line for line in by_weight if line["given"] is None]
        for line in weighed:
            line["given"] = line["quantity"] * self.draw.randint(950, 1070) // 1000
        if weighed:
            draft.happened(Happening.WEIGHED, self._between(begun, ready), self.staff_id)
        draft.happened(Happening.PREPARED, ready, self.staff_id)

    def _between(self, first: datetime, last: datetime) -> datetime:
        return first + timedelta(seconds=self.draw.randint(0, int((last - first).total_seconds())))
