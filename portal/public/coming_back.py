"""The link that opens what its owner has closed."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal.accounts.models import LinkPurpose, MailedLink
from portal.infra import clock
from portal.infra.orm import db
from portal.privacy import leaving
from portal.public.links import expired, opens
from portal.web.i18n import gettext as _


@opens(LinkPurpose.COME_BACK)
def come_back(_found: MailedLink, token: str) -> ResponseReturnValue:
    if request.method != "POST":
        return render_template("public/come_back.html")
    if leaving.come_back(db.session(), token, at=clock.now()) is None:
        return expired()
    flash(_("Votre compte est rouvert. Connectez-vous comme avant."), "success")
    return redirect(url_for("security.login"), 303)
