"""Acts killed midway, in one process for each number of statements; and orders that are."""

import os
import signal
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import time_machine
from flask import Flask
from sqlalchemy import event

from portal import create_app
from portal.infra.orm import db
from portal.settings import Settings
from tests.client import Browser
from tests.shop.buying import Buyer
from tests.world import NOW

Statements = TypeVar("Statements", int, int | None)


def each_killed(numbers: Iterable[Statements], act: Callable[[Flask, Statements], None]) -> None:
    app = create_app(Settings.from_environment(os.environ))
    app.test_client_class = Browser
    for statements in numbers:
        child = os.fork()
        if not child:
            try:
                act(app, statements)
            finally:
                os._exit(1)
        _, status = os.waitpid(child, 0)
        assert os.WIFSIGNALED(status), f"not killed after {statements} statements"


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
    each_killed(numbers, lambda app, statements: order_and_die(app, statements, sent))
