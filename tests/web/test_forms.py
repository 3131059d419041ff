"""What is typed into a form is understood as it stands, or refused beside its field (BAR I5, I6, I7)."""

from collections.abc import Callable, Iterator
from datetime import date, time
from typing import Any

import pytest
from flask import Flask
from werkzeug.datastructures import MultiDict
from wtforms import Form

from portal.rules.money import Money
from portal.web import forms
from portal.web.forms import Chosen, ChosenMany, Typed

pytestmark = [
    pytest.mark.parametrize("backend", ["sqlite"], indirect=True),
    pytest.mark.usefixtures("within"),
]
FIRM, NARROW = "\u00a0", "\u202f"


@pytest.fixture
def within(app: Flask) -> Iterator[None]:
    with app.test_request_context():
        yield


def read(reader: Callable[[str], Any], *typed: str, needed: bool = True) -> Any:
    """What a field makes of what is sent, or its refusal."""

    class OneField(Form):
        it = Typed("Champ", reader, needed=needed)

    form = OneField(MultiDict([("it", text) for text in typed]))
    if form.validate():
        return form.it.data
    [error] = form.it.errors
    return error.replace(FIRM, " ").replace(NARROW, " ")


NO_NUMBERS = [
    "-1", "0,5", "1e3", "1_0", "+1", "１", "١", "9" * 9, "1" + "0" * 20, "NaN", "inf", "0x1", "1 0", "un", "9" * 20_000
]  # fmt: skip


@pytest.mark.parametrize("typed", [*NO_NUMBERS, "0", "10001", f"{10**9}"])
def test_a_whole_number_is_digits_within_bounds(typed: str) -> None:
    assert read(forms.whole(1, 10_000), typed) == "Champ : un nombre entier, de 1 à 10 000."


@pytest.mark.parametrize(("typed", "number"), [("0", 0), ("25", 25), (" 007 ", 7), ("10000", 10_000)])
def test_a_whole_number_is_read(typed: str, number: int) -> None:
    assert read(forms.whole(0, 10_000), typed) == number


@pytest.mark.parametrize(
    ("typed", "thousandths"),
    [("2,5", 2500), ("2.5", 2500), ("0,029", 29), ("007", 7000), ("10", 10_000), ("0", 0)],
)
def test_a_decimal_number_is_read_without_a_float_and_written_as_it_is_read(
    typed: str, thousandths: int
) -> None:
    assert read(forms.decimal(3, 0, 10_000), typed) == thousandths
    written = forms.write_decimal(3)(thousandths)
    assert read(forms.decimal(3, 0, 10_000), written) == thousandths


@pytest.mark.parametrize(
    "typed", [*(no for no in NO_NUMBERS if no != "0,5"), "10,001", "0,0001", ",5", "5,", "1,2,3"]
)
def test_a_decimal_number_has_so_many_decimals_within_bounds(typed: str) -> None:
    assert read(forms.decimal(3, 0, 10_000), typed) == "Champ : un nombre comme 2,5, de 0 à 10."


@pytest.mark.parametrize(
    ("typed", "cents"), [("3,5", 350), ("3.50 €", 350), ("0,29", 29), ("1250€", 125_000)]
)
def test_euros_are_read_to_the_cent(typed: str, cents: int) -> None:
    money = read(forms.euros(1, 999_999), typed)
    assert money == Money(cents)
    assert read(forms.euros(1, 999_999), forms.write_euros(money)) == money


@pytest.mark.parametrize("typed", ["0", "10000", "0,001", "-3", "3 €€", "€"])
def test_euros_are_whole_cents_within_bounds(typed: str) -> None:
    assert read(forms.euros(1, 999_999), typed) == "Champ : un nombre comme 2,5, de 0,01 à 9 999,99."


@pytest.mark.parametrize(
    "typed", ["91", "90,5", "-90.5", "1e1", "NaN", "４４", "44_3", "44,3452, 5,78", "nord", "+4"]
)
def test_degrees_stay_on_the_globe(typed: str) -> None:
    assert read(forms.degrees(90), typed) == "Champ : des degrés, de -90 à 90, comme 44,3452."


@pytest.mark.parametrize(
    ("typed", "degrees"),
    [("44,3452", 44.3452), ("44.3452", 44.3452), ("-0,5", -0.5), ("−5", -5.0), ("90", 90.0)],
)
def test_degrees_are_read_with_a_comma_or_a_point(typed: str, degrees: float) -> None:
    assert read(forms.degrees(90), typed) == degrees


@pytest.mark.parametrize("degrees", [44.3452, 5.7, -0.5, 0.0, 90.0])
def test_degrees_are_read_as_they_are_written(degrees: float) -> None:
    assert read(forms.degrees(90), forms.write_degrees(degrees)) == degrees


@pytest.mark.parametrize("typed", ["24:00", "9:30", "16:60", "16h30", "１６:30", "16:30:00", "16:30+02:00"])
def test_a_time_is_a_minute_of_the_clock(typed: str) -> None:
    assert read(forms.clock, typed) == "Champ : une heure, comme 16:30."


def test_a_time_and_a_day_are_read_as_browsers_write_them() -> None:
    assert read(forms.clock, "16:30") == time(16, 30)
    assert read(forms.day, "2028-02-29") == date(2028, 2, 29)


@pytest.mark.parametrize(
    "typed", ["2027-02-29", "0001-01-01", "9999-12-31", "20260601", "2026-W10-1", "１ juin"]
)
def test_a_day_is_one_of_this_century(typed: str) -> None:
    assert read(forms.day, typed) == "Champ : une date, comme 2026-06-01."


@pytest.mark.parametrize(
    "typed", ["Mardi", "mardi soir", "été", "-mardi", "mardi--soir", "mardi/soir", "..", "１"]
)
def test_a_word_for_addresses_needs_no_escaping(typed: str) -> None:
    assert read(forms.slug(40), typed).startswith("Champ : des minuscules sans accent")


@pytest.mark.parametrize(
    ("reader", "typed", "value"),
    [
        (forms.slug(40), "mardi-soir-2", "mardi-soir-2"),
        (forms.postcode, "05 300", "05300"),
        (forms.phone, "0465710001", "04 65 71 00 01"),
        (forms.phone, "04.65.71.00.01", "04 65 71 00 01"),
        (forms.email, "Ferme@Example.org", "Ferme@example.org"),
        (forms.certifier, "fr-bio-01", "FR-BIO-01"),
        (forms.link(60), "https://example.org/c.pdf?n=1#p2", "https://example.org/c.pdf?n=1#p2"),
    ],
)
def test_numbers_and_addresses_are_written_one_way(reader: Any, typed: str, value: str) -> None:
    assert read(reader, typed) == value


@pytest.mark.parametrize(
    ("reader", "typed"),
    [
        (forms.postcode, "0530"),
        (forms.postcode, "０5300"),
        (forms.phone, "112"),
        (forms.phone, "+33 4 65 71 00 01"),
        (forms.email, "ferme"),
        (forms.email, "ferme@example.org, autre@example.org"),
        (forms.email, "ferme=?a@example.org"),
        (forms.email, "ferme@example.org\nBcc: autre@example.org"),
        (forms.certifier, "FR-BIO-1"),
        (forms.certifier, "FR-BIO-０1"),
        (forms.certifier, "Ecocert"),
        (forms.link(60), "http://example.org/c.pdf"),
        (forms.link(60), "https://c"),
        (forms.link(60), "https://ferme@example.org/"),
        (forms.link(60), "javascript:alert(1)//https://example.org/"),
        (forms.link(60), "https://example.org/un certificat"),
        (forms.link(60), f"https://example.org/{'c' * 60}"),
    ],
)
def test_what_is_no_number_and_no_address_is_refused(reader: Any, typed: str) -> None:
    assert read(reader, typed).startswith("Champ : ")


def test_words_stand_on_one_line_without_what_nobody_sees() -> None:
    assert read(forms.line(40), "  Halle \r\n de\u00a0\u202eSerres\u202c\ud800 \x07") == "Halle de Serres"


def test_sentences_get_the_spaces_that_ours_have() -> None:
    assert read(forms.prose(40), "Sonnez : au 2e ! ") == f"Sonnez{FIRM}: au 2e{NARROW}!"


def test_paragraphs_are_parted_by_one_empty_line() -> None:
    typed = "\r\n Bonjour ! \r\n\r\n\r\n \r\nÀ  mardi,\r\nau marché\r\n"
    assert read(forms.paragraphs(100), typed) == f"Bonjour{NARROW}!\n\nÀ mardi,\nau marché"


def test_a_text_longer_than_its_place_is_refused() -> None:
    assert read(forms.line(10), "x" * 10) == "x" * 10
    assert read(forms.line(10), "x" * 20_000) == "Champ : 10 caractères au plus, il y en a 20 000."


@pytest.mark.parametrize("typed", ["", " ", "\u00a0", "\u202e\u202c", "\ud800"])
def test_nothing_is_refused_where_something_is_needed(typed: str) -> None:
    assert read(forms.line(10), typed) == "Champ : à remplir."
    assert read(forms.line(10), typed, needed=False) is None


@pytest.mark.parametrize("typed", [[], ["a", "b"], ["a", "a"]])
@pytest.mark.parametrize("needed", [True, False])
def test_a_field_is_sent_once(typed: list[str], needed: bool) -> None:
    assert read(forms.line(10), *typed, needed=needed) == "Champ : envoyez ce champ une fois."


class Choices(Form):
    one = Chosen("Un", choices=forms.choices([(0, "Zéro"), (1, "Un")]))
    many = ChosenMany("Plusieurs", choices=forms.choices([(1, "Un"), (2, "Deux")]))


def choose(**typed: list[str]) -> Choices:
    return Choices(MultiDict([(name, value) for name, values in typed.items() for value in values]))


def test_what_is_chosen_is_a_value_on_offer() -> None:
    form = choose(one=["0"], many=["2", "1"])
    assert form.validate()
    assert form.data == {"one": 0, "many": [2, 1]}


@pytest.mark.parametrize("typed", [[], [""], ["2"], ["01"], ["+1"], ["１"], ["0", "1"], ["1", "1"]])
def test_one_choice_is_one_of_those_on_offer(typed: list[str]) -> None:
    form = choose(one=typed, many=["1"])
    assert not form.validate() and set(form.errors) == {"one"}


@pytest.mark.parametrize("typed", [[], ["3"], ["1", "3"], ["1", "1"], ["1_"], ["１"]])
def test_many_choices_are_some_of_those_on_offer(typed: list[str]) -> None:
    form = choose(one=["1"], many=typed)
    assert not form.validate() and set(form.errors) == {"many"}


def test_what_was_typed_stays_in_the_field() -> None:
    class Many(Form):
        places = Typed("Places", forms.whole(0, 10))

    assert 'value="&lt;b&gt;１"' in str(Many(MultiDict({"places": "<b>１"})).places)
    assert 'value="7"' in str(Many(None, data={"places": 7}).places)
