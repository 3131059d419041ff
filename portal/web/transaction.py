"""One commit a request, at its boundary: an answer below 400 commits, everything else rolls back."""

from flask import Flask, Response, g, request

from portal.infra.orm import db, reading_only

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


def init_app(app: Flask) -> None:
    @app.before_request
    def open_boundary() -> None:
        g.reading_only_token = reading_only.set(request.method in SAFE_METHODS)

    @app.after_request
    def close_boundary(response: Response) -> Response:
        if request.method not in SAFE_METHODS and response.status_code < 400:
            db.session.commit()
        else:
            db.session.rollback()
        return response

    @app.teardown_request
    def forget(_error: BaseException | None) -> None:
        token = g.pop("reading_only_token", None)
        if token is not None:
            reading_only.reset(token)
