"""Pickup points."""

from datetime import date, datetime, time

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.deliveries.models import Tour
from portal.infra.orm import Base, PrimaryKey


class PickupPoint(Base):
    """A stop of one tour; `position` is its place in the round, hours are on the wall clock."""

    __tablename__ = "pickup_point"

    id: Mapped[PrimaryKey]
    tour_id: Mapped[int] = mapped_column(ForeignKey("tour.id"), index=True)
    position: Mapped[int]
    slug: Mapped[str] = mapped_column(String(60), unique=True)
    name: Mapped[str] = mapped_column(String(120))
    address: Mapped[str] = mapped_column(String(200))
    postcode: Mapped[str] = mapped_column(String(10))
    town: Mapped[str] = mapped_column(String(80))
    latitude: Mapped[float]
    longitude: Mapped[float]
    opens: Mapped[time]
    closes: Mapped[time]
    access: Mapped[str] = mapped_column(Text)
    contact: Mapped[str | None] = mapped_column(String(120))
    """Who receives the driver; contact, telephone and note are for the round sheet alone."""
    phone: Mapped[str | None] = mapped_column(String(30))
    driver_note: Mapped[str | None] = mapped_column(Text)
    capacity: Mapped[int]
    free_places: Mapped[int | None]
    """As last counted, for pages; who takes a place is checked against the boxes themselves."""
    retired_at: Mapped[datetime | None]
    """Offered to nobody since then; those who collect there keep it until they move."""
    tour: Mapped[Tour] = relationship(lazy="joined", innerjoin=True)


class PointClosing(Base):
    """Days, both included, on which a point takes nothing: what comes there goes to another of its tour.

    `ended_at` is when the farm took it back; the point is open again since then.
    """

    __tablename__ = "point_closing"
    __table_args__ = (
        CheckConstraint("last_day >= first_day", name="days_in_order"),
        CheckConstraint("substitute_id != pickup_point_id", name="substitute_elsewhere"),
        Index(None, "pickup_point_id", "first_day", "last_day"),
    )

    id: Mapped[PrimaryKey]
    pickup_point_id: Mapped[int] = mapped_column(ForeignKey("pickup_point.id"))
    substitute_id: Mapped[int] = mapped_column(ForeignKey("pickup_point.id"), index=True)
    first_day: Mapped[date]
    last_day: Mapped[date]
    reason: Mapped[str] = mapped_column(String(200))
    made_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
