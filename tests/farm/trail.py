"""What the farm's acts leave behind."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.infra.audit import AuditEvent


def events(session: Session) -> list[AuditEvent]:
    """The audit trail, oldest first."""
    return list(session.scalars(select(AuditEvent).order_by(AuditEvent.id)))
