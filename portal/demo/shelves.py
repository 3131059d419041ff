"""The demo farm's shop in the database: shelves, articles with their prices, vouchers, how it sells."""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.catalogue import models
from portal.catalogue.models import ArticlePrice, NotOnTour, Product, Unit
from portal.deliveries.models import Tour
from portal.demo import goods, neighbours, own_goods
from portal.demo.conditions import CONDITIONS
from portal.demo.goods import Article, Good
from portal.demo.vegetables import Vegetable
from portal.profile.models import Conditions
from portal.rules.money import Money
from portal.rules.selling import Measured, SaleUnit, StockKind
from portal.shop.models import ShopSettings, Voucher
from portal.web.i18n import french

ARTICLES = (
    *own_goods.FROM_THE_FIELDS,
    *neighbours.FRUITS,
    *neighbours.DAIRY_AND_EGGS,
    *neighbours.BREAD_AND_FLOUR,
    *neighbours.SWEETS,
    *own_goods.JARS,
    *neighbours.LARDER,
    *neighbours.DRINKS,
    *neighbours.DRIED_HERBS,
    *own_goods.PLANTS,
)
STEP = 250
LAST_MINUTE = time(23, 59)
RAISED, TO_BE_RAISED = timedelta(days=45), timedelta(days=30)
"""How long ago the last price came, and when the next one does."""


def add_shop(session: Session, size: int, today: date, now: datetime) -> None:
    """All that can be ordered; a larger farm has more of what is counted by delivery."""
    categories = {
        category.slug: models.Category(
            slug=category.slug, name=category.name, position=position, drawing=category.drawing
        )
        for position, category in enumerate(goods.CATEGORIES)
    }
    suppliers = {
        supplier: models.Supplier(name=supplier.name, email=supplier.email, phone=supplier.phone)
        for supplier in goods.SUPPLIERS
    }
    products = {product.slug: product for product in session.scalars(select(Product))}
    tours = {tour.slug: tour.id for tour in session.scalars(select(Tour))}
    for article in ARTICLES:
        row = _row(article, size, today)
        row.category = categories[article.category]
        row.supplier = suppliers[article.supplier] if article.supplier else None
        row.product = products.setdefault(article.product.slug, _product(article.product))
        session.add(row)
        session.flush()
        session.add_all(NotOnTour(article_id=row.id, tour_id=tours[slug]) for slug in article.not_on)
    session.add(
        ShopSettings(
            id=1,
            accepts_at_once=False,
            guests_welcome=True,
            guest_minimum=Money(15_00),
            payment_means="espèces, chèque ou carte",
        )
    )
    session.add_all(_vouchers(today))
    session.add(Conditions(text=french(CONDITIONS), published_at=now - timedelta(days=250)))


def _product(product: Good | Vegetable) -> Product:
    return Product(
        slug=product.slug,
        name=product.name,
        unit=Unit(product.unit),
        value=Money(product.price),
        drawing=product.drawing,
        storage=french(product.storage),
    )


def _row(article: Article, size: int, today: date) -> models.Article:
    first, last = article.season or (None, None)
    return models.Article(
        slug=article.slug,
        name=french(article.name),
        description=french(article.description),
        sale_unit=article.sale_unit,
        content=article.grams or article.millilitres,
        measured=_measured(article),
        step=STEP if article.sale_unit is SaleUnit.WEIGHT else None,
        origin=article.origin,
        variety=article.variety,
        label=article.label,
        ingredients=french(article.ingredients) if article.ingredients else None,
        allergens=article.allergens,
        alcohol=article.alcohol,
        perishable=article.perishable,
        stock_kind=_stock_kind(article),
        stock=article.stock,
        per_delivery=article.per_delivery and article.per_delivery * size,
        season_first=first,
        season_last=last,
        lead_days=article.lead_days,
        lead_time=None if article.lead_days is None else LAST_MINUTE,
        prices=list(_prices(article, today)),
    )


def _measured(article: Article) -> Measured | None:
    if article.grams:
        return Measured.GRAMS
    return Measured.MILLILITRES if article.millilitres else None


def _stock_kind(article: Article) -> StockKind:
    if article.per_delivery is not None:
        return StockKind.BY_DELIVERY
    return StockKind.UNLIMITED if article.stock is None else StockKind.COUNTED


def _prices(article: Article, today: date) -> Iterator[ArticlePrice]:
    known = (
        (date(today.year - 1, 1, 1), article.former_price or article.price),
        (today - RAISED, article.price if article.former_price else None),
        (today + TO_BE_RAISED, article.coming_price),
    )
    for since, cents in known:
        if cents:
            yield ArticlePrice(since=since, price=Money(cents), vat_basis_points=article.vat)


def _vouchers(today: date) -> Iterator[Voucher]:
    """One for newcomers, one of the moment, one that has expired, one that three people have used up."""
    this_year = (date(today.year - 1, 12, 1), date(today.year + 1, 1, 31))
    month = (today - timedelta(days=12), today + timedelta(days=18))
    fair = (today - timedelta(days=80), today - timedelta(days=50))
    for code, amount, share, (first_day, last_day), minimum, uses, per_person, note in (
        (
            "BIENVENUE",
            500,
            None,
            this_year,
            20_00,
            None,
            1,
            "Remis aux nouveaux abonnés avec leur premier panier.",
        ),
        ("SAISON10", None, 1000, month, 0, 200, None, "Annoncé dans la feuille de chou du mois."),
        ("FOIRE15", None, 1500, fair, 20_00, None, 1, "Distribué sur notre stand à la foire de Laragne."),
        (
            "MERCI-CHANTIER",
            800,
            None,
            this_year,
            0,
            3,
            1,
            "Pour les trois bénévoles du chantier des tunnels.",
        ),
    ):
        yield Voucher(
            code=code,
            amount=amount and Money(amount),
            share=share,
            first_day=first_day,
            last_day=last_day,
            minimum=Money(minimum),
            uses=uses,
            per_person=per_person,
            note=french(note),
        )
