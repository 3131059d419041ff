"""Accounts that people have elsewhere and come in with: known by provider and subject, never by address (BAR S12)."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from flask import session as current
from sqlalchemy import Select, delete, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from portal.accounts.alerts import Alert, tell
from portal.accounts.models import Account, Passkey, SocialIdentity
from portal.accounts.queries import find_account
from portal.infra.oidc import Somebody
from portal.settings import Provider

LASTS = timedelta(minutes=30)
"""So long somebody has to come back, and to prove a mailbox after that."""
_WAY, _FOUND = "social_way", "social_found"


def leave(
    provider: Provider, kept: Mapping[str, str], *, wanted: str, link: int | None, at: datetime
) -> None:
    """Keep what is needed once they come back; `link` is the account that is to have it."""
    until = (at + LASTS).isoformat()
    current[_WAY] = {**kept, "provider": provider.name, "wanted": wanted, "link": link, "until": until}


def came_back(provider: Provider, *, at: datetime) -> dict[str, Any] | None:
    """What was kept, once."""
    kept = current.pop(_WAY, None)
    fits = kept and kept["provider"] == provider.name and at < datetime.fromisoformat(kept["until"])
    return kept if fits else None


def owner(session: Session, provider: Provider, who: Somebody, *, at: datetime) -> Account | None:
    """Whose account it opens; the account of the address is linked to it where both sides know the mailbox theirs."""
    found = session.scalar(_identities(provider.name, who.subject))
    if found is not None:
        found.used_at = at
        return session.get(Account, found.account_id)
    account = find_account(session, who.email) if who.verified else None
    if account is None or account.email_proven_at is None or not account.active:
        return None
    return account if link(session, account, provider, who, at=at) else None


def link(session: Session, account: Account, provider: Provider, who: Somebody, *, at: datetime) -> bool:
    """Let it open the account; False where it opens another, or another of the provider opens this one."""
    found = session.scalar(_identities(provider.name, who.subject))
    if found is not None:
        return found.account_id == account.id
    theirs = (SocialIdentity.account_id == account.id, SocialIdentity.provider == provider.name)
    if session.scalar(select(SocialIdentity.id).where(*theirs)) is not None:
        return False
    made = SocialIdentity(provider=provider.name, subject=who.subject, account_id=account.id, linked_at=at)
    try:
        with session.begin_nested():
            session.add(made)
    except IntegrityError:  # at the same moment somewhere else
        return False
    tell(session, account, Alert.SOCIAL_LINKED, at=at, name=provider.label)
    return True


def unlink(session: Session, account: Account, provider: str, label: str, *, at: datetime) -> bool:
    """It opens the account no more; False where it does not, or where nothing else would."""
    if not may_unlink(session, account):
        return False
    theirs = (SocialIdentity.account_id == account.id, SocialIdentity.provider == provider)
    if session.scalar(delete(SocialIdentity).where(*theirs).returning(SocialIdentity.id)) is None:
        return False
    tell(session, account, Alert.SOCIAL_UNLINKED, at=at, name=label)
    return True


def may_unlink(session: Session, account: Account) -> bool:
    """Whether there is another way in: a password, a key, a mailbox that codes reach."""
    if account.password or account.email_proven_at:
        return True
    keys = select(func.count()).select_from(Passkey).where(Passkey.account_id == account.id)
    return bool(session.scalar(keys))


def linked(session: Session, account: Account) -> list[SocialIdentity]:
    mine = SocialIdentity.account_id == account.id
    return list(session.scalars(select(SocialIdentity).where(mine).order_by(SocialIdentity.provider)))


def keep_found(provider: Provider, who: Somebody, *, at: datetime) -> None:
    """Whoever it is: to be linked to the account that they begin with their address, in this browser."""
    until = (at + LASTS).isoformat()
    current[_FOUND] = {"provider": provider.name, "subject": who.subject, "email": who.email, "until": until}


def link_found(
    session: Session, account: Account, providers: Mapping[str, Provider], *, at: datetime
) -> None:
    """Only with the address that it was begun with: somebody else may have begun it here."""
    kept = current.pop(_FOUND, None)
    own = kept and kept["provider"] in providers and kept["email"] == account.email
    if own and at < datetime.fromisoformat(kept["until"]):
        link(session, account, providers[kept["provider"]], Somebody(kept["subject"], "", False), at=at)


def _identities(provider: str, subject: str) -> Select[SocialIdentity]:
    return select(SocialIdentity).where(
        SocialIdentity.provider == provider, SocialIdentity.subject == subject
    )
