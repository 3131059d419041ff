"""Tables as others send them: whatever program, whatever letters, whatever they hide."""

from io import BytesIO
from zipfile import ZIP_DEFLATED, ZipFile

import pytest
from openpyxl import Workbook

from portal.exchange.columns import clock, day, euros, phone, postcode, recognise
from portal.exchange.people import Writer
from portal.exchange.reading import MOST_LINES, BadTable, Problem, read
from portal.rules.money import Money

PEOPLE = "Prénom;Nom;Adresse mail\r\nHélène;Gœury;h@exemple.fr\r\n"


def workbook(*rows):
    file, book = BytesIO(), Workbook()
    for row in rows:
        book.active.append(row)
    book.save(file)
    return file.getvalue()


def bomb():
    file = BytesIO()
    with ZipFile(file, "w", ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", b"\0" * 70_000_000)
    return file.getvalue()


def laughing():
    """A workbook whose XML has entities that grow without end."""
    old, new = BytesIO(workbook(["Nom"], ["a"])), BytesIO()
    with ZipFile(old) as before, ZipFile(new, "w") as after:
        for part in before.infolist():
            body = before.read(part)
            if part.filename == "xl/workbook.xml":
                head, rest = body.split(b">", 1) if body.startswith(b"<?xml") else (b"", body)
                entity = b'<!DOCTYPE w [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]>'
                body = (head + b">" if head else b"") + entity + rest
            after.writestr(part, body)
    return new.getvalue()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "mac_roman", "utf-16"])
def test_letters_are_those_that_were_written_whatever_the_encoding(encoding):
    sheet = read(PEOPLE.encode(encoding))
    assert sheet.heads == ["Prénom", "Nom", "Adresse mail"]
    assert sheet.lines == [(2, ["Hélène", "Gœury", "h@exemple.fr"])]


@pytest.mark.parametrize("separator", [";", ",", "\t"])
def test_cells_are_separated_by_what_the_first_line_has_most_of(separator):
    text = separator.join(["Nom", "Valeur", "Note"]) + "\n\n" + separator.join(["Miel", '"12,50; \t"', "x"])
    assert read(text.encode()).lines == [(3, ["Miel", "12,50;", "x"])]


def test_a_workbook_is_read_as_somebody_would_type_it():
    from datetime import date, time

    data = workbook(
        ["Nom", "Prix", "Jour", "À", "CP"], ["'=1+1", 12.5, date(2026, 6, 16), time(16, 30), 5300]
    )
    [(_, cells)] = read(data).lines
    assert cells[1:] == ["12,5", "16/06/2026", "16:30:00", "5300"]
    assert (euros(9999)(cells[1]), day(cells[2]).day, clock(cells[3]).hour) == (Money(1250), 16, 16)
    assert postcode(cells[4]) == "05300"


def test_cells_are_read_as_they_are_written_in_france():
    assert euros(999_999)("1 234,50 €") == Money(123_450) and euros(9999)("12.50") == Money(1250)
    assert day("16/06/2026") == day("2026-06-16") == day("16.6.2026")
    assert clock("16h30") == clock("16:30") == clock("16 h 30")
    assert phone("+33 6 12 34 56 78") == phone("612345678") == "06 12 34 56 78"
    for reader, text in (
        (day, "31/02/2026"),
        (day, "2026"),
        (clock, "25:00"),
        (euros(9), "-1"),
        (phone, "12"),
    ):
        with pytest.raises(ValueError, match="comme"):
            reader(text)


def test_columns_are_known_by_their_french_and_english_names_without_accents_and_case():
    heads = ["EMAIL address", "PRENOM", "surname", "n'importe quoi", "Tél."]
    assert recognise(Writer.columns, heads) == {"email": 0, "first_name": 1, "last_name": 2, "phone": 4}


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"", Problem.EMPTY),
        (b"Nom;Mail\n", Problem.EMPTY),
        (b"\xd0\xcf\x11\xe0 old", Problem.OLD_WORKBOOK),
        (b"Nom\0;Mail\nA;b", Problem.NOT_A_TABLE),
        (b"PK\x03\x04 not a workbook", Problem.NOT_A_TABLE),
        (bomb, Problem.TOO_BIG),
        (laughing, Problem.NOT_A_TABLE),
        (b"Nom\n" + b"a\n" * (MOST_LINES + 1), Problem.TOO_LONG),
        (b"a;" * 80 + b"\n" + b"b;" * 80, Problem.TOO_WIDE),
        ((b"a;" * 50 + b"\n") * 4001, Problem.TOO_FULL),
    ],
)
def test_what_is_no_table_is_refused_and_said_why(data, problem):
    with pytest.raises(BadTable) as refused:
        read(data() if callable(data) else data)
    assert refused.value.problem is problem


def test_what_nobody_sees_is_left_out_and_a_long_cell_is_cut():
    [(_, cells)] = read("Nom;Mail\n\u202eRoux\u200b;".encode() + b"a" * 20_000).lines
    assert cells[0] == "Roux" and len(cells[1]) == 5000
