"""A person's calendar, read by a program that knows its secret address."""

from flask import Response, abort, current_app
from flask.typing import ResponseReturnValue

from portal.infra import clock
from portal.infra.mail import link
from portal.infra.orm import db
from portal.planning import feed
from portal.profile.queries import get_farm
from portal.public import blueprint


@blueprint.get("/calendrier/<token>.ics")
def calendar(token: str) -> ResponseReturnValue:
    session = db.session()
    account_id = feed.find(session, token)
    if account_id is None:
        abort(404)
    written = feed.write(
        session,
        account_id,
        farm=get_farm(session).name,
        host=current_app.config["SETTINGS"].hostname,
        link=link("member.planning"),
        now=clock.now(),
    )
    response = Response(written, mimetype="text/calendar")
    response.headers["Content-Disposition"] = 'inline; filename="paniers.ics"'
    response.headers["Cache-Control"] = "no-store"  # it is somebody's, though nobody is signed in
    return response
