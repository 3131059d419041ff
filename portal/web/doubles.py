"""What adds something each time it is sent is taken once: a finger that presses twice, a proxy that asks again."""

from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from typing import Any, cast

from flask import Flask, make_response, redirect, request
from flask.typing import ResponseReturnValue

from portal.infra import clock, throttle
from portal.infra.orm import db
from portal.infra.throttle import Limit
from portal.web.errors import page_above

SAME_FORM = Limit("the same form of the same session", 1, timedelta(minutes=1))
"""Longer than a proxy tries; nobody adds the same thing twice as fast on purpose."""
ADDS = "/ajout"

View = Callable[..., ResponseReturnValue]


def arrived_before() -> bool:
    """Whether this very form has been accepted; while its first arrival is being worked on, the second waits.

    It is counted in the request's own transaction: what is refused was not there.
    """
    return throttle.hit(db.session(), SAME_FORM, _form(), clock.now()).exceeded


def init_app(app: Flask) -> None:
    """Once all pages are registered; who may not enter is turned away before anything is counted."""
    for endpoint in {rule.endpoint for rule in app.url_map.iter_rules() if rule.rule.endswith(ADDS)}:
        app.view_functions[endpoint] = _once(cast(View, app.view_functions[endpoint]))


def _once(view: View) -> View:
    @wraps(view)
    def take(**values: Any) -> ResponseReturnValue:
        """The second is led to the page above, which shows what the first has added."""
        if request.method != "POST" or "key" in request.form:  # the books know a form by its own key
            return view(**values)
        if arrived_before():
            return redirect(page_above(request.path) or "/", 303)
        response = make_response(view(**values))
        if response.status_code == 200:  # a preview adds nothing: it may be asked for again
            throttle.take_back(db.session(), SAME_FORM, _form())
        return response

    return take


def _form() -> str:
    """With the token of its session."""
    return f"{request.path} {sorted(request.form.items(multi=True))}"
