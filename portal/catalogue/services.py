"""What staff do to what the shop sells.

An article's row is locked before anything of it is changed: buyers who order it wait, and are counted after.
"""

from collections.abc import Collection, Mapping
from datetime import date, datetime
from enum import StrEnum
from itertools import count
from typing import IO, Any

from sqlalchemy import delete, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import InstrumentedAttribute, Session

from portal.catalogue import pictures
from portal.catalogue.models import (
    Article,
    ArticlePrice,
    Category,
    DeliveryStock,
    Formula,
    NotOnTour,
    Product,
    Supplier,
    Unit,
)
from portal.catalogue.pictures import PictureRefusal
from portal.infra import audit, locks
from portal.rules.alphabet import slug_of
from portal.rules.cutoffs import local_day
from portal.rules.money import Money
from portal.rules.pricing import DatedPrice
from portal.rules.selling import Measured, SaleUnit, StockKind, per_measure

UNSAID = {"description", "ingredients"}
"""Long, and of no consequence to what is paid."""
MOST_STOCK = 1_000_000_000


class StockRefusal(StrEnum):
    """Why a count is not taken; its words are in the templates."""

    NOT_COUNTED = "not_counted"
    TOO_LITTLE = "too_little"
    TOO_MUCH = "too_much"


# Articles


def hold_article(session: Session, article_id: int) -> Article:
    """Lock it until our commit: who orders it meanwhile waits."""
    that = select(Article).where(Article.id == article_id)
    return session.scalars(locks.for_update(that, of=Article)).one()


def add_article(
    session: Session,
    values: Mapping[str, Any],
    price: DatedPrice,
    *,
    not_on: Collection[int],
    at: datetime,
    by: int,
) -> Article:
    """A new article, of a new product where `product_id` names none; its slug is made from its name."""
    session.scalars(
        locks.for_update(select(Category).order_by(Category.id), of=Category)
    ).all()  # one at a time
    article = Article(**_fitted(values), slug=free_slug(session, Article.slug, values["name"]))
    if values["product_id"] is None:
        article.product = _product_for(session, article, price.price)
    session.add(article)
    session.flush()
    session.add_all(NotOnTour(article_id=article.id, tour_id=tour_id) for tour_id in not_on)
    after = {"product_id": article.product_id, "category_id": article.category_id}
    audit.record(session, "article.create", ("article", article.id), at=at, by=by, after=after)
    set_price(session, article.id, price, at=at, by=by)
    return article


def change_article(
    session: Session,
    article_id: int,
    values: Mapping[str, Any],
    *,
    not_on: Collection[int],
    at: datetime,
    by: int,
) -> bool:
    """Whether it was otherwise until now; its slug stays, so that addresses go on leading there."""
    article = hold_article(session, article_id)
    values = _fitted({**values, "stock": article.stock})
    if values["product_id"] is None:
        price = session.scalar(
            select(ArticlePrice.price)
            .where(ArticlePrice.article_id == article_id)
            .order_by(ArticlePrice.since.desc())
        )
        product = _product_for(session, Article(**values), price or Money.zero())
        session.add(product)
        session.flush()
        values["product_id"] = product.id
    changed = audit.change(session, article, values, at=at, by=by, unsaid=UNSAID)
    return _set_tours(session, article_id, set(not_on), at=at, by=by) or bool(changed)


def set_retired(session: Session, article_id: int, retired: bool, *, at: datetime, by: int) -> bool:
    """Sell it to nobody any more, or to all again; whether it was otherwise until now."""
    article = hold_article(session, article_id)
    if (article.retired_at is not None) == retired:
        return False
    audit.change(session, article, {"retired_at": at if retired else None}, at=at, by=by)
    return True


def set_picture(
    session: Session, article_id: int, upload: IO[bytes], *, at: datetime, by: int
) -> PictureRefusal | None:
    """Show what was uploaded."""
    encoded = pictures.read(upload)
    if isinstance(encoded, PictureRefusal):
        return encoded
    article = hold_article(session, article_id)
    picture = pictures.store(session, encoded, instead_of=article.picture_id)
    _show(session, article, picture.id, at=at, by=by)
    return None


def remove_picture(session: Session, article_id: int, *, at: datetime, by: int) -> None:
    _show(session, hold_article(session, article_id), None, at=at, by=by)


def _show(session: Session, article: Article, picture_id: int | None, *, at: datetime, by: int) -> None:
    """The picture of before goes, unless another article shows it."""
    before = article.picture_id
    if audit.change(session, article, {"picture_id": picture_id}, at=at, by=by):
        session.flush()
        if before is not None:
            pictures.forget_unused(session, before)


def _product_for(session: Session, article: Article, price: Money) -> Product:
    """What an article is sold of that no box has held yet; boxes value it at what the shop asks."""
    by_weight = (
        article.sale_unit in {SaleUnit.PACK, SaleUnit.WEIGHT} and article.measured is not Measured.MILLILITRES
    )
    return Product(
        slug=free_slug(session, Product.slug, article.name),
        name=article.name,
        unit=Unit.KILO if by_weight else Unit.BUNCH if article.sale_unit is SaleUnit.BUNCH else Unit.PIECE,
        value=per_measure(price, article.content) if by_weight and article.content else price,
        drawing=session.get_one(Category, article.category_id).drawing,
        storage="",
    )


def _fitted(values: Mapping[str, Any]) -> dict[str, Any]:
    """What is not counted has no number, and what is begins with none left."""
    counted = values["stock_kind"] is StockKind.COUNTED
    return {**values, "stock": (values["stock"] or 0) if counted else None}


def _set_tours(session: Session, article_id: int, not_on: set[int], *, at: datetime, by: int) -> bool:
    named = select(NotOnTour.tour_id).where(NotOnTour.article_id == article_id)
    before = set(session.scalars(named))
    if before == not_on:
        return False
    session.execute(delete(NotOnTour).where(NotOnTour.article_id == article_id))
    session.add_all(NotOnTour(article_id=article_id, tour_id=tour_id) for tour_id in not_on)
    audit.record(
        session,
        "article.tours",
        ("article", article_id),
        at=at,
        by=by,
        before={"not_on": sorted(before)},
        after={"not_on": sorted(not_on)},
    )
    return True


# Prices


def set_price(session: Session, article_id: int, price: DatedPrice, *, at: datetime, by: int) -> bool | None:
    """In force from its day on; whether that was otherwise until now. None where that day is over."""
    if price.since < local_day(at):
        return None
    hold_article(session, article_id)
    begun = (ArticlePrice.article_id == article_id, ArticlePrice.since <= price.since)
    before = session.scalar(select(ArticlePrice).where(*begun).order_by(ArticlePrice.since.desc()).limit(1))
    if before and (before.price, before.vat_basis_points) == (price.price, price.vat_basis_points):
        return False
    was, now = _for_trail(before) if before else None, _for_trail(price)
    if before and before.since == price.since:
        before.price, before.vat_basis_points = price.price, price.vat_basis_points
    else:
        values = {"since": price.since, "price": price.price, "vat_basis_points": price.vat_basis_points}
        session.add(ArticlePrice(article_id=article_id, **values))
    audit.record(session, "article.price", ("article", article_id), at=at, by=by, before=was, after=now)
    return True


def withdraw_price(session: Session, article_id: int, since: date, *, at: datetime, by: int) -> bool | None:
    """Take back a price that has not begun; whether it was still there. None where it has begun."""
    if since <= local_day(at):
        return None
    hold_article(session, article_id)
    that = select(ArticlePrice).where(ArticlePrice.article_id == article_id, ArticlePrice.since == since)
    price = session.scalar(that)
    if price is None:
        return False
    session.delete(price)
    audit.record(session, "article.price", ("article", article_id), at=at, by=by, before=_for_trail(price))
    return True


def _for_trail(price: DatedPrice | ArticlePrice) -> dict[str, Any]:
    return {
        "since": price.since.isoformat(),
        "price": price.price.cents,
        "vat_basis_points": price.vat_basis_points,
    }


# Stock


def count_stock(
    session: Session, article_id: int, delta: int, *, delivery_id: int | None = None, at: datetime, by: int
) -> StockRefusal | None:
    """So much more or less is left, in all or for one delivery; sales of the meantime count as well."""
    article = hold_article(session, article_id)
    counted_by = StockKind.COUNTED if delivery_id is None else StockKind.BY_DELIVERY
    if article.stock_kind is not counted_by:
        return StockRefusal.NOT_COUNTED
    row: Article | DeliveryStock = (
        article if delivery_id is None else _delivery_stock(session, article, delivery_id)
    )
    field = "stock" if delivery_id is None else "remaining"
    before = getattr(row, field) or 0
    after = before + delta
    if after < min(before, 0):
        return StockRefusal.TOO_LITTLE
    if after > MOST_STOCK:
        return StockRefusal.TOO_MUCH
    locks.checked()
    setattr(row, field, after)
    if delta:
        of = {} if delivery_id is None else {"delivery_id": delivery_id}
        audit.record(
            session,
            "article.stock",
            ("article", article_id),
            at=at,
            by=by,
            before={field: before} | of,
            after={field: after} | of,
        )
    return None


def _delivery_stock(session: Session, article: Article, delivery_id: int) -> DeliveryStock:
    own = (DeliveryStock.article_id == article.id, DeliveryStock.delivery_id == delivery_id)
    row = session.scalar(locks.for_update(select(DeliveryStock).where(*own), of=DeliveryStock))
    if row is None:
        row = DeliveryStock(
            article_id=article.id, delivery_id=delivery_id, remaining=article.per_delivery or 0
        )
        session.add(row)
    return row


# Shelves and neighbours


def add_category(session: Session, *, name: str, drawing: str, at: datetime, by: int) -> Category | None:
    """A new shelf, the last one; None where there is one of that name."""
    last = session.scalar(select(func.max(Category.position)))
    position = 0 if last is None else last + 1
    category = Category(slug=slug_of(name)[:60] or "rayon", name=name, position=position, drawing=drawing)
    try:
        with session.begin_nested():
            session.add(category)
    except IntegrityError:
        return None
    after = {"name": name, "drawing": drawing}
    audit.record(session, "category.create", ("category", category.id), at=at, by=by, after=after)
    return category


def change_category(
    session: Session, category_id: int, *, name: str, drawing: str, at: datetime, by: int
) -> bool:
    """Whether it was otherwise until now."""
    that = select(Category).where(Category.id == category_id)
    category = session.scalars(locks.for_update(that, of=Category)).one()
    return bool(audit.change(session, category, {"name": name, "drawing": drawing}, at=at, by=by))


def place_category(session: Session, category_id: int, place: int, *, at: datetime, by: int) -> bool:
    """Make it the shelf of that number, from 0; whether it was another until now."""
    return place_among(session, Category, category_id, place, at=at, by=by)


def place_among(
    session: Session, table: type[Category] | type[Formula], row_id: int, place: int, *, at: datetime, by: int
) -> bool:
    """Put one into its place in the order that staff give to all of its kind; whether it was elsewhere."""
    rows: list[Category | Formula] = list(
        session.scalars(locks.for_update(select(table).order_by(table.id), of=table))
    )
    rows.sort(key=lambda row: (row.position, row.id))
    moved = next(row for row in rows if row.id == row_id)
    before = rows.index(moved)
    rows.remove(moved)
    rows.insert(place, moved)
    for position, row in enumerate(rows):
        row.position = position
    if before == moved.position:
        return False
    name = table.__tablename__
    audit.record(
        session,
        f"{name}.place",
        (name, row_id),
        at=at,
        by=by,
        before={"place": before},
        after={"place": moved.position},
    )
    return True


def add_supplier(session: Session, values: Mapping[str, Any], *, at: datetime, by: int) -> Supplier | None:
    """A neighbour whose goods the farm sells; None where there is one of that name."""
    supplier = Supplier(**values)
    try:
        with session.begin_nested():
            session.add(supplier)
    except IntegrityError:
        return None
    audit.record(session, "supplier.create", ("supplier", supplier.id), at=at, by=by)
    return supplier


def change_supplier(
    session: Session, supplier_id: int, values: Mapping[str, Any], *, at: datetime, by: int
) -> bool | None:
    """Whether it was otherwise until now; None where another one has that name."""
    that = select(Supplier).where(Supplier.id == supplier_id)
    supplier = session.scalars(locks.for_update(that, of=Supplier)).one()
    try:
        with session.begin_nested():
            return bool(audit.change(session, supplier, values, at=at, by=by, unsaid=set(values)))
    except IntegrityError:
        return None


def free_slug(session: Session, column: InstrumentedAttribute[str], name: str) -> str:
    taken = set(session.scalars(select(column)))
    slug = slug_of(name)[:50].strip("-") or "produit"
    names = (slug if number == 1 else f"{slug}-{number}" for number in count(1))
    return next(name for name in names if name not in taken)
