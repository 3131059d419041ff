"""What is somebody's is nobody else's: another subscriber does not find it, in whatever form, and changes none of it.

A colleague of the farm's is somebody else too: `test_routes`.
"""

import pytest

from tests.contracts.site import LINES, ROLES, Site, send
from tests.world import YACINE

THEIRS = [
    line
    for line in LINES
    if line.answers["desk"] == "404" and line.answers["subscriber"] in {"200", "303", "422"}
]
"""Whose address, or whose form, names something of Camille's."""


@pytest.fixture
def backend() -> str:
    return "sqlite"


def test_what_is_camilles_is_not_there_for_yacine(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    assert {line.rule.rpartition(".")[2] for line in THEIRS} >= {"pdf", "zip"} and len(THEIRS) >= 30
    monkeypatch.setitem(ROLES, "another subscriber", YACINE)
    yacine, before = site.client("another subscriber"), site.rows("rate_count")
    found = {}
    for line in THEIRS:
        form = {**site.form(line), "csrf_token": yacine.token} if line.method == "POST" else None
        for headers in ({}, {"HX-Request": "true"}):
            answer = send(yacine, line.method, line.path, form, headers=headers)
            if answer.status_code != 404 or "Aubert" in answer.text:
                found[line.method, line.rule] = answer.status_code
    assert found == {}
    assert site.rows("rate_count") == before
