"""What was printed of a delivery, and what has been ticked while packing it."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from portal.infra.orm import Base, PrimaryKey, word


class Paper(StrEnum):
    """What is printed of a delivery."""

    HARVEST = "harvest"
    PACKING = "packing"
    LABELS = "labels"
    ROUND = "round"
    SIGNATURES = "signatures"


class ListPrint(Base):
    """A paper as it was printed: `lines` keeps a digest of each of its lines, so that what has changed is known."""

    __tablename__ = "list_print"
    __table_args__ = (UniqueConstraint("delivery_id", "paper", "number"),)

    id: Mapped[PrimaryKey]
    delivery_id: Mapped[int] = mapped_column(ForeignKey("delivery.id"))
    paper: Mapped[Paper] = mapped_column(word(Paper))
    number: Mapped[int]
    at: Mapped[datetime]
    by_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"), index=True)
    lines: Mapped[dict[str, Any]]


class PackingTick(Base):
    """A line of the packing mode that somebody has ticked, or whose tick was taken back."""

    __tablename__ = "packing_tick"

    delivery_id: Mapped[int] = mapped_column(ForeignKey("delivery.id"), primary_key=True)
    key: Mapped[str] = mapped_column(String(80), primary_key=True)
    done: Mapped[bool]
    at: Mapped[datetime]
    by_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"), index=True)
