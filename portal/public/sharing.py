"""The link by which somebody comes to share what another one receives and pays."""

from typing import cast

from flask import Response, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from portal.accounts.models import Account, LinkPurpose, MailedLink
from portal.accounts.queries import find_account
from portal.infra import clock
from portal.infra.orm import db
from portal.privacy import sharing
from portal.privacy.sharing import Refusal
from portal.public.links import expired, opens
from portal.public.sign_up import go_on_proven
from portal.web.i18n import gettext as _


@opens(LinkPurpose.SHARE)
def share(found: MailedLink, token: str) -> ResponseReturnValue:
    """Whoever is not signed in signs in first, or begins an account: the link has come to their mailbox."""
    session, now = db.session(), clock.now()
    if not current_user.is_authenticated:
        return redirect(_way_in(found, token), 303) if request.method == "POST" else _page(found)
    account = cast(Account, current_user._get_current_object())
    if request.method != "POST":
        return _page(found, sharing.refusal_to_share(session, account, found, now))
    payer = found.account.first_name
    refusal = sharing.share(session, account, token, at=now)
    if refusal is Refusal.EXPIRED:
        return expired()
    if refusal:
        return _page(found, refusal, 422)
    flash(_("C'est fait : vous voyez et changez les paniers de %(name)s.", name=payer), "success")
    return redirect(url_for("member.home"), 303)


def _way_in(found: MailedLink, token: str) -> str:
    email, here = found.email or "", url_for("public.link", token=token)
    if find_account(db.session(), email):
        return url_for("security.login", next=here)
    return go_on_proven(email, here, first_name=found.name, at=clock.now())


def _page(found: MailedLink, refusal: Refusal | None = None, status: int = 200) -> Response:
    page = render_template("public/share.html", payer=found.account, email=found.email, refusal=refusal)
    return make_response(page, status)
