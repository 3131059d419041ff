"""Who works here with which roles, who is let in and who leaves; and to whom a closed page is open."""

from typing import Any

from flask import abort, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from werkzeug.exceptions import Forbidden
from wtforms import Form
from wtforms.widgets import EmailInput

from portal.accounts import team as services
from portal.accounts.models import Account
from portal.accounts.team import Refusal
from portal.farm import blueprint, staff
from portal.infra import clock
from portal.infra.orm import db
from portal.rules.permissions import EVERYDAY, GRANTS, Permission, RoleName, openers
from portal.web import errors
from portal.web.doors import is_open
from portal.web.forms import ChosenMany, Typed, choices, email, line
from portal.web.guards import asked_by, needs
from portal.web.i18n import gettext as _
from portal.web.i18n import lazy_gettext as _l

ADDRESS = "/equipe/<id:colleague_id>"
OWN = {**GRANTS, RoleName.ADMIN: GRANTS[RoleName.ADMIN].difference(*(GRANTS[role] for role in EVERYDAY))}
"""What each role may; of the admin's, which are all, those that nobody else has."""


class RolesForm(Form):
    roles = ChosenMany(_l("Rôles"), choices=choices((role, role) for role in RoleName))


class InvitationForm(RolesForm):
    email = Typed(_l("Adresse e-mail"), lambda text: email(text).lower(), widget=EmailInput())
    first_name = Typed(_l("Prénom"), line(80))
    last_name = Typed(_l("Nom"), line(80))


@blueprint.get("/equipe")
@needs(Permission.ROLES)
def team() -> ResponseReturnValue:
    people = services.team(db.session())
    return render_template("farm/team/list.html", people=people, own=OWN, nav_current="farm.index")


@blueprint.get("/equipe/ajout")
@needs(Permission.ROLES)
def new_colleague() -> ResponseReturnValue:
    return _page(InvitationForm())


@blueprint.post("/equipe/ajout")
@needs(Permission.ROLES)
def add_colleague() -> ResponseReturnValue:
    form = InvitationForm(request.form)
    if not form.validate():
        return _page(form, status=422)
    done = services.appoint(db.session(), **form.data, at=clock.now(), by=staff().id)
    if done is None:
        form.email.errors = [form.email.says(_("ce compte est fermé ; rouvrez-le d'abord sur sa fiche."))]
        return _page(form, status=422)
    words = {"email": form.email.data}
    flash(
        _("Une invitation part à %(email)s.", **words)
        if done.mailed
        else _("%(email)s entre avec son mot de passe habituel.", **words),
        "success",
    )
    return redirect(url_for("farm.team"), 303)


@blueprint.get(ADDRESS)
@needs(Permission.ROLES)
def colleague(colleague_id: int) -> ResponseReturnValue:
    account = _colleague_or_404(colleague_id)
    return _page(RolesForm(data={"roles": account.role_names}), account)


@blueprint.post(ADDRESS)
@needs(Permission.ROLES)
def save_roles(colleague_id: int) -> ResponseReturnValue:
    account, form = _colleague_or_404(colleague_id), RolesForm(request.form)
    if not form.validate():
        return _page(form, account, 422)
    return _set_roles(account, form, form.roles.data, _("Les rôles sont enregistrés."))


@blueprint.post(f"{ADDRESS}/depart")
@needs(Permission.ROLES)
def remove_colleague(colleague_id: int) -> ResponseReturnValue:
    """Out of the team; the account stays, as a subscriber's."""
    account = db.session.get(Account, colleague_id) or abort(404)
    form = RolesForm(data={"roles": account.role_names})
    return _set_roles(account, form, [], _("%(name)s n'est plus dans l'équipe.", name=account.full_name))


def _set_roles(account: Account, form: RolesForm, wanted: list[RoleName], done: str) -> ResponseReturnValue:
    changed = services.set_roles(db.session(), account, wanted, at=clock.now(), by=staff().id)
    if changed is Refusal.LAST_ADMIN:
        form.roles.errors = [
            _("Personne d'autre n'est dans l'administration : donnez d'abord ce rôle à quelqu'un.")
        ]
        return _page(form, account, 422)
    flash(done if changed else _("Rien n'a changé."), "success")
    return redirect(url_for("farm.team" if staff().may(Permission.ROLES) else "public.home"), 303)


def _colleague_or_404(colleague_id: int) -> Account:
    account = db.session.get(Account, colleague_id)
    return account if account is not None and account.is_staff else abort(404)


def _page(form: Any, account: Account | None = None, status: int = 200) -> ResponseReturnValue:
    page = render_template(
        "farm/team/form.html", form=form, person=account, own=OWN, nav_current="farm.index"
    )
    return make_response(page, status)


@blueprint.errorhandler(Forbidden)
def closed(_error: Forbidden) -> ResponseReturnValue:
    """To whom the page is open, and who may open it to others."""
    endpoint = request.endpoint or ""
    if not current_user.is_staff or is_open(endpoint):
        return errors.page(403)
    page = render_template(
        "farm/team/closed.html",
        roles=openers(asked_by(endpoint)),
        helpers=services.who_may(db.session(), Permission.ROLES),
        nav_current=None,
    )
    return make_response(page, 403)
