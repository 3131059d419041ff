"""One-off changes, suspensions and frozen boxes."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.catalogue.models import Formula
from portal.infra.orm import Base, PrimaryKey, word
from portal.pickup.models import PickupPoint
from portal.rules.money import Money


class BoxChange(Base):
    """A change to one week of a subscription; undone field by field, the row stays.

    `skip` is no within a suspension that a box is taken back from; `skip_at` says since when it stands.
    `to_week` is the week whose delivery the box is postponed to: one such box a week at most, so that a
    delivery never brings more than two boxes of a subscription. The point is that of all boxes which travel
    in this week, formula and quantity are those of its own box.
    """

    __tablename__ = "box_change"
    __table_args__ = (
        UniqueConstraint("subscription_id", "week"),
        UniqueConstraint("subscription_id", "to_week"),
        CheckConstraint("to_week > week", name="to_week_later"),
        CheckConstraint("quantity > 0", name="quantity_positive"),
        Index(None, "week"),
        Index(None, "to_week"),
        Index(None, "pickup_point_id", "week"),
    )

    id: Mapped[PrimaryKey]
    subscription_id: Mapped[int] = mapped_column(ForeignKey("subscription.id"))
    week: Mapped[date]
    skip: Mapped[bool | None]
    skip_at: Mapped[datetime | None]
    to_week: Mapped[date | None]
    pickup_point_id: Mapped[int | None] = mapped_column(ForeignKey("pickup_point.id"))
    formula_id: Mapped[int | None] = mapped_column(ForeignKey("formula.id"), index=True)
    quantity: Mapped[int | None]
    changed_at: Mapped[datetime]
    changed_by: Mapped[int | None] = mapped_column(ForeignKey("account.id"))
    pickup_point: Mapped[PickupPoint | None] = relationship()
    formula: Mapped[Formula | None] = relationship()


class Suspension(Base):
    """A range of days, both included, without boxes; it ends by itself, or early at `ended_at`."""

    __tablename__ = "suspension"
    __table_args__ = (CheckConstraint("last_day >= first_day", name="days_in_order"),)

    id: Mapped[PrimaryKey]
    subscription_id: Mapped[int] = mapped_column(ForeignKey("subscription.id"), index=True)
    first_day: Mapped[date]
    last_day: Mapped[date]
    made_at: Mapped[datetime]
    made_by: Mapped[int | None] = mapped_column(ForeignKey("account.id"))
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[int | None] = mapped_column(ForeignKey("account.id"))


class Basket(Base):
    """One subscription's box of one week, as it stood when its delivery was frozen; never recomputed.

    Unique by subscription and week of origin: nobody ever gets two boxes of one week. Staff may correct it; of a
    quantity of nothing no box is packed.
    """

    __tablename__ = "basket"
    __table_args__ = (
        UniqueConstraint("subscription_id", "week"),
        CheckConstraint("quantity >= 0", name="quantity_not_negative"),
        CheckConstraint("billed_quantity >= 0", name="billed_quantity_not_negative"),
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
    billed_quantity: Mapped[int]
    """What is billed: a correction changes it only where the fault was the farm's."""


class BasketCorrection(Base):
    """What staff changed of a frozen box, and why; taken back, it keeps its line.

    `before` and `after` say formula, quantity, point, price, VAT rate and billed quantity.
    """

    __tablename__ = "basket_correction"
    __table_args__ = (Index(None, "delivery_id", "at"),)

    id: Mapped[PrimaryKey]
    basket_id: Mapped[int] = mapped_column(ForeignKey("basket.id", ondelete="CASCADE"), index=True)
    delivery_id: Mapped[int] = mapped_column(ForeignKey("delivery.id"))
    at: Mapped[datetime]
    by_id: Mapped[int] = mapped_column(ForeignKey("account.id"), index=True)
    reason: Mapped[str] = mapped_column(String(300))
    farm_fault: Mapped[bool]
    before: Mapped[dict[str, Any] | None]
    """None where the box was added."""
    after: Mapped[dict[str, Any]]
    undone_at: Mapped[datetime | None]
    undone_by_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"), index=True)


class HandoverKind(StrEnum):
    """Who gets a box that its owner cannot collect."""

    PERSON = "person"
    PARTNER = "partner"
    """The farm's solidarity partner."""


class Handover(Base):
    """A box that somebody else collects, or that is given away, once it is too late to skip it; billed all the same."""

    __tablename__ = "handover"
    __table_args__ = (UniqueConstraint("subscription_id", "week"),)

    id: Mapped[PrimaryKey]
    subscription_id: Mapped[int] = mapped_column(ForeignKey("subscription.id"))
    week: Mapped[date]
    kind: Mapped[HandoverKind] = mapped_column(word(HandoverKind))
    name: Mapped[str] = mapped_column(String(160))
    """Who collects it, or what the partner was called then."""
    email: Mapped[str | None] = mapped_column(String(254))
    code: Mapped[str] = mapped_column(String(12))
    """What they say at the point."""
    made_at: Mapped[datetime]
    made_by: Mapped[int | None] = mapped_column(ForeignKey("account.id"), index=True)
