"""A copy made while others write can be restored, and its sums are right."""

import shutil
import sqlite3
import stat
import subprocess
import threading
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
from sqlalchemy.engine import make_url

from portal.infra import backup, outbox
from portal.infra.orm import db, own_transaction
from tests.infra.workers import ROUNDS
from tests.world import CAMILLE, NOW


@pytest.fixture
def writers(app):
    """Two threads that write pairs whose sum is nothing, until the test is over."""
    stop, pairs = threading.Event(), []

    def write():
        with app.app_context():
            while not stop.is_set():
                with own_transaction() as session:
                    for attempts in (7, -7):
                        mail = outbox.post(session, to=CAMILLE, subject="…", text="…" * 400, html="…", at=NOW)
                        mail.attempts = attempts
                        session.flush()
                pairs.append(1)

    threads = [threading.Thread(target=write) for _ in range(2)]
    for thread in threads:
        thread.start()
    yield pairs
    stop.set()
    for thread in threads:
        thread.join()


def restore_sqlite(copy, _url, folder):
    """Put the file in place, as the documentation says, and look into it."""
    restored = shutil.copy(copy, folder / "restored.sqlite3")
    with closing(sqlite3.connect(restored)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        return connection.execute("SELECT sum(attempts), count(*) FROM mail").fetchone()


def restore_postgresql(copy, url, _folder):
    """`pg_restore` into a fresh database: constraints are checked on the way."""
    host = url.query["host"]
    with psycopg.connect(host=host, user=url.username, dbname="postgres", autocommit=True) as admin:
        admin.execute("DROP DATABASE IF EXISTS restored")
        admin.execute("CREATE DATABASE restored")
        command = ["pg_restore", "--exit-on-error", "--no-owner", "--host", host, "--username", url.username]
        subprocess.run([*command, "--dbname=restored", copy], check=True, timeout=120)
        with psycopg.connect(host=host, user=url.username, dbname="restored") as connection:
            row = connection.execute("SELECT sum(attempts), count(*) FROM mail").fetchone()
        admin.execute("DROP DATABASE restored")
        return row


def test_a_copy_made_by_the_command_while_two_write_is_whole(app, backend, writers, tmp_path, clock):
    restore = restore_sqlite if backend == "sqlite" else restore_postgresql
    counts = []
    for _ in range(2 + ROUNDS):
        so_far = len(writers)
        while len(writers) == so_far:
            pass
        clock.shift(1)
        result = app.test_cli_runner().invoke(args=["backup", "--to", str(tmp_path)])
        assert result.exit_code == 0, result.output
        copy = Path(result.output.strip())
        assert copy.parent == tmp_path
        assert stat.S_IMODE(copy.stat().st_mode) == 0o600
        with app.app_context():
            total, number = restore(copy, db.engine.url, tmp_path)
        assert total == 0
        assert number >= 2 * so_far
        counts.append(number)
    assert counts == sorted(set(counts)), "each copy holds more than the one before"
    assert not list(tmp_path.glob("*.part"))


def test_a_copy_that_cannot_be_made_leaves_nothing_and_says_why(app, backend, tmp_path, monkeypatch):
    if backend == "sqlite":
        blocked = tmp_path / "missing.sqlite3"
        with app.app_context(), pytest.raises(backup.BackupError, match="SQLite n'a pas pu copier"):
            backup.backup(db.engine.url.set(database=str(blocked)), tmp_path / "copies", NOW)
    else:
        monkeypatch.setenv("PATH", "")
        with app.app_context(), pytest.raises(backup.BackupError, match="postgresql-client"):
            backup.backup(db.engine.url, tmp_path / "copies", NOW)
    assert list((tmp_path / "copies").iterdir()) == []


def test_the_password_is_not_on_pg_dumps_command_line(monkeypatch, tmp_path):
    ran = {}

    def run(command, *, env, **_):
        ran.update(command=command, env=env)
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr(subprocess, "run", run)
    monkeypatch.setattr(shutil, "which", lambda program: f"/usr/bin/{program}")
    backup.backup(make_url("postgresql+psycopg://portal:s3cret@db.example.org:5433/farm"), tmp_path, NOW)
    assert "s3cret" not in " ".join(map(str, ran["command"]))
    assert {
        name: ran["env"][name] for name in ("PGHOST", "PGPORT", "PGUSER", "PGPASSWORD", "PGDATABASE")
    } == {
        "PGHOST": "db.example.org",
        "PGPORT": "5433",
        "PGUSER": "portal",
        "PGPASSWORD": "s3cret",
        "PGDATABASE": "farm",
    }
