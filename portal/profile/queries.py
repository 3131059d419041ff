"""Reading the farm's card."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.profile.models import FarmProfile, News


@dataclass(frozen=True, slots=True)
class Farm:
    """The farm as pages, mails and papers name it."""

    name: str
    tagline: str
    email: str
    phone: str
    phone_hours: str
    address: str
    postcode: str
    town: str

    @property
    def phone_link(self) -> str:
        return "tel:+33" + "".join(c for c in self.phone if c.isdigit()).removeprefix("0")


NO_FARM = Farm("Votre ferme", "", "", "", "", "", "", "")
"""Before the farm has filled in its profile."""


def get_farm(session: Session) -> Farm:
    profile = session.scalar(select(FarmProfile))
    if profile is None:
        return NO_FARM
    return Farm(
        name=profile.name,
        tagline=profile.tagline,
        email=profile.email,
        phone=profile.phone,
        phone_hours=profile.phone_hours,
        address=profile.address,
        postcode=profile.postcode,
        town=profile.town,
    )


@dataclass(frozen=True, slots=True)
class NewsItem:
    title: str
    text: str
    published_at: datetime


def latest_news(session: Session, now: datetime, count: int = 3) -> list[NewsItem]:
    """The newest published news first."""
    rows = session.scalars(
        select(News).where(News.published_at <= now).order_by(News.published_at.desc()).limit(count)
    )
    return [NewsItem(row.title, row.text, row.published_at) for row in rows]
