"""The worker runs every task again and again, survives a failing one and stops when told."""

import logging
import os
import signal
import time
from datetime import timedelta
from threading import Event

import pytest
from sqlalchemy import select

from portal.infra import jobs
from portal.infra.jobs import Task, WorkerHeartbeat
from portal.infra.orm import db, own_transaction
from tests import forks
from tests.infra.workers import environment, wait_until, worker
from tests.world import NOW


@pytest.fixture
def tasks(app, monkeypatch):
    """No task but the test's own."""
    monkeypatch.setitem(app.extensions, "portal.jobs", [])
    return lambda name, function, every=0.01: jobs.register(app, Task(name, every, function))


def beats(app):
    with app.app_context(), own_transaction() as session:
        return session.scalars(select(WorkerHeartbeat.at)).all()


def test_every_task_runs_although_one_fails(app, tasks, caplog):
    done = []

    def fail():
        raise ValueError("camille@example.org")

    tasks("failing", fail)
    tasks("working", lambda: done.append("work"))
    jobs.run(app, Event(), once=True)
    assert done == ["work"]
    [failure] = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert failure.task == "failing"


def test_a_task_comes_round_until_the_worker_is_told_to_stop(app, tasks):
    stop, calls = Event(), []

    def task():
        calls.append(len(calls))
        if len(calls) == 3:
            stop.set()

    tasks("counting", task)
    tasks("after", lambda: calls.append("after"), every=1000)
    jobs.run(app, stop)
    assert calls.count("after") == 1
    assert [call for call in calls if call != "after"][:2] == [0, 2]


def test_a_long_task_in_steps_lets_the_others_in(app, tasks):
    order = []
    steps = iter([True, True, False])
    tasks("long", lambda: order.append("long") or next(steps), every=60)
    tasks("short", lambda: order.append("short"))
    began = time.monotonic()
    jobs.run(app, Event(), once=True)
    assert order == ["long", "short", "long", "long"]
    assert time.monotonic() - began < 60, "what is left is done at once"


def test_a_worker_that_is_told_to_stop_ends_its_task_and_begins_no_other(app, tasks):
    stop, done = Event(), []

    def be_stopped():
        stop.set()
        done.append("first")
        return True

    tasks("first", be_stopped)
    tasks("second", lambda: done.append("second"))
    jobs.run(app, stop)
    assert done == ["first"]


def test_what_a_failing_task_wrote_is_gone(app, tasks):
    def fail():
        db.session.add(WorkerHeartbeat(worker="half", at=NOW))
        db.session.flush()
        raise ValueError

    tasks("failing", fail)
    jobs.run(app, Event(), once=True)
    assert beats(app) == [NOW]


def test_the_worker_shows_that_it_is_awake_and_takes_leave(app, tasks):
    stop, seen = Event(), []

    def look():
        seen.extend(beats(app))
        stop.set()

    tasks("looking", look)
    jobs.run(app, stop)
    assert seen == [NOW]
    assert beats(app) == []


def test_a_worker_ends_in_good_order_although_the_database_is_gone(app, tasks, monkeypatch, caplog):
    stop = Event()

    def lose_it():
        stop.set()
        monkeypatch.setattr(jobs, "own_transaction", lambda: 1 / 0)

    tasks("losing", lose_it)
    jobs.run(app, stop)
    assert [record.task for record in caplog.records if record.levelno == logging.ERROR] == ["leave"]


def test_workers_that_have_been_silent_for_a_day_are_forgotten(app, clock):
    with app.app_context():
        jobs.beat("old")
        clock.shift(timedelta(days=1, seconds=1))
        jobs.beat("new")
    assert beats(app) == [NOW + timedelta(days=1, seconds=1)]


@pytest.mark.parametrize(
    ("backend", "number"), [("sqlite", signal.SIGTERM), ("postgresql", signal.SIGINT)], indirect=["backend"]
)
def test_a_signal_ends_the_worker_in_good_order(app, number):
    with worker(app, "smtp://127.0.0.1:9") as process:
        wait_until(lambda: beats(app), process)
        os.kill(process.pid, number)
        process.join(60)
        assert process.exitcode == 0
    assert beats(app) == []


def test_cron_may_run_the_worker_once(app):
    assert forks.ended(forks.flask, "worker", "--once", env=environment(app))[0] == 0
    assert len(beats(app)) == 1
