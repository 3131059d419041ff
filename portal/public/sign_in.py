"""Signing in and out, and the way back in for who has forgotten the password."""

import ipaddress
import re
from datetime import timedelta
from typing import cast

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user, logout_user
from flask_security.utils import login_user
from wtforms import Form, PasswordField, StringField
from wtforms.validators import InputRequired, Length, Regexp

from portal.accounts import services
from portal.accounts.models import Account
from portal.accounts.queries import normalise_email
from portal.infra import clock, throttle
from portal.infra.orm import db, own_transaction
from portal.infra.throttle import Count, Limit
from portal.rules.passwords import MAX_CHARACTERS
from portal.web.i18n import lazy_gettext as _l

blueprint = Blueprint("security", __name__)
"""Endpoints carry the names that Flask-Security looks for."""

WRONG_PASSWORDS = Limit("wrong passwords of an account", 10, timedelta(minutes=15))
WRONG_PASSWORDS_OF_CLIENT = Limit("wrong passwords of a client", 100, timedelta(minutes=15))

_ON_THIS_SITE = re.compile(r"/(?![/\\])[^\x00-\x20\x7f\\]*")


class SignInForm(Form):
    email = StringField(
        _l("Adresse e-mail"),
        [InputRequired(_l("Indiquez votre adresse e-mail.")), Length(max=254), Regexp(r"[^\x00-\x1f]+$")],
    )
    password = PasswordField(
        _l("Mot de passe"),
        [InputRequired(_l("Indiquez votre mot de passe.")), Length(max=MAX_CHARACTERS)],
    )


@blueprint.route("/connexion", methods=["GET", "POST"])
def login() -> ResponseReturnValue:
    form = SignInForm(request.form)
    if request.method == "GET":
        if current_user.is_authenticated:
            return redirect(_way_on(cast(Account, current_user)), 303)
        return render_template("public/login.html", form=form)
    if not form.validate():
        return render_template("public/login.html", form=form, wrong=True), 422
    return _check_password(form)


def _check_password(form: SignInForm) -> ResponseReturnValue:
    email, client = normalise_email(form.email.data or ""), _client()
    now = clock.now()
    # counted before the password is looked at, and for good: a hundred attempts at once are a hundred
    with own_transaction() as session:
        counts = [
            throttle.hit(session, WRONG_PASSWORDS, email, now),
            throttle.hit(session, WRONG_PASSWORDS_OF_CLIENT, client, now),
        ]
    if any(count.exceeded for count in counts):
        return _too_many(form, counts)
    account = services.authenticate(db.session(), email, form.password.data or "")
    if account is None:
        if any(count.used_up for count in counts):
            return _too_many(form, counts)
        return render_template("public/login.html", form=form, wrong=True), 422
    throttle.forget(db.session(), WRONG_PASSWORDS, email)
    throttle.take_back(db.session(), WRONG_PASSWORDS_OF_CLIENT, client)
    login_user(account)
    return redirect(_way_on(account), 303)


def _too_many(form: SignInForm, counts: list[Count]) -> ResponseReturnValue:
    wait = max(count.ends_at for count in counts if count.used_up) - clock.now()
    response = make_response(render_template("public/login.html", form=form, wait=wait), 429)
    response.headers["Retry-After"] = str(max(1, round(wait.total_seconds())))
    return response


@blueprint.post("/deconnexion")
def logout() -> ResponseReturnValue:
    logout_user()
    return redirect(url_for("public.home"), 303)


def _way_on(account: Account) -> str:
    """Where the person was going, if that is a page of this site; else home."""
    wanted = request.args.get("next", "")
    if _ON_THIS_SITE.fullmatch(wanted):
        return wanted
    return url_for("farm.week" if account.is_staff else "member.home")


def _client() -> str:
    """The client's address; of IPv6 the part that its owner cannot choose at will."""
    address = ipaddress.ip_address(request.remote_addr or "::")
    if address.version == 6:
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address)
