"""What the shop shows: articles as they can be had with the delivery that somebody's order travels with."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from portal.catalogue.articles import ArticleView, Offer
from portal.catalogue.pictures import widths
from portal.rules import selling
from portal.rules.cutoffs import local_day
from portal.rules.money import Money
from portal.rules.selling import Journey, Missing, SaleUnit
from portal.shop import carts
from portal.shop.carts import CartView
from portal.shop.drafts import Draft
from portal.shop.settings import ShopRules, get_rules
from portal.shop.travel import Stop
from portal.shop.vouchers import Person


@dataclass(frozen=True, slots=True)
class Item:
    """An article on its shelf."""

    offer: Offer
    missing: Missing | None
    closes_at: datetime | None
    """When it can no longer be ordered, where that is before its delivery closes."""
    in_season: bool
    """It has a season, and this is it."""

    @property
    def article(self) -> ArticleView:
        return self.offer.article

    @property
    def wished(self) -> bool:
        """By whoever looks at it."""
        return self.offer.picked

    @property
    def step(self) -> int:
        return selling.least(self.offer.goods)

    @property
    def most(self) -> int:
        return carts.most(self.offer)

    @property
    def last(self) -> bool:
        return carts.is_last(self.offer)

    @property
    def few(self) -> int | None:
        """What is left of it, where that is little."""
        return self.offer.left if selling.is_low(self.offer.goods, self.offer.left) else None

    @property
    def per_measure(self) -> Money | None:
        """The price of a kilo or a litre, where that of a unit is another."""
        price, content = self.article.price, self.article.content
        if price is None or content in {None, selling.KILO} or self.article.sale_unit is SaleUnit.WEIGHT:
            return None
        return selling.per_measure(price, content)

    @property
    def picture_widths(self) -> list[int]:
        return widths(self.article.picture_width) if self.article.picture_width else []


@dataclass(frozen=True, slots=True)
class Visit:
    """Somebody in the shop: where their order goes, and what is in it."""

    now: datetime
    stop: Stop | None
    cart: CartView
    rules: ShopRules | None
    """Those that bind a visitor; who is signed in orders as little as they like."""

    @property
    def quantities(self) -> dict[int, int]:
        return {article_id: entry.quantity for article_id, entry in self.cart.draft.entries.items()}

    @property
    def may_order(self) -> bool:
        return self.rules is None or self.rules.guests_welcome

    @property
    def gap(self) -> Money:
        """What a visitor's order is short of."""
        return self.rules.lacking(self.cart.subtotal) if self.rules else Money.zero()

    @property
    def delivery_id(self) -> int | None:
        return self.stop.delivery.id if self.stop else None

    def item(self, offer: Offer) -> Item:
        journey, goods = self.stop.journey if self.stop else None, offer.goods
        return Item(
            offer=offer,
            missing=offer.missing(journey, self.now),
            closes_at=selling.closes_at(goods, journey)
            if journey and _closes_early(goods, journey)
            else None,
            in_season=goods.season is not None
            and goods.season.has(journey.day if journey else local_day(self.now)),
        )


def visit(session: Session, draft: Draft, person: Person, now: datetime) -> Visit:
    where = carts.place(session, draft, person, now)
    cart = carts.filled(session, draft, person, now, where)
    return Visit(now, where[0], cart, None if person.account_id else get_rules(session))


def _closes_early(goods: selling.Goods, journey: Journey) -> bool:
    return selling.closes_at(goods, journey) < journey.cutoff_at
