"""The farm's profile (one row), its news and its conditions of sale."""

from datetime import datetime

from sqlalchemy import CheckConstraint, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from portal.infra.orm import Base, PrimaryKey


class FarmProfile(Base):
    """Who the farm is, on every page and paper; exactly one row."""

    __tablename__ = "farm_profile"
    __table_args__ = (
        CheckConstraint("id = 1", name="single_row"),
        CheckConstraint("(certifier IS NULL) = (certificate IS NULL)", name="certificate_whole"),
    )

    id: Mapped[PrimaryKey]
    name: Mapped[str] = mapped_column(String(120))
    tagline: Mapped[str] = mapped_column(String(200))
    email: Mapped[str] = mapped_column(String(254))
    phone: Mapped[str] = mapped_column(String(30))
    phone_hours: Mapped[str] = mapped_column(String(120))
    address: Mapped[str] = mapped_column(String(200))
    postcode: Mapped[str] = mapped_column(String(10))
    town: Mapped[str] = mapped_column(String(80))
    certifier: Mapped[str | None] = mapped_column(String(10))
    """The code of who certifies that it is organic, « FR-BIO-01 »; `certificate` is the certificate's address."""
    certificate: Mapped[str | None] = mapped_column(String(300))
    season_first: Mapped[int] = mapped_column(server_default="401")
    """The season's first day of the year, as month × 100 + day: since then the boxes' worth is added up."""


class News(Base):
    """A few lines from the farm, newest first on the subscribers' home page."""

    __tablename__ = "news"

    id: Mapped[PrimaryKey]
    title: Mapped[str] = mapped_column(String(120))
    text: Mapped[str] = mapped_column(Text)
    published_at: Mapped[datetime]


class Conditions(Base):
    """A version of the conditions of sale, in force from its publication to the next one's; never changed.

    Whoever orders receives the text in force with the confirmation (Code de la consommation, L221-13).
    """

    __tablename__ = "conditions"

    id: Mapped[PrimaryKey]
    published_at: Mapped[datetime]
    text: Mapped[str] = mapped_column(Text)
