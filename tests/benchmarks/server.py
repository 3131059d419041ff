"""granian as the README puts it into service, with one worker, and how fast it answers."""

import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

from portal.settings import ROOT
from tests.benchmarks.visitors import HOST, Visit

OPTIONS = (
    "--interface",
    "wsgi",
    "--no-ws",
    "--workers",
    "1",
    "--blocking-threads",
    "1",
    "--log-level",
    "error",
)


class Speed(NamedTuple):
    """Answers a second; and the processor's seconds for each, the server's and its database's."""

    rate: float
    web: float
    database: float

    @property
    def cpu(self) -> float:
        """What others on the machine hardly change."""
        return self.web + self.database


class Server:
    def __init__(
        self, target: str, port: int, environment: Mapping[str, str], log: Path, postmaster: int | None
    ) -> None:
        self.port = port
        self.postmaster = postmaster
        command = [Path(sys.executable).with_name("granian"), *OPTIONS, "--port", str(port), target]
        with log.open("w") as stderr:
            self.process = subprocess.Popen(command, cwd=ROOT, env=environment, stderr=stderr)

    def wait(self) -> None:
        """Until it listens: then its worker is there."""
        while True:
            assert self.process.poll() is None, "the server does not start"
            try:
                socket.create_connection((HOST, self.port)).close()
                break
            except OSError:
                time.sleep(0.05)
        self.pids = [pid for pid, parent in _parents().items() if self.process.pid in {pid, parent}]

    def cpu_seconds(self) -> tuple[float, float]:
        return sum(map(_cpu_seconds, self.pids)), database_seconds(self.postmaster)

    def speed(self, visits: Sequence[Visit], seconds: float) -> Speed:
        """All ask at the same time, each again as soon as answered, for so long and at least once."""

        def repeat(visit: Visit) -> int:
            visit.who.connection.close()  # opened anew: the server ends what was idle meanwhile
            answers = 0
            while not answers or time.perf_counter() < until:
                for ask in visit.asks:
                    visit.who.ask(ask)
                answers += len(visit.asks)
            return answers

        began, before = time.perf_counter(), self.cpu_seconds()
        until = began + seconds
        with ThreadPoolExecutor(len(visits)) as pool:
            answers = sum(pool.map(repeat, visits))
        web, database = (then - first for first, then in zip(before, self.cpu_seconds(), strict=True))
        return Speed(answers / (time.perf_counter() - began), web / answers, database / answers)

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait()


def database_seconds(postmaster: int | None) -> float:
    """What PostgreSQL's processes have taken that serve a connection; SQLite's work is its caller's."""
    if postmaster is None:
        return 0.0
    return sum(
        _cpu_seconds(pid) for pid, parent in _parents().items() if parent == postmaster and _serves(pid)
    )


def _serves(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().startswith(b"postgres: portal portal")
    except OSError:
        return False


def _cpu_seconds(pid: int) -> float:
    try:
        return time.clock_gettime(~pid << 3 | 2)  # Linux's clock_getcpuclockid(3)
    except OSError:  # it has ended meanwhile
        return 0.0


def _parents() -> dict[int, int]:
    """Every process and who started it."""
    parents = {}
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(status.parent.name)] = int(status.read_text().rpartition(")")[2].split()[1])
        except OSError:  # it has ended meanwhile
            continue
    return parents


def reserve_port(stack: ExitStack) -> int:
    """A free port that is given to nobody else; granian, which asks for SO_REUSEPORT too, may listen on it."""
    held = stack.enter_context(socket.socket())
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    held.bind((HOST, 0))
    return int(held.getsockname()[1])
