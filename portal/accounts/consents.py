"""What people are written about. Of topics every yes and every no is a line, the newest holds; reminders are muted."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import ColumnElement, Select, delete, select
from sqlalchemy.orm import Session, aliased

from portal.accounts.models import Account, Consent, Muted
from portal.infra import locks
from portal.rules.consents import ConsentSource, Notice, Topic


def give(
    session: Session, account: Account, topic: Topic, *, source: ConsentSource, wording: str, at: datetime
) -> bool:
    """Note that they agree, by which words, where; whether that is new."""
    return _say(session, Consent(given=True, topic=topic, source=source, wording=wording, at=at), account)


def take_back(
    session: Session, account: Account, topic: Topic, *, source: ConsentSource, wording: str, at: datetime
) -> bool:
    """Note that they no longer agree; whether that is new."""
    return _say(session, Consent(given=False, topic=topic, source=source, wording=wording, at=at), account)


def _say(session: Session, line: Consent, account: Account) -> bool:
    session.flush()  # whoever has just come has no number yet
    session.scalar(locks.for_update(select(Account.id).where(Account.id == account.id), of=Account))
    locks.checked()
    if (line.topic in agreed(session, account.id)) is line.given:
        return False
    line.account_id = account.id
    session.add(line)
    return True


def newest(session: Session, account_id: int, topic: Topic) -> Consent | None:
    """What they have said last."""
    own = select(Consent).where(Consent.account_id == account_id, Consent.topic == topic)
    return session.scalar(own.order_by(Consent.id.desc()).limit(1))


def agreed(session: Session, account_id: int) -> frozenset[Topic]:
    """The topics that an account agrees to by now."""
    own = select(Consent.topic).where(Consent.account_id == account_id, *_holds())
    return frozenset(session.scalars(own))


def agreeing(topic: Topic) -> Select[int]:
    """The accounts that agree to a topic by now."""
    return select(Consent.account_id).where(Consent.topic == topic, *_holds())


def _holds() -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    newer = aliased(Consent)
    since = (
        newer.account_id == Consent.account_id,
        newer.topic == Consent.topic,
        newer.id > Consent.id,
    )
    return Consent.given.is_(True), ~select(newer.id).where(*since).exists()


def muted(session: Session, account_id: int) -> frozenset[Notice]:
    """The reminders that an account does without."""
    return frozenset(session.scalars(select(Muted.notice).where(Muted.account_id == account_id)))


def mute(session: Session, account: Account, notices: Collection[Notice]) -> bool:
    """Send an account these reminders no more, and all the others; whether that is new."""
    session.scalar(locks.for_update(select(Account.id).where(Account.id == account.id), of=Account))
    before = muted(session, account.id)
    if before == set(notices):
        return False
    session.execute(delete(Muted).where(Muted.account_id == account.id))
    session.add_all(Muted(account_id=account.id, notice=notice) for notice in notices)
    return True
