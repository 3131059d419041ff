"""Each line of the bar has a row in `tests/BAR.md`, and each test that a row names runs."""

import subprocess
import sys

import pytest

from portal.settings import ROOT
from tests import bar
from tests.conftest import left_out
from tests.databases import BACKENDS

LETTERS = {"T": 13, "K": 15, "R": 16, "S": 13, "Z": 7, "I": 13, "P": 10, "M": 5}
ON_ONE_DATABASE = {
    "K15": "on SQLite one writes at a time, whoever else leaves the locks out",
    "R13": "SQLite has no server that restarts",
    "R14": "what waits before the application asks no database",
    "R15": "what is refused unread asks no database",
}


@pytest.fixture
def cases(request: pytest.FixtureRequest) -> dict[str, list[str]]:
    """Test → its cases that are run; asked of pytest for what is not part of this run."""
    found = [item.nodeid for item in request.session.items]
    if others := {test.partition("::")[0] for test in bar.tests() - {*map(name, found)}}:
        command = [sys.executable, "-m", "pytest", "--collect-only", "-q", *sorted(others)]
        said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True).stdout
        found += [line for line in said.splitlines() if "::" in line]
    cases: dict[str, list[str]] = {}
    for case in found:
        cases.setdefault(name(case), []).append(case)
    return cases


def name(case: str) -> str:
    return case.partition("[")[0]


def test_every_line_has_its_row_and_every_row_something_that_holds_it() -> None:
    rows = bar.rows()
    assert [*rows] == [f"{letter}{n}" for letter, many in LETTERS.items() for n in range(1, many + 1)]
    assert not [line for line, held in rows.items() if not bar.TEST.search(held) and "shown by: " not in held]
    named = {file for held in rows.values() for file in held.split("`")[1::2] if file.startswith("tests/")}
    assert named == bar.tests(), "written as they are called"


def test_every_test_that_is_named_runs_those_of_races_and_crashes_on_both_databases(
    cases: dict[str, list[str]],
) -> None:
    files = {test.partition("::")[0] for test in cases}
    lost = bar.tests() - cases.keys()
    assert not {test for test in lost if not left_out() or test.partition("::")[0] in files}
    assert not {
        (line, test, backend)
        for line, held in bar.rows().items()
        if line[0] in "KR" and line not in ON_ONE_DATABASE
        for test in bar.TEST.findall(held)
        for backend in BACKENDS
        if test not in lost and not any(backend in case for case in cases[test])
    }
