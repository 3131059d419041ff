"""Whether the parts are well, in one look."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session

from portal.infra import outbox
from portal.infra.jobs import WorkerHeartbeat

AWAKE_FOR = timedelta(minutes=2)
"""A worker that has not shown itself for longer is asleep."""


@dataclass(frozen=True, slots=True)
class Health:
    database: bool
    worker: bool
    mails_waiting: int = 0
    mails_failed: int = 0


def health(session: Session, now: datetime) -> Health:
    try:
        awake = select(WorkerHeartbeat).where(WorkerHeartbeat.at > now - AWAKE_FOR)
        worker = session.scalar(select(awake.exists())) or False
        mails = outbox.count(session)
    except (DBAPIError, PoolTimeout):
        session.rollback()
        return Health(database=False, worker=False)
    return Health(True, worker, mails.waiting, mails.failed)
