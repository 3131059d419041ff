"""Pages for subscribers: everything here is for the person who is signed in, about that person."""

from typing import cast

from flask import Blueprint
from flask_login import current_user

from portal.accounts import acting
from portal.accounts.models import Account
from portal.web.guards import members_only

blueprint = Blueprint("member", __name__)
members_only(blueprint)


def member() -> Account:
    """The account that is signed in; the face's guard has seen to it that there is one."""
    return cast(Account, current_user._get_current_object())


def holder() -> Account:
    """Whose boxes and orders the pages are about: the member's own, or the payer's whose they share."""
    return member().holder


def hands() -> Account:
    """Who acts: the member, or staff who see the site as that person."""
    return acting.hands() or member()


from portal.member import (
    account,
    addresses,
    bank,
    calendar,
    claiming,
    company,
    contracts,
    data,
    deliveries,
    details,
    handovers,
    home,
    household,
    invoices,
    letters,
    merging,
    orders,
    passkeys,
    payments,
    planning,
    points,
    proving,
    second_factor,
    security,
    subscriptions,
    suspensions,
    waiting,
    wishes,
)
