"""Whoever of the farm sees the site as somebody: every page says so, and what is secret stays closed (BAR Z7)."""

import pytest

from tests.contracts.site import LINES, Site, send

SECRET = ("/mon-compte/", "/planning/calendrier", "/lien/<token>")
"""Passwords, factors, mail addresses, account numbers, addresses that open something, the end of the account."""
OPEN = tuple(
    f"/mon-compte/{what}" for what in ("adresses", "contrats", "entreprise", "informations", "lettres")
)


@pytest.fixture
def backend() -> str:
    return "sqlite"


def test_every_page_says_so_and_what_is_secret_stays_closed(site: Site) -> None:
    admin = site.client("admin")
    assert admin.submit("/ferme/abonnes/1/voir-comme").status_code == 303
    admin.get("/planning")
    before, silent, opened = site.rows(), [], []
    for line in LINES:
        secret = line.rule.startswith(SECRET) and not line.rule.startswith(OPEN)
        if line.rule.startswith("/ferme") or line.answers["subscriber"] in {"403", "404"}:
            continue
        if secret or line.method == "GET":
            form = {**site.form(line), "csrf_token": admin.token} if line.method == "POST" else None
            answer = send(admin, line.method, line.path, form)
            if answer.mimetype == "text/html" and answer.status_code in {200, 403}:
                silent += [] if "Vous voyez le site comme" in answer.text else [line.rule]
            opened += [line.rule] if secret and answer.status_code != 403 else []
    assert (silent, opened) == ([], [])
    assert site.rows() == before
