"""The audit trail: who changed what, when, from what to what; never a personal value, only a field's name.

Rows are never changed or removed: triggers in the migrations refuse UPDATE and DELETE.
"""

from collections.abc import Collection, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, Session, mapped_column

from portal.infra.orm import Base, PrimaryKey
from portal.rules.money import Money


@dataclass(frozen=True, slots=True)
class Deputy:
    """Staff who see the site as a subscriber, and act in that person's place."""

    staff_id: int
    account_id: int


deputy: ContextVar[Deputy | None] = ContextVar("deputy", default=None)
"""Set while one acts: whoever a service says that it is, every line of the trail then has both names."""


def hands(by: int | None) -> int | None:
    """Who really acts where `by` is said to."""
    standing_in = deputy.get()
    return standing_in.staff_id if standing_in else by


class AuditEvent(Base):
    """One line of the trail; `account_id` is who acted (none for the worker and the command line)."""

    __tablename__ = "audit_event"
    __table_args__ = (Index(None, "subject_type", "subject_id"), Index(None, "at"))

    id: Mapped[PrimaryKey]
    at: Mapped[datetime]
    account_id: Mapped[int | None] = mapped_column(index=True)
    for_account_id: Mapped[int | None] = mapped_column(index=True)
    """In whose place they acted, where staff saw the site as a subscriber (BAR Z7)."""
    action: Mapped[str]
    subject_type: Mapped[str]
    subject_id: Mapped[str]
    before: Mapped[dict[str, Any] | None]
    after: Mapped[dict[str, Any] | None]


def record(
    session: Session,
    action: str,
    subject: tuple[str, object],
    *,
    at: datetime,
    by: int | None,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> None:
    """Add a line within the caller's transaction; `subject` is a table's name and a key."""
    standing_in = deputy.get()
    session.add(
        AuditEvent(
            at=at,
            account_id=hands(by),
            for_account_id=standing_in.account_id if standing_in else None,
            action=action,
            subject_type=subject[0],
            subject_id=str(subject[1]),
            before=before,
            after=after,
        )
    )


def change(
    session: Session,
    row: Any,
    values: Mapping[str, Any],
    *,
    at: datetime,
    by: int | None,
    unsaid: Collection[str] = (),
) -> list[str]:
    """Write onto a row what differs, with one line that says from what to what; answers what has changed.

    Of the fields in `unsaid`, which may be personal, the line has the names only.
    """
    changed = [name for name, value in values.items() if getattr(row, name) != value]
    if not changed:
        return []
    said = [name for name in changed if name not in unsaid]
    before = {name: _plain(getattr(row, name)) for name in said}
    after: dict[str, Any] = {name: _plain(values[name]) for name in said}
    if names := [name for name in changed if name in unsaid]:
        after["fields"] = names
    for name in changed:
        setattr(row, name, values[name])
    table = row.__tablename__
    record(session, f"{table}.change", (table, row.id), at=at, by=by, before=before or None, after=after)
    return changed


def _plain(value: Any) -> Any:
    """As JSON keeps it."""
    match value:
        case date():
            return value.isoformat()
        case time():
            return value.isoformat("minutes")
        case Money():
            return value.cents
        case _:
            return value
