"""Tours and dated deliveries."""

from datetime import date, datetime, time
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.infra.orm import Base, PrimaryKey, word
from portal.rules.calendar import Fortnight
from portal.rules.cutoffs import Lead


class Tour(Base):
    """A weekly round. `weekday` counts from Monday = 0; `letter` marks it on paper beside its colour."""

    __tablename__ = "tour"

    id: Mapped[PrimaryKey]
    slug: Mapped[str] = mapped_column(String(40), unique=True)
    name: Mapped[str] = mapped_column(String(80))
    weekday: Mapped[int]
    lead_days: Mapped[int]
    lead_time: Mapped[time]
    retired_at: Mapped[datetime | None]
    """No delivery is prepared any more since then."""

    @property
    def lead(self) -> Lead:
        return Lead(self.lead_days, self.lead_time)


class Delivery(Base):
    """A tour on a date.

    `week` is the Monday of the nominal date and never changes; `day` is the actual date, `cutoff_at` the
    first refused instant. `frozen_at` is set when its boxes are written, `cancelled_at` when the farm closes
    it.
    """

    __tablename__ = "delivery"
    __table_args__ = (
        UniqueConstraint("tour_id", "week"),
        UniqueConstraint("tour_id", "day"),
        Index(None, "day"),
    )

    id: Mapped[PrimaryKey]
    tour_id: Mapped[int] = mapped_column(ForeignKey("tour.id"))
    week: Mapped[date]
    fortnight: Mapped[Fortnight] = mapped_column(word(Fortnight))
    nominal_day: Mapped[date]
    day: Mapped[date]
    cutoff_at: Mapped[datetime] = mapped_column(index=True)
    cancelled_at: Mapped[datetime | None]
    cancel_reason: Mapped[str | None] = mapped_column(String(200))
    move_reason: Mapped[str | None] = mapped_column(String(200))
    frozen_at: Mapped[datetime | None]
    changed_at: Mapped[datetime | None]
    """When it was last moved, cancelled or reinstated."""
    tour: Mapped[Tour] = relationship(lazy="joined", innerjoin=True)


class Step(StrEnum):
    """What staff do with a closed delivery, in this order."""

    HARVESTED = "harvested"
    PACKED = "packed"
    DELIVERED = "delivered"


class DeliveryStep(Base):
    """A step that staff have said to be done; taken back, the row goes."""

    __tablename__ = "delivery_step"

    delivery_id: Mapped[int] = mapped_column(ForeignKey("delivery.id"), primary_key=True)
    step: Mapped[Step] = mapped_column(word(Step), primary_key=True)
    at: Mapped[datetime]
    by_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"), index=True)
