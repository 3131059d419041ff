"""Reading accounts."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload

from portal.accounts.models import Account, LinkPurpose, MailedLink, SignInSession
from portal.accounts.sessions import hash_token
from portal.infra.outbox import CONTROL


@dataclass(frozen=True, slots=True)
class Device:
    """A browser that is signed in."""

    id: int
    since: datetime
    seen_at: datetime


def normalise_email(typed: str | None) -> str:
    """The address as accounts keep it: people write it with capitals, and phones add a space."""
    return CONTROL.sub("", typed or "").strip().lower()


def find_account(session: Session, email: str) -> Account | None:
    """The account of a normalised address."""
    return session.scalar(select(Account).where(Account.email == email))


def find_link(session: Session, token: str, now: datetime) -> MailedLink | None:
    """A mailed link, while it is good for something; looking at it changes nothing (BAR S7)."""
    links = select(MailedLink).options(joinedload(MailedLink.account))
    return session.scalar(
        links.where(MailedLink.token_hash == hash_token(token), MailedLink.expires_at > now)
    )


def list_devices(session: Session, account_id: int, now: datetime) -> list[Device]:
    """Where an account is signed in, the last seen first."""
    rows = session.execute(
        select(SignInSession.id, SignInSession.created_at, SignInSession.seen_at)
        .where(
            SignInSession.account_id == account_id,
            SignInSession.revoked_at.is_(None),
            SignInSession.expires_at > now,
        )
        .order_by(SignInSession.seen_at.desc(), SignInSession.id.desc())
    )
    return [Device(*row) for row in rows]


@dataclass(frozen=True, slots=True)
class Entrance:
    """Whether and when somebody comes in: their last visit, and until when their invitation is good."""

    seen_at: datetime | None
    invited_until: datetime | None


def entrance(session: Session, account_id: int, now: datetime) -> Entrance:
    seen = select(func.max(SignInSession.seen_at)).where(SignInSession.account_id == account_id)
    invited = select(func.max(MailedLink.expires_at)).where(
        MailedLink.account_id == account_id,
        MailedLink.purpose == LinkPurpose.INVITE,
        MailedLink.expires_at > now,
    )
    return Entrance(*session.execute(select(seen.scalar_subquery(), invited.scalar_subquery())).one())
