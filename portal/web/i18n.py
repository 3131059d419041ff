"""Texts: gettext with French message ids, and the spaces that French typography wants.

Messages are written with plain spaces; what the reader sees has the no-break ones. Only our own words are
touched: values are filled in afterwards.
"""

import re
from functools import cache, lru_cache
from typing import Any

import flask_babel
from babel import Locale
from flask import Flask, g, has_app_context, has_request_context
from flask_babel import LazyString, get_locale, get_translations
from flask_login import current_user
from jinja2 import pass_eval_context
from jinja2.nodes import EvalContext
from markupsafe import Markup

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


def language() -> str:
    """The reader's, looked up once a request: a page asks for every message and date."""
    if not has_app_context():
        return "fr"
    found: str | None = g.get("language")
    if found is None:
        found = g.language = str(get_locale())
    return found


@cache
def languages() -> tuple[Locale, ...]:
    """Those that the texts are there in; French, in which they are written, comes first."""
    babel = flask_babel.get_babel().instance
    others = {locale for locale in babel.list_translations() if locale != babel.default_locale}
    return (babel.default_locale, *sorted(others, key=str))


def _chosen() -> str | None:
    """What who is signed in has chosen, where there is a choice."""
    if len(languages()) == 1 or not has_request_context():
        return None
    chosen: str | None = getattr(current_user, "language", None)
    return chosen if chosen in [str(locale) for locale in languages()] else None


def _typeset(text: str, language: str) -> str:
    return french(text) if language.startswith("fr") else text


@cache
def _text(message: str, language: str) -> str:
    return _typeset(get_translations().ugettext(message), language)


@cache
def _markup(message: str, language: str) -> Markup:
    return Markup(_text(message, language))  # noqa: S704


def gettext(message: str, /, **values: Any) -> str:
    """The message in the reader's language, typeset, with its values filled in."""
    text = _text(message, language())
    return text % values if values else text


@pass_eval_context
def _gettext_in_template(context: EvalContext, message: str, /, **values: Any) -> str:
    """As `gettext`, where values are escaped."""
    text = (_markup if context.autoescape else _text)(message, language())
    return text % values if values else text


def ngettext(singular: str, plural: str, n: int, /, **values: Any) -> str:
    """As `gettext`, for a number: French says « 0 panier », so one and less are singular."""
    values.setdefault("n", n)
    values.setdefault("num", n)
    return _plural(singular, plural, n) % values


@lru_cache(maxsize=5000)
def _numbered(singular: str, plural: str, n: int, language: str) -> str:
    return _typeset(get_translations().ungettext(singular, plural, n), language)


def _plural(singular: str, plural: str, n: int) -> str:
    return _numbered(singular, plural, 1 if abs(n) < 2 else n, language())


def lazy_gettext(message: str, /, **values: Any) -> LazyString:
    """As `gettext`, worked out when it is shown: for labels of forms, for words of a table."""
    return LazyString(gettext, message, **values)


def init_app(app: Flask) -> None:
    app.config["BABEL_DEFAULT_LOCALE"] = "fr"
    app.config["BABEL_DEFAULT_TIMEZONE"] = "Europe/Paris"
    flask_babel.Babel(app, locale_selector=_chosen)
    app.jinja_env.install_gettext_callables(  # type: ignore[attr-defined]
        gettext=lambda message: _text(message, language()), ngettext=_plural, newstyle=True
    )
    # Jinja's own looks for `gettext` in a new context each time
    app.jinja_env.globals["_"] = _gettext_in_template
    app.jinja_env.globals["_l"] = lazy_gettext
    app.jinja_env.globals["languages"] = languages
