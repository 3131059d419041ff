"""Pages for the farm's staff, all below /ferme."""

from flask import Blueprint

from portal.web.guards import staff_only

blueprint = Blueprint("farm", __name__, url_prefix="/ferme")
staff_only(blueprint)
