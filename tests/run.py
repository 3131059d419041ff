"""Every check and test, one after the other: `make test`. Stops with the number of what failed."""

import os
import subprocess
import sys
import time
from pathlib import Path

CHECKS = (
    ("ruff check", ["ruff", "check", "."]),
    ("ruff format", ["ruff", "format", "--check", "."]),
    ("mypy", ["mypy"]),
    ("import contracts", ["lint-imports"]),
    ("djlint", ["djlint", "--lint", "--quiet", "templates"]),
)


def main() -> int:
    scripts = Path(sys.executable).parent
    environment = {**os.environ, "PORTAL_MODE": "test"}
    failed = []
    for name, command in CHECKS:
        started = time.monotonic()
        result = subprocess.run(
            [scripts / command[0], *command[1:]], env=environment, capture_output=True, text=True
        )
        print(
            f"{name}: {'ok' if result.returncode == 0 else 'FAILED'} ({time.monotonic() - started:.0f} s)",
            flush=True,
        )
        if result.returncode:
            print(result.stdout + result.stderr, flush=True)
            failed.append(name)
    # One more than there are cores: a test waits for disks and browsers nearly as long as it computes.
    workers = os.environ.get("PORTAL_TEST_WORKERS", str((os.cpu_count() or 2) + 1))
    side_by_side = ["-n", workers, "--dist", "worksteal"]
    if subprocess.run([scripts / "pytest", *side_by_side, *sys.argv[1:]], env=environment).returncode:
        failed.append("pytest")
    if failed:
        print(f"failed: {', '.join(failed)}")
    return len(failed)


if __name__ == "__main__":
    sys.exit(main())
