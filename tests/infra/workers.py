"""Real worker processes, and waiting for what they do."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.process import BaseProcess
from typing import Any

from flask import Flask
from sqlalchemy import exists, insert, literal, select

from portal.accounts.models import Account, Muted
from portal.infra.orm import own_transaction
from portal.rules.consents import Notice
from tests import forks

ROUNDS = int(os.environ.get("PORTAL_PROVE_ROUNDS", "1"))
"""How often races and crashes are tried: few in `make test`, many in `make prove`."""


def environment(app: Flask, **changes: str) -> dict[str, str]:
    settings = app.config["SETTINGS"]
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith("PORTAL_")},
        "PORTAL_MODE": "test",
        "PORTAL_SECRET_KEY": settings.secret_key,
        "PORTAL_BASE_URL": settings.base_url,
        "DATABASE_URL": settings.database_url,
        **changes,
    }


def mute_everybody(app: Flask) -> None:
    """Who is there is reminded of nothing, whatever day it is by a worker's clock."""
    with app.app_context(), own_transaction() as session:
        for notice in Notice:
            muted = exists().where(Muted.account_id == Account.id, Muted.notice == notice)
            who = select(Account.id, literal(notice, Muted.notice.type)).where(~muted)
            session.execute(insert(Muted).from_select(["account_id", "notice"], who))


@contextmanager
def worker(app: Flask, smtp_url: str) -> Iterator[BaseProcess]:
    """`flask worker`, killed at the end if it still runs; it goes by the machine's clock."""
    mute_everybody(app)
    process = forks.start(forks.flask, "worker", env=environment(app, PORTAL_SMTP_URL=smtp_url))
    try:
        yield process
    finally:
        process.kill()
        process.join()


def wait_until(condition: Callable[[], Any], *workers: BaseProcess, seconds: float = 180) -> None:
    """Until it is so; fails when that takes too long or when a worker is no more."""
    deadline = time.monotonic() + seconds
    while not condition():
        for process in workers:
            assert process.is_alive()
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)
