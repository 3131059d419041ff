"""Every check and test, `make test`: checks and tests side by side. Stops with the number of what failed."""

import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

COLLECTION = ("collection", ["pytest", "--collect-only", "-q", *sys.argv[1:]])
"""Leaves every module compiled: the workers would each do that for themselves, all at the same time."""
CHECKS = (
    ("ruff check", ["ruff", "check", "."]),
    ("ruff format", ["ruff", "format", "--check", "."]),
    ("mypy", ["mypy"]),
    ("import contracts", ["lint-imports"]),
    ("djlint", ["djlint", "--lint", "--quiet", "templates"]),
)
PROVING = os.environ.get("PORTAL_PROVE_ROUNDS", "1") != "1"
ALONE = "tests/service/test_evening.py"
"""With five hundred people it says how fast they are answered: nothing else runs beside it."""
SCRIPTS = Path(sys.executable).parent
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
ENVIRONMENT["PORTAL_MODE"] = "test"


def passes(name: str, command: list[str]) -> bool:
    started = time.monotonic()
    result = subprocess.run(
        [SCRIPTS / command[0], *command[1:]], env=ENVIRONMENT, capture_output=True, text=True
    )
    said = "" if result.returncode == 0 else f"\n{result.stdout}{result.stderr}"
    outcome = "FAILED" if said else "ok"
    print(f"{name}: {outcome} ({time.monotonic() - started:.0f} s){said}", flush=True)
    return not said


def main() -> int:
    with ThreadPoolExecutor(len(CHECKS)) as beside:
        checks = {name: beside.submit(passes, name, command) for name, command in CHECKS}
        failed = [] if passes(*COLLECTION) else ["collection"]
        # One more than there are cores: a test waits for disks and browsers nearly as long as it computes.
        workers = os.environ.get("PORTAL_TEST_WORKERS", str((os.cpu_count() or 2) + 1))
        side_by_side = ["-n", workers, "--dist", "worksteal", *sys.argv[1:]]
        runs = [[*side_by_side, f"--ignore={ALONE}"], ["-s", ALONE]] if PROVING else [side_by_side]
        ends = [subprocess.run([SCRIPTS / "pytest", *run], env=ENVIRONMENT).returncode for run in runs]
        if any(ends):
            failed.append("pytest")
        failed += [name for name, check in checks.items() if not check.result()]
    if failed:
        print(f"failed: {', '.join(failed)}")
    return len(failed)


if __name__ == "__main__":
    sys.exit(main())
