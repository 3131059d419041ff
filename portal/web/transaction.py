"""One commit a request, at its boundary: an answer below 400 commits, everything else rolls back."""

from collections.abc import Callable
from typing import Any, TypeVar

from flask import Flask, Response, current_app, g, request

from portal.infra.orm import db, reading_only

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
View = TypeVar("View", bound=Callable[..., Any])


def reads_only(view: View) -> View:
    """Let a long answer to a form be made as pages are: on SQLite nobody who writes waits for it."""
    view.reads_only = True  # type: ignore[attr-defined]
    return view


def _writes_nothing() -> bool:
    view = current_app.view_functions.get(request.endpoint or "")
    return request.method in SAFE_METHODS or getattr(view, "reads_only", False)


def init_app(app: Flask) -> None:
    @app.before_request
    def open_boundary() -> None:
        g.reading_only_token = reading_only.set(_writes_nothing())

    @app.after_request
    def close_boundary(response: Response) -> Response:
        if not _writes_nothing() and response.status_code < 400:
            db.session.commit()
        else:
            db.session.rollback()
        return response

    @app.teardown_request
    def forget(_error: BaseException | None) -> None:
        token = g.pop("reading_only_token", None)
        if token is not None:
            reading_only.reset(token)
