"""One's own calendar feed: its address, a new one, none."""

from flask import current_app, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from portal.infra import clock
from portal.infra.mail import link
from portal.infra.orm import db
from portal.member import blueprint, member
from portal.planning import feed
from portal.web.guards import own_hands_only
from portal.web.i18n import gettext as _


def _key() -> str:
    key: str = current_app.config["SETTINGS"].secret_key
    return key


@blueprint.get("/planning/calendrier")
@own_hands_only
def calendar() -> ResponseReturnValue:
    found = feed.of_account(db.session(), member().id)
    token = feed.token_of(found, _key()) if found else None
    address = link("public.calendar", token=token) if token else None
    return render_template("member/calendar.html", address=address, made_at=found and found.made_at)


@blueprint.post("/planning/calendrier")
@own_hands_only
def renew_calendar() -> ResponseReturnValue:
    feed.renew(db.session(), member(), _key(), at=clock.now())
    flash(_("Votre adresse de calendrier est prête ; une adresse plus ancienne ne marche plus."), "success")
    return redirect(url_for("member.calendar"), 303)


@blueprint.post("/planning/calendrier/suppression")
@own_hands_only
def remove_calendar() -> ResponseReturnValue:
    feed.remove(db.session(), member(), at=clock.now())
    flash(_("Votre adresse de calendrier ne marche plus."), "success")
    return redirect(url_for("member.calendar"), 303)
