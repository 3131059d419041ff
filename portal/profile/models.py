"""The farm's profile (one row), its news, its conditions of sale and its legal pages."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from portal.infra.orm import Base, PrimaryKey, word
from portal.rules.money import Money


class Accessibility(StrEnum):
    """How far the site follows the accessibility rules, as the farm declares it; its words are in the templates."""

    FULL = "full"
    PARTIAL = "partial"
    NONE = "none"
    EXEMPT = "exempt"
    """A micro-enterprise: the law wants it said (Code de la consommation, L412-13)."""


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
    legal_name: Mapped[str | None] = mapped_column(String(160))
    legal_form: Mapped[str | None] = mapped_column(String(120))
    siret: Mapped[str | None] = mapped_column(String(14))
    register: Mapped[str | None] = mapped_column(String(120))
    """Where it is registered: « RCS Gap », « Répertoire national des associations, W051… »."""
    vat_number: Mapped[str | None] = mapped_column(String(20))
    director: Mapped[str | None] = mapped_column(String(160))
    """Who answers for what is published."""
    host: Mapped[str | None] = mapped_column(Text)
    """Name, address and telephone of who runs the machines."""
    mediator: Mapped[str | None] = mapped_column(Text)
    """Name and address of the consumers' mediator; `mediator_site` is theirs."""
    mediator_site: Mapped[str | None] = mapped_column(String(300))
    partner: Mapped[str | None] = mapped_column(String(160))
    """Who gets the boxes that are given away."""
    inactive_years: Mapped[int] = mapped_column(server_default="3")
    """After so many years without a sign of life an account is erased."""
    accessibility: Mapped[Accessibility] = mapped_column(
        word(Accessibility), server_default=Accessibility.NONE
    )
    birthday_gift: Mapped[Money] = mapped_column(server_default="0")
    """What a birthday's voucher takes off; none if nothing."""


class Page(StrEnum):
    """A text that the law asks for; the farm's own words stand in for ours."""

    LEGAL = "legal"
    PRIVACY = "privacy"
    ACCESSIBILITY = "accessibility"


class PageText(Base):
    """A version of such a text, in force from its publication to the next one's; none again if it is empty."""

    __tablename__ = "page_text"
    __table_args__ = (Index(None, "page", "id"),)

    id: Mapped[PrimaryKey]
    page: Mapped[Page] = mapped_column(word(Page))
    text: Mapped[str] = mapped_column(Text)
    published_at: Mapped[datetime]


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
