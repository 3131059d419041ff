"""What opens an account beside its password: shown after a reset, since who has stolen one adds a way of their own."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from flask import current_app
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from portal.accounts import household, passkeys, social
from portal.accounts.models import Account
from portal.infra.audit import AuditEvent

OF_LATE = timedelta(days=30)


class Kind(StrEnum):
    KEY = "key"
    SOCIAL = "social"
    PERSON = "person"


@dataclass(frozen=True, slots=True)
class WayIn:
    kind: Kind
    key: int | str
    """A passkey's or a person's id, a provider's name."""
    name: str
    since: datetime | None


def list_ways(session: Session, account: Account) -> list[WayIn]:
    keys = [WayIn(Kind.KEY, key.id, key.name, key.made_at) for key in passkeys.list_keys(session, account)]
    linked = [
        WayIn(Kind.SOCIAL, found.provider, _label(found.provider), found.linked_at)
        for found in social.linked(session, account)
    ]
    joined = _joined(session, account)
    people = [
        WayIn(Kind.PERSON, person.id, person.full_name, joined.get(person.id))
        for person in household.sharers(session, [account.id])[account.id]
    ]
    return keys + linked + people


def of_late(ways: Sequence[WayIn], at: datetime) -> list[WayIn]:
    """Those that the one press takes away."""
    return [way for way in ways if way.since and way.since >= at - OF_LATE]


def forget_late(session: Session, account: Account, *, at: datetime) -> None:
    """What came of late opens it no more; its owner is mailed about each."""
    for way in of_late(list_ways(session, account), at):
        if way.kind is Kind.KEY:
            passkeys.remove(session, account, int(way.key), at=at)
        elif way.kind is Kind.SOCIAL:
            social.unlink(session, account, str(way.key), way.name, at=at)
        else:
            household.part(session, session.get_one(Account, way.key), at=at, by=account)


def _joined(session: Session, payer: Account) -> dict[int | None, datetime]:
    """When each who shares its boxes came to."""
    joins = (
        AuditEvent.action == "household.join",
        AuditEvent.subject_type == "account",
        AuditEvent.subject_id == str(payer.id),
    )
    last = select(AuditEvent.account_id, func.max(AuditEvent.at)).where(*joins)
    return {row[0]: row[1] for row in session.execute(last.group_by(AuditEvent.account_id))}


def _label(provider: str) -> str:
    known = current_app.config["SETTINGS"].providers
    return str(known[provider].label) if provider in known else provider
