"""How often something may be done: counted in the database, so that all processes share the count.

A fixed window begins with the first act. Keys are keyed hashes: the table holds no address of anybody.
"""

import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta

from flask import current_app
from sqlalchemy import String, case, delete, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from portal.infra.orm import Base, insert


class RateCount(Base):
    __tablename__ = "rate_count"

    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    count: Mapped[int]
    expires_at: Mapped[datetime]


@dataclass(frozen=True, slots=True)
class Limit:
    """At most so many in a window; `name` keeps the counts of two limits apart."""

    name: str
    most: int
    window: timedelta


@dataclass(frozen=True, slots=True)
class Count:
    """How often it was done, this time included, and when the window ends."""

    limit: Limit
    count: int
    ends_at: datetime

    @property
    def used_up(self) -> bool:
        return self.count >= self.limit.most

    @property
    def exceeded(self) -> bool:
        return self.count > self.limit.most


def hit(session: Session, limit: Limit, subject: str, now: datetime) -> Count:
    """Count once more, in one statement, so that no two requests get the same number."""
    row = RateCount.__table__.c
    over = row.expires_at <= now
    statement = insert(session, RateCount).values(
        key=_key(limit, subject), count=1, expires_at=now + limit.window
    )
    number, ends_at = session.execute(
        statement.on_conflict_do_update(
            index_elements=["key"],
            set_={
                "count": case((over, 1), else_=row.count + 1),
                "expires_at": case((over, statement.excluded.expires_at), else_=row.expires_at),
            },
        ).returning(row.count, row.expires_at)
    ).one()
    return Count(limit, number, ends_at)


def take_back(session: Session, limit: Limit, subject: str) -> None:
    """It turned out not to count."""
    counted = RateCount.key == _key(limit, subject)
    session.execute(update(RateCount).where(counted).values(count=RateCount.count - 1))


def forget(session: Session, limit: Limit, subject: str) -> None:
    """Begin again at nought."""
    session.execute(delete(RateCount).where(RateCount.key == _key(limit, subject)))


def purge(session: Session, now: datetime) -> None:
    session.execute(delete(RateCount).where(RateCount.expires_at <= now))


def _key(limit: Limit, subject: str) -> str:
    secret = current_app.config["SECRET_KEY"].encode()
    return hmac.digest(secret, f"{limit.name} {subject}".encode(), "sha256").hex()
