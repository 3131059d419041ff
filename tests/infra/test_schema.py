"""Program and database of different versions do not run together, and the answer names the command."""

import subprocess
import sys

import pytest
from sqlalchemy import text

from portal.infra import schema
from portal.infra.orm import own_transaction
from portal.settings import ROOT, BadSettings
from tests.infra.workers import environment


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


def python(app, *arguments):
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env=environment(app),
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )


def test_the_program_runs_on_its_own_version(app):
    schema.check(app)
    result = python(app, "-c", "import wsgi")
    assert (result.returncode, result.stderr) == (0, "")


@pytest.mark.parametrize(
    ("version", "advice"),
    [(None, "lancez `flask --app wsgi db upgrade`"), ("ffffffffffff", "installez la version du programme")],
)
def test_another_version_is_refused_with_what_helps(app, stamp, version, advice):
    stamp(version)
    with pytest.raises(BadSettings, match=advice):
        schema.check(app)


@pytest.mark.parametrize("start", [["-c", "import wsgi"], ["-m", "flask", "--app", "wsgi", "worker"]])
def test_server_and_worker_do_not_start_on_another_version_and_say_so_in_one_line(app, stamp, start):
    stamp(None)
    result = python(app, *start)
    assert result.returncode == 1
    assert result.stderr.startswith("La base est à la version zéro, le programme attend")
    assert len(result.stderr.splitlines()) == 1


def test_the_way_out_is_open(app, stamp):
    stamp(None)
    result = python(app, "-m", "flask", "--app", "wsgi", "db", "current")
    assert result.returncode == 0, result.stderr


def test_upgrade_says_in_one_line_what_it_did(app):
    result = app.test_cli_runner().invoke(args=["upgrade"])
    assert result.exit_code == 0
    assert result.stdout.strip().startswith("La base est à la version")
    assert len(result.stdout.strip().splitlines()) == 1
