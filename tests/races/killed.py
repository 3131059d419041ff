"""Orders killed midway: `python -m tests.races.killed AFTER…`, one process for each number of statements.

`answered` kills it once the answer is there. The form comes by standard input.
"""

import json
import os
import signal
import sys
from typing import Any

import time_machine
from flask import Flask
from sqlalchemy import event

from portal import create_app
from portal.infra.orm import db
from portal.settings import Settings
from tests.client import Browser
from tests.shop.buying import Buyer
from tests.world import NOW


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def die_after(statements: int) -> None:
    """At a statement of the order, or where there are no more of them: at the commit."""
    left = statements

    def count(*_: Any) -> None:
        nonlocal left
        left -= 1
        if left < 0:
            die()

    event.listen(db.engine, "before_cursor_execute", count)
    event.listen(db.session, "before_commit", lambda _session: die())


def order_and_die(app: Flask, when: str) -> None:
    if when != "answered":
        with app.app_context():
            die_after(int(when))
    with time_machine.travel(NOW, tick=False):
        assert Buyer(app, **sent).press().status_code == 303
    die()


sent = json.load(sys.stdin)
app = create_app(Settings.from_environment(os.environ))
app.test_client_class = Browser
for when in sys.argv[1:]:
    child = os.fork()
    if not child:
        try:
            order_and_die(app, when)
        finally:
            os._exit(1)
    _, status = os.waitpid(child, 0)
    if not os.WIFSIGNALED(status):
        sys.exit(f"not killed after {when} statements")
