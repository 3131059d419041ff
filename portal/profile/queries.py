"""Reading the farm's card, its news and its conditions of sale."""

import re
from dataclasses import dataclass, field
from datetime import date, datetime

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from portal.infra.orm import View
from portal.profile.models import Accessibility, Conditions, FarmProfile, News
from portal.rules.cutoffs import local_day
from portal.rules.money import Money

_HEADING = re.compile(r"#+\s+(.*?)\s*")


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
    certifier: str | None = None
    certificate: str | None = None
    legal_name: str | None = None
    legal_form: str | None = None
    siret: str | None = None
    register: str | None = None
    vat_number: str | None = None
    director: str | None = None
    host: str | None = None
    mediator: str | None = None
    mediator_site: str | None = None
    partner: str | None = None
    inactive_years: int = 3
    accessibility: Accessibility = Accessibility.NONE
    birthday_gift: Money = field(default_factory=Money.zero)

    @property
    def phone_link(self) -> str:
        return "tel:+33" + "".join(c for c in self.phone if c.isdigit()).removeprefix("0")


NO_FARM = Farm("Votre ferme", "", "", "", "", "", "", "")
"""Before the farm has filled in its profile."""


_FARM = select(
    View(
        Farm,
        name=FarmProfile.name,
        tagline=FarmProfile.tagline,
        email=FarmProfile.email,
        phone=FarmProfile.phone,
        phone_hours=FarmProfile.phone_hours,
        address=FarmProfile.address,
        postcode=FarmProfile.postcode,
        town=FarmProfile.town,
        certifier=FarmProfile.certifier,
        certificate=FarmProfile.certificate,
        legal_name=FarmProfile.legal_name,
        legal_form=FarmProfile.legal_form,
        siret=FarmProfile.siret,
        register=FarmProfile.register,
        vat_number=FarmProfile.vat_number,
        director=FarmProfile.director,
        host=FarmProfile.host,
        mediator=FarmProfile.mediator,
        mediator_site=FarmProfile.mediator_site,
        partner=FarmProfile.partner,
        inactive_years=FarmProfile.inactive_years,
        accessibility=FarmProfile.accessibility,
        birthday_gift=FarmProfile.birthday_gift,
    )
)


def get_farm(session: Session) -> Farm:
    return session.scalar(_FARM) or NO_FARM


SEASON_FIRST = 401
"""The first of April, as month × 100 + day: before the farm has filled in its profile."""


def season_first(session: Session) -> int:
    return session.scalar(select(FarmProfile.season_first)) or SEASON_FIRST


@dataclass(frozen=True, slots=True)
class NewsItem:
    id: int
    title: str
    text: str
    published_at: datetime

    @property
    def day(self) -> date:
        return local_day(self.published_at)


_NEWS = View(NewsItem, id=News.id, title=News.title, text=News.text, published_at=News.published_at)
_NEWEST_FIRST = select(_NEWS).order_by(News.published_at.desc(), News.id.desc())
_LATEST = _NEWEST_FIRST.where(News.published_at <= bindparam("now")).limit(bindparam("count"))


def latest_news(session: Session, now: datetime, count: int = 3) -> list[NewsItem]:
    """The newest published news first."""
    return list(session.scalars(_LATEST, {"now": now, "count": count}))


def all_news(session: Session) -> list[NewsItem]:
    """What is published and what is to be, newest first."""
    return list(session.scalars(_NEWEST_FIRST))


def find_news(session: Session, news_id: int) -> NewsItem | None:
    return session.scalar(select(_NEWS).where(News.id == news_id))


@dataclass(frozen=True, slots=True)
class ConditionsView:
    """A version of the conditions of sale; a line of its text that begins with « # » is a heading."""

    id: int
    published_at: datetime
    text: str

    @property
    def day(self) -> date:
        return local_day(self.published_at)

    @property
    def sections(self) -> list[tuple[str, str]]:
        return sections_of(self.text)


def sections_of(text: str) -> list[tuple[str, str]]:
    """Headings, each with the paragraphs below it; what stands before the first has none."""
    parts: list[tuple[str, list[str]]] = [("", [])]
    for line in text.splitlines():
        if heading := _HEADING.fullmatch(line):
            parts.append((heading[1], []))
        else:
            parts[-1][1].append(line)
    sections = [(heading, "\n".join(lines).strip()) for heading, lines in parts]
    return [section for section in sections if any(section)]


_CONDITIONS = select(
    View(ConditionsView, id=Conditions.id, published_at=Conditions.published_at, text=Conditions.text)
).order_by(Conditions.id.desc())


def conditions_in_force(session: Session) -> ConditionsView | None:
    """None before the farm has published any."""
    return session.scalar(_CONDITIONS.limit(1))


def has_conditions(session: Session) -> bool:
    """Whether the farm has published any: without them nobody can order."""
    return session.scalar(select(select(Conditions.id).exists())) or False


def all_conditions(session: Session) -> list[ConditionsView]:
    """Every version, that in force first."""
    return list(session.scalars(_CONDITIONS))


def find_conditions(session: Session, conditions_id: int) -> ConditionsView | None:
    return session.scalar(_CONDITIONS.where(Conditions.id == conditions_id))
