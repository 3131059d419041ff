"""Pickup points."""

from datetime import datetime, time

from sqlalchemy import ForeignKey, String, Text
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
    capacity: Mapped[int]
    free_places: Mapped[int | None]
    """As last counted, for pages; who takes a place is checked against the boxes themselves."""
    retired_at: Mapped[datetime | None]
    """Offered to nobody since then; those who collect there keep it until they move."""
    tour: Mapped[Tour] = relationship(lazy="joined", innerjoin=True)
