"""« Voir comme l'abonné·e »: staff see the pages of members and visitors as somebody, and act in that person's place.

The row of their session says for whom and until when. The farm's own pages stay theirs.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from typing import Any, cast

from flask import Flask, flash, g, make_response, redirect, request, url_for
from flask import session as current
from flask.typing import ResponseReturnValue
from flask_login import current_user, user_logged_in
from sqlalchemy.orm import Session

from portal.accounts import sessions
from portal.accounts.models import Account
from portal.infra import audit, clock
from portal.infra.orm import db
from portal.rules.permissions import Permission
from portal.web.htmx import is_htmx
from portal.web.i18n import gettext as _

LASTS = timedelta(minutes=30)
FACES = frozenset({"member", "public"})
_KEY = "seen_as"


@dataclass(frozen=True, slots=True)
class Acting:
    """As whom the site is seen, and until when."""

    account_id: int
    name: str
    until: datetime
    minutes: int


class Over(Exception):
    """The time is up, or the one may not see it as the other any more. Nothing is done in anybody's name."""


def begin(session: Session, staff: Account, account: Account, *, at: datetime) -> bool:
    """See the site as somebody for half an hour; never as somebody of the farm, nor through a closed door."""
    if not _may(staff, account):
        return False
    end(session, staff, at=at)
    until = at + LASTS
    current[_KEY] = {"account": account.id, "until": until.isoformat()}
    after = {"until": until.isoformat()}
    audit.record(session, "acting.begin", ("account", account.id), at=at, by=staff.id, after=after)
    return True


def end(session: Session, staff: Account, *, at: datetime) -> int | None:
    """Be oneself again everywhere; as whom one saw the site, if one did."""
    kept = current.pop(_KEY, None)
    if kept is None:
        return None
    audit.record(session, "acting.end", ("account", kept["account"]), at=at, by=staff.id)
    return cast(int, kept["account"])


def present_account(uniquifier: str) -> Account | None:
    """Whom the page is for, as Flask-Login asks: who is signed in, or as whom they see the site."""
    own = sessions.current_account(uniquifier)
    if own is None or request.blueprint not in FACES or (kept := current.get(_KEY)) is None:
        return own
    seen = _seen(own, kept)
    if seen is None:
        raise Over
    g.hands = own
    audit.deputy.set(audit.Deputy(own.id, seen.id))
    return seen


def hands() -> Account | None:
    """The staff who act in the place of whom the page is for, if they do."""
    return cast(Account | None, g.get("hands"))


def mailed() -> str:
    """To whom an act of the page is confirmed, said to who did it."""
    return _("Un mail le lui confirme.") if hands() else _("Un mail vous le confirme.")


def acting() -> Acting | None:
    """What the banner of every page says."""
    if not current_user.is_authenticated or (kept := current.get(_KEY)) is None:
        return None
    own = hands()
    seen = current_user if own else _seen(current_user, kept)
    if seen is None:
        return None
    until = datetime.fromisoformat(kept["until"])
    return Acting(seen.id, seen.full_name, until, ceil((until - clock.now()) / timedelta(minutes=1)))


def _seen(own: Account, kept: Mapping[str, Any]) -> Account | None:
    if clock.now() >= datetime.fromisoformat(kept["until"]):
        return None
    account = db.session.get(Account, kept["account"])
    return account if account is not None and _may(own, account) else None


def _may(staff: Account, account: Account) -> bool:
    return staff.may(Permission.ACT_FOR) and account.active and not account.is_staff


def _be_oneself(_over: Over) -> ResponseReturnValue:
    """To the person's page among the farm's, which says so; what was asked is not done."""
    db.session.rollback()
    kept = current.pop(_KEY)
    flash(
        _(
            "Le temps de voir le site à sa place est passé : rien n'a été fait. Vous êtes de nouveau vous-même."
        ),
        "warning",
    )
    address = url_for("farm.person", account_id=kept["account"])
    return make_response("", 200, {"HX-Redirect": address}) if is_htmx() else redirect(address, 303)


def _forget(_app: Flask, **_: object) -> None:
    """Whoever signs in is themselves, whatever was begun in this browser before."""
    current.pop(_KEY, None)
    g.pop("hands", None)
    audit.deputy.set(None)


def init_app(app: Flask) -> None:
    user_logged_in.connect(_forget, app)
    app.register_error_handler(Over, _be_oneself)
    app.jinja_env.globals["acting"] = acting
    app.jinja_env.globals["mailed"] = mailed

    @app.before_request
    @app.teardown_request
    def as_oneself(_error: BaseException | None = None) -> None:
        audit.deputy.set(None)
