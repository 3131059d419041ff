"""The worker: tasks that run again and again beside the web server. Any number of workers may run at once."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from socket import gethostname
from threading import Event
from uuid import uuid4

from flask import Flask
from sqlalchemy import delete
from sqlalchemy.orm import Mapped, mapped_column

from portal.infra import clock
from portal.infra.orm import Base, own_transaction

logger = logging.getLogger(__name__)

MINUTE = 60.0
HOUR = 60 * MINUTE
DAY = 24 * HOUR
BEAT_SECONDS = 30
TICK_SECONDS = 0.25
"""How soon the worker notices that it shall stop."""


class WorkerHeartbeat(Base):
    """When a worker last showed that it is awake."""

    __tablename__ = "worker_heartbeat"

    worker: Mapped[str] = mapped_column(primary_key=True)
    at: Mapped[datetime]


@dataclass(frozen=True, slots=True)
class Task:
    """Called each so many seconds in an application context, with its own transactions; at once again after True.

    What takes long is done in steps, so that the other tasks and the end of the worker never wait for it.
    """

    name: str
    every: float
    function: Callable[[], bool | None]


def register(app: Flask, *tasks: Task) -> None:
    """Have every worker do them."""
    _tasks(app).extend(tasks)


def run(app: Flask, stop: Event, *, once: bool = False) -> None:
    """Work until told to stop; or do once what is to be done now (a site may call that from cron)."""
    worker = f"{gethostname()}-{uuid4().hex[:8]}"
    tasks = [Task("heartbeat", BEAT_SECONDS, lambda: beat(worker)), *_tasks(app)]
    due = dict.fromkeys(tasks, 0.0)
    while due and not stop.is_set():
        for task in tasks:
            if task in due and due[task] <= time.monotonic() and not stop.is_set():
                more = _attempt(app, task)
                due[task] = time.monotonic() + (0 if more else task.every)
                if once and not more:
                    del due[task]
        if due:
            # never stop.wait(): a signal handler that sets the event could then wait for its own thread
            time.sleep(max(0.0, min(TICK_SECONDS, min(due.values()) - time.monotonic())))
    if not once:
        _attempt(app, Task("leave", 0, lambda: leave(worker)))


def beat(worker: str) -> None:
    """Say that the worker is awake; forget those that have been silent for a day."""
    now = clock.now()
    with own_transaction() as session:
        session.merge(WorkerHeartbeat(worker=worker, at=now))
        session.execute(delete(WorkerHeartbeat).where(WorkerHeartbeat.at < now - timedelta(days=1)))


def leave(worker: str) -> None:
    """Say that it has ended as it was told."""
    with own_transaction() as session:
        session.execute(delete(WorkerHeartbeat).where(WorkerHeartbeat.worker == worker))


def _attempt(app: Flask, task: Task) -> bool:
    """One call; a failure is logged and stops nobody, the task comes round again."""
    try:
        with app.app_context():
            return bool(task.function())
    except Exception:
        logger.exception("task failed", extra={"task": task.name})
        return False


def _tasks(app: Flask) -> list[Task]:
    tasks: list[Task] = app.extensions.setdefault("portal.jobs", [])
    return tasks
