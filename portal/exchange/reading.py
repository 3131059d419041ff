"""Tables on their way in: CSV or a workbook, whoever wrote it and with whatever program, as lines of text."""

import csv
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time
from enum import StrEnum
from io import BytesIO, StringIO
from itertools import islice
from typing import Any
from zipfile import BadZipFile, ZipFile

from charset_normalizer import from_bytes
from defusedxml import DefusedXmlException

from portal.exchange.tables import plain

os.environ["OPENPYXL_LXML"] = "False"  # else openpyxl prefers lxml, wherever that is there, to defusedxml
MOST_BYTES = 5 * 1024 * 1024
MOST_LINES = 10_000
MOST_COLUMNS = 60
MOST_CELLS = 200_000
LONGEST = 5000
"""Letters of a cell that are looked at: one too many for every field is enough to say so."""
MOST_UNPACKED = 64 * 1024 * 1024
_WORKBOOK, _OLD_WORKBOOK = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"
_BYTE_ORDER_MARKS = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
_WRITTEN_BY_SPREADSHEETS = ["cp1252", "mac_roman"]
_SEPARATORS = ";,\t"


class Problem(StrEnum):
    """Why a file cannot be read at all; its words are in the templates."""

    EMPTY = "empty"
    OLD_WORKBOOK = "old_workbook"
    NOT_A_TABLE = "not_a_table"
    TOO_BIG = "too_big"
    TOO_LONG = "too_long"
    TOO_WIDE = "too_wide"
    TOO_FULL = "too_full"


class BadTable(Exception):
    def __init__(self, problem: Problem) -> None:
        super().__init__(problem)
        self.problem = problem


@dataclass(frozen=True, slots=True)
class Sheet:
    """The line of heads, and the others with their number in the file; empty ones are left out."""

    heads: list[str]
    lines: list[tuple[int, list[str]]]


def read(data: bytes) -> Sheet:
    """What kind of file it is, its first bytes say, not its name. Raises BadTable."""
    if data.startswith(_OLD_WORKBOOK):
        raise BadTable(Problem.OLD_WORKBOOK)
    rows = _rows_of_workbook(data) if data.startswith(_WORKBOOK) else _rows_of_text(_decoded(data))
    filled = ((number, row) for number, row in enumerate(_bounded(rows), 1) if any(row))
    found = list(islice(filled, MOST_LINES + 2))
    if len(found) < 2:
        raise BadTable(Problem.EMPTY)
    if len(found) > MOST_LINES + 1:
        raise BadTable(Problem.TOO_LONG)
    (_, heads), *lines = found
    if max(len(row) for _, row in found) > MOST_COLUMNS:
        raise BadTable(Problem.TOO_WIDE)
    return Sheet(heads, lines)


def _bounded(rows: Iterable[list[str]]) -> Iterator[list[str]]:
    cells = 0
    for row in rows:
        cells += len(row)
        if cells > MOST_CELLS:
            raise BadTable(Problem.TOO_FULL)
        yield row


def _decoded(data: bytes) -> str:
    """By its mark; else UTF-8, where it is that; else what spreadsheets of France write."""
    mark = next((mark for mark in _BYTE_ORDER_MARKS if data.startswith(mark)), None)
    try:
        text = data.decode(_BYTE_ORDER_MARKS[mark] if mark else "utf-8")
    except UnicodeDecodeError:
        guess = from_bytes(data, cp_isolation=_WRITTEN_BY_SPREADSHEETS).best()
        text = data.decode(guess.encoding if guess else "cp1252", errors="replace")
    if "\0" in text:
        raise BadTable(Problem.NOT_A_TABLE)
    return text


def _rows_of_text(text: str) -> Iterator[list[str]]:
    """Separated by what its first line has most of."""
    first = next((line for line in text.splitlines() if line.strip()), "")
    separator = max(_SEPARATORS, key=first.count)
    try:
        for row in csv.reader(StringIO(text, newline=""), delimiter=separator):
            yield [_cleaned(cell) for cell in row]
    except csv.Error:
        raise BadTable(Problem.NOT_A_TABLE) from None


def _rows_of_workbook(data: bytes) -> Iterator[list[str]]:
    """The first sheet; what it would unpack to is weighed before (BAR I10)."""
    from openpyxl import load_workbook  # noqa: PLC0415  it takes along numpy, for the few who import

    try:
        with ZipFile(BytesIO(data)) as archive:
            if sum(part.file_size for part in archive.infolist()) > MOST_UNPACKED:
                raise BadTable(Problem.TOO_BIG)
        book = load_workbook(BytesIO(data), read_only=True, data_only=True, keep_links=False)
        sheet = book.worksheets[0]
        sheet.reset_dimensions()
        for row in sheet.iter_rows(max_row=MOST_LINES + 3, max_col=MOST_COLUMNS + 1, values_only=True):
            yield _without_empty_end(_cleaned(_as_text(value)) for value in row)
    except BadTable:
        raise
    except (
        BadZipFile,
        DefusedXmlException,
        KeyError,
        IndexError,
        ValueError,
        TypeError,
        OSError,
        SyntaxError,
    ):
        # whatever a workbook that is none may meet on its way
        raise BadTable(Problem.NOT_A_TABLE) from None


def _without_empty_end(cells: Iterable[str]) -> list[str]:
    row = list(cells)
    while row and not row[-1]:
        row.pop()
    return row


def _as_text(value: Any) -> str:
    """As somebody would type it."""
    match value:
        case None:
            return ""
        case bool():
            return "oui" if value else "non"
        case float():
            return f"{value:.6f}".rstrip("0").rstrip(".").replace(".", ",")
        case datetime() if value.time() == time():
            return value.strftime("%d/%m/%Y")
        case date():
            return value.strftime("%d/%m/%Y")
        case _:
            return str(value)


def _cleaned(cell: str) -> str:
    """Without what nobody sees, and without the apostrophe that our own tables put before a formula."""
    visible = "".join(c for c in cell[:LONGEST] if c.isprintable() or c.isspace())
    return plain(visible.strip()).strip()
