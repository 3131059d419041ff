"""Who is leaving, who was warned, who was two."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Text
from sqlalchemy.orm import Mapped, mapped_column

from portal.infra.orm import Base, PrimaryKey


class Departure(Base):
    """An account that its owner has closed: erased at `erase_at`, or only asleep."""

    __tablename__ = "departure"

    account_id: Mapped[int] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"), primary_key=True)
    asked_at: Mapped[datetime]
    erase_at: Mapped[datetime | None] = mapped_column(index=True)
    reason: Mapped[str | None] = mapped_column(Text)


class InactivityNotice(Base):
    """Somebody was written to so many days before their account would be erased for want of a sign of life."""

    __tablename__ = "inactivity_notice"

    account_id: Mapped[int] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"), primary_key=True)
    days: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[datetime]


class AccountMerge(Base):
    """Two accounts of one person became one; `moved` counts what went over, by table."""

    __tablename__ = "account_merge"

    id: Mapped[PrimaryKey]
    from_id: Mapped[int] = mapped_column(ForeignKey("account.id"), unique=True)
    into_id: Mapped[int] = mapped_column(ForeignKey("account.id"), index=True)
    at: Mapped[datetime]
    moved: Mapped[dict[str, Any]]
