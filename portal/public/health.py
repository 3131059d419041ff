"""For a load balancer and for whoever watches the site."""

from dataclasses import asdict

from flask import Response, jsonify

from portal.infra import clock
from portal.infra.health import health as look
from portal.infra.orm import db
from portal.public import blueprint


@blueprint.get("/sante")
def health() -> Response:
    """503 only without the database: a sleeping worker is said, taking the pages away would not wake it."""
    found = look(db.session(), clock.now())
    response = jsonify(asdict(found))
    response.status_code = 200 if found.database else 503
    response.headers["Cache-Control"] = "no-store"
    return response
