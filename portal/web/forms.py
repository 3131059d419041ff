"""Fields that are read strictly: what is typed is understood as it stands, or refused beside the field.

What nobody sees is left out: marks of direction that came with a paste, and what no page may carry.

A reader takes what was typed, never nothing, and raises ValueError with what to write instead.
"""

import re
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import date, time
from decimal import Decimal
from typing import Any

import stdnum.eu.vat
import stdnum.fr.siren
import stdnum.fr.siret
from email_validator import EmailNotValidError, validate_email
from stdnum.exceptions import ValidationError as StdnumError
from wtforms import Field, Form, SelectField, SelectMultipleField, StringField
from wtforms.fields import SelectChoice
from wtforms.validators import StopValidation

from portal.infra.outbox import can_send_to
from portal.rules.money import Money
from portal.web.filters import number
from portal.web.i18n import french
from portal.web.i18n import gettext as _

Reader = Callable[[str], Any]

# ASCII digits only: int(), float() and fromisoformat() alone would take 1_0, +1, 1e3 and the digits of other scripts.
_WHOLE = re.compile(r"0*([0-9]{1,9})", re.ASCII)
_DECIMAL = re.compile(r"0*([0-9]{1,9})(?:[.,]([0-9]{1,9}))?", re.ASCII)
_DEGREES = re.compile(r"([-−]?)([0-9]{1,3})(?:[.,]([0-9]{1,10}))?", re.ASCII)
_CLOCK = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]", re.ASCII)
_DAY = re.compile(r"20[0-9]{2}-[0-9]{2}-[0-9]{2}", re.ASCII)
_SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*", re.ASCII)
_CERTIFIER = re.compile(r"FR-BIO-[0-9]{2,3}", re.ASCII)
_LINK = re.compile(r"https://[a-z0-9-]+(\.[a-z0-9-]+)+([/?#][!-~]*)?", re.ASCII | re.IGNORECASE)
_POSTCODE = re.compile(r"[0-9]{5}", re.ASCII)
_PHONE = re.compile(r"0[1-9][0-9]{8}", re.ASCII)


def once(_form: Form, field: Field) -> None:
    """Validates that a field of the library's own is sent once: it would take the first of two."""
    if len(field.raw_data or ()) > 1:
        raise StopValidation(_("%(field)s : envoyez ce champ une fois.", field=field.label.text))


class Typed(StringField):
    """A field that is sent exactly once; `data` is what the reader makes of it, None where nothing is needed."""

    data: Any

    def __init__(
        self,
        label: object,
        read: Reader,
        *,
        write: Callable[[Any], str] = str,
        needed: bool = True,
        **options: Any,
    ) -> None:
        super().__init__(label, **options)
        self.read, self.write, self.needed = read, write, needed

    def process_formdata(self, valuelist: list[str]) -> None:
        self.data = None
        if len(valuelist) != 1:
            raise ValueError(self.says(_("envoyez ce champ une fois.")))
        typed = "".join(c for c in valuelist[0] if c.isprintable() or c.isspace()).strip()
        if not typed and self.needed:
            raise ValueError(self.says(_("à remplir.")))
        try:
            self.data = self.read(typed) if typed else None
        except ValueError as error:
            raise ValueError(self.says(str(error))) from None

    def says(self, problem: str) -> str:
        field = str(self.label.text).removesuffix("?").rstrip()
        return _("%(field)s : %(problem)s", field=field, problem=problem)

    def _value(self) -> str:
        if self.raw_data:
            return str(self.raw_data[0])
        return "" if self.data is None else self.write(self.data)


class Chosen(SelectField):
    """One of the values on offer, written as the page writes it. Choices are set before the form is processed.

    An empty value stands for no choice yet.
    """

    data: Any

    def __init__(self, label: object, **options: Any) -> None:
        super().__init__(label, coerce=lambda value: value, validate_choice=False, **options)

    def process_formdata(self, valuelist: list[str]) -> None:
        offered = {str(choice.value): choice.value for choice in self.choices or () if choice.value != ""}
        self.data = offered.get(valuelist[0]) if len(valuelist) == 1 else None
        if self.data is None:
            raise ValueError(_("%(field)s : choisissez dans la liste.", field=self.label.text))


class ChosenMany(SelectMultipleField):
    """At least one of the values on offer, if there are any."""

    def __init__(self, label: object, **options: Any) -> None:
        super().__init__(label, coerce=lambda value: value, validate_choice=False, **options)

    def process_formdata(self, valuelist: list[str]) -> None:
        offered = {str(choice.value): choice.value for choice in self.choices or ()}
        self.data = [offered[value] for value in dict.fromkeys(valuelist) if value in offered]
        if len(self.data) != len(valuelist) or (offered and not valuelist):
            raise ValueError(_("%(field)s : choisissez dans la liste.", field=self.label.text))


def choices(labels: Iterable[tuple[object, str]]) -> list[SelectChoice]:
    return [SelectChoice(value=value, label=label) for value, label in labels]


def line(most: int) -> Reader:
    return lambda text: _short_enough(_on_one_line(text), most)


def prose(most: int) -> Reader:
    """A sentence, with the no-break spaces that ours have."""
    return lambda text: _short_enough(french(_on_one_line(text)), most)


def paragraphs(most: int) -> Reader:
    """Sentences on lines of their own; one empty line between paragraphs."""

    def read(text: str) -> str:
        lines = "\n".join(french(_on_one_line(typed)) for typed in text.splitlines())
        return _short_enough(re.sub(r"\n{3,}", "\n\n", lines).strip(), most)

    return read


def whole(least: int, most: int) -> Reader:
    def read(text: str) -> int:
        written = _WHOLE.fullmatch(text)
        if written and least <= int(written[1]) <= most:
            return int(written[1])
        raise ValueError(
            _("un nombre entier, de %(least)s à %(most)s.", least=number(least), most=number(most))
        )

    return read


def decimal(decimals: int, least: int, most: int) -> Reader:
    """« 2,5 » with three decimals is 2500, and so are the bounds."""

    def read(text: str) -> int:
        written = _DECIMAL.fullmatch(text)
        if written and len(written[2] or "") <= decimals:
            value = int(written[1] + (written[2] or "").ljust(decimals, "0"))
            if least <= value <= most:
                return value
        bounds = {
            "least": number(Decimal(least).scaleb(-decimals)),
            "most": number(Decimal(most).scaleb(-decimals)),
        }
        raise ValueError(_("un nombre comme 2,5, de %(least)s à %(most)s.", **bounds))

    return read


def write_decimal(decimals: int) -> Callable[[int], str]:
    def write(value: int) -> str:
        whole, fraction = divmod(value, 10**decimals)
        return f"{whole},{fraction:0{decimals}}".rstrip("0").rstrip(",")

    return write


def euros(least: int, most: int) -> Reader:
    """« 3,50 » or « 3.50 € »; the bounds are cents."""
    read = decimal(2, least, most)
    return lambda text: Money(read(text.removesuffix("€").rstrip()))


def write_euros(value: Money) -> str:
    """« 3,50 »"""
    return f"{value.cents // 100},{value.cents % 100:02}"


def degrees(most: int) -> Reader:
    """« 44,3452 » or « 44.3452 »."""

    def read(text: str) -> float:
        written = _DEGREES.fullmatch(text)
        if written:
            sign, units, decimals = written.groups()
            value = float(f"{units}.{decimals or 0}")
            if value <= most:
                return -value if sign else value
        raise ValueError(_("des degrés, de -%(most)s à %(most)s, comme 44,3452.", most=most))

    return read


def write_degrees(value: float) -> str:
    return f"{value:.6f}".rstrip("0").rstrip(".").replace(".", ",")


def clock(text: str) -> time:
    if _CLOCK.fullmatch(text):
        return time.fromisoformat(text)
    raise ValueError(_("une heure, comme 16:30."))


def write_clock(value: time) -> str:
    return value.isoformat("minutes")


def day(text: str) -> date:
    """A day of this century: others cannot be reckoned with in every time zone."""
    try:
        if _DAY.fullmatch(text):
            return date.fromisoformat(text)
    except ValueError:
        pass
    raise ValueError(_("une date, comme 2026-06-01."))


def slug(most: int) -> Reader:
    def read(text: str) -> str:
        if _SLUG.fullmatch(text):
            return _short_enough(text, most)
        raise ValueError(_("des minuscules sans accent, des chiffres et des tirets, comme « mardi-soir »."))

    return read


def certifier(text: str) -> str:
    """« FR-BIO-01 », whoever checks what calls itself organic."""
    if _CERTIFIER.fullmatch(text.upper()):
        return text.upper()
    raise ValueError(_("un code comme FR-BIO-01."))


def link(most: int) -> Reader:
    def read(text: str) -> str:
        if _LINK.fullmatch(text):
            return _short_enough(text, most)
        raise ValueError(_("une adresse entière, comme https://exemple.fr/certificat.pdf."))

    return read


def postcode(text: str) -> str:
    return _digits(text, _POSTCODE, _("cinq chiffres, comme 05300."))


def phone(text: str) -> str:
    """« 04 65 71 00 01 », however it is spaced."""
    digits = _digits(text, _PHONE, _("dix chiffres, comme 04 65 71 00 01."))
    return " ".join(digits[place : place + 2] for place in range(0, len(digits), 2))


def siren(text: str) -> str:
    """Nine digits whose key is right, however they are spaced."""
    with suppress(StdnumError):
        return str(stdnum.fr.siren.validate(text))
    raise ValueError(_("neuf chiffres, comme 732 829 320 : vérifiez chacun."))


def siret(text: str) -> str:
    """Fourteen digits whose key is right, however they are spaced."""
    with suppress(StdnumError):
        return str(stdnum.fr.siret.validate(text))
    raise ValueError(_("quatorze chiffres, comme 732 829 320 00074 : vérifiez chacun."))


def vat_number(text: str) -> str:
    """A VAT number of any country of the European Union, its country and its key checked."""
    with suppress(StdnumError):
        number: str = stdnum.eu.vat.compact(text)
        if stdnum.eu.vat.validate(text):
            return number
    raise ValueError(_("le pays puis le numéro, comme FR40303265045 : vérifiez chaque caractère."))


def email(text: str) -> str:
    with suppress(EmailNotValidError):
        address = validate_email(text, check_deliverability=False, allow_smtputf8=False).normalized
        if can_send_to(address):
            return address
    raise ValueError(_("une adresse entière, comme nom@exemple.fr."))


def _digits(text: str, pattern: re.Pattern[str], what: str) -> str:
    digits = re.sub(r"[\s.]", "", text)
    if pattern.fullmatch(digits):
        return digits
    raise ValueError(what)


def _on_one_line(text: str) -> str:
    return " ".join(text.split())


def _short_enough(text: str, most: int) -> str:
    if len(text) > most:
        raise ValueError(
            _("%(most)s caractères au plus, il y en a %(n)s.", most=number(most), n=number(len(text)))
        )
    return text
