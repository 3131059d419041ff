"""Pages for visitors: open to everybody."""

from flask import Blueprint

blueprint = Blueprint("public", __name__)

from portal.public import calendar, health, home, points, sign_in
