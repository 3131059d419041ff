"""What may stand behind a key of the file: each reader takes it as TOML has it and answers what the farm keeps."""

import re
from collections.abc import Callable, Mapping
from datetime import date, time
from typing import Any

from email_validator import EmailNotValidError, validate_email

from portal.accounts.models import Account
from portal.catalogue.models import Kind, Unit
from portal.profile.models import Accessibility
from portal.rules.money import Money
from portal.settings import ROOT
from portal.web import forms
from portal.web.i18n import french

Reader = Callable[[object], Any]

_SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_CLOCK = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")
_EUROS = re.compile(r"([0-9]{1,4}),([0-9]{2}) ?€")
_DRAWINGS = re.findall(
    r'<symbol id="([^"]+)"', (ROOT / "static" / "drawings.svg").read_text(encoding="utf-8")
)


class BadFarm(Exception):
    """The file says what cannot be: one sentence, behind the way to the place."""

    def __init__(self, says: str) -> None:
        super().__init__(says)
        self.says = says
        self.way: list[str] = []

    def __str__(self) -> str:
        return f"{' › '.join(self.way)} : {self.says}"


def line(value: object) -> str:
    """Words on one line, however the file breaks them."""
    if not isinstance(value, str):
        raise BadFarm("il faut un texte entre guillemets.")
    words = " ".join(value.split())
    if not words:
        raise BadFarm("il n'y a rien d'écrit.")
    if not words.isprintable():
        raise BadFarm("il y a un caractère invisible, réécrivez ce texte.")
    return words


def person(value: object) -> str:
    """A first or a last name."""
    name = line(value)
    check_length(Account, "first_name", name)
    return name


def prose(value: object) -> str:
    """Sentences, with the no-break spaces that the pages have in theirs."""
    return french(line(value))


def slug(value: object) -> str:
    return _written(value, _SLUG, 'un nom court en minuscules sans accent, comme "petit-panier"')


def email(value: object) -> str:
    address = line(value)
    try:
        return validate_email(address, check_deliverability=False, allow_smtputf8=False).normalized
    except EmailNotValidError:
        raise BadFarm(f'« {address} » n\'est pas une adresse mail, comme "bonjour@maferme.fr".') from None


def clock(value: object) -> time:
    return time.fromisoformat(_written(value, _CLOCK, 'une heure, comme "09:30" ou "23:59"'))


def day(value: object) -> date:
    if type(value) is not date:  # a datetime is a date as well
        raise BadFarm("il faut une date sans guillemets, comme 2027-01-01.")
    return value


def money(value: object) -> Money:
    euros, cents = _written(value, _EUROS, 'un prix, comme "11,50 €"').rstrip(" €").split(",")
    return Money(int(euros + cents))


def typed(read: Callable[[str], str]) -> Reader:
    """Read as the farm's own pages read it."""

    def reader(value: object) -> str:
        try:
            return read(line(value))
        except ValueError as error:
            raise BadFarm(f"« {_plain(value)} » : il faut {error}") from None

    return reader


certifier = typed(forms.certifier)
link = typed(forms.link(300))
siret = typed(forms.siret)
vat_number = typed(forms.vat_number)


def one_of(choices: Mapping[str, Any]) -> Reader:
    def read(value: object) -> Any:
        words = _plain(value)
        if words in choices:
            return choices[words]
        raise BadFarm(f"« {words} » n'est pas prévu, choisissez parmi : {', '.join(choices)}.")

    return read


def whole(least: int, most: int) -> Reader:
    def read(value: object) -> int:
        if type(value) is int and least <= value <= most:  # True is an int as well
            return value
        raise BadFarm(f"il faut un nombre entier, de {least} à {most}.")

    return read


def degrees(most: int) -> Reader:
    def read(value: object) -> float:
        if type(value) in (int, float) and -most <= value <= most:  # type: ignore[operator]
            return float(value)  # type: ignore[arg-type]
        raise BadFarm(f"il faut un nombre de degrés, de -{most} à {most}, avec un point : 44.3452.")

    return read


weekday = one_of(
    {"lundi": 0, "mardi": 1, "mercredi": 2, "jeudi": 3, "vendredi": 4, "samedi": 5, "dimanche": 6}
)
kind = one_of({"légumes": Kind.VEGETABLES, "œufs": Kind.EGGS})
unit = one_of({"kg": Unit.KILO, "g": Unit.GRAM, "pièce": Unit.PIECE, "botte": Unit.BUNCH})
vat = one_of({"0 %": 0, "5,5 %": 550, "10 %": 1000, "20 %": 2000})
accessibility = one_of(
    {
        "non conforme": Accessibility.NONE,
        "partiellement conforme": Accessibility.PARTIAL,
        "totalement conforme": Accessibility.FULL,
        "exemptée": Accessibility.EXEMPT,
    }
)
drawing = one_of({name: name for name in _DRAWINGS})


def check_length(model: Any, key: str, value: object) -> None:
    """Refuse what the table's column does not hold."""
    column = model.__table__.columns.get(key)
    longest = getattr(column.type, "length", None) if column is not None else None
    if isinstance(value, str) and longest and len(value) > longest:
        raise BadFarm(f"{len(value)} caractères, c'est trop : {longest} au plus.")


def _written(value: object, pattern: re.Pattern[str], what: str) -> str:
    words = _plain(value)
    if isinstance(value, str) and pattern.fullmatch(words):
        return words
    raise BadFarm(f"« {words} » n'est pas {what}.")


def _plain(value: object) -> str:
    """The no-break space of a copied « 11,50 € » is a space."""
    return " ".join(str(value).split())
