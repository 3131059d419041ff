"""Compositions, their lines, and what changed after they were shown."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.infra.orm import Base, PrimaryKey, word


class CompositionState(StrEnum):
    """Draft is the staff's alone; a forecast and a confirmed one are shown to subscribers."""

    DRAFT = "draft"
    FORECAST = "forecast"
    CONFIRMED = "confirmed"


class Composition(Base):
    """What one formula's box holds on one delivery.

    `shown_at` is when subscribers could first see it; it stays when the box goes back to draft.
    """

    __tablename__ = "composition"
    __table_args__ = (UniqueConstraint("delivery_id", "formula_id"),)

    id: Mapped[PrimaryKey]
    delivery_id: Mapped[int] = mapped_column(ForeignKey("delivery.id"))
    formula_id: Mapped[int] = mapped_column(ForeignKey("formula.id"), index=True)
    state: Mapped[CompositionState] = mapped_column(word(CompositionState))
    shown_at: Mapped[datetime | None]
    confirmed_at: Mapped[datetime | None]
    lines: Mapped[list["CompositionLine"]] = relationship(
        cascade="all, delete-orphan", order_by="CompositionLine.id"
    )
    changes: Mapped[list["CompositionChange"]] = relationship(cascade="all, delete-orphan")


class CompositionLine(Base):
    """A product in a box; `amount` is in grams for what is weighed, else in pieces or bunches."""

    __tablename__ = "composition_line"
    __table_args__ = (
        UniqueConstraint("composition_id", "product_id"),
        CheckConstraint("amount > 0", name="amount_positive"),
    )

    id: Mapped[PrimaryKey]
    composition_id: Mapped[int] = mapped_column(ForeignKey("composition.id", ondelete="CASCADE"))
    product_id: Mapped[int] = mapped_column(ForeignKey("product.id"), index=True)
    amount: Mapped[int]


class CompositionChange(Base):
    """A line that differs from what subscribers were first shown; 0 stands for absent."""

    __tablename__ = "composition_change"
    __table_args__ = (UniqueConstraint("composition_id", "product_id"),)

    id: Mapped[PrimaryKey]
    composition_id: Mapped[int] = mapped_column(ForeignKey("composition.id", ondelete="CASCADE"))
    product_id: Mapped[int] = mapped_column(ForeignKey("product.id"), index=True)
    at: Mapped[datetime]
    before: Mapped[int]
    after: Mapped[int]


class Exclusion(Base):
    """A product that a formula's boxes do not hold at one point, and what they hold instead, if anything."""

    __tablename__ = "composition_exclusion"
    __table_args__ = (
        UniqueConstraint("composition_id", "pickup_point_id", "product_id", name="uq_composition_exclusion"),
        CheckConstraint("(instead_id IS NULL) = (instead_amount IS NULL)", name="instead_whole"),
        CheckConstraint("instead_amount > 0", name="instead_amount_positive"),
    )

    id: Mapped[PrimaryKey]
    composition_id: Mapped[int] = mapped_column(ForeignKey("composition.id", ondelete="CASCADE"))
    pickup_point_id: Mapped[int] = mapped_column(ForeignKey("pickup_point.id"), index=True)
    product_id: Mapped[int] = mapped_column(ForeignKey("product.id"), index=True)
    instead_id: Mapped[int | None] = mapped_column(ForeignKey("product.id"), index=True)
    instead_amount: Mapped[int | None]
    made_at: Mapped[datetime]


class ShortageNotice(Base):
    """A product runs short on a delivery, and whose box it concerns is still to be told by the worker."""

    __tablename__ = "shortage_notice"
    __table_args__ = (Index(None, "told_at"),)

    id: Mapped[PrimaryKey]
    delivery_id: Mapped[int] = mapped_column(ForeignKey("delivery.id"), index=True)
    product_id: Mapped[int] = mapped_column(ForeignKey("product.id"), index=True)
    instead_id: Mapped[int | None] = mapped_column(ForeignKey("product.id"), index=True)
    formula_ids: Mapped[list[int]]
    point_ids: Mapped[list[int]]
    """Where it is missing; empty for all points."""
    instead_amounts: Mapped[dict[str, Any]]
    """How much comes instead in a box of each formula, where anything does."""
    note: Mapped[str | None] = mapped_column(String(300))
    made_at: Mapped[datetime]
    made_by: Mapped[int] = mapped_column(ForeignKey("account.id"))
    told_through: Mapped[int]
    """The last account that has been told, in the order of their ids."""
    told_at: Mapped[datetime | None]
