"""The second factor at sign-in: the authenticator's code, or one of those kept for when it is lost."""

from typing import cast

from flask import Response, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from wtforms import Form, StringField

from portal.accounts import entering, proofs
from portal.accounts.models import Account
from portal.infra import clock
from portal.infra.orm import db
from portal.public import blueprint
from portal.web.i18n import gettext as _
from portal.web.i18n import lazy_gettext as _l
from portal.web.limits import too_many


class SecondFactorForm(Form):
    code = StringField(_l("Code à six chiffres"))
    recovery = StringField(_l("Code de secours"))


@blueprint.route("/connexion/deux-etapes", methods=["GET", "POST"])
def second_factor() -> ResponseReturnValue:
    session, now, wanted = db.session(), clock.now(), request.args.get("next", "")
    if current_user.is_authenticated:
        return redirect(entering.way_on(cast(Account, current_user), wanted), 303)
    account = entering.half_way(session, at=now)
    if account is None:
        if request.method == "POST":
            flash(_("Trop de temps a passé : connectez-vous de nouveau."), "warning")
        return redirect(url_for("security.login", next=wanted or None), 303)
    form = SecondFactorForm(request.form)
    if request.method != "POST":
        return _page(form)
    field = form.code if form.code.data or not form.recovery.data else form.recovery
    wrong = proofs.try_factor(account, field, at=now)
    if wrong is None:
        return redirect(entering.finish(account, wanted), 303)
    if wrong.exceeded:
        return too_many(lambda minutes: _page(form, 429, minutes=minutes), wrong, now=now)
    return _page(form, 422)


def _page(form: SecondFactorForm, status: int = 200, **context: object) -> Response:
    return make_response(render_template("public/second_factor.html", form=form, **context), status)
