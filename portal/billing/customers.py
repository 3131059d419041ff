"""Whose invoices and payments are whose."""

from collections.abc import Collection

from flask import Flask
from sqlalchemy import BindParameter, ColumnElement, literal_column, select, update
from sqlalchemy.orm import Session

from portal.billing.models import Customer
from portal.shop.claiming import claimed

UNEVEN = Customer.balance != literal_column("0")
"""Who may owe or be owed something; written out, as SQLite sees the index over these by its very words."""


def customer_of(session: Session, account_id: int) -> Customer:
    """The row in the books that an account's new invoices and payments go under; its account is locked."""
    return customers_of(session, [account_id])[account_id]


def customers_of(session: Session, account_ids: Collection[int]) -> dict[int, Customer]:
    """The same of many."""
    known = select(Customer).where(Customer.account_id.in_(account_ids)).order_by(Customer.id.desc())
    found = {customer.account_id: customer for customer in session.scalars(known)}
    new = [Customer(account_id=account_id) for account_id in account_ids if account_id not in found]
    session.add_all(new)
    session.flush()
    found.update({customer.account_id: customer for customer in new})
    return {account_id: found[account_id] for account_id in account_ids}


def customer_of_order(session: Session, order_id: int) -> Customer:
    """A guest's; its order is locked."""
    found = session.scalar(select(Customer).where(Customer.order_id == order_id))
    if found is None:
        found = Customer(order_id=order_id)
        session.add(found)
        session.flush()
    return found


def belongs_to(account_id: int | BindParameter[int]) -> ColumnElement[bool]:
    """Of customers, those that are an account's: more than one where accounts or guests' orders have become it."""
    return Customer.account_id == account_id


def init_app(_app: Flask) -> None:
    claimed.connect(_follow_orders, weak=False)


def _follow_orders(account_id: int, *, session: Session, order_ids: Collection[int]) -> None:
    """What a guest owed or paid for an order is the account's that the order now is."""
    guests = update(Customer).where(Customer.order_id.in_(order_ids), Customer.account_id.is_(None))
    session.execute(guests.values(account_id=account_id))
