"""One address, a page or its fragments: caches and guards know which was asked for."""

import pytest
from flask import Flask

from portal.web.htmx import is_htmx, render_fragments
from tests.client import Browser
from tests.world import CAMILLE


@pytest.fixture
def backend() -> str:
    return "sqlite"


def test_only_the_header_that_htmx_sends_counts(app: Flask) -> None:
    for value, expected in {"true": True, "false": False, "1": False, "": False}.items():
        with app.test_request_context(headers={"HX-Request": value}):
            assert is_htmx() is expected, value
    with app.test_request_context("/?HX-Request=true"):
        assert not is_htmx()


def test_fragments_come_one_after_the_other_with_their_status(app: Flask) -> None:
    with app.test_request_context():
        words = {"words": {"title": "<Un>", "text": "Deux"}, "code": 404, "reference": "abc"}
        one = render_fragments("errors/error.html", **words, status=422)
        two = render_fragments("errors/error.html", "errors/error.html", **words)
    assert (one.status_code, two.status_code) == (422, 200)
    assert one.get_data(as_text=True).count("&lt;Un&gt;") * 2 == two.get_data(as_text=True).count(
        "&lt;Un&gt;"
    )


def test_every_page_says_that_it_varies_with_the_asker(client: Browser) -> None:
    client.sign_in(CAMILLE)
    for path in ("/formules", "/espace", "/planning", "/nulle-part"):
        assert {"hx-request", "cookie"} <= set(client.get(path).vary.as_set()), path


def test_who_is_not_signed_in_is_led_to_the_door_and_back(client: Browser) -> None:
    page = client.get("/planning?semaines=16")
    assert (page.status_code, page.location) == (303, "/connexion?next=/planning?semaines%3D16")
    fragment = client.get("/planning?semaines=16", headers={"HX-Request": "true"})
    assert (fragment.status_code, fragment.data) == (401, b"")
    assert fragment.headers["HX-Redirect"] == "/connexion"
