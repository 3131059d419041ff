"""The portal in service: web processes and workers as the README starts them, by a clock that the test sets."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import time_machine
from flask import Flask

from portal.settings import ROOT
from tests.benchmarks.server import reserve_port
from tests.infra.workers import environment

HOST = "127.0.0.1"
PATIENCE = 60
"""Seconds after which a process is taken for stuck."""
GRANIAN = (
    *("granian", "--interface", "wsgi", "--no-ws", "--workers", "1", "--blocking-threads", "1"),
    *("--log-level", "warning"),
)


class Process:
    """A program with its children, in a group of their own."""

    def __init__(self, command: list[Any], env: dict[str, str], log: Path, root: Path = ROOT) -> None:
        self.log = log
        with log.open("ab") as output:
            self.popen = subprocess.Popen(
                list(map(str, command)),
                cwd=root,
                env=env,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    @property
    def alive(self) -> bool:
        return self.popen.poll() is None

    def kill(self) -> None:
        """All of it at once, as the machine's end would."""
        with suppress(ProcessLookupError):
            os.killpg(self.popen.pid, signal.SIGKILL)
        self.popen.wait()

    def tell_to_stop(self) -> None:
        self.popen.terminate()

    def wait(self) -> int:
        """Until it has ended by itself; its exit status."""
        return self.popen.wait(PATIENCE)


class Server(Process):
    """A process that people connect to."""

    def __init__(
        self, port: int, command: list[Any], env: dict[str, str], log: Path, root: Path = ROOT
    ) -> None:
        self.port = port
        super().__init__(command, env, log, root)

    def wait_until_it_listens(self) -> None:
        deadline = time.monotonic() + PATIENCE
        while not self._listens():
            assert self.alive and time.monotonic() < deadline, self.log.read_text()
            time.sleep(0.05)

    def kill(self) -> None:
        """Its children may still listen for a moment once it has ended."""
        super().kill()
        while self._listens():
            time.sleep(0.01)

    def _listens(self) -> bool:
        with closing(socket.socket()) as connection:
            return connection.connect_ex((HOST, self.port)) == 0


class Web(Server):
    """One granian worker on a port of its own."""

    def __init__(self, port: int, env: dict[str, str], log: Path, target: str, root: Path) -> None:
        program = Path(sys.executable).with_name(GRANIAN[0])
        super().__init__(port, [program, *GRANIAN[1:], "--port", port, target], env, log, root)


class Service:
    """All processes of one site on the database of `app`; whoever is not told to stop is killed at the end."""

    def __init__(self, app: Flask, folder: Path, stack: ExitStack, now: datetime | None, **env: str) -> None:
        self.app = app
        self.folder = folder
        self.root = ROOT
        """Where the program lies that is started next."""
        self.stack = stack
        self.ahead = (now - _machine_now()).total_seconds() if now else 0.0
        self.port = reserve_port(stack)
        """Where people come: a proxy's, or of the only web process."""
        self.base_url = f"http://{HOST}:{self.port}"
        here = {"PORTAL_BASE_URL": self.base_url, "CLOCK_AHEAD": str(self.ahead)}
        self.environment = environment(app, **{**here, **env})
        self.webs: list[Web] = []
        self.workers: list[Process] = []

    def now(self) -> datetime:
        """By the clock of the processes."""
        return _machine_now() + timedelta(seconds=self.ahead)

    def add_web(self, port: int | None = None) -> Web:
        """One more, on a port of its own unless one is named."""
        port = port or reserve_port(self.stack)
        web = Web(port, self.environment, self._log("web"), "tests.service.clock:app", self.root)
        self.webs.append(web)
        self.stack.callback(web.kill)
        return web

    def add_worker(self) -> Process:
        command = [sys.executable, "-m", "tests.service.clock", "worker"]
        worker = Process(command, self.environment, self._log("worker"), self.root)
        self.workers.append(worker)
        self.stack.callback(worker.kill)
        return worker

    def _log(self, name: str) -> Path:
        return self.folder / f"{name}-{len(self.webs) + len(self.workers)}.log"


@contextmanager
def service(
    app: Flask, folder: Path, *, webs: int = 1, workers: int = 0, now: datetime | None = None, **env: str
) -> Iterator[Service]:
    """So many processes, all listening; without `now` by the machine's clock.

    One web process alone answers at `base_url`; of several each has its own port, and a proxy is the test's.
    """
    with ExitStack() as stack:
        running = Service(app, folder, stack, now, **env)
        for _ in range(webs):
            running.add_web(running.port if webs == 1 else None)
        for _ in range(workers):
            running.add_worker()
        for web in running.webs:
            web.wait_until_it_listens()
        yield running


def _machine_now() -> datetime:
    """Whatever the tests' own clock says."""
    return time_machine.escape_hatch.datetime.datetime.now(UTC)
