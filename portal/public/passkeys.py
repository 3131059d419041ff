"""In by a passkey: the script of the sign-in page asks the browser for one and sends what it answers."""

from flask import Response, current_app, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from portal.accounts import passkeys
from portal.accounts.entering import enter
from portal.infra import clock
from portal.infra.orm import db
from portal.public import blueprint
from portal.web.i18n import gettext as _


@blueprint.post("/connexion/cle/question")
def ask_for_passkey() -> Response:
    return current_app.response_class(passkeys.ask_to_show(), mimetype="application/json")


@blueprint.post("/connexion/cle")
def sign_in_by_passkey() -> ResponseReturnValue:
    wanted = request.args.get("next", "")
    found = passkeys.show(db.session(), request.form.get("credential", ""), at=clock.now())
    if found is None:
        flash(_("Cette clé d'accès n'ouvre aucun compte ici. Entrez autrement."), "error")
        return redirect(url_for("security.login", next=wanted or None), 303)
    return redirect(enter(*found, wanted), 303)
