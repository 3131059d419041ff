"""What people have written to the farm, as staff read it."""

import re
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session, aliased, joinedload, selectinload, undefer

from portal.accounts.models import Account
from portal.infra.orm import View
from portal.messages.models import (
    FIRST_REFERENCE,
    ContactAnswer,
    ContactFile,
    ContactMessage,
    ContactState,
    Subject,
)

_REFERENCE = re.compile(r"[Mm]?([0-9]{5,9})", re.ASCII)


@dataclass(frozen=True, slots=True)
class MessageLine:
    """A message in the list; `taker` is the first name of who has taken it."""

    id: int
    subject: Subject
    name: str
    sent_at: datetime
    state: ContactState
    taker: str | None

    @property
    def reference(self) -> str:
        return f"M{FIRST_REFERENCE + self.id}"


@dataclass(frozen=True, slots=True)
class Sought:
    """What the list is narrowed down to; without a state, all that is not done."""

    text: str = ""
    state: ContactState | None = None
    everything: bool = False
    account_id: int | None = None


_TAKER = aliased(Account)
_LINES = (
    select(
        View(
            MessageLine,
            id=ContactMessage.id,
            subject=ContactMessage.subject,
            name=ContactMessage.name,
            sent_at=ContactMessage.sent_at,
            state=ContactMessage.state,
            taker=_TAKER.first_name,
        )
    )
    .outerjoin(_TAKER, _TAKER.id == ContactMessage.taken_by)
    .order_by(ContactMessage.id.desc())
)


def list_messages(session: Session, sought: Sought, *, before: int | None, limit: int) -> list[MessageLine]:
    """Newest first."""
    conditions = list(_conditions(sought))
    if before is not None:
        conditions.append(ContactMessage.id < before)
    return list(session.scalars(_LINES.where(*conditions).limit(limit)))


def _conditions(sought: Sought) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if sought.state:
        conditions.append(ContactMessage.state == sought.state)
    elif not sought.everything:
        conditions.append(ContactMessage.state != ContactState.DONE)
    if sought.account_id is not None:
        conditions.append(ContactMessage.account_id == sought.account_id)
    if reference := _REFERENCE.fullmatch(sought.text):
        conditions.append(ContactMessage.id == int(reference[1]) - FIRST_REFERENCE)
    elif sought.text:
        columns = (ContactMessage.name, ContactMessage.email, ContactMessage.text)
        conditions.append(or_(*(column.icontains(sought.text, autoescape=True) for column in columns)))
    return conditions


def count_new(session: Session) -> int:
    new = select(func.count()).where(ContactMessage.state == ContactState.NEW)
    return session.scalar(new.select_from(ContactMessage)) or 0


def find_message(session: Session, message_id: int) -> ContactMessage | None:
    with_all = (
        joinedload(ContactMessage.taker),
        selectinload(ContactMessage.files),
        selectinload(ContactMessage.answers).joinedload(ContactAnswer.by),
    )
    return session.scalar(select(ContactMessage).where(ContactMessage.id == message_id).options(*with_all))


def find_file(session: Session, message_id: int, file_id: int) -> ContactFile | None:
    wanted = select(ContactFile).where(ContactFile.id == file_id, ContactFile.message_id == message_id)
    return session.scalar(wanted.options(undefer(ContactFile.data)))
