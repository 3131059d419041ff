"""What the worker does for accounts."""

import logging
from datetime import datetime, timedelta

from sqlalchemy import delete, or_, select, update
from sqlalchemy.orm import Session

from portal.accounts import answers
from portal.accounts.models import MailedCode, MailedLink, MailRequest, SignInSession
from portal.infra import clock, throttle
from portal.infra.jobs import HOUR, Task
from portal.infra.orm import own_transaction

logger = logging.getLogger(__name__)

PAUSE = timedelta(minutes=10)
"""After a failure."""
REVOKED_KEPT = timedelta(days=30)
"""A row that is gone could not say that its id is revoked; by then no request that knew it is under way."""


def answer_mail_requests() -> bool:
    """Answer the oldest request for a mail that opens something; True if there may be another."""
    waiting = select(MailRequest).where(MailRequest.due_at <= clock.now())
    oldest = waiting.order_by(MailRequest.due_at, MailRequest.id).limit(1)
    number = None
    try:
        with own_transaction() as session:
            request = session.scalar(oldest.with_for_update(skip_locked=True))
            if request is not None:
                number = request.id
                answers.answer(session, request, at=clock.now())
                session.delete(request)
    except Exception:  # one that cannot be answered must not hold up the others
        logger.exception("mail request failed", extra={"request": number})
        with own_transaction() as session:
            later = update(MailRequest).where(MailRequest.id == number)
            session.execute(later.values(due_at=clock.now() + PAUSE))
    return number is not None


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


def _purge() -> None:
    with own_transaction() as session:
        purge_expired(session, clock.now())


TASKS = (Task("mail requests", 2, answer_mail_requests), Task("sessions", HOUR, _purge))
