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
    """Answers a second; and the processor's seconds for each, which others on the machine hardly change."""

    rate: float
    cpu: float


class Server:
    def __init__(self, target: str, port: int, environment: Mapping[str, str], log: Path) -> None:
        self.port = port
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

    def cpu_seconds(self) -> float:
        return sum(time.clock_gettime(~pid << 3 | 2) for pid in self.pids)  # Linux's clock_getcpuclockid(3)

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

        began, cpu = time.perf_counter(), self.cpu_seconds()
        until = began + seconds
        with ThreadPoolExecutor(len(visits)) as pool:
            answers = sum(pool.map(repeat, visits))
        return Speed(answers / (time.perf_counter() - began), (self.cpu_seconds() - cpu) / answers)

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait()


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
