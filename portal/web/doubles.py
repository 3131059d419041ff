"""What adds something each time it is sent is taken once: a finger that presses twice, a proxy that asks again."""

from datetime import timedelta

from flask import Flask, Response, g, redirect, request
from flask.typing import ResponseReturnValue

from portal.infra import clock, throttle
from portal.infra.orm import db
from portal.infra.throttle import Limit
from portal.web.errors import page_above

SAME_FORM = Limit("the same form of the same session", 1, timedelta(minutes=1))
"""Longer than a proxy tries; nobody adds the same thing twice as fast on purpose."""
ADDS = "/ajout"


def arrived_before() -> bool:
    """Whether this very form has been accepted; while its first arrival is being worked on, the second waits.

    It is counted in the request's own transaction: what is refused was not there.
    """
    return throttle.hit(db.session(), SAME_FORM, _form(), clock.now()).exceeded


def init_app(app: Flask) -> None:
    @app.before_request
    def lead_on() -> ResponseReturnValue | None:
        """To the page above, which shows what the first has added; the books know a form by its own key."""
        posted = request.method == "POST" and request.path.endswith(ADDS)
        g.adds = posted and "key" not in request.form
        if g.adds and arrived_before():
            return redirect(page_above(request.path) or "/", 303)
        return None

    @app.after_request
    def forget(response: Response) -> Response:
        """A preview adds nothing: it may be asked for again."""
        if g.get("adds") and response.status_code == 200:
            throttle.take_back(db.session(), SAME_FORM, _form())
        return response


def _form() -> str:
    """With the token of its session."""
    return f"{request.path} {sorted(request.form.items(multi=True))}"
