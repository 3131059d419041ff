"""Reading what the shop sells."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from itertools import groupby
from typing import Any

from sqlalchemy import Integer, Select, and_, bindparam, func, select
from sqlalchemy.orm import Session

from portal.catalogue.models import (
    Article,
    ArticlePrice,
    Category,
    DeliveryStock,
    Label,
    NotOnTour,
    Picture,
    Product,
    Supplier,
)
from portal.infra import locks
from portal.infra.orm import View
from portal.rules.cutoffs import Lead
from portal.rules.money import Money
from portal.rules.selling import Goods, Journey, Measured, Missing, SaleUnit, Season, StockKind, why_missing


@dataclass(frozen=True, slots=True)
class ArticleView:
    """An article as pages show it, with its price in force, none where it is not sold yet."""

    id: int
    slug: str
    name: str
    description: str
    product_id: int
    drawing: str
    storage: str
    category_slug: str
    category: str
    category_drawing: str
    supplier: str | None
    picture: str | None
    picture_width: int | None
    picture_height: int | None
    sale_unit: SaleUnit
    content: int | None
    measured: Measured | None
    step: int | None
    origin: str
    variety: str | None
    label: Label | None
    ingredients: str | None
    allergens: str | None
    alcohol: bool
    perishable: bool
    stock_kind: StockKind
    stock: int | None
    per_delivery: int | None
    season_first: int | None
    season_last: int | None
    lead_days: int | None
    lead_time: time | None
    retired: bool
    price: Money | None
    vat_basis_points: int | None

    @property
    def certified(self) -> bool:
        """Whether the farm's own certificate vouches for its label; a neighbour's goods have the neighbour's."""
        return self.label is not None and self.supplier is None


_ARTICLE = View(
    ArticleView,
    id=Article.id,
    slug=Article.slug,
    name=Article.name,
    description=Article.description,
    product_id=Article.product_id,
    drawing=Product.drawing,
    storage=Product.storage,
    category_slug=Category.slug,
    category=Category.name,
    category_drawing=Category.drawing,
    supplier=Supplier.name,
    picture=Picture.digest,
    picture_width=Picture.width,
    picture_height=Picture.height,
    sale_unit=Article.sale_unit,
    content=Article.content,
    measured=Article.measured,
    step=Article.step,
    origin=Article.origin,
    variety=Article.variety,
    label=Article.label,
    ingredients=Article.ingredients,
    allergens=Article.allergens,
    alcohol=Article.alcohol,
    perishable=Article.perishable,
    stock_kind=Article.stock_kind,
    stock=Article.stock,
    per_delivery=Article.per_delivery,
    season_first=Article.season_first,
    season_last=Article.season_last,
    lead_days=Article.lead_days,
    lead_time=Article.lead_time,
    retired=Article.retired_at.is_not(None),
    price=ArticlePrice.price,
    vat_basis_points=ArticlePrice.vat_basis_points,
)
_IN_FORCE = (
    select(func.max(ArticlePrice.since))
    .where(ArticlePrice.article_id == Article.id, ArticlePrice.since <= bindparam("day"))
    .correlate(Article)
    .scalar_subquery()
)
_ARTICLES = (
    select(_ARTICLE, NotOnTour.tour_id, DeliveryStock.remaining)
    .select_from(Article)
    .join(Article.product)
    .join(Article.category)
    .outerjoin(Article.supplier)
    .outerjoin(Article.picture)
    .outerjoin(ArticlePrice, and_(ArticlePrice.article_id == Article.id, ArticlePrice.since == _IN_FORCE))
    .outerjoin(NotOnTour, NotOnTour.article_id == Article.id)
    .outerjoin(
        DeliveryStock,
        and_(
            DeliveryStock.article_id == Article.id,
            DeliveryStock.delivery_id == bindparam("delivery_id", type_=Integer),
        ),
    )
)
_ON_SHELVES = _ARTICLES.order_by(Category.position, Article.name, Article.id)
_ON_SALE = _ON_SHELVES.where(Article.retired_at.is_(None), ArticlePrice.id.is_not(None))
_THESE = _ARTICLES.where(Article.id.in_(bindparam("ids", expanding=True))).order_by(Article.id)
_NUMBERS = select(Article.id).where(Article.id.in_(bindparam("ids", expanding=True))).order_by(Article.id)
_NAMED = _ARTICLES.where(Article.slug == bindparam("slug"))


@dataclass(frozen=True, slots=True)
class Offer:
    """An article and how it can be had: `left` is what can still be ordered, None where nobody counts.

    Without a delivery what is counted by delivery has no number. `picked` is for whoever asks, see `on_sale`.
    """

    article: ArticleView
    goods: Goods
    left: int | None
    picked: bool = False

    def missing(self, journey: Journey | None, now: datetime, wanted: int | None = None) -> Missing | None:
        """Why it cannot be had with a delivery, or None if it can; `wanted` is a quantity."""
        return why_missing(
            self.goods,
            journey,
            now,
            price_known=self.article.price is not None,
            left=self.left,
            wanted=wanted,
        )


def on_sale(
    session: Session, day: date, *, delivery_id: int | None = None, picked: Select[int] | None = None
) -> list[Offer]:
    """Everything that the shop sells on a day, shelf by shelf, what is missing for now too.

    `picked` finds numbers of articles: offers say whether theirs is one of them.
    """
    statement = _ON_SALE
    if picked is not None:
        statement = statement.add_columns(Article.id.in_(picked).label("picked"))
    return _offers(session, statement, {"day": day}, delivery_id)


def every_article(session: Session, day: date) -> list[Offer]:
    """All that the shop has ever sold or is to sell, shelf by shelf, with the prices of a day."""
    return _offers(session, _ON_SHELVES, {"day": day}, None)


def offers(
    session: Session, ids: Collection[int], day: date, *, delivery_id: int | None = None, held: bool = False
) -> dict[int, Offer]:
    """These articles, sold or not; `held` locks them, one after the other by their numbers, until our commit."""
    if not ids:
        return {}
    if held:  # first, so that what is read of stocks is what stands under the locks
        session.execute(locks.for_update(_NUMBERS, of=Article), {"ids": sorted(ids)})
    found = _offers(session, _THESE, {"day": day, "ids": sorted(ids)}, delivery_id)
    return {offer.article.id: offer for offer in found}


def offer_named(session: Session, slug: str, day: date, *, delivery_id: int | None = None) -> Offer | None:
    found = _offers(session, _NAMED, {"day": day, "slug": slug}, delivery_id)
    return found[0] if found else None


def _offers(
    session: Session,
    statement: Select[*tuple[Any, ...]],
    wanted: Mapping[str, object],
    delivery_id: int | None,
) -> list[Offer]:
    """A row for each article, and for each tour that does not carry it."""
    rows = session.execute(statement, {**wanted, "delivery_id": delivery_id}).all()
    offers = []
    for _, group in groupby(rows, key=lambda row: row.ArticleView.id):
        [first, *others] = group
        article = first.ArticleView
        not_on = frozenset(row.tour_id for row in (first, *others) if row.tour_id is not None)
        left = _left(article, first.remaining, delivery_id)
        offers.append(Offer(article, _goods(article, not_on), left, bool(getattr(first, "picked", False))))
    return offers


def remaining_on(session: Session, delivery_id: int, ids: Collection[int]) -> dict[int, int]:
    """What is left for a delivery of what has been counted there: article → units or grams."""
    rows = session.execute(
        select(DeliveryStock.article_id, DeliveryStock.remaining).where(
            DeliveryStock.delivery_id == delivery_id, DeliveryStock.article_id.in_(ids)
        )
    )
    return dict(rows.all())


def _goods(article: ArticleView, not_on: frozenset[int]) -> Goods:
    season = lead = None
    if article.season_first is not None and article.season_last is not None:
        season = Season(article.season_first, article.season_last)
    if article.lead_days is not None and article.lead_time is not None:
        lead = Lead(article.lead_days, article.lead_time)
    return Goods(
        sale_unit=article.sale_unit,
        step=article.step,
        content=article.content,
        measured=article.measured,
        stock_kind=article.stock_kind,
        season=season,
        not_on=not_on,
        lead=lead,
        retired=article.retired,
    )


def _left(article: ArticleView, remaining: int | None, delivery_id: int | None) -> int | None:
    if article.stock_kind is StockKind.COUNTED:
        return article.stock
    if article.stock_kind is StockKind.BY_DELIVERY and delivery_id:
        return article.per_delivery if remaining is None else remaining
    return None
