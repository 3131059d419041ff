"""Tables on their way in or out; the worker reads and writes them."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from portal.infra.orm import Base, PrimaryKey, word


class Subject(StrEnum):
    """What a table holds."""

    PEOPLE = "people"
    SUBSCRIPTIONS = "subscriptions"
    POINTS = "points"
    PRODUCTS = "products"
    """What boxes hold."""
    ARTICLES = "articles"
    """What the shop sells."""


class RunState(StrEnum):
    READING = "reading"
    READ = "read"
    """Tried without writing; waits for staff to say yes."""
    WRITING = "writing"
    DONE = "done"
    FAILED = "failed"


class TableImport(Base):
    """A table that staff sent: first read without writing anything, then, where they say so, written."""

    __tablename__ = "table_import"
    __table_args__ = (Index(None, "state"),)

    id: Mapped[PrimaryKey]
    subject: Mapped[Subject] = mapped_column(word(Subject))
    file_name: Mapped[str] = mapped_column(String(120))
    data: Mapped[bytes | None]
    """Gone once the import is done or dropped: it is full of names."""
    state: Mapped[RunState] = mapped_column(word(RunState))
    made_at: Mapped[datetime]
    made_by: Mapped[int] = mapped_column(ForeignKey("account.id"), index=True)
    invites: Mapped[bool]
    lines: Mapped[int]
    done: Mapped[int]
    report: Mapped[dict[str, Any]]
    ended_at: Mapped[datetime | None]


class Archive(Base):
    """Everything as one file, made by the worker when staff ask for it, kept for a few days."""

    __tablename__ = "archive"

    id: Mapped[PrimaryKey]
    made_at: Mapped[datetime]
    made_by: Mapped[int] = mapped_column(ForeignKey("account.id"), index=True)
    state: Mapped[RunState] = mapped_column(word(RunState))
    tables: Mapped[int]
    done: Mapped[int]
    data: Mapped[bytes | None]
    ended_at: Mapped[datetime | None]
