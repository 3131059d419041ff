"""Tables on their way out: CSV as French spreadsheets open it, and workbooks; no cell of either is a formula."""

import csv
import json
from collections.abc import Callable, Container, Iterable, Mapping
from contextlib import closing
from datetime import date, datetime, time
from decimal import Decimal
from enum import StrEnum
from io import TextIOWrapper
from itertools import count
from tempfile import SpooledTemporaryFile
from typing import IO, Any, TypeVar

from xlsxwriter import Workbook
from xlsxwriter.worksheet import Worksheet

from portal.rules.cutoffs import PARIS
from portal.rules.money import Money
from portal.web.i18n import FIRM, NARROW

IN_MEMORY = 1_000_000
"""Bytes; what is longer waits on the disk."""
STARTS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
WIDEST = 60
ROOM = 3
LONGEST_TITLE = 31
"""As workbooks allow."""

Row = TypeVar("Row")
Columns = Mapping[str, Callable[[Row], Any]]
"""The head of each column, and what a row has there."""


class Format(StrEnum):
    CSV = "csv"
    XLSX = "xlsx"

    @property
    def content_type(self) -> str:
        return _CONTENT_TYPES[self]


_CONTENT_TYPES = {
    Format.CSV: "text/csv; charset=utf-8",
    Format.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


def own_head(name: str, taken: Container[str]) -> str:
    """A head for a column of its own, where the name may be another's too."""
    heads = (name if number == 1 else f"{name} ({number})" for number in count(1))
    return next(head for head in heads if head not in taken)


def write(file: IO[bytes], kind: Format, columns: Columns[Row], rows: Iterable[Row], title: str = "") -> int:
    """Write them one after the other, never all at once; answers how many there were."""
    cells = ([read(row) for read in columns.values()] for row in rows)
    if kind is Format.CSV:
        return _write_csv(file, list(columns), cells)
    return _write_xlsx(file, list(columns), cells, title)


def make(kind: Format, columns: Columns[Row], rows: Iterable[Row], title: str = "") -> tuple[IO[bytes], int]:
    """A file of its own, and how many rows it has; the title is its sheet's."""
    file = SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115 - whoever sends it closes it
    try:
        return file, write(file, kind, columns, rows, title)
    except BaseException:
        file.close()
        raise


def harmless(text: str) -> str:
    """Behind an apostrophe, as spreadsheets write it, what they would take for a formula (BAR I3)."""
    return f"'{text}" if text.lstrip(" ").startswith(STARTS_A_FORMULA) else text


def plain(text: str) -> str:
    """What stood there before it was made harmless."""
    return text[1:] if text.startswith("'") and harmless(text[1:]) != text[1:] else text


def _write_csv(file: IO[bytes], heads: list[str], rows: Iterable[list[Any]]) -> int:
    text = TextIOWrapper(file, "utf-8-sig", newline="", write_through=True)
    writer = csv.writer(text, delimiter=";")
    writer.writerow(map(harmless, heads))
    number = 0
    for row in rows:
        writer.writerow([_as_text(value) for value in row])
        number += 1
    text.detach()  # the file is the caller's
    return number


def _as_text(value: Any) -> str:
    """As a French spreadsheet reads it; an amount has no currency, so that it can be added up."""
    match value:
        case None:
            text = ""
        case bool():
            text = "oui" if value else "non"
        case Money():
            text = str(Decimal(value.cents).scaleb(-2)).replace(".", ",")
        case Decimal() | float():
            text = str(value).replace(".", ",")
        case datetime():
            text = value.astimezone(PARIS).strftime("%d/%m/%Y %H:%M")
        case date():
            text = value.strftime("%d/%m/%Y")
        case time():
            text = value.isoformat("minutes")
        case str():
            text = harmless(_clean(value))
        case dict() | list():
            text = json.dumps(value, ensure_ascii=False)
        case _:
            text = str(value)
    return text


def _write_xlsx(file: IO[bytes], heads: list[str], rows: Iterable[list[Any]], title: str) -> int:
    number = 0
    widths = [len(head) for head in heads]
    options = {
        "constant_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
    }
    with closing(Workbook(file, options)) as workbook:
        sheet = workbook.add_worksheet(title[:LONGEST_TITLE] or None)
        head = workbook.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "top"})
        formats = {
            Money: workbook.add_format({"num_format": '#,##0.00 "€"'}),
            datetime: workbook.add_format({"num_format": "dd/mm/yyyy hh:mm"}),
            date: workbook.add_format({"num_format": "dd/mm/yyyy"}),
            time: workbook.add_format({"num_format": "hh:mm"}),
            str: workbook.add_format({"quote_prefix": True}),
        }
        sheet.freeze_panes(1, 0)
        for column, said in enumerate(heads):
            sheet.write_string(0, column, said, head)
        for number, row in enumerate(rows, 1):
            for column, value in enumerate(row):
                _write_cell(sheet, number, column, value, formats)
                widths[column] = max(widths[column], len(_as_text(value)))
        for column, width in enumerate(widths):
            sheet.set_column(column, column, min(width + ROOM, WIDEST))
        if number:
            sheet.autofilter(0, 0, number, len(heads) - 1)
    return number


def _write_cell(sheet: Worksheet, row: int, column: int, value: Any, formats: Mapping[type, Any]) -> None:
    """As what it is: a number can be added up, a date sorted; a text stays one, whatever it begins with."""
    match value:
        case None | "":
            pass
        case bool():
            sheet.write_string(row, column, _as_text(value))
        case Money():
            sheet.write_number(row, column, Decimal(value.cents).scaleb(-2), formats[Money])
        case int() | float() | Decimal():
            sheet.write_number(row, column, value)
        case datetime():
            local = value.astimezone(PARIS).replace(tzinfo=None)
            sheet.write_datetime(row, column, local, formats[datetime])
        case date():
            sheet.write_datetime(row, column, value, formats[date])
        case time():
            sheet.write_datetime(row, column, value, formats[time])
        case _:
            text = _clean(str(value))
            guarded = harmless(text) != text
            sheet.write_string(row, column, text[:32_767], formats[str] if guarded else None)


_SPACES = str.maketrans(dict.fromkeys((FIRM, NARROW), " "))


def _clean(text: str) -> str:
    """Without what no sheet can hold."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").translate(_SPACES)
    return "".join(c for c in lines if c.isprintable() or c in "\n\t")
