"""Every migration goes up, down and up again with data in it, on both databases, even when it is killed."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import flask_migrate
import pytest
from alembic.script import Script, ScriptDirectory
from flask import Flask
from sqlalchemy import func, inspect, select, table, text
from sqlalchemy.exc import DBAPIError

from portal.accounts.models import LinkPurpose, MailedLink
from portal.infra.orm import Base, db
from portal.rules.orders import OrderState
from portal.rules.permissions import EVERYDAY
from portal.settings import ROOT
from portal.shop.models import Happening, OrderEvent
from tests import world
from tests.conftest import Farms
from tests.infra.workers import environment
from tests.migrations.aside import aside
from tests.shop.making import article, order

pytestmark = pytest.mark.usefixtures("session")

REBUILD = """
import sqlalchemy as sa
from alembic import op

revision, down_revision = "rebuild", "{head}"
TABLES = ("account", "delivery", "formula", "product")


def change(table):
    return op.batch_alter_table(table, recreate="always" if op.get_bind().dialect.name == "sqlite" else "never")


def upgrade():
    for table in TABLES:
        with change(table) as batch:
            batch.add_column(sa.Column("extra", sa.Integer()))


def downgrade():
    for table in TABLES:
        with change(table) as batch:
            batch.drop_column("extra")
"""


@pytest.fixture
def app(app: Flask, backend: str, farms: Farms) -> Iterator[Flask]:
    with aside(app, backend, farms) as own:
        yield own


def revisions() -> list[Script]:
    """The newest first."""
    return list(ScriptDirectory(str(ROOT / "migrations")).walk_revisions())


def described() -> dict[str, Any]:
    """The schema as the database tells it: tables to the last constraint, and triggers."""
    found = inspect(db.engine)
    columns, keys = found.get_multi_columns(), found.get_multi_pk_constraint()
    kinds = {
        "foreign keys": found.get_multi_foreign_keys(),
        "unique": found.get_multi_unique_constraints(),
        "checks": found.get_multi_check_constraints(),
        "indexes": {key: map(plainly, indexes) for key, indexes in found.get_multi_indexes().items()},
    }
    return {
        name: {
            # by name: a column that is added stands last, whatever its place in the model
            "columns": {c["name"]: {**c, "type": str(c["type"])} for c in columns[schema, name]},
            "primary key": keys[schema, name],
            **{kind: sorted(map(repr, of_all.get((schema, name), ()))) for kind, of_all in kinds.items()},
        }
        for schema, name in columns
        if name != "alembic_version"
    }


def plainly(index: Any) -> Any:
    """With the words of what a partial index is over."""
    return {**index, "dialect_options": sorted(map(str, index.get("dialect_options", {}).values()))}


def triggers() -> list[str]:
    statement = {
        "sqlite": "SELECT name || ': ' || sql FROM sqlite_master WHERE type = 'trigger' ORDER BY 1",
        "postgresql": "SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal ORDER BY 1",
    }[db.engine.dialect.name]
    with db.engine.connect() as connection:
        return list(connection.scalars(text(statement)))


def counts() -> dict[str, int]:
    with db.engine.connect() as connection:
        return {
            name: connection.scalar(select(func.count()).select_from(table(name))) or 0
            for name in inspect(db.engine).get_table_names()
            if name != "alembic_version"
        }


def fill() -> None:
    world.fill(db.session())
    db.session.commit()
    db.session.remove()


SHARED_OUT = {"role", "account_role"}
"""0006 makes four roles of the staff's one."""


def roles() -> dict[str, list[str]]:
    named = "SELECT email, r.name FROM account_role JOIN account a ON a.id = account_id JOIN role r ON r.id = role_id"
    found: dict[str, list[str]] = {}
    with db.engine.connect() as connection:
        for email, role in connection.execute(text(f"{named} ORDER BY r.name")):
            found.setdefault(email, []).append(role)
    return found


def test_staff_share_out_what_one_role_held() -> None:
    now = roles()
    flask_migrate.downgrade(revision="0005")
    assert roles() == {world.STAFF: ["staff"], world.ADMIN: ["admin", "staff"]}
    flask_migrate.upgrade()
    assert roles() == now == {world.STAFF: sorted(EVERYDAY), world.ADMIN: sorted([*EVERYDAY, "admin"])}


def test_people_are_found_by_the_key_that_the_migration_writes() -> None:
    def keys() -> list[str]:
        with db.engine.connect() as connection:
            return list(connection.scalars(text("SELECT search_key FROM account ORDER BY id")))

    now = keys()
    assert "aubert camille camilleexampleorg 0639980001" in now
    flask_migrate.downgrade(revision="0005")
    flask_migrate.upgrade()
    assert keys() == now
    flask_migrate.downgrade(revision="0005")
    with db.engine.begin() as connection:
        bare = {"name": "\ufdfa" * 80, "of": world.YACINE}  # fifteen letters each
        connection.execute(text("UPDATE account SET last_name = :name WHERE email = :of"), bare)
    flask_migrate.upgrade()
    assert len(set(now) & set(keys())) == len(now) - 1 and max(map(len, keys())) == 500


def test_nobody_has_proven_a_mailbox_that_staff_may_have_typed() -> None:
    flask_migrate.downgrade(revision="0006")
    flask_migrate.upgrade()
    with db.engine.connect() as connection:
        assert not any(connection.scalars(text("SELECT email_proven_at FROM account")))


@pytest.mark.parametrize(
    ("frozen", "bills_from"),
    [([], []), (["2026-05-26"], ["2026-06-01"]), (["2026-06-04", "2026-06-30"], ["2026-07-01"])],
)
def test_a_farm_begins_to_bill_with_the_month_after_what_it_has_delivered(
    frozen: list[str], bills_from: list[str]
) -> None:
    flask_migrate.downgrade(revision="0007")
    with db.engine.begin() as connection:
        for day in frozen:
            connection.execute(
                text("UPDATE delivery SET frozen_at = cutoff_at WHERE day = :day"), {"day": day}
            )
    flask_migrate.upgrade()
    with db.engine.connect() as connection:
        found = connection.scalars(text("SELECT bills_from FROM billing_settings")).all()
    assert [str(day) for day in found] == bills_from


def test_words_that_the_program_before_does_not_know_go() -> None:
    session = db.session()
    made = order(session, {article(session): 1}, state=OrderState.ACCEPTED)
    made.events.append(OrderEvent(at=world.NOW, what=Happening.CORRECTED))
    for purpose in LinkPurpose:
        when = {"created_at": world.NOW, "expires_at": world.NOW}
        session.add(MailedLink(token_hash=purpose, purpose=purpose, account_id=made.account_id, **when))
    session.commit()
    db.session.remove()
    flask_migrate.downgrade(revision="0005")
    with db.engine.connect() as connection:
        events = connection.scalars(text("SELECT what FROM order_event ORDER BY id")).all()
        links = connection.scalars(text("SELECT purpose FROM mailed_link")).all()
    assert events[-1] == Happening.CHANGED and links == [LinkPurpose.RESET_PASSWORD]


def test_the_migrated_schema_is_that_of_the_models() -> None:
    flask_migrate.check()
    migrated = described()
    flask_migrate.downgrade(revision="base")
    Base.metadata.create_all(db.engine)
    assert migrated == described()


def test_every_migration_goes_down_and_up_again_with_the_rows_that_its_tables_hold() -> None:
    head, guarded = described(), triggers()
    for script in revisions():
        upper, rows = described(), counts()
        lower_revision = script.down_revision or "base"
        flask_migrate.downgrade(revision=lower_revision)
        remaining = counts()
        kept = remaining.keys() & rows.keys() - SHARED_OUT
        assert all(remaining[name] == rows[name] for name in kept)
        flask_migrate.upgrade(revision=script.revision)
        assert described() == upper
        assert all(counts()[name] == rows[name] for name in remaining.keys() & rows.keys())
        flask_migrate.downgrade(revision=lower_revision)
    assert described() == {}
    assert triggers() == []

    flask_migrate.upgrade()
    assert (described(), triggers()) == (head, guarded)
    fill()
    assert counts()["account"] == 4


def test_the_audit_trail_is_guarded_by_the_database(app: Flask) -> None:
    statements = [
        "INSERT INTO audit_event (id, at, action, subject_type, subject_id) VALUES (1, '2026-06-10', 'a', 'b', 'c')",
        "UPDATE audit_event SET action = 'x'",
        "DELETE FROM audit_event",
    ]
    with db.engine.begin() as connection:
        connection.execute(text(statements[0]))
    for statement in statements[1:]:
        with pytest.raises(DBAPIError, match="append-only"), db.engine.begin() as connection:
            connection.execute(text(statement))
    assert counts()["audit_event"] == 1


@pytest.fixture
def rebuilding(tmp_path: Path) -> Path:
    """Our migrations and one more, which builds tables anew, as SQLite needs for most changes."""
    directory = tmp_path / "migrations"
    shutil.copytree(ROOT / "migrations", directory)
    head = revisions()[0].revision
    (directory / "versions" / "rebuild.py").write_text(REBUILD.format(head=head))
    return directory


def test_a_table_is_built_anew_without_losing_what_hangs_on_it(rebuilding: Path) -> None:
    rows, schema = counts(), described()
    flask_migrate.upgrade(str(rebuilding))
    assert counts() == rows
    flask_migrate.downgrade(str(rebuilding), revision="-1")
    assert counts() == rows
    assert described() == schema


def kill_upgrades(app: Flask, directory: Path, *after: int) -> None:
    db.engine.dispose()
    subprocess.run(
        [sys.executable, "-m", "tests.migrations.killed", str(directory), *map(str, after)],
        cwd=ROOT,
        env=environment(app),
        check=True,
    )


EVERYTHING = 10_000
"""More statements than there are: killed at the commit."""


def test_a_first_upgrade_killed_anywhere_is_done_by_the_next(app: Flask) -> None:
    head, guarded = described(), triggers()
    flask_migrate.downgrade(revision="base")
    kill_upgrades(app, ROOT / "migrations", 1, 20, EVERYTHING)
    assert described() == {}
    flask_migrate.upgrade()
    assert (described(), triggers()) == (head, guarded)
    fill()


def test_an_upgrade_with_data_killed_anywhere_keeps_it_and_is_done_by_the_next(
    app: Flask, rebuilding: Path
) -> None:
    rows, schema = counts(), described()
    kill_upgrades(app, rebuilding, 1, 3, EVERYTHING)
    assert (counts(), described()) == (rows, schema)
    flask_migrate.upgrade(str(rebuilding))
    assert counts() == rows
