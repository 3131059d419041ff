"""What a page shows of the ways on: none that is closed to who looks at it.

{% if "farm.orders" is open %}  the page or the act asks for nothing that they may not
{% if may("people") %}          what has no page of its own
"""

from flask import Flask
from flask_login import current_user
from jinja2 import pass_context
from jinja2.runtime import Context

from portal.rules.permissions import Permission
from portal.web.guards import asked_by


def may(permission: str) -> bool:
    return bool(current_user.is_authenticated and current_user.may(Permission(permission)))


def is_open(endpoint: str) -> bool:
    """Asks what the guard asks, so that a button that shows is a button that works."""
    return any(map(may, asked_by(endpoint)))


@pass_context
def _is_open(_context: Context, endpoint: str) -> bool:
    """With a context: without one Jinja would ask once, when it reads the template."""
    return is_open(endpoint)


def init_app(app: Flask) -> None:
    app.jinja_env.globals["may"] = may
    app.jinja_env.tests["open"] = _is_open
