"""Whoever writes the books killed midway, in one process for each number of statements."""

from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from itertools import count
from typing import Any

import time_machine
from flask import Flask
from sqlalchemy import event
from sqlalchemy.orm import Session

from portal.billing import batches, payments
from portal.billing.issuing import issue_many
from portal.infra.orm import db, own_transaction
from tests.billing.debiting import DAY, IN_TIME, office
from tests.billing.writing import customer, paid
from tests.races.killed import die, each_killed
from tests.world import NOW, TODAY

EVERYTHING = 10_000
"""More statements than there are: killed at the commit."""


def issue(session: Session) -> None:
    issue_many(session, [1, 2], through=TODAY, month=date(2026, 6, 1), by=None)


def pay(session: Session) -> None:
    payments.pay(session, paid(1000, customer(session)), at=NOW, by=None)


def collect(session: Session) -> None:
    batches.make(session, DAY, by=office(session))


ACTS: Mapping[str, tuple[Callable[[Session], None], datetime]] = {
    "issue": (issue, NOW),
    "pay": (pay, NOW),
    "collect": (collect, IN_TIME),
}


def act_and_die(app: Flask, name: str, statements: int) -> None:
    """At a statement, or where there are no more of them: at the commit."""
    (act, at), sent = ACTS[name], count(1)

    def count_down(*_: Any) -> None:
        if next(sent) > statements:
            die()

    with time_machine.travel(at, tick=False), app.test_request_context(), own_transaction() as session:
        event.listen(db.engine, "before_cursor_execute", count_down)
        event.listen(session, "before_commit", lambda _session: die())
        act(session)


def act_and_die_after(name: str, numbers: Iterable[int]) -> None:
    each_killed(numbers, lambda app, statements: act_and_die(app, name, statements))
