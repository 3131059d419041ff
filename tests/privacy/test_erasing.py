"""Whoever leaves is forgotten: in every row, in the file of the database, in its log, and again after a restore."""

import errno
import re
import subprocess
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask, current_app
from sqlalchemy import func, select, update
from sqlalchemy.engine import make_url
from sqlalchemy.orm import Session

from portal.accounts.models import Account, customer_number
from portal.infra import backup, outbox
from portal.infra.audit import AuditEvent
from portal.infra.orm import Base
from portal.privacy import erasing
from portal.privacy.jobs import erase_departed
from portal.privacy.map import PEOPLES, person, theirs
from portal.privacy.models import AccountMerge
from portal.subscriptions.models import Subscription
from tests.privacy.filling import WORD, fill, somebody
from tests.world import NOW, STAFF

MONTH = timedelta(days=30)


@pytest.fixture
def left(session: Session) -> int:
    """The number of somebody who has done all that one can do, and who has closed the account; nobody was erased."""
    current_app.config["SETTINGS"].erasures.unlink(missing_ok=True)
    account = somebody(session)
    fill(session, account, but=frozenset({"account_merge"}))
    other = somebody(session, f"{WORD}bis")
    session.add(AccountMerge(from_id=other.id, into_id=account.id, at=NOW, moved={}))
    said = {"subject": "Message de M. Von Zwqxj", "html": "…", "at": NOW}
    outbox.post(session, to=STAFF, text=f"De la part de {account.email.upper()}", **said)
    session.execute(update(outbox.Mail).values(state=outbox.MailState.SENT))
    outbox.post(session, to=account.email, text=f"Bonjour {WORD}", **said)
    account.active, number = False, account.id
    session.commit()
    return number


def bytes_of(app: Flask) -> bytes:
    """All that lies about of the database."""
    url = make_url(app.config["SETTINGS"].database_url)
    if url.get_backend_name() == "sqlite":
        assert url.database
        files = Path(url.database).parent.glob(f"{Path(url.database).name}*")
        return b"".join(file.read_bytes() for file in files)
    command = ["pg_dump", "--schema=public"]
    return subprocess.run(command, env=backup._libpq(url), capture_output=True, check=True).stdout


def traces(app: Flask) -> list[str]:
    """Where the word still stands, with what is around it."""
    return re.findall(f".{{0,40}}{WORD}.{{0,20}}", bytes_of(app).decode("latin-1"), re.IGNORECASE | re.DOTALL)


def test_nothing_is_left_of_who_was_erased(app: Flask, session: Session, left: int, clock) -> None:
    assert traces(app)
    clock.move_to(NOW + MONTH - timedelta(minutes=1))
    assert not erase_departed()
    assert session.get_one(Account, left).erased_at is None
    session.commit()
    clock.move_to(NOW + MONTH)
    erase_departed()
    erasing.settle()
    assert traces(app) == []
    gone = session.get_one(Account, left)
    assert gone.full_name == f"Compte effacé {customer_number(left)}"
    assert not gone.active and gone.erased_at == NOW + MONTH
    whose = person(session, left)
    for name, rows in PEOPLES.items():
        table = Base.metadata.tables[name]
        found = session.scalar(select(func.count()).select_from(table).where(theirs(table, whose)))
        assert bool(found) == (rows.left is not None and rows.of is not None), name
    assert session.scalar(select(func.count(AuditEvent.id)).where(AuditEvent.action == "account_erased")) == 2


def test_mails_that_are_not_about_them_keep_what_they_say(session: Session) -> None:
    """Whoever calls themselves « de la » empties no archive, nor does anna@x.fr with a@x.fr's."""
    account = somebody(session, "de")
    account.last_name, account.email = "la", "a@example.org"
    said = ["Le panier de la semaine", "De anna.a@example.org.", "De A@example.org.", "a@example.org.net"]
    for text in said:
        outbox.post(session, to=STAFF, subject="Prix de la ferme", text=text, html=text, at=NOW)
    session.execute(update(outbox.Mail).values(state=outbox.MailState.SENT))
    erasing.erase(session, account.id, at=NOW)
    left = session.scalars(select(outbox.Mail.text).order_by(outbox.Mail.id)).all()
    assert left == [said[0], said[1], None, said[3]]


def test_a_list_that_cannot_be_written_stays_as_it_was(
    app: Flask, session: Session, left: int, clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half a line would stop every later round (BAR R8)."""
    listed: Path = app.config["SETTINGS"].erasures
    listed.write_text(before := f"{left + 1} 2026-06-01T00:00:00+0000\n")
    clock.move_to(NOW + MONTH)
    erase_departed()

    def until_it_is_full(file: Path, text: str, encoding: str) -> None:
        with file.open("a", encoding=encoding) as end:
            end.write(text[: len(text) * 2 // 3])
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as full, pytest.raises(OSError, match="No space"):
        full.setattr(Path, "write_text", until_it_is_full)
        erasing.settle()
    assert listed.read_text() == before
    erasing.settle()
    assert [line.split()[0] for line in listed.read_text().splitlines()] == [str(left + 1), str(left)]


def test_a_restored_backup_is_made_to_forget_again(app: Flask, session: Session, left: int, clock) -> None:
    clock.move_to(NOW + MONTH)
    erase_departed()
    erasing.settle()
    erasing.settle()
    [noted] = {app.config["SETTINGS"].erasures.read_text().splitlines()[0].split()[0]}
    assert int(noted) == left
    before = app.config["SETTINGS"].erasures.read_text()
    restored = {"erased_at": None, "first_name": WORD, "email": f"{WORD}@example.org", "active": True}
    session.execute(update(Account).where(Account.id == left).values(restored))
    session.execute(update(Subscription).where(Subscription.account_id == left).values(last_day=None))
    session.commit()
    told = app.test_cli_runner().invoke(args=["erase-again"])
    assert (told.exit_code, told.output) == (0, "1 compte(s) effacé(s) de nouveau.\n")
    assert traces(app) == []
    assert app.test_cli_runner().invoke(args=["erase-again"]).output.startswith("0 ")
    assert app.config["SETTINGS"].erasures.read_text() == before
    last = session.scalars(select(Subscription.last_day).where(Subscription.account_id == left)).one()
    assert last == (NOW + MONTH).date(), "nothing is packed for nobody"


def test_who_came_after_the_restore_is_somebody_else(app: Flask, session: Session, left: int, clock) -> None:
    clock.move_to(NOW + MONTH)
    erase_departed()
    erasing.settle()
    later = {"erased_at": None, "created_at": NOW + 2 * MONTH}
    session.execute(update(Account).where(Account.id == left).values(later))
    session.commit()
    assert erasing.apply() == 0
