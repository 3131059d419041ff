"""Orders killed midway, in one process for each number of statements."""

import os
import signal
from collections.abc import Iterable
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


def order_and_die(app: Flask, statements: int | None, sent: dict[str, Any]) -> None:
    if statements is not None:
        with app.app_context():
            die_after(statements)
    with time_machine.travel(NOW, tick=False):
        assert Buyer(app, **sent).press().status_code == 303
    die()


def order_and_die_after(numbers: Iterable[int | None], **sent: Any) -> None:
    """`None`: once the answer is there."""
    app = create_app(Settings.from_environment(os.environ))
    app.test_client_class = Browser
    for statements in numbers:
        child = os.fork()
        if not child:
            try:
                order_and_die(app, statements, sent)
            finally:
                os._exit(1)
        _, status = os.waitpid(child, 0)
        assert os.WIFSIGNALED(status), f"not killed after {statements} statements"
