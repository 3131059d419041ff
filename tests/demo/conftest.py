"""The demo farm as it stands in the database, at moments that try the calendar."""

from collections.abc import Iterator
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
    settings = Settings(
        mode=Mode.TEST, secret_key="x" * 40, base_url="http://localhost", database_url=f"sqlite:///{file}"
    )
    app = create_app(settings)
    schema.upgrade(app)
    with app.app_context(), time_machine.travel(request.param, tick=False):
        summary = generate(db.session(), months=2, today=local_day(request.param), now=request.param)
        db.session.commit()
        return app, Demo(Session(db.engine), summary, request.param)


@pytest.fixture
def demo(planted: tuple[Flask, Demo]) -> Iterator[Demo]:
    app, demo = planted
    with app.app_context(), time_machine.travel(demo.now, tick=False):
        yield demo
        demo.session.rollback()
        db.engine.dispose()
