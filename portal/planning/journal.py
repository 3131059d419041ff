"""The audit trail as staff look through it: by person, by object, by day, newest first."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import Session, aliased

from portal.accounts.models import Account
from portal.infra.audit import AuditEvent
from portal.infra.orm import View
from portal.planning.people import is_found_by
from portal.rules.alphabet import search_words
from portal.rules.cutoffs import PARIS
from portal.rules.money import Money

MONEY = {"price", "total", "amount", "minimum", "value"}
_DAY = re.compile(r"2[0-9]{3}-[0-9]{2}-[0-9]{2}")
_MOMENT = re.compile(r"2[0-9]{3}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9.]+[+]")
KNOWN = 20
"""How many people a name may mean: more are asked for by a longer one."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is narrowed down; nothing is asked of what is empty."""

    text: str = ""
    kind: str = ""
    number: str = ""
    first: date | None = None
    last: date | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """A field, from what to what; None where it was not said."""

    field: str
    old: Any
    new: Any


@dataclass(frozen=True, slots=True)
class Line:
    """One line; `by` is nobody for the worker and the command line, `place` in whose place staff acted."""

    id: int
    at: datetime
    action: str
    kind: str
    key: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    by_id: int | None
    first_name: str | None
    last_name: str | None
    place_id: int | None
    place_first: str | None
    place_last: str | None

    @property
    def by(self) -> str | None:
        return f"{self.first_name} {self.last_name}" if self.first_name else None

    @property
    def place(self) -> str | None:
        return f"{self.place_first} {self.place_last}" if self.place_first else None


def read(field: str, said: Any) -> Any:
    """As it was before it was written as JSON, as far as one can tell."""
    if field in MONEY and type(said) is int:
        return Money(said)
    if isinstance(said, str) and _DAY.fullmatch(said):
        return date.fromisoformat(said)
    if isinstance(said, str) and _MOMENT.match(said):
        return datetime.fromisoformat(said)
    return said


def journal(session: Session, wanted: Wanted, *, before: int | None, limit: int) -> list[Line]:
    """The newest lines before one, which an index finds: the thousandth page costs what the first does."""
    place = aliased(Account)
    line = View(
        Line,
        id=AuditEvent.id,
        at=AuditEvent.at,
        action=AuditEvent.action,
        kind=AuditEvent.subject_type,
        key=AuditEvent.subject_id,
        before=AuditEvent.before,
        after=AuditEvent.after,
        by_id=AuditEvent.account_id,
        first_name=Account.first_name,
        last_name=Account.last_name,
        place_id=AuditEvent.for_account_id,
        place_first=place.first_name,
        place_last=place.last_name,
    )
    found = (
        select(line)
        .outerjoin_from(AuditEvent, Account, Account.id == AuditEvent.account_id)
        .outerjoin(place, place.id == AuditEvent.for_account_id)
        .where(*_conditions(session, wanted))
    )
    if before is not None:
        found = found.where(AuditEvent.id < before)
    return list(session.scalars(found.order_by(AuditEvent.id.desc()).limit(limit)))


def _conditions(session: Session, wanted: Wanted) -> Iterator[ColumnElement[bool]]:
    if words := search_words(wanted.text):
        people = select(Account.id).where(*map(is_found_by, words)).order_by(Account.id).limit(KNOWN)
        ids = list(session.scalars(people))
        subject = and_(AuditEvent.subject_type == "account", AuditEvent.subject_id.in_(map(str, ids)))
        yield or_(AuditEvent.account_id.in_(ids), AuditEvent.for_account_id.in_(ids), subject)
    if wanted.kind:
        yield AuditEvent.subject_type == wanted.kind
    if wanted.number:
        yield AuditEvent.subject_id == wanted.number
    if wanted.first:
        yield AuditEvent.at >= _midnight(wanted.first)
    if wanted.last:
        yield AuditEvent.at < _midnight(wanted.last + timedelta(days=1))


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), PARIS).astimezone(UTC)
