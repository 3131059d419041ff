"""Our own page for every error, with a reference that is in the log and nothing of the inside."""

import errno
import logging
from dataclasses import dataclass

from flask import Flask, Response, current_app, g, make_response, redirect, render_template, request
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException, InternalServerError

from portal.web.i18n import lazy_gettext as _l

logger = logging.getLogger(__name__)

RETRY_SECONDS = 10
FULL = {errno.ENOSPC, errno.EDQUOT}


@dataclass(frozen=True)
class Words:
    title: object
    text: object


WORDS = {
    400: Words(
        _l("Cette demande n'est pas lisible"),
        _l("Rien n'a été enregistré. Revenez à la page précédente et recommencez."),
    ),
    403: Words(
        _l("Cette page ne vous est pas ouverte"),
        _l(
            "Si vous aviez laissé la page ouverte longtemps, rechargez-la puis recommencez. Rien n'a été enregistré."
        ),
    ),
    404: Words(
        _l("Cette page n'existe pas"),
        _l("L'adresse est peut-être incomplète, ou la page a changé de place."),
    ),
    405: Words(
        _l("Cette adresse ne s'ouvre pas ainsi"), _l("Revenez à la page précédente. Rien n'a été enregistré.")
    ),
    413: Words(
        _l("L'envoi est trop volumineux"), _l("Rien n'a été enregistré. Réduisez votre envoi et recommencez.")
    ),
    422: Words(
        _l("Une information ne convient pas"),
        _l("Rien n'a été enregistré. Revenez en arrière pour la corriger."),
    ),
    429: Words(
        _l("Trop d'essais en peu de temps"),
        _l("Par sécurité, attendez un peu avant de recommencer. Vos données n'ont pas changé."),
    ),
    431: Words(
        _l("Cette demande n'est pas lisible"), _l("Effacez les cookies de ce site, puis recommencez.")
    ),
    500: Words(
        _l("Quelque chose s'est cassé chez nous"),
        _l("Votre demande n'a pas été enregistrée. L'erreur est notée ; réessayez dans quelques minutes."),
    ),
    503: Words(
        _l("Le site est très occupé"),
        _l(
            "Rien n'a été enregistré. Rechargez cette page dans quelques secondes : votre demande repart "
            "telle quelle."
        ),
    ),
}


def init_app(app: Flask) -> None:
    @app.errorhandler(CSRFError)
    def forged(_error: CSRFError) -> Response:
        return page(403)

    @app.errorhandler(HTTPException)
    def known(error: HTTPException) -> Response:
        if error.code is None or error.code < 400:
            return error.get_response()  # type: ignore[return-value]
        if error.code == 405 and request.method == "GET" and (above := page_above(request.path)):
            return redirect(above, 303)  # type: ignore[return-value]
        response = page(error.code)
        retry_after = getattr(error, "retry_after", None)
        if retry_after:
            response.headers["Retry-After"] = str(retry_after)
        if error.code == 405 and getattr(error, "valid_methods", None):
            response.headers["Allow"] = ", ".join(error.valid_methods)  # type: ignore[attr-defined]
        return response

    @app.errorhandler(OperationalError)
    @app.errorhandler(PoolTimeout)
    def busy(error: OperationalError | PoolTimeout) -> Response:
        return _busy(error)

    @app.errorhandler(InternalServerError)
    def broken(error: InternalServerError) -> Response:
        # a failing commit at the request's boundary arrives here, wrapped
        cause = error.original_exception
        return _busy(cause) if cause and _passes(cause) else page(500)


def page_above(path: str) -> str | None:
    """Where a form stood whose own address only takes what is sent: a phone that reloads the answer asks for it."""
    addresses = current_app.create_url_adapter(request)
    assert addresses
    while path := path.rpartition("/")[0]:
        if addresses.test(path, "GET"):
            return path
    return None


def _passes(error: BaseException) -> bool:
    """A lock that is held, a database that restarts, a paper that takes too long, a disk without room."""
    known = isinstance(error, OperationalError | PoolTimeout | TimeoutError)
    return known or (isinstance(error, OSError) and error.errno in FULL)


def _busy(error: BaseException) -> Response:
    logger.warning("unavailable", extra={"reason": _reason(error)})
    response = page(503)
    response.headers["Retry-After"] = str(RETRY_SECONDS)
    return response


def _reason(error: BaseException) -> str:
    """The name that the driver has for it: its words may be somebody's."""
    cause = getattr(error, "orig", error)
    known = getattr(cause, "sqlite_errorname", None) or getattr(cause, "sqlstate", None)
    return " ".join(filter(None, (type(cause).__name__, known)))


def page(code: int) -> Response:
    words = WORDS.get(code, WORDS[400 if code < 500 else 500])
    body = render_template(
        "errors/error.html",
        code=code,
        words=words,
        again=code == 503 and request.method == "GET",
        reference=g.get("request_id", ""),
        somebody_known=code < 500 and "_login_user" in g,  # Flask-Login's: nothing more is asked
    )
    response = make_response(body, code)
    response.headers["Cache-Control"] = "no-store"
    return response
