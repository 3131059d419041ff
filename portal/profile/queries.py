"""Reading the farm's card."""

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from portal.profile.models import FarmProfile, News
from portal.rules.cutoffs import local_day


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
    id: int
    title: str
    text: str
    published_at: datetime

    @property
    def day(self) -> date:
        return local_day(self.published_at)


def latest_news(session: Session, now: datetime, count: int = 3) -> list[NewsItem]:
    """The newest published news first."""
    newest = _newest_first().where(News.published_at <= now).limit(count)
    return [_item(row) for row in session.scalars(newest)]


def all_news(session: Session) -> list[NewsItem]:
    """What is published and what is to be, newest first."""
    return [_item(row) for row in session.scalars(_newest_first())]


def find_news(session: Session, news_id: int) -> NewsItem | None:
    row = session.get(News, news_id)
    return _item(row) if row else None


def _newest_first() -> Select[News]:
    return select(News).order_by(News.published_at.desc(), News.id.desc())


def _item(row: News) -> NewsItem:
    return NewsItem(row.id, row.title, row.text, row.published_at)
