"""The link of the farm's letters and reminders: taking one back, and asking for it again, without signing in."""

from datetime import timedelta

from flask import abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal.accounts import consents
from portal.accounts.models import Account
from portal.infra import clock
from portal.infra.orm import db
from portal.messages.unsubscribing import read_token
from portal.privacy import merging
from portal.public import blueprint
from portal.rules.consents import ConsentSource, Notice, Topic
from portal.web.topics import NOTICES, TOPICS

ADDRESS = "/lien/lettres/<letters_token>"
UNDONE_WITHIN = timedelta(minutes=30)
ONE_CLICK = "List-Unsubscribe"
"""The field that mail programs send (RFC 8058)."""


@blueprint.get(ADDRESS)
def letters(letters_token: str) -> ResponseReturnValue:
    """Opening it changes nothing: mail scanners open links too."""
    account, topic = _of_token(letters_token)
    return render_template(
        "public/letters.html",
        name=NOTICES[topic] if isinstance(topic, Notice) else TOPICS[topic].name,
        wanted=_is_wanted(account, topic),
        again=_may_want_again(account, topic),
        token=letters_token,
    )


@blueprint.post(ADDRESS)
def set_letters(letters_token: str) -> ResponseReturnValue:
    """Without cookie and form token: the signed address is what opens it, and this alone."""
    account, topic = _of_token(letters_token)
    wanted = request.form.get("voulu") == "oui"
    if not wanted or _may_want_again(account, topic):
        _want(account, topic, wanted=wanted)
    if ONE_CLICK in request.form:  # a mail program shows no page and follows no redirection
        return "", 204
    return redirect(url_for("public.letters", letters_token=letters_token), 303)


def _is_wanted(account: Account, topic: Topic | Notice) -> bool:
    session = db.session()
    if isinstance(topic, Notice):
        return topic not in consents.muted(session, account.id)
    return topic in consents.agreed(session, account.id)


def _may_want_again(account: Account, topic: Topic | Notice) -> bool:
    """Whether a press just before can be undone: a letter is forwarded, and whoever has it agrees for nobody."""
    if isinstance(topic, Notice):
        return True
    said = consents.newest(db.session(), account.id, topic)
    if said is None or said.given or said.source is not ConsentSource.MAIL:
        return False
    return clock.now() < said.at + UNDONE_WITHIN


def _want(account: Account, topic: Topic | Notice, *, wanted: bool) -> None:
    session = db.session()
    if isinstance(topic, Notice):
        silent = consents.muted(session, account.id)
        consents.mute(session, account, silent - {topic} if wanted else silent | {topic})
        return
    say, wording = consents.give if wanted else consents.take_back, str(TOPICS[topic].asks)
    say(session, account, topic, source=ConsentSource.MAIL, wording=wording, at=clock.now())


def _of_token(token: str) -> tuple[Account, Topic | Notice]:
    found = read_token(token)
    account = db.session.get(Account, merging.present(db.session(), found[0])) if found else None
    if found is None or account is None or account.erased_at:
        abort(404)
    return account, found[1]
