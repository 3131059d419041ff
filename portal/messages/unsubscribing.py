"""The signed link by which a mail's reader takes back a topic or a reminder, with a mail program's own button too.

It opens nothing else: it names one account and one topic, and does not expire, since mails are kept for years.
"""

from flask import current_app
from itsdangerous import BadSignature, URLSafeSerializer

from portal.infra.mail import link
from portal.rules.consents import Notice, Topic


def unsubscribe_link(account_id: int, topic: Topic | Notice) -> str:
    """A full address, for mails."""
    return link("public.letters", letters_token=letters_token(account_id, topic))


def letters_token(account_id: int, topic: Topic | Notice) -> str:
    return _signer().dumps([account_id, topic])


def read_token(token: str) -> tuple[int, Topic | Notice] | None:
    """Whose link it is, and about what; None for what we never wrote."""
    try:
        account_id, topic = _signer().loads(token)
        return int(account_id), Topic(topic) if topic in set(Topic) else Notice(topic)
    except (BadSignature, ValueError):
        return None


def _signer() -> URLSafeSerializer:
    return URLSafeSerializer(current_app.config["SECRET_KEY"], salt="letters")
