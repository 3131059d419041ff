"""One-off changes and frozen boxes."""

from datetime import date, datetime

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from portal.infra.orm import Base, PrimaryKey
from portal.rules.money import Money


class BoxChange(Base):
    """A change to one week of a subscription; undone field by field, the row stays."""

    __tablename__ = "box_change"
    __table_args__ = (UniqueConstraint("subscription_id", "week"), Index(None, "week"))

    id: Mapped[PrimaryKey]
    subscription_id: Mapped[int] = mapped_column(ForeignKey("subscription.id"))
    week: Mapped[date]
    skip: Mapped[bool | None]
    changed_at: Mapped[datetime]


class Basket(Base):
    """One subscription's box of one week, as it stood when its delivery was frozen; never recomputed.

    Unique by subscription and week of origin: nobody ever gets two boxes of one week.
    """

    __tablename__ = "basket"
    __table_args__ = (
        UniqueConstraint("subscription_id", "week"),
        Index(None, "delivery_id", "pickup_point_id"),
    )

    id: Mapped[PrimaryKey]
    subscription_id: Mapped[int] = mapped_column(ForeignKey("subscription.id"))
    week: Mapped[date]
    delivery_id: Mapped[int] = mapped_column(ForeignKey("delivery.id"))
    formula_id: Mapped[int] = mapped_column(ForeignKey("formula.id"), index=True)
    quantity: Mapped[int]
    pickup_point_id: Mapped[int] = mapped_column(ForeignKey("pickup_point.id"), index=True)
    unit_price: Mapped[Money]
    vat_basis_points: Mapped[int]
