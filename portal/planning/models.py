"""Who is still to be told what the farm did to a delivery or to a point; the addresses of calendars; beginning, waiting
for and ending a subscription.
"""

from datetime import date, datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from portal.infra.orm import Base, PrimaryKey


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


class JoiningDraft(Base):
    """What somebody has chosen on the way to a subscription, to go on with on whatever device."""

    __tablename__ = "joining_draft"

    account_id: Mapped[int] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"), primary_key=True)
    chosen: Mapped[dict[str, Any]]
    changed_at: Mapped[datetime]


class Waiting(Base):
    """Somebody waits for places at a pickup point; first come, first invited."""

    __tablename__ = "waiting"
    __table_args__ = (Index(None, "pickup_point_id", "asked_at"),)

    account_id: Mapped[int] = mapped_column(
        ForeignKey("account.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    pickup_point_id: Mapped[int] = mapped_column(ForeignKey("pickup_point.id"), primary_key=True)
    formula_id: Mapped[int] = mapped_column(ForeignKey("formula.id"), index=True)
    quantity: Mapped[int]
    asked_at: Mapped[datetime]
    invited_at: Mapped[datetime | None]
    """Since when a place is kept for them; until `kept_until`."""
    kept_until: Mapped[datetime | None]


class Termination(Base):
    """Somebody has notified the farm that their contract is to end (Code de la consommation, L215-1-1).

    Without a sign-in it takes effect once `confirmed_at`, by the link that was mailed to the account's address;
    `account_id` is unknown until the worker has found whose it is.
    """

    __tablename__ = "termination"

    id: Mapped[PrimaryKey]
    account_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"), index=True)
    name: Mapped[str] = mapped_column(String(160))
    contact: Mapped[str] = mapped_column(String(254))
    """Where the receipt goes: a mail address, or a postal one."""
    reference: Mapped[str] = mapped_column(String(80))
    """What they call the contract: a customer number, « mon panier du mardi »."""
    wished_day: Mapped[date | None]
    """None for as soon as possible."""
    notified_at: Mapped[datetime]
    searched_at: Mapped[datetime | None]
    """When the worker has looked whose it is; found or not."""
    confirmed_at: Mapped[datetime | None]
    ended: Mapped[dict[str, Any]]
    """What the receipt says of each subscription, by its id; nothing of people."""
    reason: Mapped[str | None] = mapped_column(Text)
    """Said afterwards, if they like."""
    settled_at: Mapped[datetime | None]
    """When staff have dealt with one that nobody confirmed."""
    settlement: Mapped[str | None] = mapped_column(Text)
    """What they have made of it."""


class ContractWithdrawal(Base):
    """Somebody has renounced a subscription within fourteen days (Code de la consommation, L221-18 and L221-21)."""

    __tablename__ = "contract_withdrawal"

    id: Mapped[PrimaryKey]
    contract_id: Mapped[int] = mapped_column(ForeignKey("contract.id"), unique=True)
    name: Mapped[str] = mapped_column(String(160))
    email: Mapped[str] = mapped_column(String(254))
    made_at: Mapped[datetime]
    settled_at: Mapped[datetime | None]
