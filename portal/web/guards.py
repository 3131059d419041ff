"""Who may enter a face; a view may only narrow it."""

import re
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

from flask import (
    Blueprint,
    abort,
    current_app,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from flask.typing import ResponseReturnValue
from flask_login import current_user

from portal.infra import audit
from portal.rules.permissions import Permission
from portal.web.htmx import is_htmx

_ON_THIS_SITE = re.compile(r"/(?![/\\])[^\x00-\x20\x7f\\]*")


def is_on_this_site(address: str) -> bool:
    """Whether one may be sent there: a path of ours, read so by every browser (BAR I8)."""
    return _ON_THIS_SITE.fullmatch(address) is not None


def ask_to_sign_in() -> ResponseReturnValue:
    """To the sign-in page and back; a fragment request gets the way there, never the page inside a fragment."""
    back = request.full_path.rstrip("?") if request.method == "GET" and not is_htmx() else None
    address = url_for("security.login", next=back)
    if is_htmx():
        return make_response("", 401, {"HX-Redirect": address})
    return redirect(address, 303)


def members_only(face: Blueprint) -> None:
    """Open the face to everybody who is signed in."""

    @face.before_request
    def check() -> ResponseReturnValue | None:
        return None if current_user.is_authenticated else ask_to_sign_in()


View = TypeVar("View", bound=Callable[..., ResponseReturnValue])


def own_hands_only(view: View) -> View:
    """Keep it from staff who see the site as somebody: passwords and secret links are that person's (BAR Z7)."""

    @wraps(view)
    def guarded(**values: Any) -> ResponseReturnValue:
        if current_user.is_authenticated and audit.deputy.get():
            return render_template("errors/own_hands.html"), 403
        return view(**values)

    return cast(View, guarded)


def payer_only(view: View) -> View:
    """Keep it from who shares what another one pays: that one subscribes and ends."""

    @wraps(view)
    def guarded(**values: Any) -> ResponseReturnValue:
        if current_user.is_authenticated and current_user.holder.id != current_user.id:
            return render_template("errors/payer_only.html", payer=current_user.holder), 403
        return view(**values)

    return cast(View, guarded)


def needs(*permissions: Permission) -> Callable[[View], View]:
    """Open a page of the farm to those whose role has the permission, or one of them; stands below the route."""

    def mark(view: View) -> View:
        view.permissions = permissions  # type: ignore[attr-defined]
        return view

    return mark


def asked_by(endpoint: str) -> tuple[Permission, ...]:
    """One of these opens the page; where there is none it is closed to everybody."""
    return getattr(current_app.view_functions[endpoint], "permissions", ())


def staff_only(face: Blueprint) -> None:
    """Open each page of the face to those who have the permission that it `needs`; to others it answers 403."""

    @face.before_request
    def check() -> ResponseReturnValue | None:
        if not current_user.is_authenticated:
            return ask_to_sign_in()
        if not any(map(current_user.may, asked_by(request.endpoint or ""))):
            abort(403)
        return None
