"""How values are written in French: « 1 234,50 € », « mardi 1er juin », « 18 h 30 »."""

import re
from datetime import date, datetime, time
from decimal import Decimal
from functools import lru_cache

from babel.dates import format_date, get_day_names, get_month_names
from babel.numbers import format_currency, format_decimal
from flask import Flask

from portal.rules.cutoffs import PARIS, last_minute
from portal.rules.money import Money
from portal.web.i18n import FIRM, gettext, language

MINUS = "−"
_DAY_OF_MONTH = re.compile(r"\b(\d{1,2}) (?=[^\W\d])")


@lru_cache(maxsize=5000)
def _date(day: date, pattern: str, language: str) -> str:
    """As the language writes it, « 1er » in French; a number never ends a line before its month."""
    number = "1er" if day.day == 1 and language == "fr" else str(day.day)
    return _DAY_OF_MONTH.sub(f"{number}{FIRM}", format_date(day, pattern, locale=language))


def day(value: date) -> str:
    """« mardi 1er juin »"""
    return _date(value, "EEEE d MMMM", language())


def day_year(value: date) -> str:
    """« mardi 1er juin 2027 »"""
    return _date(value, "EEEE d MMMM y", language())


def day_month(value: date) -> str:
    """« 1er juin »"""
    return _date(value, "d MMMM", language())


def day_short(value: date) -> str:
    """« mar. 1er juin »"""
    return _date(value, "EEE d MMM", language())


def weekday(value: date) -> str:
    """« mardi »"""
    return _date(value, "EEEE", language())


def weekday_name(number: int) -> str:
    """« mardi » from 1: Monday is 0."""
    return str(get_day_names(locale=language())[number])


def month(value: date) -> str:
    """« juin 2026 »"""
    return _date(value, "MMMM y", language())


def month_name(number: int) -> str:
    """« juin » from 6"""
    return str(get_month_names(locale=language())[number])


def month_short(value: date) -> str:
    """« juin », « juil. »"""
    return _date(value, "MMM", language())


def clock(value: time | datetime) -> str:
    """« 18 h 30 », « 9 h »; instants are shown on the farm's wall clock."""
    if isinstance(value, datetime):
        value = value.astimezone(PARIS).time()
    hours = f"{value.hour}{FIRM}h"
    return f"{hours}{FIRM}{value.minute:02}" if value.minute else hours


def moment(value: datetime) -> str:
    """« dimanche 31 mai, 23 h 59 »"""
    local = value.astimezone(PARIS)
    return f"{day(local.date())}, {clock(local.time())}"


def cutoff(value: datetime) -> str:
    """A cutoff's last minute in words: « dimanche 31 mai, 23 h 59 »."""
    return moment(last_minute(value))


def money(value: Money) -> str:
    """« 1 234,50 € », « −2,50 € »"""
    return format_currency(Decimal(value.cents).scaleb(-2), "EUR", locale=language()).replace("-", MINUS)


def of(name: str) -> str:
    """Whose: « des Jardins de la Blaisance », « du Potager », « de La Source »."""
    if language() == "fr" and name.startswith(("Le ", "Les ")):
        article, rest = name.split(" ", 1)
        return f"{'du' if article == 'Le' else 'des'} {rest}"
    return gettext("de %(name)s", name=name)


def percent(basis_points: int) -> str:
    """« 5,5 % » from 550"""
    return f"{number(Decimal(basis_points).scaleb(-2))}{FIRM}%"


def number(value: int | Decimal) -> str:
    """« 1 234 », « 1,5 », « −3 »"""
    return format_decimal(value, format="#,##0.###", locale=language()).replace("-", MINUS)


def distance(kilometres: float) -> str:
    """« 12 km », « moins de 1 km »"""
    return gettext("moins de 1 km") if kilometres < 1 else f"{number(round(kilometres))}{FIRM}km"


def amount(value: int, unit: str) -> str:
    """A quantity of a product: « 500 g », « 1,5 kg », « 2 pièces », « 1 botte »; weights are in grams."""
    match unit:
        case "kg" | "g":
            if abs(value) < 1000:
                return f"{number(value)}{FIRM}g"
            return f"{number(Decimal(value).scaleb(-3))}{FIRM}kg"
        case "bunch":
            return f"{value}{FIRM}{gettext('botte') if value < 2 else gettext('bottes')}"
        case _:
            return f"{value}{FIRM}{gettext('pièce') if value < 2 else gettext('pièces')}"


def content(value: int, measured: str) -> str:
    """What a jar or a bag holds, from grams or millilitres: « 250 g », « 75 cl », « 1,5 l »."""
    if measured == "g":
        return amount(value, "g")
    if value >= 1000:
        return f"{number(Decimal(value).scaleb(-3))}{FIRM}l"
    return f"{value}{FIRM}ml" if value % 10 else f"{value // 10}{FIRM}cl"


_BEFORE_UNIT = re.compile(r"(?<=\d) (?=(?:kg|g|l|cl|cm|m|°C|%)(?!\w))")


def unbroken(text: str) -> str:
    """What staff have typed, a number beside its unit: « caisse bois, 12 kg », « chambre froide, 8 °C »."""
    return _BEFORE_UNIT.sub(FIRM, text)


FILTERS = (
    day, day_year, day_month, day_short, weekday, weekday_name, month, month_name, month_short,
    clock, moment, cutoff, money, of, percent, number, distance, amount, content,
    unbroken,
)  # fmt: skip


def init_app(app: Flask) -> None:
    for function in FILTERS:
        app.jinja_env.filters[function.__name__] = function
