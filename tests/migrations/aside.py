"""A database whose tables a test may change: others refill theirs and count on its tables."""

from collections.abc import Iterator
from contextlib import contextmanager

from flask import Flask
from sqlalchemy.engine import make_url

from portal import create_app
from portal.infra.orm import db
from tests.client import Browser
from tests.conftest import Farms, settings_for
from tests.databases import PostgresqlDatabase


@contextmanager
def aside(app: Flask, backend: str, farms: Farms) -> Iterator[Flask]:
    if backend == "sqlite":  # its file is copied anew each time
        yield app
        return
    database, _ = farms.made[backend]
    assert isinstance(database, PostgresqlDatabase)
    database.keeper.close()  # a database is copied while nobody uses it
    with database._connect("postgres") as connection:
        connection.execute("DROP DATABASE IF EXISTS aside WITH (FORCE)")
        connection.execute("CREATE DATABASE aside TEMPLATE portal")
    own = create_app(settings_for(make_url(database.url).set(database="aside").render_as_string()))
    own.test_client_class = Browser
    yield own
    with own.app_context():
        db.engine.dispose()
