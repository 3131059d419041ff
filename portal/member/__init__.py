"""Pages for subscribers: everything here is for the person who is signed in, about that person."""

from flask import Blueprint

from portal.web.guards import members_only

blueprint = Blueprint("member", __name__)
members_only(blueprint)
