"""Six digits by mail prove a mailbox: for a quarter of an hour, once, to the browser that asked for them."""

import hmac
import secrets
from datetime import datetime, timedelta

from flask import current_app
from flask import session as current
from sqlalchemy import delete, update
from sqlalchemy.orm import Session

from portal.accounts.limits import CODE_MAILS, CODE_MAILS_OF_DAY
from portal.accounts.models import CodePurpose, MailedCode
from portal.accounts.sessions import hash_token
from portal.infra import throttle
from portal.infra.orm import db, insert, own_transaction

LIVES = timedelta(minutes=15)
TRIES = 5
_KEY = "codes"


def browser() -> str:
    """What stands for the browser that asks; only its session knows what this is the hash of."""
    return hash_token(current.setdefault(_KEY, secrets.token_urlsafe(32)))


def may_mail(session: Session, purpose: CodePurpose, email: str, *, at: datetime) -> bool:
    """Count one more mail to the address; whether it is not too many.

    Each purpose by itself: strangers, who may ask for codes to enter, take none from who is signed in.
    """
    limits = (CODE_MAILS, CODE_MAILS_OF_DAY)  # what the hour refuses does not count for the day
    return all(not throttle.hit(session, limit, f"{purpose} {email}", at).exceeded for limit in limits)


def issue(session: Session, purpose: CodePurpose, email: str, browser: str, *, at: datetime) -> str | None:
    """A code to be mailed, which voids the one before; None where the address has had too many."""
    if not may_mail(session, purpose, email, at=at):
        return None
    code = f"{secrets.randbelow(10**6):06}"
    fresh = {
        "code_hash": _keyed_hash(purpose, email, browser, code),
        "tries": 0,
        "created_at": at,
        "expires_at": at + LIVES,
    }
    statement = insert(session, MailedCode).values(purpose=purpose, email=email, visit=browser, **fresh)
    session.execute(statement.on_conflict_do_update(index_elements=["purpose", "email", "visit"], set_=fresh))
    return code


def use(purpose: CodePurpose, email: str, typed: str, *, at: datetime) -> bool:
    """Whether this is the code that was mailed; it is then used up, if the request is done.

    Tries are counted beforehand and for good, as passwords are (`limits.count_try`): call it before anything is
    written.
    """
    ours = (MailedCode.purpose == purpose, MailedCode.email == email, MailedCode.visit == browser())
    good = (MailedCode.expires_at > at, MailedCode.tries < TRIES)
    db.session.rollback()
    with own_transaction() as own:
        kept = own.execute(
            update(MailedCode)
            .where(*ours, *good)
            .values(tries=MailedCode.tries + 1)
            .returning(MailedCode.id, MailedCode.code_hash)
        ).one_or_none()
    wanted = _keyed_hash(purpose, email, browser(), typed)
    if kept is None or not hmac.compare_digest(kept.code_hash, wanted):
        return False
    taken = delete(MailedCode).where(MailedCode.id == kept.id, MailedCode.code_hash == wanted)
    return db.session.scalar(taken.returning(MailedCode.id)) is not None  # whoever comes second finds none


def void(session: Session, email: str) -> None:
    """None that was mailed to the address is good any more."""
    session.execute(delete(MailedCode).where(MailedCode.email == email))


def _keyed_hash(purpose: CodePurpose, email: str, browser: str, code: str) -> str:
    """A million codes are soon hashed: without the key the database tells none of them."""
    secret = current_app.config["SECRET_KEY"].encode()
    return hmac.digest(secret, f"code {purpose} {email} {browser} {code}".encode(), "sha256").hex()
