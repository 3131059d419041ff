"""« Connexion et sécurité »: what opens the account, and where it is open."""

from collections.abc import Mapping

from flask import (
    Response,
    abort,
    current_app,
    flash,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from flask.typing import ResponseReturnValue
from flask_login import logout_user
from flask_security.utils import login_user

from portal.accounts import factors, passkeys, proofs, services, sessions, social
from portal.accounts import ways_in as services_of_ways
from portal.accounts.forms import CurrentPasswordForm, NewPasswordForm
from portal.accounts.proofs import fresh_proof_needed
from portal.accounts.queries import list_devices
from portal.infra import clock
from portal.infra.orm import db
from portal.member import blueprint, member
from portal.settings import Provider, Settings
from portal.web.guards import own_hands_only
from portal.web.i18n import gettext as _
from portal.web.limits import too_many


class ChangePasswordForm(CurrentPasswordForm, NewPasswordForm):
    pass


@blueprint.get("/mon-compte/securite")
@own_hands_only
def security() -> ResponseReturnValue:
    session = db.session()
    return render_template(
        "member/security/page.html",
        member=member(),
        keys=passkeys.list_keys(session, member()),
        providers=_providers(),
        linked=[identity.provider for identity in social.linked(session, member())],
        factor=factors.find(session, member()),
        codes_left=factors.codes_left(session, member()),
        devices=list_devices(session, member().id, clock.now()),
        this_device=sessions.current_row_id(),
    )


@blueprint.get("/mon-compte/securite/entrees")
@fresh_proof_needed
def ways_in() -> ResponseReturnValue:
    ways = services_of_ways.list_ways(db.session(), member())
    late = services_of_ways.of_late(ways, clock.now())
    days = services_of_ways.OF_LATE.days
    return render_template("member/security/ways_in.html", ways=ways, late=late, days=days)


@blueprint.post("/mon-compte/securite/entrees")
@fresh_proof_needed
def forget_ways_in() -> ResponseReturnValue:
    services_of_ways.forget_late(db.session(), member(), at=clock.now())
    flash(_("C'est enlevé : cela n'ouvre plus votre compte."), "success")
    return redirect(url_for("member.ways_in"), 303)


@blueprint.post("/mon-compte/securite/comptes/<provider_name>/suppression")
@fresh_proof_needed
def unlink_social(provider_name: str) -> ResponseReturnValue:
    provider = _providers().get(provider_name)
    label = provider.label if provider else provider_name
    if social.unlink(db.session(), member(), provider_name, label, at=clock.now()):
        flash(_("Votre compte %(name)s n'ouvre plus votre compte ici.", name=label), "success")
    else:
        flash(_("Rien n'a changé : gardez au moins une façon d'entrer."), "warning")
    return redirect(url_for("member.security"), 303)


def _providers() -> Mapping[str, Provider]:
    settings: Settings = current_app.config["SETTINGS"]
    return settings.providers


@blueprint.route("/mon-compte/mot-de-passe", methods=["GET", "POST"])
@own_hands_only
def change_password() -> ResponseReturnValue:
    return _change() if member().password else _choose()


def _change() -> ResponseReturnValue:
    form, now = ChangePasswordForm(request.form, member()), clock.now()
    if request.method != "POST":
        return _page(form)
    if not form.validate():
        return _page(form, 422)
    wrong = proofs.try_password(member(), form.password, at=now)
    if wrong is None:
        return _set(form)
    if wrong.used_up:
        return too_many(lambda minutes: _page(form, 429, minutes=minutes), wrong, now=now)
    return _page(form, 422)


@fresh_proof_needed
def _choose() -> ResponseReturnValue:
    form = NewPasswordForm(request.form, member())
    if request.method != "POST":
        return _page(form)
    return _set(form) if form.validate() else _page(form, 422)


def _set(form: NewPasswordForm) -> ResponseReturnValue:
    services.set_password(db.session(), member(), form.new_password.data, at=clock.now())
    login_user(member())
    flash(_("Votre mot de passe est changé, et vos autres appareils sont déconnectés."), "success")
    return redirect(url_for("member.security"), 303)


def _page(form: NewPasswordForm, status: int = 200, **context: object) -> Response:
    page = render_template("member/security/password.html", form=form, member=member(), **context)
    return make_response(page, status)


@blueprint.post("/mon-compte/appareils/<id:session_id>/deconnexion")
@own_hands_only
def sign_out_device(session_id: int) -> ResponseReturnValue:
    if not services.revoke_session(db.session(), member(), session_id, at=clock.now()):
        abort(404)
    flash(_("Cet appareil est déconnecté."), "success")
    return redirect(url_for("member.security"), 303)


@blueprint.post("/mon-compte/appareils/deconnexion")
@own_hands_only
def sign_out_everywhere() -> ResponseReturnValue:
    services.revoke_all(db.session(), member(), at=clock.now(), by=member().id)
    logout_user()
    flash(_("Tous vos appareils sont déconnectés."), "success")
    return redirect(url_for("security.login"), 303)
