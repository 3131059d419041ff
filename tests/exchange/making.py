"""Tables that somebody has sent."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.accounts.models import Account
from portal.exchange import imports
from portal.exchange.models import Archive, RunState, Subject
from tests.world import NOW, STAFF

TABLE_OF_PEOPLE = b"Mail;Pr\xe9nom;Nom;\xc0 savoir\nlea@exemple.fr;L\xe9a;Blanc;Sonne\nici;A;B;\n"


def send_tables(session: Session) -> None:
    """One that has been tried, and an archive to take away."""
    by = session.scalars(select(Account.id).where(Account.email == STAFF)).one()
    sent = imports.take_in(session, Subject.PEOPLE, TABLE_OF_PEOPLE, "liste.csv", invites=True, at=NOW, by=by)
    imports.understand(session, sent.id, imports.look_into(TABLE_OF_PEOPLE), NOW)
    imports.step(session, sent.id, NOW)
    session.add(
        Archive(made_at=NOW, made_by=by, state=RunState.DONE, tables=1, done=1, data=b"PK", ended_at=NOW)
    )
