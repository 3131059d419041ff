"""Acts that meet, locks that others hold, and waiting for who waits for them."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from threading import Event, Thread, get_ident
from typing import Any

from flask import Flask
from sqlalchemy import event, select, text
from sqlalchemy.engine import Engine

from portal.infra import locks
from portal.infra.orm import Base, db, own_transaction
from tests.infra.workers import wait_until

PATIENCE = 30
"""Seconds after which a thread is taken for stuck."""

HEAD_START = 0.05
"""Seconds for an act to get through, or to find itself locked out."""


class Act:
    """Something that is done in a thread of its own."""

    def __init__(self, function: Callable[[], Any]) -> None:
        self._thread = Thread(target=lambda: setattr(self, "_result", attempt(function)), daemon=True)
        self._thread.start()

    def ends_within(self, seconds: float) -> bool:
        self._thread.join(seconds)
        return not self._thread.is_alive()

    @property
    def result(self) -> Any:
        """What it answered, or the exception that it raised."""
        assert self.ends_within(PATIENCE), "it hangs"
        return self._result


def attempt(function: Callable[[], Any]) -> Any:
    try:
        return function()
    except Exception as error:
        return error


def meetings(
    app: Flask, first: Callable[[], Any], second: Callable[[], Any], head_start: float = HEAD_START
) -> Iterator[tuple[Any, Any]]:
    """Let two acts meet at every point: the second begins as the first is about to send its n-th statement.

    It runs beside the first in a thread of its own, with a head start in which it gets through or finds
    itself locked out. Yields both results, again and again, until the first act has no n-th statement.
    """
    for number in count(1):
        others: list[Act] = []
        sent = count(1)

        def meet(number: int = number, others: list[Act] = others, sent: Iterator[int] = sent) -> None:
            if next(sent) == number:
                others.append(Act(second))
                others[0].ends_within(head_start)

        with before_our_statements(app, meet):
            result = attempt(first)
        if not others:
            return
        yield result, others[0].result


@contextmanager
def before_our_statements(app: Flask, function: Callable[[], None]) -> Iterator[None]:
    """Call the function before each statement that this thread sends to the database."""
    us = get_ident()

    def note(*_: Any) -> None:
        if get_ident() == us:
            function()

    with listening(engine_of(app), note):
        yield


@contextmanager
def listening(engine: Engine, note: Callable[..., None]) -> Iterator[None]:
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield
    finally:
        event.remove(engine, "before_cursor_execute", note)


def engine_of(app: Flask) -> Engine:
    with app.app_context():
        return db.engine


@contextmanager
def held(app: Flask, table: type[Base]) -> Iterator[None]:
    """Hold the table's rows, on SQLite the only write lock, as another process would."""
    with app.app_context(), own_transaction() as session:
        session.scalars(locks.for_update(select(table), of=table)).all()
        yield


@contextmanager
def somebody_waits(app: Flask) -> Iterator[Callable[[], None]]:
    """Hands over a function that comes back once somebody waits for a lock that is held."""
    engine = engine_of(app)
    if engine.dialect.name == "postgresql":
        waiting = text("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")

        def found() -> bool:
            with engine.connect() as connection:
                return bool(connection.scalar(waiting))

        yield lambda: wait_until(found)
        return

    asked = Event()  # SQLite tells nobody who waits; who has asked for the lock has read no clock since

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if statement == "BEGIN IMMEDIATE":
            asked.set()

    with listening(engine, note):
        yield lambda: wait_until(asked.is_set)
