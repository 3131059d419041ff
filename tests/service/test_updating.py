"""A new version takes over from the one before while people go on (README, « Updates »)."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from itertools import cycle
from pathlib import Path
from random import choice
from threading import Event

import pytest
from flask import Flask

from portal.infra import schema
from portal.rules.calendar import monday_of
from portal.settings import ROOT
from tests.conftest import Farms
from tests.databases import BACKENDS
from tests.infra.workers import ROUNDS
from tests.migrations.aside import aside
from tests.races.helpers import Act
from tests.service.people import NOBODY, Person, signed_in
from tests.service.processes import Service, service
from tests.world import CAMILLE, NOW, TUESDAY

NEXT = "9999"
MIGRATION = f'''
"""What the version after this one adds: a column, a table, an index."""

import sqlalchemy as sa
from alembic import op

revision, down_revision = "{NEXT}", "{{before}}"


def upgrade():
    op.create_table("herd", sa.Column("id", sa.Integer(), primary_key=True))
    with op.batch_alter_table("account") as table:
        table.add_column(sa.Column("nickname", sa.String(), server_default="", nullable=False))
        table.create_index("ix_account_nickname", ["nickname"])


def downgrade():
    raise NotImplementedError
'''
MODEL = '\n\nAccount.nickname = mapped_column(String, server_default="")\n'


@pytest.fixture
def next_version(app: Flask, tmp_path: Path) -> Path:
    """The program in a folder of its own, a migration further, reading and writing what that adds."""
    root = tmp_path / "next"
    for name in ("portal", "templates", "static", "migrations"):
        shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
    (root / "tests" / "service").mkdir(parents=True)
    for name in ("wsgi.py", "tests/service/clock.py"):
        shutil.copy(ROOT / name, root / name)
    models = root / "portal" / "accounts" / "models.py"
    models.write_text(f"from sqlalchemy import String\n{models.read_text()}{MODEL}")
    with app.app_context():
        before = schema.upgrade(app).after
    (root / "migrations" / "versions" / f"{NEXT}.py").write_text(MIGRATION.format(before=before))
    return root


@pytest.fixture
def app(app: Flask, backend: str, farms: Farms) -> Iterator[Flask]:
    with aside(app, backend, farms) as own:
        yield own


def upgrade(site: Service) -> str:
    """By the new version's own command, beside the old one; what it says."""
    command = [sys.executable, "-m", "tests.service.clock", "upgrade"]
    done = subprocess.run(
        command, cwd=site.root, env=site.environment, capture_output=True, text=True, timeout=180
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def go_on(who: Person, open_ports: list[int], over: Event) -> None:
    """Look, skip and take back, each at one of the open ports; another where nobody answers, as a proxy does."""
    week = monday_of(TUESDAY)
    asks = cycle(
        (
            partial(who.get, "/espace"),
            partial(who.post, f"/planning/{week}/saut", abonnement=1),
            partial(who.get, f"/planning/{week}"),
            partial(who.post, f"/planning/{week}/reprise", abonnement=1),
        )
    )
    while not over.is_set():
        ask = next(asks)
        while True:
            who.turn_to(choice(open_ports))
            if ask().status != NOBODY:
                break


@pytest.mark.parametrize("backend", BACKENDS if ROUNDS > 1 else BACKENDS[-1:], indirect=True)
def test_people_go_on_while_a_new_version_takes_over(app: Flask, next_version: Path, tmp_path: Path) -> None:
    copies = tmp_path / "copies"
    with service(app, tmp_path, webs=2, workers=1, now=NOW, PORTAL_BACKUP_DIR=str(copies)) as site:
        [worker], open_ports = site.workers, [web.port for web in site.webs]
        over = Event()
        site.stack.callback(over.set)
        people = [signed_in(app, open_ports[0], CAMILLE) for _ in range(4)]
        acts = [Act(partial(go_on, who, open_ports, over)) for who in people]

        site.root = next_version
        said = upgrade(site)
        assert Path(said.rpartition(" : ")[2].strip(".\n")).parent == copies
        for old in list(site.webs)[: None if ROUNDS > 1 else 1]:
            new = site.add_web()
            new.wait_until_it_listens()
            open_ports += [new.port]
            open_ports.remove(old.port)
            old.tell_to_stop()
            assert old.wait() == 0
        worker.tell_to_stop()
        assert worker.wait() == 0
        over.set()
        assert [act.result for act in acts] == [None] * len(acts)
        for who in people:
            who.leave()
        answers = [answer for who in people for answer in who.answers]
        assert {answer.status for answer in answers} <= {200, 303, NOBODY}
        assert sum(answer.status != NOBODY for answer in answers) > 20
