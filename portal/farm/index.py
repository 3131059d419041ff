"""The way to everything that one may do."""

from flask import render_template
from flask.typing import ResponseReturnValue

from portal.farm import blueprint
from portal.rules.permissions import Permission
from portal.web.guards import needs


@blueprint.get("/sommaire")
@needs(Permission.LOOK)
def index() -> ResponseReturnValue:
    return render_template("farm/settings/index.html")
