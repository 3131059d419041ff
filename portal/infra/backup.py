"""Copies of the database that are whole although others write meanwhile."""

import os
import shutil
import sqlite3
import subprocess
from contextlib import closing
from datetime import datetime
from pathlib import Path

from sqlalchemy.engine import URL


class BackupError(Exception):
    """No copy was made; the message is one sentence that says why."""


def backup(url: URL, directory: Path, now: datetime) -> Path:
    """Write a copy named after the instant, readable by its owner only, and return where it lies.

    Restoring: SQLite, put the file where DATABASE_URL points; PostgreSQL,
    `pg_restore --clean --if-exists --no-owner --dbname=… FILE`. The site is stopped meanwhile.
    """
    suffix, write = ("sqlite3", _sqlite) if url.get_backend_name() == "sqlite" else ("dump", _postgresql)
    target = directory / f"portal-{now:%Y%m%dT%H%M%SZ}.{suffix}"
    part = target.with_suffix(".part")
    directory.mkdir(parents=True, exist_ok=True)
    part.unlink(missing_ok=True)
    part.touch(mode=0o600)
    try:
        write(url, part)
        part.replace(target)  # a file with the final name is always a whole one
    finally:
        part.unlink(missing_ok=True)
    return target


def _sqlite(url: URL, target: Path) -> None:
    try:
        with closing(sqlite3.connect(f"file:{url.database}?mode=ro", uri=True)) as connection:
            connection.execute("VACUUM INTO ?", (str(target),))
    except sqlite3.Error as error:
        raise BackupError(f"SQLite n'a pas pu copier la base : {error}.") from None


def _postgresql(url: URL, target: Path) -> None:
    program = shutil.which("pg_dump")
    if program is None:
        raise BackupError(
            "pg_dump manque : installez les programmes clients de PostgreSQL (postgresql-client)."
        )
    command = [program, "--format=custom", "--no-owner", f"--file={target}"]
    environment = {**os.environ, **_libpq(url)}
    result = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if result.returncode:
        raise BackupError(f"pg_dump a échoué : {' '.join(result.stderr.split())}")


def _libpq(url: URL) -> dict[str, str]:
    """The address as libpq's variables: a password on the command line could be read by everybody."""
    query = {name: value for name, value in url.query.items() if isinstance(value, str)}
    values = {
        "PGHOST": url.host or query.get("host"),
        "PGPORT": str(url.port) if url.port else query.get("port"),
        "PGUSER": url.username,
        "PGPASSWORD": url.password,
        "PGDATABASE": url.database,
        "PGSSLMODE": query.get("sslmode"),
        "PGSSLROOTCERT": query.get("sslrootcert"),
    }
    return {name: str(value) for name, value in values.items() if value}
