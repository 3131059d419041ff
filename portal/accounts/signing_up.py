"""Somebody whose mailbox is proven begins an account."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from portal.accounts import consents, people, services
from portal.accounts.models import Account
from portal.accounts.people import Refusal
from portal.infra import mail, outbox
from portal.profile.queries import get_farm
from portal.rules.consents import ConsentSource, Topic


@dataclass(frozen=True, slots=True)
class Person:
    """Who they say they are; without a password they sign in by mailed codes."""

    email: str
    first_name: str
    last_name: str
    password: str | None
    topics: Mapping[Topic, str]
    """What they ask to be written about, and by which words."""


def sign_up(session: Session, person: Person, *, at: datetime) -> Account | Refusal:
    """Their account, and a mail that welcomes them; refused where the address has one by now."""
    values = {
        "email": person.email,
        "first_name": person.first_name,
        "last_name": person.last_name,
        "password": services.hash_of(person.password) if person.password else None,
        "email_proven_at": at,
    }
    account = people.add(session, values, at=at, by=None)
    if isinstance(account, Refusal):
        return account
    for topic, wording in person.topics.items():
        consents.give(session, account, topic, source=ConsentSource.SIGN_UP, wording=wording, at=at)
    written = mail.render("welcome", farm=get_farm(session), account=account)
    outbox.post(session, to=account.email, at=at, **written.parts)
    return account
