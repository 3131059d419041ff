"""Acts that meet, locks that others hold, and waiting for who waits for them."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from threading import Thread, get_ident
from typing import Any

from flask import Flask
from sqlalchemy import create_engine, event, select, text
from sqlalchemy.engine import Engine
from sqlalchemy.pool import NullPool

from portal.infra import locks
from portal.infra.orm import Base, db, own_transaction
from portal.rules.calendar import WEEK
from tests.infra.workers import ROUNDS

PATIENCE = 60
"""Seconds after which a thread is taken for stuck."""

EVERY = 1 if ROUNDS > 1 else 3
"""At how many of the first act's statements the second begins, by default: each, or every third."""

AHEAD = 80 * WEEK if EVERY > 1 else 240 * WEEK
"""For so long deliveries are made, where each meeting is about one of its own."""

SLOW = 0.05
"""Seconds after which a statement on SQLite, which tells nobody who waits, is taken for waiting."""


class Act:
    """Something that is done in a thread of its own."""

    def __init__(self, function: Callable[[], Any]) -> None:
        self._thread = Thread(target=lambda: setattr(self, "_result", attempt(function)), daemon=True)
        self._thread.start()

    def ends_within(self, seconds: float) -> bool:
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def runs_until(self, condition: Callable[[], bool]) -> None:
        """Come back when it is so, or when the act has ended."""
        while not (self.ends_within(0.005) or condition()):
            pass

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
    app: Flask, first: Callable[[], Any], second: Callable[[], Any], *, every: int = EVERY
) -> Iterator[tuple[Any, Any]]:
    """Let two acts meet at many points: the second begins as the first is about to send its n-th statement.

    `make prove` lets them meet at every one.

    The second runs in a thread of its own until it has ended or waits for a lock; then the first goes on beside
    it. Yields both results, again and again, until the first act has no n-th statement.
    """
    us = get_ident()
    for number in count(1, every):
        others: list[Act] = []
        sent = count(1)

        def meet(number: int = number, others: list[Act] = others, sent: Iterator[int] = sent) -> None:
            if next(sent) == number:
                with watching(app) as somebody_waits:
                    others.append(Act(second))
                    others[0].runs_until(somebody_waits)

        with listening(engine_of(app), "before_cursor_execute", lambda: get_ident() == us and meet()):
            result = attempt(first)
        if not others:
            return
        yield result, others[0].result


@contextmanager
def held(app: Flask, table: type[Base]) -> Iterator[None]:
    """Hold the table's rows, on SQLite the only write lock, as another process would."""
    with app.app_context(), own_transaction() as session:
        session.scalars(locks.for_update(select(table), of=table)).all()
        yield


@contextmanager
def watching(app: Flask) -> Iterator[Callable[[], bool]]:
    """Hands over a question: does anybody but us wait for a lock just now?"""
    engine = engine_of(app)
    if engine.dialect.name == "postgresql":
        waiting = text("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
        aside = create_engine(engine.url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
        with aside.connect() as connection:
            yield lambda: bool(connection.scalar(waiting))
        return

    us, under_way = get_ident(), dict[int, float]()

    def begins() -> None:
        under_way[get_ident()] = time.monotonic()

    def ends() -> None:
        under_way.pop(get_ident(), None)

    def anybody_is_slow() -> bool:
        latest = time.monotonic() - SLOW
        return any(begun < latest for thread, begun in list(under_way.items()) if thread != us)

    with (
        listening(Engine, "before_cursor_execute", begins),
        listening(Engine, "after_cursor_execute", ends),
    ):
        yield anybody_is_slow


@contextmanager
def listening(target: Engine | type[Engine], moment: str, function: Callable[[], Any]) -> Iterator[None]:
    def note(*_: Any) -> None:
        function()

    event.listen(target, moment, note)
    try:
        yield
    finally:
        event.remove(target, moment, note)


def engine_of(app: Flask) -> Engine:
    with app.app_context():
        return db.engine
