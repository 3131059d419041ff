"""Coming in, once somebody has shown who they are: at once, or half-way until the second factor is shown too."""

import logging
from datetime import datetime, timedelta
from enum import StrEnum

from flask import current_app, url_for
from flask import session as current
from flask_security.utils import login_user
from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.accounts import factors, proofs, sessions, social
from portal.accounts.models import Account
from portal.infra import clock
from portal.infra.orm import db
from portal.web.guards import is_on_this_site

logger = logging.getLogger(__name__)

HALF_WAY = timedelta(minutes=10)
_KEY = "half_way"


class Way(StrEnum):
    """How they have shown it."""

    PASSWORD = "password"  # noqa: S105
    CODE = "code"
    PASSKEY = "passkey"
    """One that has asked for a finger, a face or a code: two factors at once."""
    BARE_KEY = "bare key"
    """One that has asked for nothing."""
    SOCIAL = "social"


def enter(account: Account, way: Way, wanted: str = "") -> str:
    """Sign them in; the address where they go on, `wanted` if that is a page of this site.

    Every way in ends here. Whoever has a second factor is signed in once `finish` has been called.
    """
    if way is Way.PASSKEY or not factors.is_on(db.session(), account):
        return _come_in(account, way, wanted)
    sessions.renew()
    until = clock.now() + HALF_WAY
    current[_KEY] = {"account": account.fs_uniquifier, "way": way, "until": until.isoformat()}
    return url_for("public.second_factor", next=wanted or None)


def half_way(session: Session, *, at: datetime) -> Account | None:
    """Whose second factor this browser is asked for; nobody's any more once the account's sessions were ended."""
    kept = current.get(_KEY)
    if kept is None or at >= datetime.fromisoformat(kept["until"]):
        return None
    return session.scalar(select(Account).where(Account.fs_uniquifier == kept["account"], Account.active))


def finish(account: Account, wanted: str = "") -> str:
    """They have shown the second as well: sign them in; the address where they go on."""
    return _come_in(account, Way(current.pop(_KEY)["way"]), wanted)


def _come_in(account: Account, way: Way, wanted: str) -> str:
    current.pop(_KEY, None)
    sessions.leave_other(account)
    login_user(account)
    if way in {Way.CODE, Way.SOCIAL}:
        social.link_found(db.session(), account, current_app.config["SETTINGS"].providers, at=clock.now())
    if way not in {Way.SOCIAL, Way.BARE_KEY}:
        proofs.note(account, at=clock.now())
    if way is Way.CODE:
        proofs.note_mailbox(account)
    logger.info("signed in by %s", way)
    return way_on(account, wanted)


def way_on(account: Account, wanted: str) -> str:
    """Where the person was going, if that is a page of this site; else home."""
    if is_on_this_site(wanted):
        return wanted
    return url_for("farm.week" if account.is_staff else "member.home")
