"""The demo farm as it stands in the database, at moments that try the calendar."""

import fcntl
import pickle
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import time_machine
from flask import Flask
from sqlalchemy.orm import Session

from portal import create_app
from portal.demo.generate import Summary, generate
from portal.infra import schema
from portal.infra.orm import db
from portal.rules.calendar import monday_of
from portal.rules.cutoffs import local_day
from portal.settings import Mode, Settings

MOMENTS = {
    "a Wednesday in June": datetime(2026, 6, 10, 8, 0, tzinfo=UTC),
    "the last minutes before Christmas week": datetime(2026, 12, 20, 22, 58, tzinfo=UTC),
    "a DST Sunday": datetime(2027, 3, 28, 0, 30, tzinfo=UTC),
}


class Demo:
    """A demo farm to read, and the moment at which it was made."""

    def __init__(self, session: Session, summary: Summary, now: datetime) -> None:
        self.session = session
        self.summary = summary
        self.now = now
        self.today = local_day(now)
        self.this_week = monday_of(self.today)

    def all(self, statement: Any) -> list[Any]:
        """The rows, or one column's values; each once."""
        return list(self.session.scalars(statement).unique())


@pytest.fixture(scope="package", params=MOMENTS.values(), ids=MOMENTS)
def planted(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Flask, Demo]:
    file: Path = tmp_path_factory.mktemp("demo") / "portal.sqlite3"
    own = tmp_path_factory.getbasetemp()
    shared = own.parent if hasattr(request.config, "workerinput") else own
    kept = shared / f"demo-{request.param:%Y-%m-%d}"
    with kept.with_suffix(".lock").open("w") as lock:  # whichever worker comes first plants for all of them
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not kept.with_suffix(".summary").exists():
            plant(kept.with_suffix(".sqlite3"), request.param, kept.with_suffix(".summary"))
    shutil.copy(kept.with_suffix(".sqlite3"), file)
    app = create_app(settings(file))
    with app.app_context():
        summary = pickle.loads(kept.with_suffix(".summary").read_bytes())
        return app, Demo(Session(db.engine), summary, request.param)


def settings(file: Path) -> Settings:
    return Settings(
        mode=Mode.TEST, secret_key="x" * 40, base_url="http://localhost", database_url=f"sqlite:///{file}"
    )


def plant(file: Path, now: datetime, said: Path) -> None:
    app = create_app(settings(file))
    schema.upgrade(app)
    with app.app_context(), time_machine.travel(now, tick=False):
        summary = generate(db.session(), months=2, today=local_day(now), now=now)
        db.session.commit()
        db.session.remove()
        db.engine.dispose()
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    said.write_bytes(pickle.dumps(summary))


@pytest.fixture
def demo(planted: tuple[Flask, Demo]) -> Iterator[Demo]:
    app, demo = planted
    with app.app_context(), time_machine.travel(demo.now, tick=False):
        yield demo
        demo.session.rollback()
        db.engine.dispose()
