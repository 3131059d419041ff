"""What the worker does for tables."""

import logging

from sqlalchemy.exc import OperationalError

from portal.exchange import archives, imports
from portal.infra import clock
from portal.infra.jobs import HOUR, Task
from portal.infra.orm import own_transaction

logger = logging.getLogger(__name__)


def work_on_imports() -> bool:
    """A step of the oldest import that waits; true while there may be another."""
    with own_transaction() as session:
        import_id = imports.due(session)
    if import_id is None:
        return False
    try:
        _go_on(import_id)
    except OperationalError:
        raise  # somebody else holds what it needs: the task comes round again
    except Exception:
        logger.exception("import failed", extra={"import_id": import_id})
        with own_transaction() as session:
            imports.give_up(session, import_id, clock.now())
    return True


def _go_on(import_id: int) -> None:
    with own_transaction() as session:
        data = imports.unread(session, import_id)
    found = imports.look_into(data) if data else None
    with own_transaction() as session:
        if found:
            imports.understand(session, import_id, found, clock.now())
        else:
            imports.step(session, import_id, clock.now())


def work_on_archive() -> bool:
    """A table of the archive that is being made; true while there may be another."""
    return archives.step(clock.now())


def forget_old_tables() -> None:
    now = clock.now()
    with own_transaction() as session:
        imports.forget_old(session, now)
        archives.forget_old(session, now)


TASKS = (
    Task("imports", 2, work_on_imports),
    Task("archive", 2, work_on_archive),
    Task("old tables", HOUR, forget_old_tables),
)
