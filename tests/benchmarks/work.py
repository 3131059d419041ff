"""How much a database does for an answer, counted and not timed: the same each time, however busy the machine."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, event
from sqlalchemy.engine import Engine

STEP = 10
"""After so many instructions SQLite calls back."""
READ = """SELECT coalesce(sum(seq_tup_read), 0) + coalesce(sum(idx_tup_fetch), 0) FROM pg_stat_xact_user_tables"""


class Work:
    """What is done so far: instructions of SQLite's machine, rows that PostgreSQL reads."""

    done = 0


@contextmanager
def counted(engine: Engine) -> Iterator[Work]:
    """Counts what connections that begin a transaction within the block do."""
    work = Work()
    watch = _sqlite(work) if engine.dialect.name == "sqlite" else _postgresql(work)
    for name, listener in watch.items():
        event.listen(engine, name, listener)
    try:
        yield work
    finally:
        for name, listener in watch.items():
            event.remove(engine, name, listener)


def _sqlite(work: Work) -> dict[str, object]:
    def step() -> int:
        work.done += STEP
        return 0

    def watch(connection: Connection) -> None:
        _driver(connection).set_progress_handler(step, STEP)

    def leave(connection: Connection) -> None:
        _driver(connection).set_progress_handler(None, STEP)

    return {"begin": watch, "commit": leave, "rollback": leave}


def _driver(connection: Connection) -> sqlite3.Connection:
    driver = connection.connection.driver_connection
    assert isinstance(driver, sqlite3.Connection)
    return driver


def _postgresql(work: Work) -> dict[str, object]:
    def read(connection: Connection) -> int:
        with connection.connection.cursor() as cursor:
            cursor.execute(READ)
            return int(cursor.fetchone()[0])

    def begin(connection: Connection) -> None:
        connection.info["read"] = read(connection)

    def end(connection: Connection) -> None:
        work.done += read(connection) - connection.info.pop("read", 0)

    return {"begin": begin, "commit": end, "rollback": end}
