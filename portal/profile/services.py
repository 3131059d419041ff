"""What staff do to the farm's card, its news and its conditions of sale."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.infra import audit, locks
from portal.profile.models import Conditions, FarmProfile, News

UNSAID = {"email", "phone", "address", "postcode", "town", "legal_name", "siret", "vat_number", "director"}
"""A farm's may be those of a farmer."""


def save_profile(session: Session, values: Mapping[str, Any], *, at: datetime, by: int) -> bool:
    """Write the farm's card; whether it was otherwise until now."""
    profile = session.scalar(locks.for_update(select(FarmProfile), of=FarmProfile))
    if profile is not None:
        return bool(audit.change(session, profile, values, at=at, by=by, unsaid=UNSAID))
    session.add(FarmProfile(id=1, **values))
    audit.record(session, "farm_profile.create", ("farm_profile", 1), at=at, by=by)
    return True


def add_news(
    session: Session, *, title: str, text: str, published_at: datetime, at: datetime, by: int
) -> News:
    news = News(title=title, text=text, published_at=published_at)
    session.add(news)
    session.flush()
    after = {"published_at": published_at.isoformat()}
    audit.record(session, "news.create", ("news", news.id), at=at, by=by, after=after)
    return news


def change_news(
    session: Session, news_id: int, *, title: str, text: str, published_at: datetime, at: datetime, by: int
) -> bool | None:
    """Whether it was otherwise until now; None where it has been removed."""
    news = _locked(session, news_id)
    if news is None:
        return None
    values = {"title": title, "text": text, "published_at": published_at}
    return bool(audit.change(session, news, values, at=at, by=by, unsaid={"title", "text"}))


def remove_news(session: Session, news_id: int, *, at: datetime, by: int) -> bool:
    """Whether it was still there."""
    news = _locked(session, news_id)
    if news is None:
        return False
    session.delete(news)
    before = {"published_at": news.published_at.isoformat()}
    audit.record(session, "news.remove", ("news", news_id), at=at, by=by, before=before)
    return True


def publish_conditions(session: Session, text: str, *, at: datetime, by: int) -> bool:
    """In force from now on; whether it says anything new."""
    latest = select(Conditions).order_by(Conditions.id.desc()).limit(1)
    in_force = session.scalar(locks.for_update(latest, of=Conditions))
    if in_force is not None and in_force.text == text:
        return False
    conditions = Conditions(text=text, published_at=at)
    session.add(conditions)
    session.flush()
    audit.record(session, "conditions.publish", ("conditions", conditions.id), at=at, by=by)
    return True


def _locked(session: Session, news_id: int) -> News | None:
    return session.scalar(locks.for_update(select(News).where(News.id == news_id), of=News))
