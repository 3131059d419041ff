"""`make bench` measures every page; how fast it is does not matter here."""

import subprocess
import sys

from portal.settings import ROOT
from tests.benchmarks.site import ADD, LISTS, MEMBER_PAGES, ORDER, SKIP, STAFF_PAGES


def test_it_measures_every_page_without_a_failed_answer():
    bench = [sys.executable, "-m", "tests.benchmarks", "--subscribers", "10", "--backend", "sqlite"]
    result = subprocess.run(
        [*bench, "--rounds", "1", "--seconds", "0"], cwd=ROOT, capture_output=True, text=True
    )
    assert result.stderr == ""
    table, acts, goals = result.stdout.split("\n\n")
    assert acts.startswith("an invoice of the run, sqlite, 10: ")
    pages = [line[:22].strip() for line in table.splitlines()[1:]]
    assert pages == [*MEMBER_PAGES, SKIP, ADD, ORDER, *STAFF_PAGES, *LISTS]
    assert result.returncode == ("MISSED" in goals)
