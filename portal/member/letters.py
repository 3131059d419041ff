"""What one is written about: the letters that one asks for, the reminders that one can do without."""

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal.accounts import acting, consents
from portal.infra import audit, clock
from portal.infra.orm import db
from portal.member import blueprint, hands, member
from portal.rules.consents import ConsentSource, Notice, Topic
from portal.web.i18n import gettext as _
from portal.web.topics import NOTICES, TOPICS


@blueprint.get("/mon-compte/lettres")
def letters() -> ResponseReturnValue:
    session, account = db.session(), member()
    return render_template(
        "member/letters.html",
        topics=TOPICS,
        agreed=consents.agreed(session, account.id),
        notices=NOTICES,
        muted=consents.muted(session, account.id),
    )


@blueprint.post("/mon-compte/lettres")
def choose_letters() -> ResponseReturnValue:
    """What is not ticked is not wanted; what stays as it was leaves no line."""
    session, account, now = db.session(), member(), clock.now()
    wanted = set(request.form.getlist("sujet"))
    source = ConsentSource.STAFF if acting.hands() else ConsentSource.ACCOUNT
    changed: dict[str, Any] = {}
    for topic in Topic:
        say = consents.give if topic in wanted else consents.take_back
        wording = str(TOPICS[topic].asks)
        if say(session, account, topic, source=source, wording=wording, at=now):
            changed[topic] = topic in wanted
    silent = set(Notice) - set(request.form.getlist("rappel"))
    if consents.mute(session, account, silent):
        changed["muted"] = sorted(silent)
    if changed:
        audit.record(session, "letters.choose", ("account", account.id), at=now, by=hands().id, after=changed)
    flash(_("C'est noté, dès maintenant."), "success")
    return redirect(url_for("member.letters"), 303)
