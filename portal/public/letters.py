"""The link of the farm's letters: taking a topic back, and asking for it again, without signing in."""

from flask import abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal.accounts import consents
from portal.accounts.models import Account
from portal.infra import clock
from portal.infra.orm import db
from portal.messages.unsubscribing import read_token
from portal.public import blueprint
from portal.rules.consents import ConsentSource, Topic
from portal.web.topics import TOPICS

ADDRESS = "/lien/lettres/<letters_token>"
ONE_CLICK = "List-Unsubscribe"
"""The field that mail programs send (RFC 8058)."""


@blueprint.get(ADDRESS)
def letters(letters_token: str) -> ResponseReturnValue:
    """Opening it changes nothing: mail scanners open links too."""
    account, topic = _of_token(letters_token)
    return render_template(
        "public/letters.html",
        words=TOPICS[topic],
        wanted=topic in consents.agreed(db.session(), account.id),
        token=letters_token,
    )


@blueprint.post(ADDRESS)
def set_letters(letters_token: str) -> ResponseReturnValue:
    """Without cookie and form token: the signed address is what opens it, and this alone."""
    account, topic = _of_token(letters_token)
    say = consents.give if request.form.get("voulu") == "oui" else consents.take_back
    wording = str(TOPICS[topic].asks)
    say(db.session(), account, topic, source=ConsentSource.MAIL, wording=wording, at=clock.now())
    if ONE_CLICK in request.form:  # a mail program shows no page and follows no redirection
        return "", 204
    return redirect(url_for("public.letters", letters_token=letters_token), 303)


def _of_token(token: str) -> tuple[Account, Topic]:
    found = read_token(token)
    account = db.session.get(Account, found[0]) if found else None
    if found is None or account is None or account.erased_at:
        abort(404)
    return account, found[1]
