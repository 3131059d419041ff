"""The database: one base, column types, engine habits, the request's transaction.

SQLite and PostgreSQL run the same code. On SQLite a transaction that may write begins IMMEDIATE, so that
what it reads cannot change before it writes; on PostgreSQL rows are locked where they are decided on.
"""

import sqlite3
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import fields
from datetime import UTC, date, datetime
from enum import StrEnum
from functools import partial
from typing import Annotated, Any, TypeVar

from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import (
    JSON,
    ColumnElement,
    Connection,
    Date,
    DateTime,
    Dialect,
    Enum,
    Integer,
    MetaData,
    String,
    bindparam,
    event,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Engine, make_url
from sqlalchemy.orm import Bundle, DeclarativeBase, InstrumentedAttribute, Session, mapped_column, registry
from sqlalchemy.pool import ConnectionPoolEntry
from sqlalchemy.types import TypeDecorator

from portal.rules.money import Money
from portal.settings import Settings

LOCK_WAIT_SECONDS = 8
"""How long a writer waits for a lock before the answer is 503: a row's, or SQLite's only one."""

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class UtcDateTime(TypeDecorator[datetime]):
    """An aware instant; kept in UTC, refused when naive."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a naive datetime reached the database")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Cents(TypeDecorator[Money]):
    """Money, kept as whole cents."""

    impl = Integer
    cache_ok = True

    def process_bind_param(self, value: Money | None, dialect: Dialect) -> int | None:
        return None if value is None else value.cents

    def process_result_value(self, value: int | None, dialect: Dialect) -> Money | None:
        return None if value is None else Money(value)


def word(enum: type[StrEnum]) -> Enum:
    """A column type for an enumeration, kept as its readable value, checked by the program and not the schema."""
    return Enum(
        enum,
        native_enum=False,
        create_constraint=False,
        length=40,
        values_callable=lambda members: [member.value for member in members],
    )


class Base(DeclarativeBase):
    """Base of every table."""

    registry = registry(
        metadata=MetaData(naming_convention=NAMING),
        type_annotation_map={
            datetime: UtcDateTime,
            date: Date,
            Money: Cents,
            str: String,
            dict[str, Any]: JSON,
            list[str]: JSON,
            list[int]: JSON,
        },
    )


PrimaryKey = Annotated[int, mapped_column(primary_key=True)]

Shape = TypeVar("Shape")


class View(Bundle[Shape]):
    """Columns that a statement reads straight into a frozen dataclass: all its fields by name, in their order.

    Nothing where an outer join finds nothing: the first column is then NULL.
    """

    def __init__(self, shape: Callable[..., Shape], **columns: Any) -> None:
        assert list(columns) == [field.name for field in fields(shape)]  # type: ignore[arg-type]
        super().__init__(shape.__name__, *columns.values())
        self.shape = shape

    def create_row_processor(
        self, query: Any, procs: Sequence[Callable[[Any], Any]], labels: Sequence[str]
    ) -> Callable[[Any], Shape | None]:
        def read(row: Any) -> Shape | None:
            first, *others = [value(row) for value in procs]
            return None if first is None else self.shape(first, *others)

        return read


def among(
    column: InstrumentedAttribute[int] | InstrumentedAttribute[int | None], ids: Collection[int]
) -> ColumnElement[bool]:
    """IN, written out: everybody's may be more than a statement takes parameters."""
    return column.in_(bindparam(None, list(ids), Integer, expanding=True, literal_execute=True))


def narrowing(column: InstrumentedAttribute[Any]) -> ColumnElement[int]:
    """The column where it only narrows what another finds: SQLite, which keeps no figures, may begin with either."""
    return column + 0


_INSERT: dict[str, Any] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}


def insert(session: Session, table: type[Base]) -> Any:
    """The database's own INSERT, which can say what happens to a row that is there already."""
    return _INSERT[session.get_bind().dialect.name](table)


db = SQLAlchemy(model_class=Base)

reading_only: ContextVar[bool] = ContextVar("reading_only", default=False)
"""Set while a GET is answered: its transaction takes no write lock."""


def init_app(app: Flask, settings: Settings) -> None:
    """Bind the database to the application and set the connections' habits."""
    url = make_url(settings.database_url)
    app.config["SQLALCHEMY_DATABASE_URI"] = url
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = engine_options(url.get_backend_name())
    db.init_app(app)
    with app.app_context():
        set_habits(db.engine, unlocked=bool(settings.race_pause))


def engine_options(backend: str) -> dict[str, Any]:
    """Options for `create_engine`; parameters are hidden because errors end in logs."""
    if backend == "sqlite":
        return {"hide_parameters": True, "connect_args": {"timeout": LOCK_WAIT_SECONDS}}
    return {
        "hide_parameters": True,
        # no statement of ours runs long enough to be worth compiling: it would take longer than the answer
        "connect_args": {"options": f"-c lock_timeout={LOCK_WAIT_SECONDS}s -c jit=off"},
        "pool_pre_ping": True,
        "pool_size": 8,
        "max_overflow": 8,
    }


def set_habits(engine: Engine, *, unlocked: bool = False) -> None:
    """Pragmas and the kind of BEGIN for SQLite; read-only transactions for GET on both.

    `unlocked` leaves SQLite's write lock for later than it should be: the control of the tests on races.
    """
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _set_pragmas)
        event.listen(
            engine, "begin", partial(_begin_sqlite, writing="BEGIN" if unlocked else "BEGIN IMMEDIATE")
        )
    else:
        event.listen(engine, "begin", _begin_postgresql)


def _set_pragmas(connection: sqlite3.Connection, _record: ConnectionPoolEntry) -> None:
    connection.isolation_level = None  # the driver's own transactions are off; `begin` below writes BEGIN
    # recursive_triggers: else a row that INSERT OR REPLACE removes passes the triggers against DELETE
    # secure_delete: what is erased is overwritten, not only left out (BAR P3)
    for pragma in (
        "journal_mode=WAL",
        "foreign_keys=ON",
        "synchronous=NORMAL",
        "recursive_triggers=ON",
        "secure_delete=ON",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection, *, writing: str) -> None:
    reading = reading_only.get()
    connection.exec_driver_sql(f"PRAGMA query_only={int(reading)}")
    connection.exec_driver_sql("BEGIN" if reading else writing)


def _begin_postgresql(connection: Connection) -> None:
    if reading_only.get():
        connection.exec_driver_sql("SET TRANSACTION READ ONLY")


@contextmanager
def own_transaction() -> Iterator[Session]:
    """A short transaction beside the request's, committed at the end: for sessions, limits and the worker.

    Never open one while the request's own transaction has written: on SQLite it would wait for itself.
    """
    token = reading_only.set(False)
    try:
        with Session(db.engine) as session, session.begin():
            yield session
    finally:
        reading_only.reset(token)


@contextmanager
def own_reading() -> Iterator[Session]:
    """What takes long to read, beside whoever writes: nobody waits for it."""
    token = reading_only.set(True)
    try:
        with Session(db.engine) as session:
            yield session
    finally:
        reading_only.reset(token)
