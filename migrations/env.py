"""Alembic's environment: the application's engine and tables, one transaction a migration."""

from alembic import context
from flask import current_app

from portal.infra.orm import Base, UtcDateTime, Cents


def render_item(kind: str, item: object, autogen_context: object) -> str | bool:
    """Migrations name plain column types, so that they outlive the program's own."""
    if kind == "type" and isinstance(item, UtcDateTime):
        return "sa.DateTime(timezone=True)"
    if kind == "type" and isinstance(item, Cents):
        return "sa.Integer()"
    return False


def run_migrations() -> None:
    engine = current_app.extensions["migrate"].db.engine
    with engine.connect() as connection:
        context.configure(
            connection=connection,
            target_metadata=Base.metadata,
            render_as_batch=True,
            compare_type=True,
            render_item=render_item,
            transaction_per_migration=True,
        )
        with context.begin_transaction():
            context.run_migrations()


run_migrations()
