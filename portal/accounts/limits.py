"""How often one may try a password or ask for a way back in."""

from datetime import datetime, timedelta

from portal.infra import throttle
from portal.infra.orm import db, own_transaction
from portal.infra.throttle import Count, Limit

WRONG_PASSWORDS = Limit("wrong passwords of an account", 10, timedelta(minutes=15))
WRONG_PASSWORDS_OF_CLIENT = Limit("wrong passwords of a client", 100, timedelta(minutes=15))
RESET_MAILS = Limit("reset mails to an address", 3, timedelta(hours=1))
CODE_MAILS = Limit("code mails to an address", 3, timedelta(hours=1))
CODE_MAILS_OF_DAY = Limit("code mails to an address in a day", 10, timedelta(days=1))
"""Five tries a code: fifty guesses a day, at one in a million."""
HINTS = Limit("mails that name an address", 3, timedelta(hours=1))
MAILS_OF_CLIENT = Limit("mails that a client asks for", 30, timedelta(hours=1))
CODES_OF_CLIENT = Limit("codes that a client tries", 60, timedelta(minutes=15))


def count_try(*what: tuple[Limit, str], now: datetime) -> list[Count]:
    """Count beforehand and for good: a hundred tries at once are a hundred, whatever becomes of them.

    The request's own transaction begins anew after it, since SQLite would have the two wait for each other:
    call it before anything is written.
    """
    db.session.rollback()
    with own_transaction() as session:
        return [throttle.hit(session, limit, subject, now) for limit, subject in what]
