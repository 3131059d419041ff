"""French as it is printed: which space stands where, to the character.

U+202F, narrow, before ; ! ?  U+00A0 before : » € % and after «, between a number and its unit.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal

import pytest
from flask import Flask, render_template_string
from flask_babel import force_locale

from portal.rules.cutoffs import Lead, cutoff_instant
from portal.rules.money import Money
from portal.web import filters
from portal.web.i18n import french, gettext, lazy_gettext, ngettext

NARROW, FIRM = "\u202f", "\u00a0"
TUESDAY = date(2026, 6, 16)


def spaces_shown(text: str) -> str:
    """Readable in this file: ~ is U+00A0, ^ is U+202F."""
    return text.replace(FIRM, "~").replace(NARROW, "^")


pytestmark = [
    pytest.mark.parametrize("backend", ["sqlite"], indirect=True),
    pytest.mark.usefixtures("within"),
]


@pytest.fixture
def within(app: Flask) -> Iterator[None]:
    with app.test_request_context():
        yield


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("Une question ? Répondez !", "Une question^? Répondez^!"),
        ("C'est noté ; merci", "C'est noté^; merci"),
        ("Modifiable jusqu'au : demain", "Modifiable jusqu'au~: demain"),
        ("menu, « Imprimer », puis", "menu, «~Imprimer~», puis"),
        ("5,5 % et 12 €", "5,5~% et 12~€"),
        ("à 18 h 30, 500 g, 2 kg, 3 km, 5 min", "à 18~h 30, 500~g, 2~kg, 3~km, 5~min"),
        ("facture n° 12", "facture n°~12"),
        ("deux mots", "deux mots"),
        ("%(formula)s : le %(day)s", "%(formula)s~: le %(day)s"),
        ("Bonjour %(name)s", "Bonjour %(name)s"),
        ("Erreur %(code)s, référence %(reference)s", "Erreur %(code)s, référence %(reference)s"),
    ],
)
def test_our_sentences_get_their_spaces(written: str, shown: str) -> None:
    assert spaces_shown(french(written)) == shown


def test_what_somebody_typed_keeps_its_own_spaces() -> None:
    assert gettext("Bonjour %(name)s !", name="Ah ! Bon : « x »") == f"Bonjour Ah ! Bon : « x »{NARROW}!"


def test_a_percent_sign_alone_stays_one() -> None:
    assert spaces_shown(gettext("Remise de 5 %")) == "Remise de 5~%"


@pytest.mark.parametrize(("n", "shown"), [(0, "0 panier^!"), (1, "1 panier^!"), (2, "2 paniers^!")])
def test_none_and_one_are_singular(n: int, shown: str) -> None:
    assert spaces_shown(ngettext("%(n)s panier !", "%(n)s paniers !", n)) == shown
    template = "{% trans n=n %}{{ n }} panier !{% pluralize %}{{ n }} paniers !{% endtrans %}"
    assert spaces_shown(render_template_string(template, n=n)) == shown


def test_a_label_is_typeset_when_it_is_shown() -> None:
    assert spaces_shown(str(lazy_gettext("Une question ?"))) == "Une question^?"


def test_another_language_has_its_own_spaces_and_dates(app: Flask) -> None:
    shown = '{{ _("Une question ?") }} {{ day | day }}'
    assert render_template_string(shown, day=TUESDAY) == f"Une question{NARROW}? mardi 16{FIRM}juin"
    with app.app_context(), force_locale("en"):
        assert render_template_string(shown, day=TUESDAY) == f"Une question ? Tuesday 16{FIRM}June"


def test_templates_escape_values_and_not_our_words() -> None:
    shown = render_template_string('{{ _("Bonjour « %(name)s »", name=name) }}', name="<b>")
    assert shown == f"Bonjour «{FIRM}&lt;b&gt;{FIRM}»"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (Money(123450), "1^234,50~€"),
        (Money(1250), "12,50~€"),
        (Money(0), "0,00~€"),
        (Money(5), "0,05~€"),
        (Money(-1250), "−12,50~€"),
        (Money(123456789), "1^234^567,89~€"),
    ],
)
def test_amounts_of_money(value: Money, shown: str) -> None:
    assert spaces_shown(filters.money(value)) == shown


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Les Jardins", "des Jardins"),
        ("Le Potager", "du Potager"),
        ("La Source", "de La Source"),
        ("Lesage", "de Lesage"),
    ],
)
def test_whose_a_thing_is(name: str, shown: str) -> None:
    assert filters.of(name) == shown


@pytest.mark.parametrize(
    ("value", "day", "day_year", "day_short", "month"),
    [
        (date(2026, 6, 1), "lundi 1er~juin", "lundi 1er~juin 2026", "lun. 1er~juin", "juin 2026"),
        (TUESDAY, "mardi 16~juin", "mardi 16~juin 2026", "mar. 16~juin", "juin 2026"),
        (date(2026, 12, 31), "jeudi 31~décembre", "jeudi 31~décembre 2026", "jeu. 31~déc.", "décembre 2026"),
        (date(2028, 2, 29), "mardi 29~février", "mardi 29~février 2028", "mar. 29~févr.", "février 2028"),
        (date(2026, 8, 11), "mardi 11~août", "mardi 11~août 2026", "mar. 11~août", "août 2026"),
        (date(2026, 5, 9), "samedi 9~mai", "samedi 9~mai 2026", "sam. 9~mai", "mai 2026"),
    ],
)
def test_days(value: date, day: str, day_year: str, day_short: str, month: str) -> None:
    writers = (filters.day, filters.day_year, filters.day_short, filters.month)
    assert [spaces_shown(write(value)) for write in writers] == [day, day_year, day_short, month]


def test_the_week_begins_on_monday() -> None:
    assert [filters.weekday_name(number) for number in (0, 1, 6)] == ["lundi", "mardi", "dimanche"]


@pytest.mark.parametrize(("kilometres", "shown"), [(0.4, "moins de 1~km"), (1.2, "1~km"), (41.9, "42~km")])
def test_distances(kilometres: float, shown: str) -> None:
    assert spaces_shown(filters.distance(kilometres)) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (time(18, 30), "18~h~30"),
        (time(9, 0), "9~h"),
        (time(9, 5), "9~h~05"),
        (time(0, 0), "0~h"),
        (datetime(2026, 6, 14, 21, 59, tzinfo=UTC), "23~h~59"),
        (datetime(2026, 1, 14, 8, 0, tzinfo=timezone(timedelta(hours=-5))), "14~h"),
    ],
)
def test_times_of_day_are_those_of_paris(value: time | datetime, shown: str) -> None:
    assert spaces_shown(filters.clock(value)) == shown


def test_a_cutoff_is_told_by_its_last_minute() -> None:
    instant = cutoff_instant(TUESDAY, Lead(2, time(23, 59)))
    assert spaces_shown(filters.cutoff(instant)) == "dimanche 14~juin, 23~h~59"
    assert spaces_shown(filters.moment(instant)) == "lundi 15~juin, 0~h"


@pytest.mark.parametrize(
    ("value", "unit", "shown"),
    [
        (500, "kg", "500~g"),
        (1500, "kg", "1,5~kg"),
        (1000, "g", "1~kg"),
        (1_250_000, "kg", "1^250~kg"),
        (-750, "g", "−750~g"),
        (-1500, "g", "−1,5~kg"),
        (1, "piece", "1~pièce"),
        (2, "piece", "2~pièces"),
        (1, "bunch", "1~botte"),
        (3, "bunch", "3~bottes"),
    ],
)
def test_quantities(value: int, unit: str, shown: str) -> None:
    assert spaces_shown(filters.amount(value, unit)) == shown


def test_numbers_and_rates() -> None:
    assert spaces_shown(filters.percent(550)) == "5,5~%"
    assert spaces_shown(filters.percent(2000)) == "20~%"
    assert spaces_shown(filters.number(12345)) == "12^345"
    assert filters.number(Decimal("1.5")) == "1,5"
