"""What the law wants said of the farm, of personal data and of accessibility; what search engines may read."""

from flask import Response, render_template
from flask.typing import ResponseReturnValue

from portal.infra.orm import db
from portal.profile.legal import find_page
from portal.profile.models import Page
from portal.public import blueprint

NOT_TO_BE_FOUND = ("/ferme", "/lien/", "/mon-compte", "/espace", "/planning", "/calendrier/")
"""Closed, or somebody's own: they would only ask to sign in."""


@blueprint.get("/mentions-legales")
def legal() -> ResponseReturnValue:
    return _page(Page.LEGAL)


@blueprint.get("/confidentialite")
def privacy() -> ResponseReturnValue:
    return _page(Page.PRIVACY)


@blueprint.get("/accessibilite")
def accessibility() -> ResponseReturnValue:
    return _page(Page.ACCESSIBILITY)


@blueprint.get("/robots.txt")
def robots() -> Response:
    lines = ["User-agent: *", *(f"Disallow: {path}" for path in NOT_TO_BE_FOUND), ""]
    return Response("\n".join(lines), mimetype="text/plain")


def _page(page: Page) -> ResponseReturnValue:
    return render_template("public/legal.html", page=find_page(db.session(), page))
