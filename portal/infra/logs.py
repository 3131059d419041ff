"""Logs: one JSON object a line, with the request's reference and without anybody's data.

A line names the endpoint, never the address (it may hold a token), and the account's number. An exception is
its type and where it happened: its words may hold what somebody typed. Other packages' lines lose their
values.
"""

import json
import logging
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from secrets import token_hex
from traceback import walk_tb
from types import TracebackType
from typing import Any

from flask import Flask, Response, g, has_app_context, request, request_started
from sqlalchemy import inspect

from portal.infra import audit
from portal.settings import ROOT

logger = logging.getLogger(__name__)

_STANDARD = {*vars(logging.makeLogRecord({})), "message", "asctime", "taskName"}


class JsonLines(logging.Formatter):
    """ASCII JSON: a line break in a value cannot begin a line of the log."""

    def format(self, record: logging.LogRecord) -> str:
        ours = record.name.split(".")[0] == "portal"
        line: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage() if ours else str(record.msg),
        }
        if has_app_context() and "request_id" in g:
            line["request_id"] = g.request_id
        if ours:
            line |= {name: value for name, value in vars(record).items() if name not in _STANDARD}
        if record.exc_info and record.exc_info[1]:
            line |= _failure(record.exc_info[1])
        return json.dumps(line, default=str)


class _Stderr(logging.Handler):
    """Writes to what stderr is now, not to what it was when the handler was made."""

    def emit(self, record: logging.LogRecord) -> None:
        sys.stderr.write(self.format(record) + "\n")


def init_app(app: Flask) -> None:
    """Call it first: then its line is written last, when the answer is final."""
    root = logging.getLogger()
    if not any(isinstance(handler, _Stderr) for handler in root.handlers):
        handler = _Stderr()
        handler.setFormatter(JsonLines())
        root.addHandler(handler)
    logging.getLogger("portal").setLevel(logging.INFO)
    logging.getLogger("werkzeug").setLevel(logging.WARNING)  # its lines are whole addresses

    request_started.connect(_begin, app)
    app.after_request(_finish)
    app.log_exception = _log_exception  # type: ignore[method-assign]


def _begin(_app: Flask, **_: object) -> None:
    g.request_id = token_hex(8)
    g.request_began = time.perf_counter()


def _finish(response: Response) -> Response:
    if "request_id" not in g:  # it failed before it began
        _begin(None)  # type: ignore[arg-type]
    response.headers["X-Request-Id"] = g.request_id
    logger.info(
        "request",
        extra={
            "method": request.method,
            "endpoint": request.endpoint,
            "status": response.status_code,
            "ms": round((time.perf_counter() - g.request_began) * 1000),
            "account": _account_id(),
        },
    )
    return response


def _account_id() -> int | None:
    """Of who is known to be signed in: a line of the log is worth no query."""
    state = inspect(g.get("_login_user"), raiseerr=False)
    identity = state.identity if state is not None else None
    return audit.hands(identity[0]) if identity else None


def _log_exception(
    exc_info: tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None],
) -> None:
    logger.error("unhandled exception", exc_info=exc_info)


def _failure(error: BaseException) -> dict[str, Any]:
    types = []
    cause: BaseException | None = error
    while cause is not None:
        types.append(f"{type(cause).__module__}.{type(cause).__qualname__}")
        cause = cause.__cause__
    frames = walk_tb(error.__traceback__)
    stack = [f"{_short(f.f_code.co_filename)}:{number} {f.f_code.co_name}" for f, number in frames]
    return {"error": " from ".join(types), "stack": stack}


def _short(filename: str) -> str:
    path = Path(filename)
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else "/".join(path.parts[-2:])
