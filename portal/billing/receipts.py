"""Money that staff enter by hand, and the mail that says it has come in.

Debits are announced, and who made a transfer that a statement brings knows of it from their own bank: no mail for
these, or each statement would write to half of the subscribers.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from portal.billing import ledger, payments
from portal.billing.balances import balances
from portal.billing.models import Customer, LedgerEntry
from portal.billing.payments import Payment, Refusal
from portal.infra import mail, outbox
from portal.profile.queries import get_farm


def receive(
    session: Session, given: Sequence[Payment], *, at: datetime, by: int
) -> list[LedgerEntry] | Refusal:
    """All of them or none; what was entered before is not told again."""
    ledger.hold(session)
    keys = [payment.key for payment in given if payment.key]
    known = set(session.scalars(select(LedgerEntry.key).where(LedgerEntry.key.in_(keys))))
    entered = payments.pay_all(session, given, at=at, by=by)
    if not isinstance(entered, Refusal):
        _tell(session, [entry for entry in entered if entry.key not in known], at)
    return entered


def _tell(session: Session, entries: Sequence[LedgerEntry], at: datetime) -> None:
    mine = select(Customer).where(Customer.id.in_([entry.customer_id for entry in entries]))
    both = (joinedload(Customer.account), joinedload(Customer.order))
    customers = {customer.id: customer for customer in session.scalars(mine.options(*both))}
    owed = balances(session, [whose.account_id for whose in customers.values() if whose.account_id])
    farm = get_farm(session)
    for entry in entries:
        customer = customers[entry.customer_id]
        whom = customer.account or customer.order
        if whom is None or whom.erased_at:
            continue
        words = mail.render(
            "payment_received",
            farm=farm,
            name=customer.account.first_name if customer.account else customer.order and customer.order.name,
            amount=entry.amount * -1,
            means=entry.means,
            day=entry.day,
            balance=owed.get(customer.account_id) if customer.account_id else None,
        )
        outbox.post(session, to=whom.email, at=at, **words.parts)
