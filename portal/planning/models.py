"""Who is still to be told what the farm did to a delivery or to a point; the addresses of calendars."""

from datetime import date, datetime

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from portal.infra.orm import Base


class DeliveryNotice(Base):
    """A delivery was moved, cancelled or reinstated, and this person is not yet told.

    It keeps what they know of the delivery, not what has become of it: the worker tells the difference to
    what is then true. So several changes in a row are one mail, and none if all is as it was.
    """

    __tablename__ = "delivery_notice"
    __table_args__ = (Index(None, "due_at"),)

    delivery_id: Mapped[int] = mapped_column(ForeignKey("delivery.id"), primary_key=True)
    account_id: Mapped[int] = mapped_column(
        ForeignKey("account.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    known_day: Mapped[date]
    known_cancelled: Mapped[bool]
    made_by: Mapped[int] = mapped_column(ForeignKey("account.id"))
    due_at: Mapped[datetime]


class ClosingNotice(Base):
    """A point was closed, or its closing taken back, and this person is not yet told; `known` is what they know."""

    __tablename__ = "closing_notice"
    __table_args__ = (Index(None, "due_at"),)

    closing_id: Mapped[int] = mapped_column(ForeignKey("point_closing.id"), primary_key=True)
    account_id: Mapped[int] = mapped_column(
        ForeignKey("account.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    known: Mapped[bool]
    due_at: Mapped[datetime]


class CalendarFeed(Base):
    """A person's secret calendar address: found by its token's hash only; a new version takes its place."""

    __tablename__ = "calendar_feed"

    account_id: Mapped[int] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"), primary_key=True)
    version: Mapped[int]
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    made_at: Mapped[datetime]
