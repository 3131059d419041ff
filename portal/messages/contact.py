"""Writing to the farm, and its answer."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from portal.infra import audit, clock, locks, mail, outbox
from portal.infra.orm import own_transaction
from portal.messages.models import (
    ContactAnswer,
    ContactFile,
    ContactMessage,
    ContactState,
    Subject,
)
from portal.profile.queries import get_farm

TWICE_WITHIN = timedelta(hours=1)
"""The same words again are a second press of the button."""
KEPT = timedelta(days=3 * 365)
"""As the page on personal data says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What somebody writes, signed in or not."""

    subject: Subject
    name: str
    email: str
    phone: str | None
    text: str


def write(
    session: Session,
    written: Written,
    files: Sequence[ContactFile],
    *,
    account_id: int | None,
    copy: bool,
    at: datetime,
) -> ContactMessage:
    """Keep it, tell the farm, and send who wrote a copy."""
    same = (
        ContactMessage.email == written.email,
        ContactMessage.subject == written.subject,
        ContactMessage.text == written.text,
        ContactMessage.sent_at > at - TWICE_WITHIN,
    )
    if known := session.scalar(select(ContactMessage).where(*same).limit(1)):
        return known
    message = ContactMessage(
        account_id=account_id,
        subject=written.subject,
        name=written.name,
        email=written.email,
        phone=written.phone,
        text=written.text,
        sent_at=at,
        state=ContactState.NEW,
        files=list(files),
    )
    session.add(message)
    session.flush()
    farm = get_farm(session)
    context = {"farm": farm, "message": message}
    if copy:
        receipt = mail.render("contact_received", **context)
        outbox.post(session, to=message.email, **receipt.parts, at=at)
    if outbox.can_send_to(farm.email):
        word = mail.render("contact_to_farm", **context)
        outbox.post(session, to=farm.email, **word.parts, at=at)
    return message


def bring(session: Session, message_id: int, state: ContactState, *, at: datetime, by: int) -> bool | None:
    """Into a state: taken and done are somebody's, new is nobody's. None where there is no such message."""
    message = _locked(session, message_id)
    if message is None:
        return None
    taken_by = None if state is ContactState.NEW else message.taken_by or by
    values = {"state": state, "taken_by": by if state is ContactState.TAKEN else taken_by}
    return bool(audit.change(session, message, values, at=at, by=by))


def answer(
    session: Session, message_id: int, text: str, *, done: bool, at: datetime, by: int
) -> ContactAnswer | None:
    """Mail it to who wrote; the same answer twice is sent once."""
    message = _locked(session, message_id)
    if message is None:
        return None
    last = message.answers[-1] if message.answers else None
    if last is None or last.text != text:
        last = ContactAnswer(text=text, at=at, by_id=by)
        message.answers.append(last)
        session.flush()
        written = mail.render("contact_answer", farm=get_farm(session), message=message, answer=last)
        outbox.post(session, to=message.email, **written.parts, at=at)
        audit.record(session, "contact_message.answer", ("contact_message", message_id), at=at, by=by)
    bring(session, message_id, ContactState.DONE if done else ContactState.TAKEN, at=at, by=by)
    return last


def forget_old() -> None:
    with own_transaction() as session:
        session.execute(delete(ContactMessage).where(ContactMessage.sent_at < clock.now() - KEPT))


def _locked(session: Session, message_id: int) -> ContactMessage | None:
    wanted = select(ContactMessage).where(ContactMessage.id == message_id)
    return session.scalar(locks.for_update(wanted, of=ContactMessage))
