"""The mail that the site sends: what waits, what left, what could not."""

from flask import Response, abort, flash, make_response, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from portal.farm import blueprint
from portal.infra import audit, clock, outbox
from portal.infra.orm import db
from portal.rules.permissions import Permission
from portal.web.guards import needs
from portal.web.i18n import gettext as _
from portal.web.i18n import ngettext

PAGE_SIZE = 50
PREVIEW_POLICY = "sandbox; default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"
"""A mail brings its own styles, and nothing else may run or load."""


@blueprint.get("/courrier", defaults={"before": None})
@blueprint.get("/courrier/avant/<id:before>")
@needs(Permission.MAIL)
def mailbox(before: int | None) -> ResponseReturnValue:
    lines = outbox.list_lines(db.session(), before=before, limit=PAGE_SIZE + 1)
    return render_template(
        "farm/mailbox/list.html",
        lines=lines[:PAGE_SIZE],
        older=lines[PAGE_SIZE - 1].id if len(lines) > PAGE_SIZE else None,
        before=before,
        counts=outbox.count(db.session()),
        nav_current="farm.index",
    )


@blueprint.get("/courrier/<id:mail_id>")
@needs(Permission.MAIL)
def mail(mail_id: int) -> ResponseReturnValue:
    return render_template(
        "farm/mailbox/page.html",
        mail=_mail_or_404(mail_id),
        files=outbox.file_names(db.session(), mail_id),
        nav_current="farm.index",
    )


@blueprint.get("/courrier/<id:mail_id>/apercu")
@needs(Permission.MAIL)
def mail_preview(mail_id: int) -> Response:
    """The mail as its reader saw it: a page of its own, for the site's policy would take its styles away."""
    mail = _mail_or_404(mail_id)
    if not mail.readable:
        abort(404)
    response = make_response(mail.html)
    response.headers["Content-Security-Policy"] = PREVIEW_POLICY
    return response


@blueprint.post("/courrier/<id:mail_id>/envoi")
@needs(Permission.MAIL)
def retry_mail(mail_id: int) -> ResponseReturnValue:
    _mail_or_404(mail_id)
    _retry(mail_id)
    return redirect(url_for("farm.mail", mail_id=mail_id), 303)


@blueprint.post("/courrier/envoi")
@needs(Permission.MAIL)
def retry_mails() -> ResponseReturnValue:
    """All that failed: after a mistake in the server's settings."""
    _retry(None)
    return redirect(url_for("farm.mailbox"), 303)


def _mail_or_404(mail_id: int) -> outbox.Mail:
    return db.session.get(outbox.Mail, mail_id) or abort(404)


def _retry(only: int | None) -> None:
    session, now = db.session(), clock.now()
    retried = outbox.retry(session, now, only=only)
    for mail_id in retried:
        audit.record(session, "mail.retried", ("mail", mail_id), at=now, by=current_user.id)
    if retried:
        flash(
            ngettext(
                "Le message va repartir dans un instant.",
                "%(n)s messages vont repartir dans un instant.",
                len(retried),
            ),
            "success",
        )
    else:
        flash(_("Rien à renvoyer : aucun mail n'est en échec."), "warning")
