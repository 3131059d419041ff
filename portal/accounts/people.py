"""People as staff keep them: made, changed, invited, shut out and let in again."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import uuid4

from blinker import Signal
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from portal.accounts import services, team
from portal.accounts.models import Account
from portal.infra import audit, locks, mail, outbox

PERSONAL = {"email", "first_name", "last_name", "phone", "note", "birthday"}


decided = Signal()
"""Sent with `session` where staff let somebody in or shut them out: what its owner had begun is over. Whoever had
something to end answers true."""


class Refusal(StrEnum):
    """Why nothing was written; its words are in the templates."""

    ADDRESS_TAKEN = "address_taken"
    CLOSED = "closed"
    HAS_PASSWORD = "has_password"  # noqa: S105
    LAST_ADMIN = "last_admin"


def add(session: Session, values: Mapping[str, Any], *, at: datetime, by: int | None) -> Account | Refusal:
    """A new account; refused where the mail address has one. `by` is nobody where the person makes it."""
    account = Account(fs_uniquifier=uuid4().hex, active=True, created_at=at, **values)
    try:
        with session.begin_nested():
            session.add(account)
            session.flush()
    except IntegrityError:
        return Refusal.ADDRESS_TAKEN
    audit.record(session, "account_created", ("account", account.id), at=at, by=by or account.id)
    return account


def change(
    session: Session, account: Account, values: Mapping[str, Any], *, at: datetime, by: int
) -> list[str] | Refusal:
    """Write what differs; an address that is left is told so, and neither links nor sessions from before open more."""
    left = account.email
    try:
        with session.begin_nested():
            changed = audit.change(session, account, values, at=at, by=by, unsaid=PERSONAL)
            session.flush()
    except IntegrityError:
        return Refusal.ADDRESS_TAKEN
    if account.email != left:
        account.email_proven_at = None
        services.void_links(session, account)
        services.revoke_all(session, account, at=at, by=by)
        written = mail.render("address_changed", first_name=account.first_name, at=at)
        outbox.post(session, to=left, at=at, **written.parts)
    return changed


def invite(session: Session, account: Account, *, at: datetime, by: int | None) -> Refusal | None:
    """Mail a link to choose a first password with; those sent before are void.

    Who has one sets another alone: else whoever may change the mail address could enter as that person.
    """
    if not account.active:
        return Refusal.CLOSED
    if account.password is not None:
        return Refusal.HAS_PASSWORD
    services.mail_invitation(session, account, at=at, by=by)
    return None


def set_active(session: Session, account: Account, wanted: bool, *, at: datetime, by: int) -> Refusal | bool:
    """Let somebody sign in again, or no more, at once and on every device; whether anything changed."""
    if not wanted and account.is_staff and team.is_last_admin(session, account):
        return Refusal.LAST_ADMIN
    session.scalars(locks.for_update(select(Account.id).where(Account.id == account.id), of=Account)).one()
    settled = any(done for _receiver, done in decided.send(account, session=session))
    if account.active == wanted and not settled:
        return False
    if wanted:
        account.active = True
        audit.record(session, "account_reactivated", ("account", account.id), at=at, by=by)
    else:
        services.deactivate(session, account, at=at, by=by)
    return True
