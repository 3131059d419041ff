"""Tables that leave: cells are what they are, and none is a formula (BAR I3)."""

from datetime import UTC, date, datetime, time
from io import BytesIO

import pytest
from openpyxl import load_workbook

from portal.exchange.reading import read
from portal.exchange.tables import Format, make, own_head
from portal.rules.money import Money

HOSTILE = ["=1+1", "+33", "-2", "@SUM(A1)", "\t=1", "\r=1", " =cmd|' /C calc'!A0", "＝1"]
KINDS = [
    Money(123_450),
    date(2026, 6, 16),
    time(16, 30),
    datetime(2026, 6, 16, 8, tzinfo=UTC),
    True,
    None,
    7,
    1.5,
]


def table(kind, rows):
    file, number = make(kind, {str(n): lambda row, n=n: row[n] for n in range(len(rows[0]))}, rows)
    with file:
        file.seek(0)
        assert number == len(rows)
        return file.read()


def test_a_csv_opens_in_a_french_spreadsheet():
    data = table(Format.CSV, [KINDS])
    assert data.startswith(b"\xef\xbb\xbf")
    assert data.decode("utf-8-sig").splitlines()[1] == "1234,50;16/06/2026;16:30;16/06/2026 10:00;oui;;7;1,5"


def test_a_workbook_has_numbers_and_dates_not_texts():
    book = load_workbook(BytesIO(table(Format.XLSX, [KINDS])))
    cells = [cell.value for cell in book.active[2]]
    assert cells[:3] == [1234.5, datetime(2026, 6, 16, tzinfo=UTC).replace(tzinfo=None), time(16, 30)]
    assert cells[3:] == [datetime(2026, 6, 16, 10, tzinfo=UTC).replace(tzinfo=None), "oui", None, 7, 1.5]


@pytest.mark.parametrize("kind", list(Format))
def test_no_cell_is_a_formula_and_what_was_written_comes_back(kind):
    data = table(kind, [[text] for text in HOSTILE])
    if kind is Format.CSV:
        assert all(line.lstrip('"').startswith("'") for line in data.decode("utf-8-sig").split("\r\n")[1:-1])
    else:
        assert {cell.data_type for cell in load_workbook(BytesIO(data)).active["A"]} == {"s"}
    assert [cells[0] for _, cells in read(data).lines] == [text.strip() for text in HOSTILE]


def test_a_head_is_one_column_s():
    assert own_head("Panier", {}) == "Panier"
    assert own_head("Date", {"Date": 1, "Date (2)": 1}) == "Date (3)"


def test_what_no_sheet_can_hold_is_left_out():
    for kind in Format:
        [(_, cells)] = read(table(kind, [["a\0b\x0bc\ud800d", "x" * 40_000]])).lines
        assert cells[0] == "abcd" and len(cells[1]) == 5000


def test_rows_are_written_as_they_come():
    held = []

    def rows():
        for n in range(3000):
            held.append(n)
            yield (n,)

    file, number = make(Format.CSV, {"N": lambda row: row[0]}, rows())
    file.close()
    assert number == len(held) == 3000
