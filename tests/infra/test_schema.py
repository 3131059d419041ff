"""Program and database of different versions do not run together, and the answer names the command."""

import subprocess
import sys
from dataclasses import replace
from functools import partial
from importlib import import_module
from itertools import islice

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import text

from portal.infra import schema
from portal.infra.orm import own_transaction
from portal.settings import ROOT, BadSettings
from tests import forks
from tests.infra.workers import environment
from tests.races.helpers import Act

HEAD, BEFORE = (
    script.revision for script in islice(ScriptDirectory(ROOT / "migrations").walk_revisions(), 2)
)


@pytest.fixture
def stamp(app):
    """Write another version into the database; the tests share this table, so it is put right at the end."""

    def write(version):
        with app.app_context(), own_transaction() as session:
            before = session.scalar(text("SELECT version_num FROM alembic_version"))
            session.execute(text("DELETE FROM alembic_version"))
            if version:
                session.execute(text("INSERT INTO alembic_version VALUES (:version)"), {"version": version})
        return before

    found = write(None)
    write(found)
    yield write
    write(found)


def test_the_program_runs_on_its_own_version(app):
    schema.check(app)
    result = subprocess.run(
        [sys.executable, "-c", "import wsgi"], cwd=ROOT, env=environment(app), capture_output=True, check=True
    )
    assert result.stderr == b""


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
def test_a_first_start_says_what_to_run_and_the_first_upgrade_makes_the_database_in_its_folder(app, tmp_path):
    place = tmp_path / "a" / "var"
    env = environment(app, DATABASE_URL=f"sqlite:///{place / 'portal.sqlite3'}")
    status, said = forks.ended(import_module, "wsgi", env=env)
    assert (status, len(said.splitlines())) == (1, 1), said
    status, said = forks.ended(forks.flask, "upgrade", env=env)
    assert (status, f"{HEAD}" in said) == (0, True), said
    assert place.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize(
    ("version", "advice"),
    [(None, "lancez `flask --app wsgi upgrade`"), ("ffffffffffff", "installez la version du programme")],
)
def test_another_version_is_refused_with_what_helps(app, stamp, version, advice):
    stamp(version)
    with pytest.raises(BadSettings, match=advice):
        schema.check(app)


@pytest.mark.parametrize("start", [(import_module, "wsgi"), (forks.flask, "worker")])
def test_server_and_worker_do_not_start_on_another_version_and_say_so_in_one_line(app, stamp, start):
    stamp(None)
    status, said = forks.ended(*start, env=environment(app))
    assert status == 1
    assert said.startswith("La base est à la version zéro, le programme attend")
    assert len(said.splitlines()) == 1


def test_the_way_out_is_open(app, stamp):
    stamp(None)
    assert forks.ended(forks.flask, "db", "current", env=environment(app))[0] == 0


def upgrade(app, backups, *options):
    settings = app.config["SETTINGS"]
    app.config["SETTINGS"] = replace(settings, backup_dir=backups)
    try:
        return app.test_cli_runner().invoke(args=["upgrade", *options])
    finally:
        app.config["SETTINGS"] = settings


def test_an_upgrade_of_what_is_up_to_date_says_so_and_copies_nothing(app, tmp_path):
    result = upgrade(app, tmp_path)
    assert (result.exit_code, result.output) == (0, f"La base est à la version {HEAD}, à jour.\n")
    assert list(tmp_path.iterdir()) == []


def test_a_failing_upgrade_says_in_one_line_why_and_where_the_copy_lies(app, stamp, tmp_path):
    stamp(BEFORE)  # its migration finds what it would make
    result = upgrade(app, tmp_path)
    [line], [copy] = result.output.splitlines(), tmp_path.iterdir()
    assert result.exit_code == 1
    assert line.startswith(f"La base reste à la version {BEFORE}, celle qui mène à {HEAD} a échoué : ")
    assert line.endswith(f" La copie d'avant est {copy}.")
    with pytest.raises(BadSettings, match=f"à la version {BEFORE}, le programme attend {HEAD}"):
        schema.check(app)


def test_without_a_copy_no_upgrade_begins_unless_one_says_so(app, stamp, tmp_path):
    stamp(BEFORE)
    nowhere = tmp_path / "file"
    nowhere.touch()
    result = upgrade(app, nowhere)
    assert result.exit_code == 1
    assert result.output.startswith("La mise à jour n'a pas commencé, faute d'une copie de la base : ")
    assert upgrade(app, nowhere, "--no-backup").output.startswith("La base reste à la version")


def test_a_database_from_a_newer_program_is_not_touched(app, stamp, tmp_path):
    stamp("ffffffffffff")
    result = upgrade(app, tmp_path)
    assert result.exit_code == 1
    assert "installez la version du programme qui l'a créée" in result.output
    assert list(tmp_path.iterdir()) == []


def test_of_two_upgrades_at_once_the_second_waits_and_finds_it_done(app, stamp):
    stamp(BEFORE)
    with app.app_context(), schema._alone():
        second = Act(partial(schema.upgrade, app))
        assert not second.ends_within(0.3)
        stamp(HEAD)
    assert second.result == schema.Upgrade(HEAD, HEAD, None)
