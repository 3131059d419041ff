"""What comes of a line of a table."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from sqlalchemy.orm import Session

from portal.exchange.columns import Column
from portal.web.i18n import gettext as _


class Verdict(StrEnum):
    CREATED = "created"
    CHANGED = "changed"
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True)
class Written:
    """What became of a line, and what is worth being read before it is."""

    verdict: Verdict
    note: str = ""


class BadLine(Exception):
    """What cannot be in a column of a line, in words; without a column it is the line as a whole."""

    def __init__(self, key: str | None, says: str) -> None:
        super().__init__(says)
        self.key, self.says = key, says


@dataclass(frozen=True, slots=True)
class Context:
    session: Session
    at: datetime
    by: int
    invites: bool


Values = Mapping[str, Any]
"""Column → what its reader made of the cell; only those with something in them."""


class Writer(Protocol):
    """Writes the lines of a subject, each once: the same line again finds everything as it wants it.

    `keys` are the columns that say whom or what a line is about, the first that is filled: two lines of a
    file about the same are one too many.
    """

    @property
    def columns(self) -> Sequence[Column]: ...

    @property
    def keys(self) -> Sequence[tuple[str, ...]]: ...

    def write(self, values: Values) -> Written: ...


def needs(columns: Sequence[Column], values: Values) -> None:
    """Of what is new every needed column must be filled."""
    for column in columns:
        if column.needed and column.key not in values:
            raise BadLine(column.key, _("à remplir."))
