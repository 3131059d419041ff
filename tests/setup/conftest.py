"""A farm's file: the example that is handed out, with words changed."""

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import delete
from sqlalchemy.orm import Session

from portal.infra.orm import Base
from portal.settings import ROOT

EXAMPLE = (ROOT / "farm.example.toml").read_text(encoding="utf-8")

Write = Callable[..., Path]
Setup = Callable[..., Result]


@pytest.fixture
def farm_file(tmp_path: Path) -> Write:
    """The example, with the first occurrence of each of these words replaced; or a file of its own."""

    def write(*changes: tuple[str, str], text: str = EXAMPLE) -> Path:
        for old, new in changes:
            assert old in text, old
            text = text.replace(old, new, 1)
        path = tmp_path / "farm.toml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


@pytest.fixture
def setup(app: Flask, session: Session, farm_file: Write) -> Setup:
    """`flask setup` on such a file; what the test has seen before is read anew."""

    def run(*changes: tuple[str, str], text: str = EXAMPLE) -> Result:
        session.commit()
        result = app.test_cli_runner().invoke(args=["setup", str(farm_file(*changes, text=text))])
        session.expire_all()
        return result

    return run


@pytest.fixture
def empty(session: Session) -> Session:
    """A database without a row, as `flask upgrade` leaves it."""
    for table in reversed(Base.metadata.sorted_tables):
        session.execute(delete(table))
    session.commit()
    return session
