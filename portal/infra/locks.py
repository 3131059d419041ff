"""Locks on rows, and the mode in which the tests prove that they are needed.

On PostgreSQL the rows are locked. On SQLite the whole transaction is (see `orm`), and these clauses say
nothing.
"""

import time
from typing import Any, TypeVar

from flask import current_app
from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from portal.infra.orm import Base
from portal.settings import Settings

Statement = TypeVar("Statement", bound=Select[Any])


def race_pause() -> float:
    """Seconds to wait unlocked between a check and its write: 0 but in the tests' control (BAR K15)."""
    settings: Settings = current_app.config["SETTINGS"]
    return settings.race_pause


def for_update(statement: Statement, of: type[Base]) -> Statement:
    """Lock a table's rows for a write; what is read of them is what stands once the lock is held.

    FOR NO KEY UPDATE: a row that names a locked one may be added meanwhile. With FOR UPDATE the freeze would
    wait for a subscription whose skip waits for the freeze.
    """
    if race_pause():
        return statement
    return statement.with_for_update(of=of, key_share=True).execution_options(populate_existing=True)


def for_share(statement: Statement, of: type[Base]) -> Statement:
    """Keep a table's rows as they are until our commit; others may do the same beside us."""
    if race_pause():
        return statement
    return statement.with_for_update(of=of, read=True).execution_options(populate_existing=True)


def named(session: Session, name: str) -> None:
    """Keep a name to ourselves until our commit, where there is no row to lock."""
    if session.get_bind().dialect.name == "postgresql" and not race_pause():
        session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(name, 0))))


def checked() -> None:
    """Call between a check and its write: nothing, but a pause in the tests' control."""
    if pause := race_pause():
        time.sleep(pause)
