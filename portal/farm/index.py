"""The way to everything that one may do."""

from flask import render_template
from flask.typing import ResponseReturnValue

from portal.farm import blueprint
from portal.infra.orm import db
from portal.messages.inbox import count_new
from portal.profile.legal import find_lacks
from portal.rules.permissions import Permission
from portal.web.doors import is_open
from portal.web.guards import needs


@blueprint.get("/sommaire")
@needs(Permission.LOOK)
def index() -> ResponseReturnValue:
    session = db.session()
    return render_template(
        "farm/settings/index.html",
        new_messages=count_new(session) if is_open("farm.messages") else 0,
        lacks=find_lacks(session) if is_open("farm.pages") else (),
    )
