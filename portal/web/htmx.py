"""Answers for HTMX: the same address gives a page, or the fragments that changed."""

from typing import Any

from flask import make_response, render_template, request
from flask.typing import ResponseReturnValue


def is_htmx() -> bool:
    """Whether a fragment is wanted: who goes back to an earlier address wants the page."""
    back = "HX-History-Restore-Request" in request.headers
    return request.headers.get("HX-Request") == "true" and not back


def render_fragments(*templates: str, status: int = 200, **context: Any) -> ResponseReturnValue:
    """The fragments one after the other; those that are not the target carry `data-hx-swap-oob`."""
    body = "\n".join(render_template(template, **context) for template in templates)
    return make_response(body, status)
