"""The two links of a change of mail address: the new one is confirmed, the old one takes it back."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user, logout_user

from portal.accounts import mailboxes
from portal.accounts.mailboxes import Refusal
from portal.accounts.models import LinkPurpose, MailedLink
from portal.infra import clock
from portal.infra.orm import db
from portal.public.links import expired, opens
from portal.web.i18n import gettext as _


@opens(LinkPurpose.NEW_ADDRESS)
def confirm_address(found: MailedLink, token: str) -> ResponseReturnValue:
    """It names the new address alone: whoever opens it may have got it by a typing error."""
    if request.method != "POST":
        return render_template("public/new_address.html", email=found.email)
    email, mine = found.email, current_user.is_authenticated and current_user.id == found.account_id
    refusal = mailboxes.confirm_address(db.session(), token, at=clock.now())
    if refusal is Refusal.EXPIRED:
        return expired()
    if refusal:
        flash(
            _("Rien n'a changé : cette adresse ne peut plus être celle du compte. Un mail y dit pourquoi."),
            "warning",
        )
    else:
        flash(_("C'est fait : votre adresse est maintenant %(address)s.", address=email), "success")
    return redirect(url_for("member.details" if mine else "security.login"), 303)


@opens(LinkPurpose.OLD_ADDRESS)
def take_address_back(found: MailedLink, token: str) -> ResponseReturnValue:
    if request.method != "POST":
        return render_template("public/old_address.html", email=found.email)
    email = found.email
    done = mailboxes.take_address_back(db.session(), token, at=clock.now())
    if done is Refusal.EXPIRED:
        return expired()
    if done is Refusal.ADDRESS_TAKEN:
        flash(_("Rien n'a changé : cette adresse a maintenant un compte à elle. Appelez-nous."), "warning")
        return redirect(url_for("security.login"), 303)
    logout_user()
    flash(
        _("L'adresse du compte est de nouveau %(address)s. Choisissez un mot de passe.", address=email),
        "success",
    )
    return redirect(url_for("public.link", token=done), 303)
