"""The columns of the tables that staff send, however they are headed, and how their cells are read.

A reader takes what stands in a cell, never nothing, and raises ValueError with what to write instead.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, time
from typing import Any

from portal.rules.alphabet import slug_of
from portal.rules.money import Money
from portal.web import forms
from portal.web.forms import Reader
from portal.web.i18n import gettext as _

_FRENCH_DAY = re.compile(r"([0-9]{1,2})[/.-]([0-9]{1,2})[/.-](20[0-9]{2})", re.ASCII)
_FRENCH_CLOCK = re.compile(r"([0-9]{1,2})\s?[h:]\s?([0-9]{2})?(?::00)?", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Column:
    """`names` are its heads, ours first, without regard to accents and case; `sample` stands in the model."""

    key: str
    names: tuple[str, ...]
    read: Reader
    sample: str
    needed: bool = False

    @property
    def head(self) -> str:
        return self.names[0]


def recognise(columns: Sequence[Column], heads: Sequence[str]) -> dict[str, int]:
    """Where each column stands: key → its place in the file."""
    places: dict[str, int] = {}
    known = {slug_of(name): column.key for column in columns for name in column.names}
    for place, head in enumerate(heads):
        key = known.get(slug_of(head))
        if key is not None:
            places.setdefault(key, place)
    return places


def one_of(words: Mapping[str, Any]) -> Reader:
    """One of these words, without regard to accents and case."""
    known = {slug_of(word): value for word, value in words.items()}

    def read(text: str) -> Any:
        if slug_of(text) in known:
            return known[slug_of(text)]
        raise ValueError(_("un de : %(words)s.", words=_listed(words)))

    return read


def _listed(words: Iterable[str], most: int = 12) -> str:
    every = list(words)
    return ", ".join(every[:most]) + (", …" if len(every) > most else "")


def email(text: str) -> str:
    address = str(forms.email(text)).lower()
    return str(forms.line(254)(address))


def phone(text: str) -> str:
    """A spreadsheet takes the first nought away, and some write +33."""
    digits = re.sub(r"[\s.()-]", "", text)
    digits = re.sub(r"^(\+33|0033)", "0", digits)
    return str(forms.phone(digits if len(digits) != 9 else f"0{digits}"))


def postcode(text: str) -> str:
    return str(forms.postcode(text.zfill(5) if len(text) == 4 else text))


def euros(most: int) -> Reader:
    read = forms.euros(0, most)

    def without_gaps(text: str) -> Money:
        value: Money = read(re.sub(r"\s", "", text))
        return value

    return without_gaps


def day(text: str) -> date:
    """« 16/06/2026 » or « 2026-06-16 »."""
    written = _FRENCH_DAY.fullmatch(text)
    try:
        if written:
            return date(int(written[3]), int(written[2]), int(written[1]))
        return forms.day(text)
    except ValueError:
        raise ValueError(_("une date, comme 16/06/2026.")) from None


def clock(text: str) -> time:
    """« 16:30 », « 16h30 », « 16 h »."""
    written = _FRENCH_CLOCK.fullmatch(text)
    try:
        if written:
            return time(int(written[1]), int(written[2] or 0))
    except ValueError:
        pass
    raise ValueError(_("une heure, comme 16:30."))
