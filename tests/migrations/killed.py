"""Upgrades killed midway: `python -m tests.migrations.killed DIRECTORY AFTER…`, one for each number of statements."""

import os
import signal
import sys
from typing import Any

from flask_migrate import upgrade
from sqlalchemy import event

from portal import create_app
from portal.infra.orm import db
from portal.settings import Settings


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def upgrade_and_die(directory: str, after: int) -> None:
    """Die at a statement, or where there are no more of them: at the commit."""
    app = create_app(Settings.from_environment(os.environ))
    left = after

    def count(_c: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        nonlocal left
        left -= statement.startswith(("CREATE", "ALTER", "DROP", "INSERT"))
        if left < 0:
            die()

    with app.app_context():
        event.listen(db.engine, "before_cursor_execute", count)
        event.listen(db.engine, "commit", lambda _connection: die())
        upgrade(directory)


for number in sys.argv[2:]:
    child = os.fork()
    if not child:
        upgrade_and_die(sys.argv[1], int(number))
        os._exit(0)  # it got through: not killed
    _, status = os.waitpid(child, 0)
    if not os.WIFSIGNALED(status):
        sys.exit(f"not killed after {number} statements")
