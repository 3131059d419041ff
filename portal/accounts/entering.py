"""Coming in, once somebody has shown who they are."""

import logging
from enum import StrEnum

from flask import url_for
from flask_security.utils import login_user

from portal.accounts import proofs
from portal.accounts.models import Account
from portal.infra import clock
from portal.web.guards import is_on_this_site

logger = logging.getLogger(__name__)


class Way(StrEnum):
    """How they have shown it."""

    PASSWORD = "password"  # noqa: S105
    CODE = "code"
    PASSKEY = "passkey"
    SOCIAL = "social"


def enter(account: Account, way: Way, wanted: str = "") -> str:
    """Sign them in; the address where they go on, `wanted` if that is a page of this site.

    Every way in ends here.
    """
    login_user(account)
    if way is not Way.SOCIAL:
        proofs.note(account, at=clock.now())
    logger.info("signed in by %s", way)
    return way_on(account, wanted)


def way_on(account: Account, wanted: str) -> str:
    """Where the person was going, if that is a page of this site; else home."""
    if is_on_this_site(wanted):
        return wanted
    return url_for("farm.week" if account.is_staff else "member.home")
