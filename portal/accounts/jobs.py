"""What the worker does for accounts."""

from datetime import datetime, timedelta

from sqlalchemy import delete, or_, select
from sqlalchemy.orm import Session

from portal.accounts import answers
from portal.accounts.models import MailedCode, MailedLink, MailRequest, SignInSession
from portal.infra import clock, throttle
from portal.infra.orm import own_transaction

REVOKED_KEPT = timedelta(days=30)
"""A row that is gone could not say that its id is revoked; by then no request that knew it is under way."""


def answer_mail_requests() -> bool:
    """Answer the oldest request for a mail that lets somebody in; True if there may be another."""
    with own_transaction() as session:
        oldest = select(MailRequest).order_by(MailRequest.id).limit(1).with_for_update(skip_locked=True)
        request = session.scalar(oldest)
        if request is not None:
            answers.answer(session, request, at=clock.now())
            session.delete(request)
        return request is not None


def purge_expired(session: Session, now: datetime) -> None:
    """Forget sessions, links, codes and counts that open and limit nothing any more."""
    session.execute(
        delete(SignInSession).where(
            or_(SignInSession.expires_at <= now, SignInSession.revoked_at <= now - REVOKED_KEPT)
        )
    )
    session.execute(delete(MailedLink).where(MailedLink.expires_at <= now))
    session.execute(delete(MailedCode).where(MailedCode.expires_at <= now))
    throttle.purge(session, now)
