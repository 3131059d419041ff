"""What the worker does about invoices."""

import logging
from datetime import timedelta

from sqlalchemy import or_, select

from portal.billing import forgetting, mandates, runs
from portal.billing.checking import anchor
from portal.billing.closings import close_due
from portal.billing.debits import collect_due, tell_moved
from portal.billing.files import make_files
from portal.billing.issuing import issue_for_order
from portal.billing.models import Customer, Invoice
from portal.billing.reminders import remind_debtors
from portal.billing.settings import seller_lacks
from portal.deliveries.models import Delivery
from portal.infra import clock
from portal.infra.jobs import DAY, HOUR, MINUTE, Task
from portal.infra.orm import own_transaction
from portal.rules.cutoffs import local_day
from portal.rules.orders import OrderState
from portal.shop.models import Order

logger = logging.getLogger(__name__)

BEHIND = timedelta(days=60)
"""How long ago a guest's order may have been delivered that was set right since."""


def bill_guests() -> None:
    """What guests were delivered, or what was set right of it since they were billed; each by itself."""
    today = local_day(clock.now())
    since_then = (Customer.order_id == Order.id, Invoice.issued_at >= Order.changed_at)
    billed = select(Invoice.id).join(Invoice.customer).where(*since_then)
    known = select(Customer.id).where(Customer.order_id == Order.id)
    due = (
        select(Order.id)
        .join(Order.delivery)
        .where(
            Order.account_id.is_(None),
            Order.erased_at.is_(None),
            or_(Order.state == OrderState.DELIVERED, known.exists()),
            Delivery.day >= today - BEHIND,
            ~billed.exists(),
        )
    )
    with own_transaction() as session:
        if seller_lacks(session, today):
            return
        found = session.scalars(due.order_by(Order.id)).all()
    for order_id in found:
        try:
            with own_transaction() as session:
                issue_for_order(session, order_id, by=None)
        except Exception:  # one order must not hold up the others
            logger.exception("guest not billed", extra={"order": order_id})


TASKS = (
    Task("unused mandates", DAY, mandates.end_unused),
    Task("monthly invoices", 2, runs.step),
    Task("bills of guests", 10 * MINUTE, bill_guests),
    Task("invoices' files", 2, make_files),
    Task("payment reminders", 10 * MINUTE, remind_debtors),
    Task("collected debits", MINUTE, collect_due),
    Task("moved debits", MINUTE, tell_moved),
    Task("closed months", HOUR, close_due),
    Task("anchored ledger", DAY, anchor),
    Task("old books", DAY, forgetting.forget_old),
)
