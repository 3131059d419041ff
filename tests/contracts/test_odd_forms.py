"""A form whose fields are missing, sent twice or as arrays, or that is no form at all, is refused (BAR I7)."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.contracts.site import ACTS, FORMS, Form, Site

ELSEWHERE = ("/ferme", "/planning", "/ma-commande", "/commandes", "/envies", "/abonnements", "/lien/commande")
"""Tested beside what they do."""
TYPED = [line for line in ACTS if line.rule in FORMS and not line.rule.startswith(ELSEWHERE)]
"""The forms around a person: joining, coming in, the account, writing to the farm, leaving."""
COMING_IN = ("/connexion", "/inscription")
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
        client = visitor if line.rule.startswith(COMING_IN) else camille
        for how, sent in odd(site.form(line)):
            answer = client.post(line.path, headers={"X-CSRFToken": client.token}, **sent)
            if not 400 <= answer.status_code < 500:
                taken.append((line.rule, how, answer.status_code))
    assert not taken
    assert site.rows("rate_count") == before


MANY = (
    "a@example.org,b@example.org",
    "a@example.org\r\nBcc: b@example.org",
    "A <a@example.org>",
    "a@b@example.org",
)


def test_an_address_that_is_more_than_one_is_refused_wherever_one_is_typed(site: Site) -> None:
    """BAR I9."""
    visitor, camille = site.client("anonymous"), site.client("subscriber")
    before, asked, taken = site.rows("rate_count"), set[str](), []
    for line in TYPED:
        client = visitor if line.rule.startswith(COMING_IN) else camille
        form = site.form(line)
        for name in (name for name, value in form.items() if "@" in str(value)):
            asked.add(line.rule)
            for wrong in MANY:
                answer = client.submit(line.path, {**form, name: wrong})
                if answer.status_code != 422:
                    taken.append((line.rule, wrong, answer.status_code))
    assert not taken and site.rows("rate_count") == before
    assert asked >= {
        "/inscription",
        "/connexion/code",
        "/contact",
        "/mon-compte/adresse-mail",
        "/mon-compte/fusion",
    }
