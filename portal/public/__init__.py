"""Pages for visitors: open to everybody."""

from flask import Blueprint

blueprint = Blueprint("public", __name__)

from portal.public import (
    calendar,
    cart,
    checkout,
    conditions,
    guest_orders,
    health,
    home,
    letters,
    links,
    new_address,
    pictures,
    points,
    shop,
    sign_in,
    sign_up,
    termination,
    withdrawal,
)
