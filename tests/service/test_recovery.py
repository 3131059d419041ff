"""PostgreSQL is set back to any instant, by the README's own lines."""

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import Select, select

from portal import create_app
from portal.accounts.models import Account
from portal.infra.orm import db, own_transaction
from portal.settings import ROOT
from tests.conftest import Farms, settings_for
from tests.databases import BACKENDS, PostgresqlDatabase
from tests.infra.workers import wait_until
from tests.world import CAMILLE, YACINE


def documented(setting: str, folder: Path) -> str:
    """A line of the README's, with the folder of the test's."""
    [value] = re.findall(rf"(?m)^    {setting} = '(.*)'$", (ROOT / "README.md").read_text())
    return str(value).replace("/srv/postgresql", str(folder))


@pytest.fixture
def archiving(farms: Farms, app: Flask) -> Iterator[PostgresqlDatabase]:
    """The tests' server keeps what it writes, until the test is over."""
    database, _ = farms.made["postgresql"]
    assert isinstance(database, PostgresqlDatabase)
    for name in ("wal", "restored"):
        (database.folder / name).mkdir()
        if os.getuid() == 0:
            shutil.chown(database.folder / name, "postgres")
    with database._connect("postgres") as admin:
        admin.execute("ALTER SYSTEM SET archive_mode = on")
        admin.execute(
            f"ALTER SYSTEM SET archive_command = '{documented('archive_command', database.folder)}'"
        )
    database.restart_server("fast")
    yield database
    with database._connect("postgres") as admin:
        admin.execute("ALTER SYSTEM RESET ALL")
    database.restart_server("fast")
    for name in ("wal", "restored", "base"):
        shutil.rmtree(database.folder / name)


def account(email: str) -> Select[Account]:
    return select(Account).where(Account.email == email)


def rename(app: Flask, name: str) -> None:
    with app.app_context(), own_transaction() as session:
        session.scalars(account(CAMILLE)).one().first_name = name


def name_of_camille(app: Flask) -> str:
    with app.app_context(), own_transaction() as session:
        return session.scalars(account(CAMILLE)).one().first_name


@pytest.mark.parametrize("backend", [name for name in BACKENDS if name == "postgresql"], indirect=True)
def test_postgresql_is_set_back_to_just_before_a_mistake(app: Flask, archiving: PostgresqlDatabase) -> None:
    folder = archiving.folder
    archiving._run(
        shutil.which("pg_basebackup") or "pg_basebackup",
        "-h",
        folder,
        "-U",
        "portal",
        "-D",
        folder / "base",
        "-c",
        "fast",
    )
    rename(app, "Avant")
    with archiving._connect("portal") as connection:
        [before] = connection.execute("SELECT clock_timestamp()::text").fetchone() or [""]
    rename(app, "Après")
    with archiving._connect("portal") as connection:
        [segment] = connection.execute("SELECT pg_walfile_name(pg_switch_wal())").fetchone() or [""]
    wait_until((folder / "wal" / segment).exists)

    base = folder / "base"
    with (base / "postgresql.auto.conf").open("a") as settings:
        settings.write(
            "archive_mode = off\n"
            f"restore_command = '{documented('restore_command', folder)}'\n"
            f"recovery_target_time = '{before}'\n"
            "recovery_target_action = promote\n"
        )
    (base / "recovery.signal").touch()
    socket = folder / "restored"
    options = f"-k {socket} -c listen_addresses= -c fsync=off"
    archiving._run("pg_ctl", "-D", base, "-o", options, "-l", socket / "log", "-w", "start")
    try:
        with app.app_context(), own_transaction() as session:
            gone = session.scalars(account(YACINE)).one().id
        erasures = folder / "erased"
        erasures.write_text(f"{gone} 2026-06-09T00:00:00+0000\n")
        url = f"postgresql+psycopg://portal@/portal?host={socket}"
        restored = create_app(settings_for(url, erasures=erasures))
        assert name_of_camille(restored) == "Avant"
        told = restored.test_cli_runner().invoke(args=["erase-again"])
        assert told.output == "1 compte(s) effacé(s) de nouveau.\n"
        with restored.app_context():
            db.engine.dispose()
    finally:
        archiving._run("pg_ctl", "-D", base, "-m", "immediate", "stop")
    assert name_of_camille(app) == "Après"
