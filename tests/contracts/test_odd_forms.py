"""A form whose fields are missing, sent twice or as arrays, or that is no form at all, is refused (BAR I7)."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.contracts.site import ACTS, FORMS, Form, Site

ELSEWHERE = ("/ferme", "/planning", "/ma-commande", "/commandes", "/envies", "/abonnements", "/lien/commande")
"""Tested beside what they do."""
TYPED = [line for line in ACTS if line.rule in FORMS and not line.rule.startswith(ELSEWHERE)]
"""The forms around a person: joining, coming in, the account, writing to the farm, leaving."""
CUT = {"data": b"--x", "content_type": "multipart/form-data; boundary=x"}


@pytest.fixture
def backend() -> str:
    return "sqlite"


def odd(form: Form) -> Iterator[tuple[str, dict[str, Any]]]:
    """What a browser would never send of it."""
    yield "without its fields", {"data": {}}
    yield "each field twice", {"data": {name: [value, value] for name, value in form.items()}}
    yield "each field an array", {"data": {f"{name}[]": value for name, value in form.items()}}
    yield "JSON", {"json": form}
    yield "cut", CUT
    yield "of no kind", {"data": b"x"}


def test_it_is_refused_and_changes_nothing(site: Site) -> None:
    visitor, camille = site.client("anonymous"), site.client("subscriber")
    before, taken = site.rows("rate_count"), []
    for line in TYPED:
        client = visitor if line.rule.startswith(("/connexion", "/inscription")) else camille
        for how, sent in odd(site.form(line)):
            answer = client.post(line.path, headers={"X-CSRFToken": client.token}, **sent)
            if not 400 <= answer.status_code < 500:
                taken.append((line.rule, how, answer.status_code))
    assert not taken
    assert site.rows("rate_count") == before
