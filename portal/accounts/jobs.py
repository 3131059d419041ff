"""What the worker does for accounts."""

from datetime import datetime, timedelta

from sqlalchemy import delete, or_
from sqlalchemy.orm import Session

from portal.accounts.models import MailedLink, SignInSession
from portal.infra import throttle

REVOKED_KEPT = timedelta(days=30)
"""A row that is gone could not say that its id is revoked; by then no request that knew it is under way."""


def purge_expired(session: Session, now: datetime) -> None:
    """Forget sessions, links and counts that open and limit nothing any more."""
    session.execute(
        delete(SignInSession).where(
            or_(SignInSession.expires_at <= now, SignInSession.revoked_at <= now - REVOKED_KEPT)
        )
    )
    session.execute(delete(MailedLink).where(MailedLink.expires_at <= now))
    throttle.purge(session, now)
