"""Payments killed midway: `python -m tests.races.killed_entry AFTER…`, one process for each number of statements."""

import os
import signal
import sys
from itertools import count
from typing import Any

import time_machine
from flask import Flask
from sqlalchemy import event

from portal import create_app
from portal.billing.payments import pay
from portal.infra.orm import db, own_transaction
from portal.settings import Settings
from tests.billing.writing import customer, paid
from tests.world import NOW


def pay_and_die(app: Flask, statements: int) -> None:
    """At a statement, or where there are no more of them: at the commit."""
    sent = count(1)

    def die(*_: Any) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    def count_down(*_: Any) -> None:
        if next(sent) > statements:
            die()

    with time_machine.travel(NOW, tick=False), app.app_context(), own_transaction() as session:
        event.listen(db.engine, "before_cursor_execute", count_down)
        event.listen(session, "before_commit", die)
        pay(session, paid(1000, customer(session)), at=NOW, by=None)


if __name__ == "__main__":
    app = create_app(Settings.from_environment(os.environ))
    for statements in map(int, sys.argv[1:]):
        child = os.fork()
        if not child:
            try:
                pay_and_die(app, statements)
            finally:
                os._exit(1)
        _, status = os.waitpid(child, 0)
        if not os.WIFSIGNALED(status):
            sys.exit(f"not killed after {statements} statements")
