"""The audit trail can be written and read, and nothing else (BAR P7)."""

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from portal.infra import audit
from portal.infra.audit import AuditEvent
from tests.world import NOW


@pytest.fixture
def line(session: Session) -> AuditEvent:
    audit.record(
        session, "box.skip", ("subscription", 1), at=NOW, by=7, before={"skip": False}, after={"skip": True}
    )
    session.commit()
    return session.scalars(select(AuditEvent)).one()


def test_a_line_says_who_did_what_when_from_what_to_what(line: AuditEvent) -> None:
    assert (line.account_id, line.action, line.at) == (7, "box.skip", NOW)
    assert (line.subject_type, line.subject_id) == ("subscription", "1")
    assert (line.before, line.after) == ({"skip": False}, {"skip": True})


FORGERIES = {
    "sqlite": [
        "UPDATE audit_event SET account_id = 8",
        "DELETE FROM audit_event",
        "INSERT OR REPLACE INTO audit_event SELECT * FROM audit_event",
    ],
    "postgresql": [
        "UPDATE audit_event SET account_id = 8",
        "DELETE FROM audit_event",
        "TRUNCATE audit_event",
        "INSERT INTO audit_event SELECT * FROM audit_event ON CONFLICT (id) DO UPDATE SET account_id = 8",
    ],
}


def test_a_line_is_never_changed_or_removed(session: Session, line: AuditEvent, backend: str) -> None:
    for statement in FORGERIES[backend]:
        with pytest.raises(DBAPIError, match="the audit trail is append-only"):
            session.execute(text(statement))
        session.rollback()
        assert session.scalars(select(AuditEvent.account_id)).all() == [7], statement


def test_a_change_that_is_rolled_back_leaves_no_line(session: Session) -> None:
    audit.record(session, "box.skip", ("subscription", 1), at=NOW, by=7)
    session.flush()
    session.rollback()
    assert session.scalars(select(AuditEvent)).all() == []
