"""Who owes something, who is ahead, who has received what is not billed yet: accounts, as statements."""

from datetime import date, timedelta
from typing import Any

from sqlalchemy import Select, exists, func, select, union_all

from portal.billing.charges import BILLED
from portal.billing.models import BillingSettings, Customer, Invoice, InvoiceLine, LedgerEntry
from portal.boxes.models import Basket
from portal.deliveries.models import Delivery
from portal.rules.money import Money
from portal.shop.models import Order, OrderLine
from portal.subscriptions.models import Subscription

BILLED_BY_THEN = timedelta(days=62)
"""What was delivered longer ago has been billed, or never will be."""


def owing(_today: date) -> Select[Any]:
    return _with_balance().having(func.sum(LedgerEntry.amount) > Money.zero())


def ahead(_today: date) -> Select[Any]:
    """Who has paid more than they owe."""
    return _with_balance().having(func.sum(LedgerEntry.amount) < Money.zero())


def _with_balance() -> Select[Any]:
    entered = select(Customer.account_id).join(LedgerEntry, LedgerEntry.customer_id == Customer.id)
    return entered.where(Customer.account_id.is_not(None)).group_by(Customer.account_id)


def awaiting(today: date) -> Select[Any]:
    """Who has received, in the last two months, what stands on no invoice, of a farm that bills here."""
    begins = func.coalesce(select(BillingSettings.bills_from).scalar_subquery(), today - BILLED_BY_THEN)
    lately = (
        Delivery.day.between(today - BILLED_BY_THEN, today),
        Delivery.day >= begins,
        Delivery.cancelled_at.is_(None),
    )
    boxed = exists().where(
        InvoiceLine.subscription_id == Basket.subscription_id,
        InvoiceLine.delivery_id == Basket.delivery_id,
        InvoiceLine.source.is_not(None),
    )
    boxes = (
        select(Subscription.account_id)
        .join(Basket, Basket.subscription_id == Subscription.id)
        .join(Delivery, Delivery.id == Basket.delivery_id)
        .where(Basket.billed_quantity > 0, Basket.unit_price > Money.zero(), *lately, ~boxed)
    )
    given = exists().where(
        OrderLine.order_id == Order.id,
        func.coalesce(OrderLine.given, OrderLine.quantity) > 0,
        OrderLine.unit_price > Money.zero(),
    )
    ordered = exists().where(InvoiceLine.order_id == Order.id, InvoiceLine.source.is_not(None))
    orders = (
        select(Order.account_id)
        .join(Delivery, Delivery.id == Order.delivery_id)
        .where(Order.account_id.is_not(None), Order.state.in_(BILLED), *lately, given, ~ordered)
    )
    bills = select(Invoice.id).exists()
    return select(union_all(boxes, orders).subquery().c.account_id).where(bills)
