"""The subscriber's account: who one is, the password, the devices."""

import math

from flask import Response, abort, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import logout_user
from flask_security.utils import login_user
from wtforms import PasswordField
from wtforms.validators import InputRequired, Length

from portal.accounts import services, sessions
from portal.accounts.forms import NewPasswordForm
from portal.accounts.limits import WRONG_PASSWORDS, count_try
from portal.accounts.queries import list_devices
from portal.infra import clock
from portal.infra.orm import db
from portal.member import blueprint, member
from portal.rules.passwords import MAX_CHARACTERS
from portal.web.guards import own_hands_only
from portal.web.i18n import gettext as _
from portal.web.i18n import lazy_gettext as _l


class ChangePasswordForm(NewPasswordForm):
    password = PasswordField(
        _l("Mot de passe actuel"),
        [
            InputRequired(_l("Indiquez votre mot de passe actuel.")),
            Length(max=MAX_CHARACTERS, message=_l("Ce n'est pas votre mot de passe actuel.")),
        ],
    )


@blueprint.get("/mon-compte")
def account() -> ResponseReturnValue:
    return _page(ChangePasswordForm(None, member()))


@blueprint.post("/mon-compte/mot-de-passe")
@own_hands_only
def change_password() -> ResponseReturnValue:
    form = ChangePasswordForm(request.form, member())
    if not form.validate():
        return _page(form, 422)
    now = clock.now()
    [count] = count_try((WRONG_PASSWORDS, member().email), now=now)
    if count.exceeded or not services.is_password(member(), form.password.data):
        form.password.errors = [_("Ce n'est pas votre mot de passe actuel.")]
        if not count.used_up:
            return _page(form, 422)
        seconds = (count.ends_at - now).total_seconds()
        response = _page(form, 429, minutes=math.ceil(seconds / 60))
        response.headers["Retry-After"] = str(math.ceil(seconds))
        return response
    services.set_password(db.session(), member(), form.new_password.data, at=now)
    login_user(member())
    flash(_("Votre mot de passe est changé, et vos autres appareils sont déconnectés."), "success")
    return redirect(url_for("member.account"), 303)


@blueprint.post("/mon-compte/appareils/<id:session_id>/deconnexion")
@own_hands_only
def sign_out_device(session_id: int) -> ResponseReturnValue:
    if not services.revoke_session(db.session(), member(), session_id, at=clock.now()):
        abort(404)
    flash(_("Cet appareil est déconnecté."), "success")
    return redirect(url_for("member.account"), 303)


@blueprint.post("/mon-compte/appareils/deconnexion")
@own_hands_only
def sign_out_everywhere() -> ResponseReturnValue:
    services.revoke_all(db.session(), member(), at=clock.now(), by=member().id)
    logout_user()
    flash(_("Tous vos appareils sont déconnectés."), "success")
    return redirect(url_for("security.login"), 303)


def _page(form: ChangePasswordForm, status: int = 200, **context: object) -> Response:
    page = render_template(
        "member/account.html",
        form=form,
        member=member(),
        devices=list_devices(db.session(), member().id, clock.now()),
        this_device=sessions.current_row_id(),
        **context,
    )
    return make_response(page, status)
