"""A form that arrives twice, as a proxy sends it whose first process has died, does what it does once."""

from copy import deepcopy

import pytest

from tests.contracts.site import ACTS, Site

ADDING = [line for line in ACTS if line.rule.endswith(("/ajout", "/geste", "/stock"))]
OWN = {"sign_in_session", "rate_count"}
"""Where a visit notes what is to be said, and how often something was done."""


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
def test_what_adds_something_adds_it_once(site: Site) -> None:
    for line in ADDING:
        client = site.client("admin")
        form = {"csrf_token": client.token, **site.form(line)}
        before, first = told(site), client.post(line.path, data=deepcopy(form))
        added, second = told(site), client.post(line.path, data=deepcopy(form))
        if first.status_code == 422:  # a passkey: it answers a question of its own
            continue
        assert (first.status_code, second.status_code) == (303, 303), line.rule
        assert before != added == told(site), line.rule
        assert client.get(second.location).status_code == 200
        site.begin()


def told(site: Site) -> dict[str, object]:
    return {name: rows for name, rows in site.rows().items() if name not in OWN}
