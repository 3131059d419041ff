"""Who is ordering: somebody who is signed in, or a visitor."""

from typing import cast

from flask import g, request, url_for
from flask_login import current_user

from portal.infra.orm import db
from portal.shop.drafts import Draft, Keeper, keeper
from portal.shop.queries import orders_between
from portal.shop.travel import Stop
from portal.shop.vouchers import Person
from portal.web.transaction import SAFE_METHODS


def buyer() -> Person:
    """A guest's address is not known before the order is placed."""
    if not current_user.is_authenticated:
        return Person(None, None)
    holder = current_user.holder
    return Person(holder.id, holder.email, current_user.id)


def own_draft() -> Draft:
    """What is in the order so far; read once where nothing changes it."""
    if request.method not in SAFE_METHODS:
        return own_keeper().read()
    if "draft" not in g:
        g.draft = own_keeper().read()
    return cast(Draft, g.draft)


def other_orders(stop: Stop | None) -> list[tuple[str, str]]:
    """What a member has ordered already for the same delivery: numbers and addresses."""
    person = buyer()
    if person.account_id is None or stop is None:
        return []
    day = stop.delivery.day
    return [
        (order.number, url_for("member.order", order_id=order.id))
        for order in orders_between(db.session(), person.account_id, day, day)
        if order.delivery.id == stop.delivery.id
    ]


def own_keeper() -> Keeper:
    return keeper(db.session(), buyer().account_id)
