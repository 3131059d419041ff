"""Signing in, passwords and the links that set them, ending sessions."""

import secrets
import unicodedata
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from uuid import uuid4

from flask_security.utils import hash_password
from sqlalchemy import delete, exists, select, update
from sqlalchemy.orm import Session

from portal.accounts import codes
from portal.accounts.limits import WRONG_PASSWORDS
from portal.accounts.models import Account, LinkPurpose, MailedLink, SignInSession
from portal.accounts.queries import find_account
from portal.accounts.sessions import hash_token
from portal.infra import audit, locks, mail, outbox, throttle
from portal.profile.queries import get_farm
from portal.rules.cutoffs import local_day

LINK_LIVES = timedelta(hours=48)
INVITATION_LIVES = timedelta(days=14)
LASTING_LINKS = frozenset({LinkPurpose.OLD_ADDRESS})
"""They outlive a new password and each other: whoever has taken an account over sets one, and moves on twice."""


def authenticate(session: Session, email: str, password: str) -> Account | None:
    """The account, if this is its password and it may sign in; for an unknown one it takes as long."""
    account = find_account(session, email)
    if account is None or account.password is None:
        hash_of(password)  # as long as checking one
        return None
    return account if is_password(account, password) and account.active else None


def is_password(account: Account, password: str) -> bool:
    """Whether it is the account's; its hash is renewed where hashing has become costlier since."""
    return bool(account.verify_and_update_password(_normalise(password)))


def hash_of(password: str) -> str:
    """What is kept of a password."""
    return str(hash_password(_normalise(password)))


def set_password(
    session: Session, account: Account, password: str, *, at: datetime, beside: Sequence[str] = ()
) -> None:
    """Change it, end every session, void what was mailed, count wrong ones anew, tell the owner.

    Told too: what opens the account `beside` it, by name.
    """
    account.password = hash_of(password)
    revoke_all(session, account, at=at, by=account.id)
    void_links(session, account, set(LinkPurpose) - LASTING_LINKS)
    codes.void(session, account.email)
    throttle.forget(session, WRONG_PASSWORDS, account.email)
    audit.record(session, "password_changed", ("account", account.id), at=at, by=account.id)
    written = mail.render("password_changed", first_name=account.first_name, at=at, beside=beside)
    outbox.post(session, to=account.email, at=at, **written.parts)


def new_reset_link(session: Session, account: Account, *, at: datetime, beside: bool = False) -> str:
    """The token of a link that sets a new password; `beside` those that are good already, where nobody asked for it."""
    audit.record(session, "password_reset_asked", ("account", account.id), at=at, by=None)
    return new_link(session, account, LinkPurpose.RESET_PASSWORD, at=at, lives=LINK_LIVES, beside=beside)


def has_reset_link(session: Session, account: Account, *, at: datetime) -> bool:
    """Whether one that still serves is in their mailbox."""
    theirs = (MailedLink.account_id == account.id, MailedLink.purpose == LinkPurpose.RESET_PASSWORD)
    return bool(session.scalar(select(exists().where(*theirs, MailedLink.expires_at > at))))


def mail_invitation(session: Session, account: Account, *, at: datetime, by: int | None) -> None:
    """Mail a link to choose a password with, void those sent before."""
    token = new_link(session, account, LinkPurpose.INVITE, at=at, lives=INVITATION_LIVES)
    audit.record(session, "account_invited", ("account", account.id), at=at, by=by)
    written = mail.render(
        "invitation",
        works_here=account.is_staff,
        first_name=account.first_name,
        token=token,
        last_day=local_day(at + INVITATION_LIVES),
        farm=get_farm(session),
    )
    outbox.post(session, to=account.email, at=at, secret=True, **written.parts)


def new_link(
    session: Session,
    account: Account,
    purpose: LinkPurpose,
    *,
    at: datetime,
    lives: timedelta,
    email: str | None = None,
    name: str | None = None,
    beside: bool = False,
) -> str:
    """The token of a link to be mailed. Older ones of its kind are void, but for those that stand beside each other."""
    token = secrets.token_urlsafe(32)
    if not beside:
        void_links(session, account, {purpose} - LASTING_LINKS - {LinkPurpose.SHARE})
    session.add(
        MailedLink(
            token_hash=hash_token(token),
            purpose=purpose,
            account_id=account.id,
            email=email,
            name=name,
            created_at=at,
            expires_at=at + lives,
        )
    )
    return token


def use_link(session: Session, token: str, *, at: datetime) -> Account | None:
    """Take the link's row away: whoever comes second, even at the same moment, finds none."""
    taken = session.execute(
        delete(MailedLink)
        .where(MailedLink.token_hash == hash_token(token), MailedLink.expires_at > at)
        .returning(MailedLink.account_id, MailedLink.email)
    ).one_or_none()
    account = session.get(Account, taken.account_id) if taken else None
    if taken is None or account is None or not account.active:
        return None
    if taken.email is None:
        prove_mailbox(account, at=at)
    return account


def prove_mailbox(account: Account, *, at: datetime) -> None:
    """What was sent to the account's own address has come back."""
    account.email_proven_at = account.email_proven_at or at


class Closed(Exception):
    """Somebody acts whose account has been closed at that moment: nothing is done, they are asked to sign in."""


def hold_open(session: Session, account_id: int) -> Account:
    """Lock an account for an act that its closing must not cross."""
    held = select(Account).where(Account.id == account_id)
    account = session.scalars(locks.for_update(held, of=Account)).one()
    if not account.active or account.holder is not account:
        raise Closed  # or has come to share another's meanwhile
    return account


def deactivate(session: Session, account: Account, *, at: datetime, by: int | None) -> None:
    """Close the door at once, on every device; nothing is deleted."""
    account.active = False
    revoke_all(session, account, at=at, by=by)
    void_links(session, account)
    audit.record(session, "account_deactivated", ("account", account.id), at=at, by=by)


def revoke_session(session: Session, account: Account, session_id: int, *, at: datetime) -> bool:
    """Sign one device of the account out; False if it is not the account's."""
    found = session.scalar(
        update(SignInSession)
        .where(SignInSession.id == session_id, SignInSession.account_id == account.id)
        .where(SignInSession.revoked_at.is_(None))
        .values(revoked_at=at)
        .returning(SignInSession.id)
    )
    if found is not None:
        audit.record(session, "session_revoked", ("sign_in_session", found), at=at, by=account.id)
    return found is not None


def revoke_all(session: Session, account: Account, *, at: datetime, by: int | None) -> None:
    """Sign the account out everywhere. Who shall stay is signed in anew."""
    account.fs_uniquifier = uuid4().hex  # sessions name it: one that is just being written opens nothing
    session.execute(
        update(SignInSession)
        .where(SignInSession.account_id == account.id, SignInSession.revoked_at.is_(None))
        .values(revoked_at=at)
    )
    audit.record(session, "sessions_revoked", ("account", account.id), at=at, by=by)


def void_links(
    session: Session, account: Account, purposes: Collection[LinkPurpose] = frozenset(LinkPurpose)
) -> None:
    """Nothing of the kind that was mailed to the account opens it any more."""
    session.execute(
        delete(MailedLink).where(MailedLink.account_id == account.id, MailedLink.purpose.in_(purposes))
    )


def _normalise(password: str) -> str:
    """The same letters, however the keyboard composes its accents."""
    return unicodedata.normalize("NFC", password)
