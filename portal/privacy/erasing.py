"""Forgetting somebody: everywhere at once, then in what the database leaves lying about, then again after a restore.

What is erased is written down beside the database, by number and instant: a backup from before knows them still.
"""

import re
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime
from pathlib import Path
from uuid import uuid4

from flask import current_app
from sqlalchemy import delete, func, or_, select, update
from sqlalchemy.orm import Session

from portal.accounts.models import Account, customer_number
from portal.billing.models import Mandate
from portal.exchange.models import Archive, RunState, TableImport
from portal.infra import audit, clock, locks, outbox
from portal.infra.orm import db, own_transaction
from portal.infra.outbox import Attachment, Mail, MailState
from portal.privacy.map import PEOPLES, Person, by_children, person, theirs
from portal.profile.queries import get_farm
from portal.rules.cutoffs import local_day
from portal.rules.sepa import MandateEnd
from portal.settings import Settings
from portal.subscriptions.models import Subscription

NOBODY = "Compte effacé"
"""Stands where a name stood, with the number that papers have."""


def erase(session: Session, account_id: int, *, at: datetime) -> None:
    """Leave nothing of somebody but numbers, on every account that has become theirs."""
    held = select(Account).where(Account.id == account_id)
    account = session.scalars(locks.for_update(held, of=Account)).one()
    if account.erased_at is not None:
        return
    whose = person(session, account_id)
    _forget_mails(session, whose)
    for table, rows in by_children():
        which = theirs(table, whose)
        if rows.left is None:
            session.execute(delete(table).where(which))
        elif rows.left:
            session.execute(update(table).where(which).values(rows.left))
    outbox.drop_loose_files(session)
    _forget_tables(session)
    session.expire_all()
    for mine in session.scalars(select(Account).where(Account.id.in_(whose.ids))):
        _become_nobody(mine, at)
        audit.record(session, "account_erased", ("account", mine.id), at=at, by=None)
    _let_go(session, whose, at)


def _become_nobody(account: Account, at: datetime) -> None:
    number = customer_number(account.id)
    account.first_name, account.last_name = NOBODY, number
    account.email = f"{number.lower()}@efface.invalid"  # nobody's for ever (RFC 2606)
    account.fs_uniquifier = uuid4().hex
    account.active = False
    account.password = account.phone = account.note = None
    account.birthday = account.payment_means = account.payer_id = None
    account.email_proven_at = account.seen_at = None
    account.erased_at = at


def _let_go(session: Session, whose: Person, at: datetime) -> None:
    """Nobody shares with them any more, no box comes, nothing is collected: a backup may be older than the end."""
    session.execute(update(Account).where(Account.payer_id.in_(whose.ids)).values(payer_id=None))
    today = local_day(at)
    goes_on = or_(Subscription.last_day.is_(None), Subscription.last_day > today)
    ended = update(Subscription).where(Subscription.account_id.in_(whose.ids), goes_on)
    session.execute(ended.values(last_day=today))
    mandates = update(Mandate).where(Mandate.account_id.in_(whose.ids), Mandate.ended_at.is_(None))
    session.execute(mandates.values(ended_at=at, end=MandateEnd.ERASED))


def _forget_mails(session: Session, whose: Person) -> None:
    """What waits for them is not sent; whatever mail names an address of theirs is emptied.

    Not so their names, which anybody may choose: « de la » stands in every mail. What was said of them goes by age.
    """
    waiting = Mail.state == MailState.WAITING
    session.execute(delete(Mail).where(waiting, func.lower(Mail.recipient).in_(whose.addresses)))
    told = select(Mail.id).where(~waiting, Mail.id.in_(_naming(session, whose)))
    ids = session.scalars(told).all()
    session.execute(delete(Attachment).where(Attachment.mail_id.in_(ids)))
    emptied = {name: left for name, left in (PEOPLES["mail"].left or {}).items() if name != "recipient"}
    session.execute(update(Mail).where(Mail.id.in_(ids)).values(emptied))


def _naming(session: Session, whose: Person) -> list[int]:
    """The mails in which one of their addresses stands whole; the farm's own stands in all."""
    addresses = whose.addresses - {get_farm(session).email.lower()}
    if not addresses:
        return []
    said = Mail.subject + "\n" + func.coalesce(Mail.text, "")
    found = session.execute(
        select(Mail.id, said).where(or_(*(said.icontains(each, autoescape=True) for each in addresses)))
    )
    whole = re.compile(rf"(?<![\w.+-])({'|'.join(map(re.escape, addresses))})(?![\w-]|\.\w)", re.IGNORECASE)
    return [mail_id for mail_id, words in found if whole.search(words)]


def _forget_tables(session: Session) -> None:
    """Files full of names: whoever needs one has it made, or sends it, again."""
    session.execute(delete(Archive))
    session.execute(delete(TableImport).where(TableImport.state != RunState.WRITING))


# Beneath the rows


def clean() -> bool:
    """Have the database forget what its rows no longer say: the write-ahead log, the versions that were replaced.

    False where somebody reads on, and it has to be tried again.
    """
    if db.engine.dialect.name == "sqlite":
        with closing(db.engine.raw_connection()) as connection:
            busy, *_pages = connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        return not busy
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as outside:
        for name in (*PEOPLES, "stored_file", "archive", "table_import"):
            outside.exec_driver_sql(f'VACUUM "{name}"')
    return True


# Again after a restore


def settle() -> None:
    """After erasures: clean the database, then note them; whatever is killed in between, the next round does it."""
    noted = {number for number, _at in _noted()}
    erased = select(Account).where(Account.erased_at.is_not(None)).order_by(Account.id)
    with own_transaction() as session:
        gone = [account for account in session.scalars(erased) if account.id not in noted]
        lines = [f"{account.id} {account.erased_at:%Y-%m-%dT%H:%M:%S%z}\n" for account in gone]
    if lines and clean():
        _file().parent.mkdir(parents=True, exist_ok=True)
        whole = _file().with_suffix(".part")
        whole.write_text("".join([*_lines(), *lines]), encoding="ascii")
        whole.replace(_file())  # never half a line, whatever is killed or full


def apply() -> int:
    """Erase again whom a restored backup still knows; how many that were.

    Whoever came after it has such a number by chance, and is left alone.
    """
    done = 0
    for number, at in _noted():
        with own_transaction() as session:
            known = session.get(Account, number)
            if known is not None and known.erased_at is None and known.created_at < at:
                erase(session, number, at=clock.now())
                done += 1
    if done:
        clean()
    return done


def _noted() -> Iterator[tuple[int, datetime]]:
    for line in _lines():
        number, at = line.split()
        yield int(number), datetime.fromisoformat(at)


def _lines() -> list[str]:
    return _file().read_text(encoding="ascii").splitlines(keepends=True) if _file().exists() else []


def _file() -> Path:
    settings: Settings = current_app.config["SETTINGS"]
    return settings.erasures
