"""Pages for the farm's staff, all below /ferme."""

from typing import cast

from flask import Blueprint
from flask_login import current_user

from portal.accounts.models import Account
from portal.web.guards import staff_only

blueprint = Blueprint("farm", __name__, url_prefix="/ferme")
staff_only(blueprint)


def staff() -> Account:
    """The member of staff who is signed in; the face's guard has seen to it that there is one."""
    return cast(Account, current_user._get_current_object())


from portal.farm import (
    accounting,
    acting,
    bank,
    billing_settings,
    books,
    calendar,
    campaigns,
    claiming,
    closings,
    companies,
    compositions,
    contact,
    corrections,
    debits,
    debts,
    deliveries,
    delivery_acts,
    departures,
    exchange,
    exclusions,
    exports,
    figures,
    formulas,
    index,
    invoice_runs,
    invoices,
    journal,
    lists,
    mailbox,
    news,
    one_offs,
    order_exports,
    order_sheets,
    orders,
    packing,
    pages,
    payments,
    people,
    person,
    pile,
    points,
    preparing,
    product_acts,
    products,
    questions,
    settings,
    shelves,
    shop_settings,
    shortages,
    subscribing,
    team,
    tours,
    vegetables,
    vouchers,
    waiting,
    week,
)
