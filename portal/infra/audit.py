"""The audit trail: who changed what, when, from what to what; never a personal value, only a field's name.

Rows are never changed or removed: triggers in the migrations refuse UPDATE and DELETE.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, Session

from portal.infra.orm import Base, PrimaryKey


class AuditEvent(Base):
    """One line of the trail; `account_id` is who acted (none for the worker and the command line)."""

    __tablename__ = "audit_event"
    __table_args__ = (Index(None, "subject_type", "subject_id"),)

    id: Mapped[PrimaryKey]
    at: Mapped[datetime]
    account_id: Mapped[int | None]
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
    session.add(
        AuditEvent(
            at=at,
            account_id=by,
            action=action,
            subject_type=subject[0],
            subject_id=str(subject[1]),
            before=before,
            after=after,
        )
    )
