"""Products, formulas and their dated prices."""

from datetime import date
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.infra.orm import Base, PrimaryKey, word
from portal.rules.money import Money


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
    """One vegetable or other good; the same row feeds the boxes and, later, the shop.

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
