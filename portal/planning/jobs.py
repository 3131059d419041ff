"""What the worker does for plannings."""

import logging
from datetime import timedelta

from sqlalchemy import ColumnElement, func, select, update

from portal.infra import clock
from portal.infra.jobs import DAY, MINUTE, Task
from portal.infra.orm import Base, own_transaction
from portal.planning import closings, contracts, drafts, notices, terminations
from portal.planning.announcements import tell_of_prices, tell_of_shortages
from portal.planning.models import ClosingNotice, DeliveryNotice, Termination
from portal.planning.waiting import count_places, end_invitations

logger = logging.getLogger(__name__)

AT_ONCE = 20
PAUSE = timedelta(minutes=10)
"""After a failure."""


def tell_of_deliveries() -> bool:
    """Tell some of those who wait for news of deliveries, each in a transaction of its own; True if more wait."""
    with own_transaction() as session:
        waiting = (
            select(DeliveryNotice.account_id)
            .where(DeliveryNotice.due_at <= clock.now())
            .group_by(DeliveryNotice.account_id)
            .order_by(func.min(DeliveryNotice.due_at), DeliveryNotice.account_id)
        )
        due = session.scalars(waiting.limit(AT_ONCE)).all()
    for account_id in due:
        try:
            with own_transaction() as session:
                notices.tell(session, account_id)
        except Exception:  # one that cannot be told must not hold up the others
            logger.exception("notice failed", extra={"account": account_id})
            _put_off(DeliveryNotice, DeliveryNotice.account_id == account_id)
    return len(due) == AT_ONCE


def tell_of_closings() -> bool:
    """Tell some of those whose point is closed for a while, or no longer is; True if more wait."""
    with own_transaction() as session:
        waiting = (
            select(ClosingNotice.closing_id, ClosingNotice.account_id)
            .where(ClosingNotice.due_at <= clock.now())
            .order_by(ClosingNotice.due_at, ClosingNotice.closing_id, ClosingNotice.account_id)
        )
        due = session.execute(waiting.limit(AT_ONCE)).all()
    for closing_id, account_id in due:
        try:
            with own_transaction() as session:
                closings.tell(session, closing_id, account_id)
        except Exception:  # one that cannot be told must not hold up the others
            logger.exception("notice failed", extra={"closing": closing_id, "account": account_id})
            own = (ClosingNotice.closing_id == closing_id, ClosingNotice.account_id == account_id)
            _put_off(ClosingNotice, *own)
    return len(due) == AT_ONCE


def _put_off(table: type[Base], *which: ColumnElement[bool]) -> None:
    with own_transaction() as session:
        session.execute(update(table).where(*which).values(due_at=clock.now() + PAUSE))


def search_owners() -> bool:
    """Find out whose contract the oldest notification means; True if there may be another."""
    number = None
    try:
        with own_transaction() as session:
            waiting = select(Termination).where(Termination.searched_at.is_(None)).order_by(Termination.id)
            row = session.scalar(waiting.limit(1).with_for_update(skip_locked=True))
            if row is not None:
                number = row.id
                terminations.search_owner(session, row, clock.now())
    except Exception:  # it waits for staff, and must not hold up the others
        logger.exception("search failed", extra={"termination": number})
        with own_transaction() as session:
            its = update(Termination).where(Termination.id == number)
            session.execute(its.values(searched_at=clock.now()))
    return number is not None


TASKS = (
    Task("notices", 5, tell_of_deliveries),
    Task("closed points", 5, tell_of_closings),
    Task("terminations", 2, search_owners),
    Task("shortages", 5, tell_of_shortages),
    Task("announced prices", MINUTE, tell_of_prices),
    Task("places", 10 * MINUTE, count_places),
    Task("invitations", MINUTE, end_invitations),
    Task("joining drafts", DAY, drafts.forget_old),
    Task("old contracts", DAY, contracts.forget_old),
)
