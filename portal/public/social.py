"""In by an account that one has elsewhere. Coming back shows a page, and only its form acts: a GET writes nothing."""

import logging
from dataclasses import replace
from typing import Any

from flask import abort, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from portal.accounts import proofs, social
from portal.accounts.entering import Way, enter
from portal.accounts.limits import CODES_OF_CLIENT, count_try
from portal.accounts.queries import find_account
from portal.infra import clock, oidc
from portal.infra.mail import link as full_link
from portal.infra.oidc import ProviderError, Somebody
from portal.infra.orm import db
from portal.public import blueprint, sign_up
from portal.settings import Provider, Settings
from portal.web import forms
from portal.web.guards import own_hands_only
from portal.web.i18n import gettext as _
from portal.web.limits import client_address

logger = logging.getLogger(__name__)


@blueprint.post("/connexion/avec/<provider_name>")
@own_hands_only
def leave_for_provider(provider_name: str) -> ResponseReturnValue:
    """To be known there; with `relier`, to link the account that is signed in, freshly proven."""
    provider, now = _provider(provider_name), clock.now()
    linking = "relier" in request.form
    if linking and not proofs.is_proven(now, within=proofs.LASTS + proofs.TO_FILL_IN):
        return redirect(url_for("member.prove", next=url_for("member.security")), 303)
    account = current_user.id if linking else None
    if count_try((CODES_OF_CLIENT, client_address()), now=now)[0].exceeded:
        abort(429)
    try:
        address, kept = oidc.begin(provider, _back(provider))
    except ProviderError as error:
        return _is_down(provider, error)
    social.leave(provider, kept, wanted=request.args.get("next", ""), link=account, at=now)
    # not a redirect: browsers hold `form-action` against the whole way that a form leads
    return render_template("public/social/leave.html", provider=provider, address=address)


@blueprint.get("/connexion/avec/<provider_name>/retour")
@own_hands_only
def come_back(provider_name: str) -> ResponseReturnValue:
    return render_template("public/social/back.html", provider=_provider(provider_name), answer=request.args)


@blueprint.post("/connexion/avec/<provider_name>/retour")
@own_hands_only
def finish_social(provider_name: str) -> ResponseReturnValue:
    provider, now = _provider(provider_name), clock.now()
    kept = social.came_back(provider, at=now)
    if kept is None or "error" in request.form:
        flash(_("Rien n'a changé : l'échange avec %(name)s n'a pas abouti.", name=provider.label), "warning")
        return redirect(url_for("security.login"), 303)
    db.session.rollback()  # nobody waits for a lock of ours while the provider thinks
    try:
        who = _readable(oidc.finish(provider, _back(provider), kept, request.form))
    except ProviderError as error:
        return _is_down(provider, error)
    if kept["link"] is not None:
        return _link(provider, who, kept)
    account = social.owner(db.session(), provider, who, at=now)
    if account is None:
        return _begin(provider, who, kept)
    if not account.active:
        flash(_("Ce compte est fermé."), "error")
        return redirect(url_for("security.login"), 303)
    return redirect(enter(account, Way.SOCIAL, kept["wanted"]), 303)


def _readable(who: Somebody) -> Somebody:
    """An address that we could not write to is none of theirs."""
    try:
        return replace(who, email=forms.email(who.email).lower())
    except ValueError:
        return replace(who, email="", verified=False)


def _link(provider: Provider, who: Somebody, kept: dict[str, Any]) -> ResponseReturnValue:
    own = current_user.is_authenticated and current_user.id == kept["link"]
    if own and social.link(db.session(), current_user, provider, who, at=clock.now()):
        flash(_("Votre compte %(name)s ouvre maintenant votre compte ici.", name=provider.label), "success")
    else:
        flash(_("Ce compte %(name)s n'a pas pu être relié au vôtre.", name=provider.label), "error")
    return redirect(url_for("member.security"), 303)


def _begin(provider: Provider, who: Somebody, kept: dict[str, Any]) -> ResponseReturnValue:
    """Nobody's yet: on to a name where the mailbox is proven, to a code where it is not."""
    now = clock.now()
    if who.verified and find_account(db.session(), who.email) is not None:
        said = _(
            "Un compte existe déjà à votre adresse. Connectez-vous d'abord, puis reliez %(name)s"
            " sous « Connexion et sécurité ».",
            name=provider.label,
        )
        flash(said, "warning")
        return redirect(url_for("security.login"), 303)
    if not who.verified:
        said = _(
            "%(name)s ne nous dit pas quelle adresse est la vôtre. Entrez par un code, puis reliez %(name)s"
            " sous « Connexion et sécurité ».",
            name=provider.label,
        )
        flash(said, "warning")
        return redirect(url_for("public.begin_account", next=kept["wanted"] or None), 303)
    social.keep_found(provider, who, at=now)
    return redirect(sign_up.go_on_proven(who.email, kept["wanted"], at=now), 303)


def _provider(name: str) -> Provider:
    settings: Settings = current_app.config["SETTINGS"]
    return settings.providers.get(name) or abort(404)


def _back(provider: Provider) -> str:
    return full_link("public.come_back", provider_name=provider.name)


def _is_down(provider: Provider, error: ProviderError) -> ResponseReturnValue:
    logger.warning("provider %s: %s", provider.name, error)
    flash(
        _("%(name)s ne répond pas comme il faut en ce moment. Entrez autrement.", name=provider.label),
        "error",
    )
    return redirect(url_for("security.login"), 303)
