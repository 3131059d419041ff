"""Texts: gettext with French message ids, and the spaces that French typography wants.

Messages are written with plain spaces; what the reader sees has the no-break ones. Only our own words are
touched: values are filled in afterwards.
"""

import re
from typing import Any

import flask_babel
from flask import Flask
from flask_babel import LazyString, get_locale, get_translations

NARROW = "\u202f"
FIRM = "\u00a0"

_RULES = (
    (re.compile(r" (?=[;!?])"), NARROW),
    (re.compile(r" (?=[:»€]|%(?!\())"), FIRM),  # but not before %(name)s
    (re.compile(r"(?<=«) "), FIRM),
    (re.compile(r"(?<=\d) (?=(?:h|kg|g|min|km|m|ans?|cl)\b)"), FIRM),
    (re.compile(r"(?<=n°) "), FIRM),
)


def french(text: str) -> str:
    """Our own sentence with its no-break spaces."""
    for pattern, space in _RULES:
        text = pattern.sub(space, text)
    return text


def _typeset(text: str) -> str:
    locale = get_locale()
    return french(text) if locale is None or locale.language == "fr" else text


def gettext(message: str, /, **values: Any) -> str:
    """The message in the reader's language, typeset, with its values filled in."""
    text = _typeset(get_translations().ugettext(message))
    return text % values if values else text


def ngettext(singular: str, plural: str, n: int, /, **values: Any) -> str:
    """As `gettext`, for a number: French says « 0 panier », so one and less are singular."""
    values.setdefault("n", n)
    values.setdefault("num", n)
    return _typeset(get_translations().ungettext(singular, plural, 1 if abs(n) < 2 else n)) % values


def lazy_gettext(message: str, /, **values: Any) -> LazyString:
    """As `gettext`, worked out when it is shown: for labels of forms."""
    return LazyString(gettext, message, **values)


def init_app(app: Flask) -> None:
    app.config["BABEL_DEFAULT_LOCALE"] = "fr"
    app.config["BABEL_DEFAULT_TIMEZONE"] = "Europe/Paris"
    flask_babel.Babel(app)
    app.jinja_env.install_gettext_callables(  # type: ignore[attr-defined]
        gettext=lambda message: _typeset(get_translations().ugettext(message)),
        ngettext=lambda singular, plural, n: _typeset(
            get_translations().ungettext(singular, plural, 1 if abs(n) < 2 else n)
        ),
        newstyle=True,
    )
