"""Mail to be sent: a row written with the change that it tells of, so that both happen or neither.

A worker claims a mail by moving the instant at which it is due beyond the time that sending can take. If the
worker dies, the mail falls due again and another sends it under the same Message-ID: it may arrive twice, it
is never lost.
"""

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from typing import Any
from uuid import uuid4

from flask import current_app
from sqlalchemy import ForeignKey, Index, Select, String, Text, delete, func, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from portal.infra.orm import Base, PrimaryKey, View, insert, own_transaction, word

LEASE = timedelta(minutes=5)
"""Longer than a worker can spend on one mail with a server that answers each word just in time."""

PAUSES = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 240))
"""After a passing failure; when they are used up the mail has failed."""

LATE = timedelta(hours=1)

BODIES_KEPT = timedelta(days=30)
RECIPIENTS_KEPT = timedelta(days=365)
"""As long as other logs: nobody is told of an address that its owner has left."""

CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_ADDRESS = re.compile(r"""(?!.*=\?)[^\s\x00-\x1f\x7f@,;:<>()\[\]"\\]+@[^\s\x00-\x1f\x7f@,;:<>()\[\]"\\]+""")


class MailState(StrEnum):
    WAITING = "waiting"
    SENT = "sent"
    FAILED = "failed"
    KEPT = "kept"
    """No SMTP server is set: it stays in the staff's mailbox."""


class Mail(Base):
    __tablename__ = "mail"
    __table_args__ = (Index(None, "state", "due_at"),)

    id: Mapped[PrimaryKey]
    message_id: Mapped[str] = mapped_column(String(300), unique=True)
    recipient: Mapped[str] = mapped_column(String(254), index=True)
    """Empty once that is forgotten."""
    subject: Mapped[str]
    text: Mapped[str | None] = mapped_column(Text)
    html: Mapped[str | None] = mapped_column(Text)
    secret: Mapped[bool]
    """Holds a link that opens an account: staff never read it, and its text goes as soon as it is sent."""
    state: Mapped[MailState] = mapped_column(word(MailState))
    created_at: Mapped[datetime]
    due_at: Mapped[datetime]
    attempts: Mapped[int]
    closed_at: Mapped[datetime | None]
    last_error: Mapped[str | None] = mapped_column(String(80))
    unsubscribe: Mapped[str | None] = mapped_column(String(300))
    """Where mail programs take back what it was sent for, by one POST (RFC 8058)."""

    @property
    def readable(self) -> bool:
        """Whether staff may read it. Where mail is kept nobody else could; production never keeps it."""
        return self.text is not None and (not self.secret or self.state is MailState.KEPT)


class Attachment(Base):
    """A file that goes with a mail; files alike are stored once (`StoredFile`)."""

    __tablename__ = "mail_attachment"

    mail_id: Mapped[int] = mapped_column(ForeignKey("mail.id", ondelete="CASCADE"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(80))
    digest: Mapped[str] = mapped_column(ForeignKey("stored_file.digest"), index=True)


class StoredFile(Base):
    """Bytes that several mails may carry, by their SHA-256."""

    __tablename__ = "stored_file"

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    content_type: Mapped[str] = mapped_column(String(80))
    data: Mapped[bytes]


class MailError(ValueError):
    """A recipient or a subject that could smuggle in a second one, or a header."""


@dataclass(frozen=True, slots=True)
class File:
    """What a mail may carry; its name is ours and holds no words of people."""

    name: str
    content_type: str
    data: bytes


def can_send_to(address: str) -> bool:
    """Whether it is one plain address, without a second recipient or a header."""
    return _ADDRESS.fullmatch(address) is not None


def post(
    session: Session,
    *,
    to: str,
    subject: str,
    text: str,
    html: str,
    at: datetime,
    secret: bool = False,
    unsubscribe: str | None = None,
    attachments: Sequence[File] = (),
) -> Mail:
    """Write the mail within the caller's transaction; the worker sends it once that is committed."""
    if not can_send_to(to):
        raise MailError("not one plain address")
    if CONTROL.search(subject):
        raise MailError("a line break or control character in the subject")
    mail = Mail(
        message_id=f"<{uuid4().hex}@{current_app.config['SETTINGS'].hostname}>",
        recipient=to,
        subject=subject,
        text=text,
        html=html,
        secret=secret,
        unsubscribe=unsubscribe,
        state=MailState.WAITING,
        created_at=at,
        due_at=at,
        attempts=0,
    )
    session.add(mail)
    if attachments:
        session.flush()
        digests = [_store(session, file) for file in attachments]
        session.add_all(
            Attachment(mail_id=mail.id, position=position, name=file.name, digest=digest)
            for position, (file, digest) in enumerate(zip(attachments, digests, strict=True))
        )
    return mail


def _store(session: Session, file: File) -> str:
    digest = sha256(file.data).hexdigest()
    values = {"digest": digest, "content_type": file.content_type, "data": file.data}
    session.execute(insert(session, StoredFile).values(values).on_conflict_do_nothing())
    return digest


_FILES = (
    select(View(File, name=Attachment.name, content_type=StoredFile.content_type, data=StoredFile.data))
    .join(StoredFile, StoredFile.digest == Attachment.digest)
    .order_by(Attachment.position)
)


def files_of(mail: Mail) -> list[File]:
    """What goes with a mail, in its order."""
    with own_transaction() as session:
        return list(session.scalars(_FILES.where(Attachment.mail_id == mail.id)))


def file_names(session: Session, mail_id: int) -> list[str]:
    named = select(Attachment.name).where(Attachment.mail_id == mail_id)
    return list(session.scalars(named.order_by(Attachment.position)))


def is_due(now: datetime) -> bool:
    """Whether some mail waits to be sent now."""
    with own_transaction() as session:
        return session.scalar(select(_due(now).exists())) or False


def count_due(session: Session, now: datetime) -> int:
    """How many mails wait to be sent now."""
    return session.scalar(select(func.count()).select_from(_due(now).subquery())) or 0


def claim(now: datetime) -> Mail | None:
    """Take the mail that has been due longest, so that no other worker does; it comes back detached."""
    with own_transaction() as session:
        oldest = _due(now).order_by(Mail.due_at, Mail.id).limit(1).with_for_update(skip_locked=True)
        mail = session.scalar(oldest)
        if mail is not None:
            mail.attempts += 1
            mail.due_at = now + LEASE
            session.flush()
            session.expunge(mail)
        return mail


def mark_sent(mail: Mail, now: datetime) -> None:
    """Whoever may hold the mail by now: it has left."""
    with own_transaction() as session:
        sent = {"state": MailState.SENT, "closed_at": now, "last_error": None}
        emptied = {"text": None, "html": None} if mail.secret else {}
        session.execute(update(Mail).where(Mail.id == mail.id).values(sent | emptied))


def mark_refused(mail: Mail, error: str, now: datetime, *, for_good: bool) -> None:
    """Put it off, or give it up; unless the lease has run out and somebody else has it."""
    values: dict[str, object] = {"last_error": error}
    if for_good or mail.attempts > len(PAUSES):
        values |= {"state": MailState.FAILED, "closed_at": now}
    else:
        values["due_at"] = now + PAUSES[mail.attempts - 1]
    still_ours = (Mail.id == mail.id, Mail.attempts == mail.attempts, Mail.state == MailState.WAITING)
    with own_transaction() as session:
        session.execute(update(Mail).where(*still_ours).values(values))


def keep_all(now: datetime) -> None:
    """Leave what waits in the mailbox, where no SMTP server is set."""
    with own_transaction() as session:
        waiting = update(Mail).where(Mail.state == MailState.WAITING)
        session.execute(waiting.values(state=MailState.KEPT, closed_at=now))


def take_back(session: Session, ids: Select[Any]) -> None:
    """Send these no more, but for those that somebody has begun to send."""
    untouched = (Mail.state == MailState.WAITING, Mail.attempts == 0)
    session.execute(delete(Mail).where(Mail.id.in_(ids), *untouched))


def retry(session: Session, at: datetime, *, only: int | None = None) -> list[int]:
    """Send what failed again, from the first attempt on: one mail or all; answers which."""
    failed = [Mail.state == MailState.FAILED, Mail.text.is_not(None)]
    if only is not None:
        failed.append(Mail.id == only)
    again = {"state": MailState.WAITING, "due_at": at, "attempts": 0, "closed_at": None}
    return list(session.scalars(update(Mail).where(*failed).values(again).returning(Mail.id)))


def forget_bodies(now: datetime) -> None:
    """Empty what was sent or given up long ago: what was said and enclosed goes, then to whom it was."""
    old = Mail.closed_at < now - BODIES_KEPT
    with own_transaction() as session:
        forgotten = update(Mail).where(Mail.closed_at < now - RECIPIENTS_KEPT, Mail.recipient != "")
        session.execute(forgotten.values(recipient=""))
        session.execute(update(Mail).where(old, Mail.text.is_not(None)).values(text=None, html=None))
        session.execute(delete(Attachment).where(Attachment.mail_id.in_(select(Mail.id).where(old))))
        drop_loose_files(session)


def forget_recipients(session: Session, addresses: Collection[str]) -> None:
    """Keep that mails went out, not to whom, nor what they said."""
    over = update(Mail).where(Mail.recipient.in_(addresses), Mail.state != MailState.WAITING)
    session.execute(over.values(recipient="", text=None, html=None))


def drop_loose_files(session: Session) -> None:
    if session.get_bind().dialect.name == "postgresql":
        # else a mail could be given a file that is there, and gone when both commit
        session.connection().exec_driver_sql("LOCK TABLE stored_file IN SHARE ROW EXCLUSIVE MODE")
    carried = select(Attachment.digest).where(Attachment.digest == StoredFile.digest)
    session.execute(delete(StoredFile).where(~carried.exists()))


@dataclass(frozen=True, slots=True)
class Line:
    """A mail in the staff's list."""

    id: int
    state: MailState
    recipient: str
    subject: str
    created_at: datetime


def list_lines(
    session: Session, *, before: int | None = None, limit: int, to: str | None = None
) -> list[Line]:
    """The newest first, from the one before `before` on; to one address, if asked."""
    query = select(Mail.id, Mail.state, Mail.recipient, Mail.subject, Mail.created_at)
    if to is not None:
        query = query.where(Mail.recipient == to)
    if before is not None:
        query = query.where(Mail.id < before)
    return [Line(*row) for row in session.execute(query.order_by(Mail.id.desc()).limit(limit))]


def every_line(session: Session) -> Iterator[Line]:
    """All of them, the newest first, some at a time."""
    query = select(Mail.id, Mail.state, Mail.recipient, Mail.subject, Mail.created_at)
    rows = session.execute(query.order_by(Mail.id.desc()).execution_options(yield_per=500))
    return (Line(*row) for row in rows)


@dataclass(frozen=True, slots=True)
class Counts:
    """What asks for staff's attention."""

    waiting: int
    failed: int


def count(session: Session) -> Counts:
    open_states = (MailState.WAITING, MailState.FAILED)
    rows = session.execute(
        select(Mail.state, func.count()).where(Mail.state.in_(open_states)).group_by(Mail.state)
    )
    by_state: dict[MailState, int] = dict(rows.all())
    return Counts(*(by_state.get(state, 0) for state in open_states))


def is_late(session: Session, now: datetime) -> bool:
    """Whether a mail waits for longer than it takes to try twice."""
    waiting = select(Mail.id).where(Mail.state == MailState.WAITING, Mail.created_at < now - LATE)
    return session.scalar(waiting.limit(1)) is not None


def _due(now: datetime) -> Select[Mail]:
    return select(Mail).where(Mail.state == MailState.WAITING, Mail.due_at <= now)
