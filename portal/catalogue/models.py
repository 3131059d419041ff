"""Products, formulas, what the shop sells, and their dated prices."""

from datetime import date, datetime, time
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.infra.orm import Base, PrimaryKey, word
from portal.rules.money import Money
from portal.rules.selling import Measured, SaleUnit, StockKind


class Unit(StrEnum):
    """How a product is counted; weights are kept in whole grams, the others in whole pieces."""

    KILO = "kg"
    GRAM = "g"
    PIECE = "piece"
    BUNCH = "bunch"


class Kind(StrEnum):
    """What a formula delivers."""

    VEGETABLES = "vegetables"
    EGGS = "eggs"


class Product(Base):
    """One vegetable or other good; the same row feeds the boxes and the shop, so that the harvest adds up.

    `value` is what a kilo, a piece or a bunch is worth, to weigh a box against its formula's price.
    """

    __tablename__ = "product"

    id: Mapped[PrimaryKey]
    slug: Mapped[str] = mapped_column(String(60), unique=True)
    name: Mapped[str] = mapped_column(String(120))
    unit: Mapped[Unit] = mapped_column(word(Unit))
    value: Mapped[Money]
    drawing: Mapped[str] = mapped_column(String(40))
    storage: Mapped[str] = mapped_column(Text)
    parcel: Mapped[str | None] = mapped_column(String(80))
    tool: Mapped[str | None] = mapped_column(String(80))
    crate: Mapped[str | None] = mapped_column(String(80))
    kept_in: Mapped[str | None] = mapped_column(String(80))
    margin: Mapped[int] = mapped_column(server_default="0")
    """Harvested on top of what is needed, in percent."""
    retired_at: Mapped[datetime | None]
    """Grown no more; boxes and orders keep it."""


class Formula(Base):
    """A kind of box; `weight` is the place it takes at a pickup point (eggs: 0)."""

    __tablename__ = "formula"

    id: Mapped[PrimaryKey]
    slug: Mapped[str] = mapped_column(String(60), unique=True)
    name: Mapped[str] = mapped_column(String(80))
    short_name: Mapped[str] = mapped_column(String(20))
    kind: Mapped[Kind] = mapped_column(word(Kind))
    description: Mapped[str] = mapped_column(Text)
    serves: Mapped[str] = mapped_column(String(80))
    drawing: Mapped[str] = mapped_column(String(40))
    position: Mapped[int]
    weight: Mapped[int]
    per_crate: Mapped[int | None]
    """How many of its boxes the driver stacks in one crate."""
    retired_at: Mapped[datetime | None]
    """Offered to nobody since then; who receives it keeps it until they change."""
    prices: Mapped[list["FormulaPrice"]] = relationship(order_by="FormulaPrice.since")


class FormulaPrice(Base):
    """A formula's price by delivery, all taxes included, from a date; VAT in basis points (550 = 5.5 %)."""

    __tablename__ = "formula_price"
    __table_args__ = (
        UniqueConstraint("formula_id", "since"),
        CheckConstraint("price >= 0", name="price_not_negative"),
    )

    id: Mapped[PrimaryKey]
    formula_id: Mapped[int] = mapped_column(ForeignKey("formula.id"))
    since: Mapped[date]
    price: Mapped[Money]
    vat_basis_points: Mapped[int]
    notice: Mapped[str | None] = mapped_column(String(300))
    """Why it changes, for those who receive the formula; none where nobody is told."""
    told_through: Mapped[int] = mapped_column(server_default="0")
    """The last account that has been told, in the order of their ids."""
    told_at: Mapped[datetime | None]


class Label(StrEnum):
    """What a product may call itself; conversion is for a single plant ingredient."""

    ORGANIC = "organic"
    CONVERSION = "conversion"


class Category(Base):
    """A shelf of the shop."""

    __tablename__ = "category"

    id: Mapped[PrimaryKey]
    slug: Mapped[str] = mapped_column(String(60), unique=True)
    name: Mapped[str] = mapped_column(String(80))
    position: Mapped[int]
    drawing: Mapped[str] = mapped_column(String(40))


class Supplier(Base):
    """A neighbour whose goods the farm sells."""

    __tablename__ = "supplier"

    id: Mapped[PrimaryKey]
    name: Mapped[str] = mapped_column(String(120), unique=True)
    email: Mapped[str | None] = mapped_column(String(254))
    phone: Mapped[str | None] = mapped_column(String(30))


class Picture(Base):
    """A photograph as the server has re-encoded it; `digest` names it in addresses, for ever the same bytes."""

    __tablename__ = "picture"

    id: Mapped[PrimaryKey]
    digest: Mapped[str] = mapped_column(String(32), unique=True)
    width: Mapped[int]
    height: Mapped[int]


class PictureSize(Base):
    """A picture's WebP file in one width."""

    __tablename__ = "picture_size"

    picture_id: Mapped[int] = mapped_column(ForeignKey("picture.id", ondelete="CASCADE"), primary_key=True)
    width: Mapped[int] = mapped_column(primary_key=True)
    data: Mapped[bytes]


class Article(Base):
    """A product as the shop sells it: by the bunch, in bags of two kilos, by weight.

    `content` is what one unit holds, in grams or millilitres; `step` the grams by which what is sold by weight
    is ordered. `stock` is what is left to be ordered, in units or grams, where it is counted; `per_delivery`
    what there is for each delivery where it is counted by delivery. The season lasts from one day of the year
    to another, both included, written as month × 100 + day; over the new year where the first is the later
    one. A lead of its own closes it before the delivery closes.
    """

    __tablename__ = "article"
    __table_args__ = (
        CheckConstraint("stock >= 0", name="stock_not_negative"),
        CheckConstraint("per_delivery >= 0", name="per_delivery_not_negative"),
        CheckConstraint("content > 0", name="content_positive"),
        CheckConstraint("step > 0", name="step_positive"),
        CheckConstraint("(season_first IS NULL) = (season_last IS NULL)", name="season_whole"),
        CheckConstraint("(lead_days IS NULL) = (lead_time IS NULL)", name="lead_whole"),
    )

    id: Mapped[PrimaryKey]
    product_id: Mapped[int] = mapped_column(ForeignKey("product.id"), index=True)
    category_id: Mapped[int] = mapped_column(ForeignKey("category.id"), index=True)
    supplier_id: Mapped[int | None] = mapped_column(ForeignKey("supplier.id"), index=True)
    picture_id: Mapped[int | None] = mapped_column(ForeignKey("picture.id"), index=True)
    slug: Mapped[str] = mapped_column(String(60), unique=True)
    name: Mapped[str] = mapped_column(String(120))
    description: Mapped[str] = mapped_column(Text)
    sale_unit: Mapped[SaleUnit] = mapped_column(word(SaleUnit))
    content: Mapped[int | None]
    measured: Mapped[Measured | None] = mapped_column(word(Measured))
    step: Mapped[int | None]
    origin: Mapped[str] = mapped_column(String(80))
    variety: Mapped[str | None] = mapped_column(String(80))
    label: Mapped[Label | None] = mapped_column(word(Label))
    ingredients: Mapped[str | None] = mapped_column(Text)
    allergens: Mapped[str | None] = mapped_column(String(200))
    alcohol: Mapped[bool]
    """Not for minors (Code de la santé publique, L3342-1)."""
    perishable: Mapped[bool]
    stock_kind: Mapped[StockKind] = mapped_column(word(StockKind))
    stock: Mapped[int | None]
    per_delivery: Mapped[int | None]
    season_first: Mapped[int | None]
    season_last: Mapped[int | None]
    lead_days: Mapped[int | None]
    lead_time: Mapped[time | None]
    retired_at: Mapped[datetime | None]
    """Sold to nobody since then; orders keep it."""
    product: Mapped[Product] = relationship()
    category: Mapped[Category] = relationship()
    supplier: Mapped[Supplier | None] = relationship()
    picture: Mapped[Picture | None] = relationship()
    prices: Mapped[list["ArticlePrice"]] = relationship(order_by="ArticlePrice.since")


class ArticlePrice(Base):
    """What a unit costs, or a kilo of what is sold by weight, all taxes included, from a date on."""

    __tablename__ = "article_price"
    __table_args__ = (
        UniqueConstraint("article_id", "since"),
        CheckConstraint("price >= 0", name="price_not_negative"),
    )

    id: Mapped[PrimaryKey]
    article_id: Mapped[int] = mapped_column(ForeignKey("article.id"))
    since: Mapped[date]
    price: Mapped[Money]
    vat_basis_points: Mapped[int]


class NotOnTour(Base):
    """An article that a tour does not carry; it carries all others."""

    __tablename__ = "not_on_tour"

    article_id: Mapped[int] = mapped_column(ForeignKey("article.id"), primary_key=True)
    tour_id: Mapped[int] = mapped_column(ForeignKey("tour.id"), primary_key=True, index=True)


class DeliveryStock(Base):
    """What is left of an article for one delivery, from its first order or its staff's own count on.

    Below nothing where the farm has brought orders over from a delivery that it has cancelled: so many are missing.
    """

    __tablename__ = "delivery_stock"

    article_id: Mapped[int] = mapped_column(ForeignKey("article.id"), primary_key=True)
    delivery_id: Mapped[int] = mapped_column(ForeignKey("delivery.id"), primary_key=True, index=True)
    remaining: Mapped[int]
