"""Pages for visitors: open to everybody."""

from flask import Blueprint

blueprint = Blueprint("public", __name__)

from portal.public import (
    calendar,
    cart,
    checkout,
    coming_back,
    conditions,
    contact,
    guest_orders,
    health,
    home,
    joining,
    legal,
    letters,
    links,
    new_address,
    one_tap,
    passkeys,
    pictures,
    points,
    questions,
    second_factor,
    sharing,
    shop,
    sign_in,
    sign_up,
    social,
    termination,
    withdrawal,
)
