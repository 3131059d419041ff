"""Who has left the demo farm or is forgetting it: an account asleep, one that goes in twelve days, one long unseen."""

from datetime import datetime, timedelta

from sqlalchemy import update
from sqlalchemy.orm import Session

from portal.accounts.models import Account
from portal.demo.customers import account_of
from portal.demo.people import Person
from portal.privacy.inactivity import FIRST, YEAR
from portal.privacy.models import Departure
from portal.web.i18n import french

DAY = timedelta(days=1)
ASLEEP = Person("Solange", "Turc", "solange.turc@example.com", "06 39 98 41 07")
LEAVING = Person("Gaspard", "Roman", "gaspard.roman@example.com", None)
UNSEEN = Person("Odile", "Garcin", "odile.garcin@example.com", "06 39 98 41 08")
GONE = (ASLEEP, LEAVING, UNSEEN)
REASON = "Nous avons maintenant notre propre potager !"


def let_go(session: Session, now: datetime) -> None:
    session.execute(update(Account).where(Account.seen_at.is_(None)).values(seen_at=now - 9 * DAY))
    asleep = _who(session, ASLEEP, now - 45 * DAY)
    leaving = _who(session, LEAVING, now - 18 * DAY)
    for account in (asleep, leaving):
        account.active = False
    session.flush()
    session.add(Departure(account_id=asleep.id, asked_at=now - 45 * DAY))
    session.add(
        Departure(
            account_id=leaving.id, asked_at=now - 18 * DAY, erase_at=now + 12 * DAY, reason=french(REASON)
        )
    )
    _who(session, UNSEEN, now - 3 * YEAR + FIRST - DAY)


def _who(session: Session, person: Person, seen: datetime) -> Account:
    """A former subscriber, who was then seen for the last time."""
    account = account_of(person, seen - 400 * DAY)
    account.seen_at = seen
    session.add(account)
    return account
