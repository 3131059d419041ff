"""Whether the database's tables are those that this program was written for."""

from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Flask
from flask_migrate import upgrade as run_migrations

from portal.infra.orm import db
from portal.settings import BadSettings


def check(app: Flask) -> None:
    """Refuse to start on a database of another version, with the command that helps."""
    with app.app_context():
        found, expected, known = _found(), *_expected(app)
    if found == expected:
        return
    if found is None or found in known:
        raise BadSettings(
            f"La base est à la version {found or 'zéro'}, le programme attend {expected} : "
            "lancez `flask --app wsgi db upgrade`."
        )
    raise BadSettings(
        f"La base est à la version {found}, le programme ne connaît que {expected} et celles d'avant : "
        "installez la version du programme qui l'a créée (`git pull`), ou restaurez une sauvegarde."
    )


def upgrade(app: Flask) -> tuple[str | None, str]:
    """Bring the database to the program's version; answer from which one to which."""
    with app.app_context():
        before = _found()
        run_migrations()
        return before, _expected(app)[0]


def _found() -> str | None:
    with db.engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def _expected(app: Flask) -> tuple[str, set[str]]:
    scripts = ScriptDirectory.from_config(app.extensions["migrate"].migrate.get_config())
    return scripts.get_current_head() or "", {script.revision for script in scripts.walk_revisions()}
