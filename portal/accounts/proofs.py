"""Whether who is signed in has just shown again that they are: asked before what matters is changed.

A password or a mailed code shows it, followed by the second factor where that is on; or a passkey that has asked
for a finger, a face or a code. At sign-in too. The row of their session keeps when.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import wraps
from typing import Any, TypeVar, cast
from urllib.parse import urlsplit

from flask import current_app, flash, make_response, redirect, request, url_for
from flask import session as current
from flask.typing import ResponseReturnValue
from flask_login import current_user
from sqlalchemy.orm import Session
from wtforms import Field, PasswordField

from portal.accounts import codes, factors
from portal.accounts.limits import WRONG_PASSWORDS, count_try
from portal.accounts.models import Account, CodePurpose
from portal.accounts.services import is_password
from portal.infra import clock, mail, outbox, throttle
from portal.infra.orm import db
from portal.infra.throttle import Count
from portal.profile.queries import get_farm
from portal.web.guards import own_hands_only
from portal.web.htmx import is_htmx
from portal.web.i18n import gettext as _
from portal.web.transaction import SAFE_METHODS

LASTS = timedelta(minutes=10)
TO_FILL_IN = timedelta(minutes=10)
"""So long a form that was opened in time may still be sent."""
_KEY = "proven"
_HALF = "half_proven"
_MAILBOX = "mailbox"

View = TypeVar("View", bound=Callable[..., ResponseReturnValue])


def note(account: Account, *, at: datetime) -> None:
    """They have shown it, in this browser."""
    current.pop(_HALF, None)
    current[_KEY] = {"account": account.id, "at": at.isoformat()}


def note_first(account: Account, *, at: datetime) -> bool:
    """They have shown the password or a mailed code; whether that is all that they are asked for."""
    if not factors.is_on(db.session(), account):
        note(account, at=at)
        return True
    current[_HALF] = {"account": account.id, "at": at.isoformat()}
    return False


def awaits_factor(at: datetime) -> bool:
    """Whether who is signed in has shown the first of two lately."""
    return _is_fresh(current.get(_HALF), at, LASTS)


def note_mailbox(account: Account) -> None:
    """A code that was mailed to the account's address has come back from this browser."""
    current[_MAILBOX] = {"account": account.id, "email": account.email}


def mailbox_is_proven(account: Account) -> bool:
    """Whether it has in this session, and the address is still the same."""
    return current.get(_MAILBOX) == {"account": account.id, "email": account.email}


def is_proven(at: datetime, *, within: timedelta = LASTS) -> bool:
    """Whether who is signed in has shown it lately."""
    return _is_fresh(current.get(_KEY), at, within)


def _is_fresh(kept: dict[str, Any] | None, at: datetime, within: timedelta) -> bool:
    if kept is None or not current_user.is_authenticated or kept["account"] != current_user.id:
        return False
    return at < datetime.fromisoformat(kept["at"]) + within


def try_password(account: Account, field: PasswordField, *, at: datetime) -> Count | None:
    """Nothing where it is theirs; where not, how often that has happened, and the field says so."""
    [count] = count_try((WRONG_PASSWORDS, account.email), now=at)
    if count.exceeded or not is_password(account, field.data or ""):
        field.errors = [_("Ce n'est pas votre mot de passe actuel.")]
        return count
    throttle.forget(db.session(), WRONG_PASSWORDS, account.email)
    return None


def try_factor(account: Account, field: Field, *, at: datetime) -> Count | None:
    """As `try_password`, for a code of their second factor."""
    counts = count_try(*factors.limits(account), now=at)
    last = max(counts, key=lambda count: (count.used_up, count.ends_at))
    if last.exceeded or not factors.check(db.session(), account, field.data or "", at=at):
        field.errors = [_("Ce code n'est pas le bon, ou il a déjà servi.")]
        return last
    for limit in factors.limits(account):
        throttle.forget(db.session(), *limit)
    return None


def mail_code(session: Session, account: Account, browser: str, *, at: datetime) -> bool:
    """Mail a code that is good in the browser; False where too many have gone there."""
    code = codes.issue(session, CodePurpose.PROOF, account.email, browser, at=at)
    if code is None:
        return False
    written = mail.render("proof_code", code=code, farm=get_farm(session))
    outbox.post(session, to=account.email, at=at, secret=True, **written.parts)
    return True


def fresh_proof_needed(view: View) -> View:
    """Have the page opened, and its form sent, with a fresh proof and one's own hands only; stands below the route.

    Who has none is asked for it, and comes back to the form.
    """

    @wraps(view)
    def guarded(**values: Any) -> ResponseReturnValue:
        asking = request.method in SAFE_METHODS
        if is_proven(clock.now(), within=LASTS if asking else LASTS + TO_FILL_IN):
            return view(**values)
        if not asking:
            flash(
                _("Rien n'a encore changé : montrez d'abord que c'est bien vous, puis recommencez."),
                "warning",
            )
        address = url_for(
            "member.prove", next=(request.full_path.rstrip("?") if asking else _form_address()) or None
        )
        return make_response("", 401, {"HX-Redirect": address}) if is_htmx() else redirect(address, 303)

    return own_hands_only(cast(View, guarded))


def _form_address() -> str | None:
    """Where the form stands that was sent: at its own address, or on the page that the browser names."""
    adapter = current_app.create_url_adapter(request)
    assert adapter is not None
    before = (request.path, urlsplit(request.referrer or "").path)
    return next((path for path in before if adapter.test(path, method="GET")), None)
