"""Whether the database's tables are those that this program was written for, and how they become so."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from alembic import command
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Flask
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, OperationalError

from portal.infra import clock
from portal.infra.backup import BackupError, backup
from portal.infra.orm import db
from portal.settings import BadSettings

TRIES = 5
PAUSE_SECONDS = 2.0
"""A table that somebody reads for long is asked for again and again: who waits for it keeps all others waiting."""


class UpgradeError(Exception):
    """The database is not at the program's version; the message is one sentence that says why."""


@dataclass(frozen=True, slots=True)
class Upgrade:
    """From which version to which; and where the copy of before lies, if one was made."""

    before: str | None
    after: str
    copy: Path | None


def check(app: Flask) -> None:
    """Refuse to start on a database of another version, with the command that helps."""
    with app.app_context():
        found, expected, known = _found(), *_expected(app)
    if found == expected:
        return
    if found is None or found in known:
        raise BadSettings(
            f"La base est à la version {found or 'zéro'}, le programme attend {expected} : "
            "lancez `flask --app wsgi upgrade`."
        )
    raise BadSettings(_too_new(found, expected))


def upgrade(app: Flask, backups: Path | None = None) -> Upgrade:
    """Bring the database to the program's version, after a copy of it into `backups` where it holds anything.

    Whoever wants the same meanwhile waits. Each migration is a transaction of its own: what fails leaves the
    database whole, at the version before. Raises UpgradeError.
    """
    with app.app_context(), _alone():
        before, expected, known = _found(), *_expected(app)
        if before == expected:
            return Upgrade(before, expected, None)
        if before and before not in known:
            raise UpgradeError(_too_new(before, expected))
        copy = _copy(backups) if before and backups else None
        try:
            _migrate(app)
        except (DBAPIError, RuntimeError) as error:
            reason = str(error.orig if isinstance(error, DBAPIError) else error).splitlines()[0]
            there = f" La copie d'avant est {copy}." if copy else ""
            raise UpgradeError(
                f"La base reste à la version {_found() or 'zéro'}, celle qui mène à {expected} a échoué : "
                f"{reason}.{there}"
            ) from error
        return Upgrade(before, expected, copy)


def _copy(directory: Path) -> Path:
    try:
        return backup(db.engine.url, directory, clock.now())
    except (BackupError, OSError) as error:
        raise UpgradeError(
            f"La mise à jour n'a pas commencé, faute d'une copie de la base : {error}"
        ) from error


def _migrate(app: Flask) -> None:
    for left in reversed(range(TRIES)):
        try:
            return command.upgrade(app.extensions["migrate"].migrate.get_config(), "head")
        except OperationalError as error:
            if not left or not any(word in str(error.orig) for word in ("lock timeout", "locked")):
                raise
            time.sleep(PAUSE_SECONDS)
    return None


@contextmanager
def _alone() -> Iterator[None]:
    """One upgrade at a time: the others find it done."""
    if db.engine.dialect.name == "postgresql":
        with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.detach()  # its lock, and how it waits for it, end with it
            connection.execute(text("SET lock_timeout = 0"))
            connection.execute(text("SELECT pg_advisory_lock(hashtextextended('upgrade', 0))"))
            yield
        return
    folder = os.open(_folder(), os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def _too_new(found: str, expected: str) -> str:
    return (
        f"La base est à la version {found}, le programme ne connaît que {expected} et celles d'avant : "
        "installez la version du programme qui l'a créée (`git pull`), ou restaurez une sauvegarde."
    )


def _folder() -> Path:
    """Where SQLite keeps its files: made for the first."""
    folder = Path(db.engine.url.database or ".").parent
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def _found() -> str | None:
    if db.engine.dialect.name == "sqlite":
        _folder()
    with db.engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def _expected(app: Flask) -> tuple[str, set[str]]:
    scripts = ScriptDirectory.from_config(app.extensions["migrate"].migrate.get_config())
    return scripts.get_current_head() or "", {script.revision for script in scripts.walk_revisions()}
