"""What a request may weigh and hold; the proxy in front must not allow more (BAR R15)."""

import ipaddress
import math
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from typing import Any, TypeVar

from flask import Flask, Response, abort, request
from werkzeug.exceptions import ClientDisconnected, RequestEntityTooLarge

from portal.infra.throttle import Count

BODY_BYTES = 1024 * 1024
UPLOAD_BYTES = 16 * 1024 * 1024
CHUNK_BYTES = 64 * 1024
FORM_FIELDS = 1000
HEADER_BYTES = 32 * 1024
NUL = "\0"

View = TypeVar("View", bound=Callable[..., Any])


def takes_uploads(view: View) -> View:
    """Let a view be sent a heavier body than the others: a phone's photograph."""
    view.body_bytes = UPLOAD_BYTES  # type: ignore[attr-defined]
    return view


def init_app(app: Flask) -> None:
    app.config["MAX_CONTENT_LENGTH"] = BODY_BYTES
    app.config["MAX_FORM_MEMORY_SIZE"] = BODY_BYTES
    app.config["MAX_FORM_PARTS"] = FORM_FIELDS

    @app.before_request
    def weigh() -> None:
        view = app.view_functions.get(request.endpoint or "")
        request.max_content_length = getattr(view, "body_bytes", BODY_BYTES)
        if sum(len(name) + len(value) for name, value in request.headers.items()) > HEADER_BYTES:
            abort(431)
        if request.method == "POST" and sum(1 for _ in request.form.items(multi=True)) > FORM_FIELDS:
            abort(413)

    @app.after_request
    def take_all(response: Response) -> Response:
        """A proxy that is still sending when the connection ends takes that for a fault, and asks another."""
        with suppress(RequestEntityTooLarge, ClientDisconnected):
            while request.content_length and request.stream.read(CHUNK_BYTES):
                pass
        return response

    @app.before_request
    def refuse_nul() -> None:
        """Nobody can type it, and PostgreSQL takes it in no text."""
        if NUL in request.path:
            abort(404)
        for values in (request.args, request.form):
            if any(NUL in name + value for name, value in values.items(multi=True)):
                abort(400)


def client_address() -> str:
    """Who is counted: the client's address; of IPv6 the part that its owner cannot choose at will."""
    address = request.remote_addr or ""
    try:
        return str(ipaddress.ip_network((address, 64 if ":" in address else 32), strict=False))
    except ValueError:  # a socket, or what a proxy calls « unknown »
        return address


def too_many(page: Callable[[int], Response], count: Count, *, now: datetime) -> Response:
    """The page, which says for how many minutes one has to wait."""
    seconds = math.ceil((count.ends_at - now).total_seconds())
    response = page(math.ceil(seconds / 60))
    response.headers["Retry-After"] = str(seconds)
    return response
