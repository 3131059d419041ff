"""A household of the demo farm: somebody shares what its subscriber receives and pays."""

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.accounts.models import Account
from portal.accounts.services import hash_of
from portal.demo.customers import account_of
from portal.demo.people import PASSPHRASE, SHARER, SUBSCRIBER
from portal.infra import audit

SINCE = timedelta(days=40)


def share(session: Session, now: datetime) -> None:
    payer = session.scalars(select(Account).where(Account.email == SUBSCRIBER.email)).one()
    sharer = account_of(SHARER, now - SINCE, hash_of(PASSPHRASE))
    sharer.payer_id = payer.id
    sharer.email_proven_at = now - SINCE
    session.add(sharer)
    session.flush()
    audit.record(session, "household.join", ("account", payer.id), at=now - SINCE, by=sharer.id)
