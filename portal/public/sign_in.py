"""Signing in and out, and the way back in for who has forgotten the password."""

import math
import re
from collections.abc import Callable
from contextlib import suppress
from typing import cast

from flask import Blueprint, Response, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user, logout_user
from wtforms import EmailField, Field, Form, PasswordField
from wtforms.validators import InputRequired, Length, Regexp

from portal.accounts import answers, services, ways_in
from portal.accounts.entering import Way, enter, way_on
from portal.accounts.forms import NewPasswordForm
from portal.accounts.limits import (
    MAILS_OF_CLIENT,
    WRONG_PASSWORDS,
    WRONG_PASSWORDS_OF_CLIENT,
    count_try,
)
from portal.accounts.models import Account, LinkPurpose, MailedLink, MailWish
from portal.accounts.queries import normalise_email
from portal.infra import clock, throttle
from portal.infra.orm import db
from portal.infra.throttle import Count
from portal.public import blueprint
from portal.public.links import expired, opens
from portal.rules.alphabet import search_words
from portal.rules.passwords import MAX_CHARACTERS
from portal.web import forms
from portal.web.forms import Typed, once
from portal.web.i18n import gettext as _
from portal.web.i18n import lazy_gettext as _l
from portal.web.limits import client_address

security = Blueprint("security", __name__)
"""Its endpoints carry the names that Flask-Security looks for."""

_CUSTOMER_NUMBER = re.compile(r"c?([0-9]{5,9})", re.ASCII)
_ADDRESS = r"[^\s@]+@[^\s@]+\.[^\s@]+$"


class EmailForm(Form):
    email = EmailField(
        _l("Adresse e-mail"),
        [
            once,
            InputRequired(_l("Indiquez votre adresse e-mail.")),
            Length(max=254, message=_l("Cette adresse est trop longue.")),
            Regexp(_ADDRESS, message=_l("Cette adresse n'est pas complète : elle s'écrit nom@exemple.fr.")),
        ],
        filters=[normalise_email],
    )


def _number_or_phone(text: str) -> str:
    """« C10042 » or « 04 65 71 00 01 », as they are kept."""
    figures = "".join(search_words(text))
    if number := _CUSTOMER_NUMBER.fullmatch(figures):
        return f"C{number[1]}"
    with suppress(ValueError):
        return str(forms.phone(figures))
    raise ValueError(_("un numéro comme C10042, ou un téléphone de dix chiffres."))


class KnownByForm(Form):
    known_by = Typed(_l("Numéro client ou téléphone"), _number_or_phone, name="numero")


class SignInForm(EmailForm):
    password = PasswordField(
        _l("Mot de passe"),
        [
            once,
            InputRequired(_l("Indiquez votre mot de passe.")),
            # hashing what nobody can have chosen is work for nothing (BAR S9)
            Length(max=MAX_CHARACTERS, message=_l("Ce mot de passe est trop long.")),
        ],
    )


@security.route("/connexion", methods=["GET", "POST"])
def login() -> ResponseReturnValue:
    form = SignInForm(request.form)
    if request.method == "POST":
        return _check_password(form) if form.validate() else _login_page(form, 422)
    if current_user.is_authenticated:
        return redirect(way_on(cast(Account, current_user), request.args.get("next", "")), 303)
    return _login_page(form)


def _check_password(form: SignInForm) -> ResponseReturnValue:
    email, client, now = form.email.data, client_address(), clock.now()
    counts = count_try((WRONG_PASSWORDS, email), (WRONG_PASSWORDS_OF_CLIENT, client), now=now)
    session = db.session()
    blocked = any(count.exceeded for count in counts)
    account = None if blocked else services.authenticate(session, email, form.password.data)
    if account is None:
        if any(count.used_up for count in counts):
            return too_many(_login_page, form, counts)
        return _login_page(form, 422, wrong=True)
    throttle.forget(session, WRONG_PASSWORDS, email)
    throttle.take_back(session, WRONG_PASSWORDS_OF_CLIENT, client)
    return redirect(enter(account, Way.PASSWORD, request.args.get("next", "")), 303)


@security.post("/deconnexion")
def logout() -> ResponseReturnValue:
    logout_user()
    return redirect(url_for("public.home"), 303)


@blueprint.route("/mot-de-passe-oublie", methods=["GET", "POST"])
def forgot_password() -> ResponseReturnValue:
    form = EmailForm(request.form)
    if request.method != "POST":
        return _forgot_page(form)
    return _ask(form, form.email, MailWish.RESET, _forgot_page, "public.forgot_password_sent")


@blueprint.get("/mot-de-passe-oublie/envoye")
def forgot_password_sent() -> ResponseReturnValue:
    return render_template("public/forgot_password_sent.html")


@blueprint.route("/adresse-oubliee", methods=["GET", "POST"])
def forgot_address() -> ResponseReturnValue:
    form = KnownByForm(request.form if request.method == "POST" else None)
    if request.method != "POST":
        return _forgot_address_page(form)
    return _ask(form, form.known_by, MailWish.IDENTIFIER, _forgot_address_page, "public.forgot_address_sent")


@blueprint.get("/adresse-oubliee/envoye")
def forgot_address_sent() -> ResponseReturnValue:
    return render_template("public/forgot_address_sent.html")


@opens(LinkPurpose.RESET_PASSWORD, LinkPurpose.INVITE)
def choose_password(found: MailedLink, token: str) -> ResponseReturnValue:
    form, invited = NewPasswordForm(request.form, found.account), found.purpose is LinkPurpose.INVITE
    posted = request.method == "POST"
    if not posted or not form.validate():
        page = render_template(
            "public/reset_password.html", form=form, email=found.account.email, invited=invited
        )
        return page, 422 if posted else 200
    session, now = db.session(), clock.now()
    account = services.use_link(session, token, at=now)
    if account is None:
        return expired()
    beside = [] if invited else [way.name for way in ways_in.list_ways(session, account)]
    services.set_password(session, account, form.new_password.data, at=now, beside=beside)
    logout_user()
    if invited:
        flash(_("Votre mot de passe est choisi. Connectez-vous avec lui."), "success")
    else:
        flash(_("Votre mot de passe a été changé. Connectez-vous avec le nouveau."), "success")
    return redirect(url_for("security.login", next=url_for("member.ways_in") if beside else None), 303)


def _ask(
    form: Form, typed: Field, wish: MailWish, page: Callable[..., Response], sent: str
) -> ResponseReturnValue:
    """Have the worker answer by mail: the same page for everybody, whatever is known of what was typed."""
    if not form.validate():
        return page(form, 422)
    now = clock.now()
    counts = count_try((MAILS_OF_CLIENT, client_address()), now=now)
    if counts[0].exceeded:
        return too_many(page, form, counts)
    answers.ask(db.session(), wish, typed.data, at=now)
    return redirect(url_for(sent), 303)


def _forgot_address_page(form: Form, status: int = 200, **context: object) -> Response:
    return make_response(render_template("public/forgot_address.html", form=form, **context), status)


def _login_page(form: EmailForm, status: int = 200, **context: object) -> Response:
    return make_response(render_template("public/login.html", form=form, **context), status)


def _forgot_page(form: EmailForm, status: int = 200, **context: object) -> Response:
    return make_response(render_template("public/forgot_password.html", form=form, **context), status)


def too_many(page: Callable[..., Response], form: Form, counts: list[Count]) -> Response:
    """The same page, which says how long to wait and what is possible meanwhile."""
    seconds = max((count.ends_at - clock.now()).total_seconds() for count in counts if count.used_up)
    response = page(form, 429, minutes=math.ceil(seconds / 60))
    response.headers["Retry-After"] = str(math.ceil(seconds))
    return response
