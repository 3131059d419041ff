"""The bank's file killed midway: `python -m tests.races.killed_batch BY AFTER…`, one process for each number."""

import os
import signal
import sys
from itertools import count
from typing import Any

import time_machine
from flask import Flask
from sqlalchemy import event

from portal import create_app
from portal.billing.batches import make
from portal.infra.orm import db, own_transaction
from portal.settings import Settings
from tests.billing.debiting import DAY, IN_TIME


def make_and_die(app: Flask, by: int, statements: int) -> None:
    """At a statement, or where there are no more of them: at the commit."""
    sent = count(1)

    def die(*_: Any) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    def count_down(*_: Any) -> None:
        if next(sent) > statements:
            die()

    with time_machine.travel(IN_TIME, tick=False), app.test_request_context(), own_transaction() as session:
        event.listen(db.engine, "before_cursor_execute", count_down)
        event.listen(session, "before_commit", die)
        make(session, DAY, by=by)


if __name__ == "__main__":
    app = create_app(Settings.from_environment(os.environ))
    by, *after = map(int, sys.argv[1:])
    for statements in after:
        child = os.fork()
        if not child:
            try:
                make_and_die(app, by, statements)
            finally:
                os._exit(1)
        _, status = os.waitpid(child, 0)
        if not os.WIFSIGNALED(status):
            sys.exit(f"not killed after {statements} statements")
