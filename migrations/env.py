"""Alembic's environment: the application's engine and tables, one transaction a migration."""

from typing import Any

from alembic import context
from flask import current_app
from sqlalchemy import Connection, text

from portal.infra.orm import Base, Cents, UtcDateTime

LOCK_WAIT_SECONDS = 2
"""How long a migration waits for a table: meanwhile everybody who asks for it waits behind."""


def render_item(kind: str, item: object, _autogen_context: object) -> str | bool:
    """Migrations name plain column types, so that they outlive the program's own."""
    if kind == "type" and isinstance(item, UtcDateTime):
        return "sa.DateTime(timezone=True)"
    if kind == "type" and isinstance(item, Cents):
        return "sa.Integer()"
    return False


def run_migrations() -> None:
    engine = current_app.extensions["migrate"].db.engine
    with engine.connect() as connection:
        connection.detach()  # nobody else's afterwards, with what is set here
        if engine.dialect.name == "sqlite":
            _let_foreign_keys_wait(connection)
        else:
            connection.execute(text(f"SET lock_timeout = '{LOCK_WAIT_SECONDS}s'"))
            connection.commit()
        context.configure(
            connection=connection,
            target_metadata=Base.metadata,
            render_as_batch=True,
            compare_type=True,
            render_item=render_item,
            transaction_per_migration=True,
            on_version_apply=_check_foreign_keys,
        )
        with context.begin_transaction():
            context.run_migrations()


def _let_foreign_keys_wait(connection: Connection) -> None:
    """SQLite builds a table anew for most changes: dropping the old one would take along what hangs on it.

    The pragma works outside of a transaction only, so it goes past SQLAlchemy, which would begin one.
    """
    connection.connection.cursor().execute("PRAGMA foreign_keys=OFF")


def _check_foreign_keys(ctx: Any, **_: object) -> None:
    """Within each migration's transaction, at its end."""
    if ctx.dialect.name == "sqlite" and (orphans := ctx.bind.execute(text("PRAGMA foreign_key_check")).all()):
        raise RuntimeError(f"the migration leaves rows that point nowhere: {orphans[:5]}")


run_migrations()
