"""Whose invoices and payments are whose."""

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from portal.billing.models import Customer


def customer_of(session: Session, account_id: int) -> Customer:
    """The row in the books that an account's new invoices and payments go under; its account is locked."""
    found = session.scalar(
        select(Customer).where(Customer.account_id == account_id).order_by(Customer.id).limit(1)
    )
    if found is None:
        found = Customer(account_id=account_id)
        session.add(found)
        session.flush()
    return found


def customer_of_order(session: Session, order_id: int) -> Customer:
    """A guest's; its order is locked."""
    found = session.scalar(select(Customer).where(Customer.order_id == order_id))
    if found is None:
        found = Customer(order_id=order_id)
        session.add(found)
        session.flush()
    return found


def belongs_to(account_id: int) -> ColumnElement[bool]:
    """Of customers, those that are an account's: more than one where accounts or guests' orders have become it."""
    return Customer.account_id == account_id
