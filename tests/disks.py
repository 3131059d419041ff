"""A small disk of a test's own, that can be filled to the last byte."""

import errno
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class Disk:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._rest = folder / "rest"

    def fill(self) -> None:
        with self._rest.open("ab", buffering=0) as rest:
            for size in (1 << 20, 1 << 12, 1):
                try:
                    while True:
                        rest.write(bytes(size))
                except OSError as error:
                    assert error.errno == errno.ENOSPC, error

    def make_room(self) -> None:
        self._rest.unlink()


@contextmanager
def small_disk(megabytes: int) -> Iterator[Disk]:
    """Outside of pytest's own folders, which a database's user may not enter."""
    with tempfile.TemporaryDirectory(prefix="portal-disk-") as name:
        Path(name).chmod(0o755)
        _run("mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", name)
        try:
            yield Disk(Path(name))
        finally:
            _run("umount", "--lazy", name)


def can_be_mounted() -> bool:
    """By root alone, and not in every container."""
    try:
        with small_disk(1):
            return True
    except (OSError, subprocess.CalledProcessError):
        return False


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True)
