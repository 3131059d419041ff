"""What `BAR.md` says: each line that the portal is held to, and the tests that hold it."""

import re
from pathlib import Path

ROW = re.compile(r"^\| ([A-Z][0-9]+) \| .+ \| (.+) \|$", re.MULTILINE)
TEST = re.compile(r"`(tests/[\w/]+\.py::\w+)`")


def rows() -> dict[str, str]:
    """Line → what holds it, in words and names of tests."""
    found = ROW.findall(Path(__file__).with_name("BAR.md").read_text())
    assert len(dict(found)) == len(found), "a line has one row"
    return dict(found)


def tests(lines: str = "TKRSZIPM") -> set[str]:
    """Those that hold the lines of some letters."""
    return {test for line, held in rows().items() if line[0] in lines for test in TEST.findall(held)}
