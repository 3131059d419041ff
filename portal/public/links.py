"""Mailed links: one address for all of them. What a link is good for says which page it opens."""

from collections.abc import Callable

from flask import render_template
from flask.typing import ResponseReturnValue

from portal.accounts.models import LinkPurpose, MailedLink
from portal.accounts.queries import find_link
from portal.infra import clock
from portal.infra.orm import db
from portal.public import blueprint
from portal.web.guards import own_hands_only

Page = Callable[[MailedLink, str], ResponseReturnValue]

_PAGES: dict[LinkPurpose, Page] = {}


def opens(*purposes: LinkPurpose) -> Callable[[Page], Page]:
    """The page of such links, given the link and its token; it acts on POST alone, since mail scanners open links.

    Whoever acts takes the link first (`services.use_link`): it may have gone since it was found.
    """

    def register(page: Page) -> Page:
        _PAGES.update(dict.fromkeys(purposes, page))
        return page

    return register


@blueprint.route("/lien/<token>", methods=["GET", "POST"])
@own_hands_only
def link(token: str) -> ResponseReturnValue:
    found = find_link(db.session(), token, clock.now())
    return _PAGES[found.purpose](found, token) if found else expired()


def expired() -> ResponseReturnValue:
    return render_template("public/link_expired.html"), 410
