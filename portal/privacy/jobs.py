"""What the worker does for privacy, one account a transaction."""

import logging
from collections.abc import Callable, Iterable
from datetime import timedelta
from functools import partial

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from portal.accounts.models import Account
from portal.infra import clock, locks
from portal.infra.jobs import HOUR, MINUTE, Task
from portal.infra.orm import own_reading, own_transaction
from portal.privacy import erasing, inactivity
from portal.privacy.leaving import hindrances
from portal.privacy.models import Departure
from portal.profile.models import FarmProfile

logger = logging.getLogger(__name__)

AT_ONCE = 20
PAUSE = timedelta(days=1)
"""After a failure, which somebody has to look into."""


def erase_departed() -> bool:
    """Forget whose time to come back is over; True if more wait."""
    now = clock.now()
    with own_transaction() as session:
        # let in again by staff: that departure is over
        back = select(Account.id).where(Account.active)
        session.execute(delete(Departure).where(Departure.account_id.in_(back)))
        due = select(Departure.account_id).where(Departure.erase_at <= now).order_by(Departure.erase_at)
        found = session.scalars(due.limit(AT_ONCE)).all()
    for account_id in found:
        if not _attempt(account_id, _erase_departed):
            _put_off(account_id)
    return len(found) == AT_ONCE


def _put_off(account_id: int) -> None:
    """So that the others have their turn."""
    with own_transaction() as session:
        mine = update(Departure).where(Departure.account_id == account_id)
        session.execute(mine.values(erase_at=clock.now() + PAUSE))


def _erase_departed(session: Session, account_id: int) -> None:
    now = clock.now()
    held = select(Account).where(Account.id == account_id)
    account = session.scalars(locks.for_update(held, of=Account)).one()
    left = session.get(Departure, account_id, populate_existing=True)
    if left is None or left.erase_at is None or left.erase_at > now:
        return
    if holding := hindrances(session, account, now):
        raise RuntimeError(f"held open by {', '.join(holding)}")
    erasing.erase(session, account_id, at=now)


def forget_inactive() -> bool:
    """Warn, warn again, forget; True if more wait."""
    now = clock.now()
    with own_transaction() as session:
        years = session.scalar(select(FarmProfile.inactive_years))
        if years is None:
            return False
        inactivity.forget_warnings(session, now, years)
    with own_reading() as session:
        stages = [
            session.scalars(select(Account.id).where(which).order_by(Account.id).limit(AT_ONCE)).all()
            for which in inactivity.due(now, years)
        ]
    more = [_each(found, partial(inactivity.step, stage=stage, at=now)) for stage, found in enumerate(stages)]
    return any(more)


def _each(found: Iterable[int], act: Callable[[Session, int], None]) -> bool:
    numbers = list(found)
    done = [_attempt(account_id, act) for account_id in numbers]
    return len(done) == AT_ONCE and any(done)


def _attempt(account_id: int, act: Callable[[Session, int], None]) -> bool:
    try:
        with own_transaction() as session:
            act(session, account_id)
    except Exception:  # one account must not hold up the others
        logger.exception("job failed", extra={"account": account_id})
        return False
    return True


TASKS = (
    Task("departures", 10 * MINUTE, erase_departed),
    Task("inactive accounts", HOUR, forget_inactive),
    Task("erasures", 10 * MINUTE, erasing.settle),
)
