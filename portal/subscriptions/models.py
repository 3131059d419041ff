"""Subscriptions and their dated terms."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.accounts.models import Account
from portal.catalogue.models import Formula
from portal.infra.crypto import Sealed
from portal.infra.orm import Base, PrimaryKey, word
from portal.pickup.models import PickupPoint
from portal.profile.models import Conditions
from portal.rules.calendar import Rhythm


class Subscription(Base):
    """A formula for an account. Its last box is the last whose actual date is at or before `last_day`."""

    __tablename__ = "subscription"

    id: Mapped[PrimaryKey]
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"), index=True)
    created_at: Mapped[datetime]
    changed_at: Mapped[datetime | None]
    """When its terms, a week of it or a suspension last changed: calendars ask which version is the newer."""
    last_day: Mapped[date | None]
    account: Mapped[Account] = relationship()
    terms: Mapped[list["Term"]] = relationship(back_populates="subscription", order_by="Term.monday")


class Term(Base):
    """What a subscription receives from a Monday on.

    `until` is the Monday from which the next term holds (none for the last): it repeats the next row's
    `monday`, so that one statement can count a whole week without looking at neighbours.
    """

    __tablename__ = "term"
    __table_args__ = (
        UniqueConstraint("subscription_id", "monday"),
        CheckConstraint("quantity > 0", name="quantity_positive"),
        CheckConstraint("until IS NULL OR until > monday", name="until_after_monday"),
        Index(None, "pickup_point_id", "monday", "until"),
    )

    id: Mapped[PrimaryKey]
    subscription_id: Mapped[int] = mapped_column(ForeignKey("subscription.id"))
    monday: Mapped[date]
    until: Mapped[date | None]
    formula_id: Mapped[int] = mapped_column(ForeignKey("formula.id"), index=True)
    quantity: Mapped[int]
    rhythm: Mapped[Rhythm] = mapped_column(word(Rhythm))
    pickup_point_id: Mapped[int] = mapped_column(ForeignKey("pickup_point.id"))
    subscription: Mapped[Subscription] = relationship(back_populates="terms")
    formula: Mapped[Formula] = relationship()
    pickup_point: Mapped[PickupPoint] = relationship()


class Withheld(Base):
    """A formula that a pickup point does not offer; it offers all others."""

    __tablename__ = "withheld"

    pickup_point_id: Mapped[int] = mapped_column(ForeignKey("pickup_point.id"), primary_key=True)
    formula_id: Mapped[int] = mapped_column(ForeignKey("formula.id"), primary_key=True, index=True)


class Contract(Base):
    """What was agreed when somebody subscribed, as the paper that they were mailed (Code de la consommation, L221-13).

    Kept ten years after its end (L213-1 and D213-2), sealed, so that who is erased is named nowhere in clear.
    """

    __tablename__ = "contract"

    id: Mapped[PrimaryKey]
    subscription_id: Mapped[int] = mapped_column(ForeignKey("subscription.id"), unique=True)
    conditions_id: Mapped[int | None] = mapped_column(ForeignKey("conditions.id"), index=True)
    made_at: Mapped[datetime]
    paper: Mapped[bytes] = mapped_column(Sealed("contract.paper"), deferred=True)
    """Its PDF; the column seals and opens it."""
    withdrawn_at: Mapped[datetime | None]
    """When they renounced it (L221-18)."""
    subscription: Mapped[Subscription] = relationship()
    conditions: Mapped[Conditions | None] = relationship()
