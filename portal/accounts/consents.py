"""What people agree to be written about, topic by topic: every yes and every no is a line, the newest holds."""

from datetime import datetime

from sqlalchemy import ColumnElement, Select, select
from sqlalchemy.orm import Session, aliased

from portal.accounts.models import Account, Consent
from portal.infra import locks
from portal.rules.consents import ConsentSource, Topic


def give(
    session: Session, account: Account, topic: Topic, *, source: ConsentSource, wording: str, at: datetime
) -> bool:
    """Note that they agree, by which words, where; whether that is new."""
    return _say(session, account, topic, True, source, wording, at)


def take_back(
    session: Session, account: Account, topic: Topic, *, source: ConsentSource, wording: str, at: datetime
) -> bool:
    """Note that they no longer agree; whether that is new."""
    return _say(session, account, topic, False, source, wording, at)


def _say(
    session: Session,
    account: Account,
    topic: Topic,
    given: bool,
    source: ConsentSource,
    wording: str,
    at: datetime,
) -> bool:
    session.flush()  # whoever has just come has no number yet
    session.scalar(locks.for_update(select(Account.id).where(Account.id == account.id), of=Account))
    locks.checked()
    if (topic in agreed(session, account.id)) is given:
        return False
    session.add(
        Consent(account_id=account.id, topic=topic, given=given, at=at, source=source, wording=wording)
    )
    return True


def agreed(session: Session, account_id: int) -> frozenset[Topic]:
    """The topics that an account agrees to by now."""
    own = select(Consent.topic).where(Consent.account_id == account_id, *_holds())
    return frozenset(session.scalars(own))


def agreeing(topic: Topic) -> Select[int]:
    """The accounts that agree to a topic by now."""
    return select(Consent.account_id).where(Consent.topic == topic, *_holds())


def _holds() -> tuple[ColumnElement[bool], ...]:
    newer = aliased(Consent)
    since = (
        newer.account_id == Consent.account_id,
        newer.topic == Consent.topic,
        newer.id > Consent.id,
    )
    return Consent.given, ~select(newer.id).where(*since).exists()
