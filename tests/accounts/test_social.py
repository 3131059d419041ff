"""In by an account that one has elsewhere, with a real provider on loopback."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select

from portal.accounts import services
from portal.accounts.models import Account, SocialIdentity
from portal.infra.outbox import Mail
from tests.accounts.letters import ask_for_code
from tests.accounts.people import account_of, browser_of, database, opens, signed_in
from tests.accounts.provider import LoopbackProvider
from tests.accounts.test_second_factor import set_up
from tests.client import Browser
from tests.world import CAMILLE, NOW, YACINE

AWAY = re.compile(r'http-equiv="refresh" content="0;url=([^"]+)"')
WAY = "/connexion/avec/oidc"
NEW = "jeanne@example.net"


@pytest.fixture(scope="module")
def loopback() -> Iterator[LoopbackProvider]:
    made = LoopbackProvider()
    yield made
    made.stop()


@pytest.fixture
def provider(loopback: LoopbackProvider, app: Flask, monkeypatch: pytest.MonkeyPatch) -> LoopbackProvider:
    loopback.reset()
    settings = replace(app.config["SETTINGS"], providers=loopback.settings)
    monkeypatch.setitem(app.config, "SETTINGS", settings)
    monkeypatch.setenv("AUTHLIB_INSECURE_TRANSPORT", "1")
    return loopback


def go(client: Browser, provider: LoopbackProvider, way: str = WAY, **form: str) -> dict[str, str]:
    """To the provider, and what one brings back."""
    for path in ("/connexion", "/mon-compte"):  # one of them has a form, signed in or not
        client.get(path)
    page = client.submit(f"{way}?next=/planning", form)
    assert page.status_code == 200, page.location
    return provider.agree(unescape(AWAY.findall(page.text)[0]))


def come_back(client: Browser, brought: dict[str, str], way: str = WAY) -> str:
    page = client.get(f"{way}/retour", query_string=brought)
    assert all(f'value="{value}"' in page.text for value in brought.values())
    answer = client.submit(f"{way}/retour", brought)
    assert answer.status_code == 303
    return str(answer.location)


def through(app: Flask, provider: LoopbackProvider, way: str = WAY, client: Browser | None = None) -> str:
    client = client or browser_of(app)
    return come_back(client, go(client, provider, way), way)


def identities(app: Flask) -> list[tuple[str, str, str]]:
    with database(app) as session:
        rows = select(SocialIdentity.provider, SocialIdentity.subject, Account.email).join(Account)
        return [tuple(row) for row in session.execute(rows)]


def prove(app: Flask, email: str) -> None:
    with database(app) as session:
        account_of(session, email).email_proven_at = NOW


def test_who_is_new_begins_an_account_with_the_verified_address(
    app: Flask, provider: LoopbackProvider
) -> None:
    client = browser_of(app)
    assert through(app, provider, client=client) == "/inscription/nom"
    client.get("/inscription/nom")
    person = {"prenom": "Jeanne", "nom": "Roux", "entree": "code"}
    assert client.submit("/inscription/nom", person).location == "/planning"
    assert identities(app) == [("oidc", "s-1", NEW)]
    provider.profile |= {"email": "elsewhere@example.net"}
    again = browser_of(app)
    assert through(app, provider, client=again) == "/planning" and opens(again), "by subject, not by address"
    assert len(identities(app)) == 1
    with database(app) as session:
        assert "Un compte a été relié au vôtre" in list(session.scalars(select(Mail.subject)))


def test_what_is_left_half_way_is_linked_to_nobody_else_and_is_no_proof(
    app: Flask, provider: LoopbackProvider
) -> None:
    client = browser_of(app)
    assert through(app, provider, client=client) == "/inscription/nom"
    code = ask_for_code(app, client, CAMILLE)
    assert client.submit("/connexion/code/saisie", {"code": code}).location == "/espace"
    assert identities(app) == [], "it was begun with another address"
    client = browser_of(app)
    through(app, provider, client=client)
    with database(app) as session:
        account_of(session, CAMILLE).email = NEW  # by staff, to whom nobody has proven it
    client.get("/inscription/nom")
    person = {"prenom": "Jeanne", "nom": "Roux", "entree": "code"}
    assert client.submit("/inscription/nom", person).location == "/connexion" and not opens(client)
    with database(app) as session:
        account_of(session, NEW).email = CAMILLE
    client.submit("/inscription/nom", person)
    assert opens(client) and client.get("/mon-compte/fermeture").status_code == 303, "no fresh proof"
    provider.profile |= {"sub": "s-2", "email": f"{'x' * 300}@example.net"}
    assert through(app, provider).startswith("/inscription?"), "no address that we could write to"


def test_an_account_is_opened_by_its_address_if_both_sides_know_it_theirs(
    app: Flask, provider: LoopbackProvider
) -> None:
    provider.profile["email"] = CAMILLE
    client = browser_of(app)
    assert through(app, provider, client=client) == "/connexion", "nobody has proven the mailbox to us"
    assert "Un compte existe déjà" in client.get("/connexion").text
    prove(app, CAMILLE)
    for unverified in (False, None, "true", 1):
        provider.profile["email_verified"] = unverified
        assert through(app, provider).startswith("/inscription"), unverified
    assert through(app, provider, "/connexion/avec/oauth").startswith("/inscription")
    assert identities(app) == []
    provider.profile["email_verified"] = True
    assert through(app, provider, client=client) == "/planning" and opens(client)
    assert identities(app) == [("oidc", "s-1", CAMILLE)]


@pytest.mark.parametrize(
    "claims",
    [
        {"nonce": "another"},
        {"nonce": None},
        {"iss": "https://phishing.example"},
        {"aud": "another"},
        {"aud": ["the-farm", "another"], "azp": "another"},
        {"exp": 1},
        {"exp": None},
        {"sub": None},
        {"sub": ""},
    ],
    ids=str,
)
def test_a_token_that_is_not_ours_is_refused(
    app: Flask, provider: LoopbackProvider, claims: dict[str, Any]
) -> None:
    prove(app, CAMILLE)
    provider.profile["email"] = CAMILLE
    provider.claims = claims
    client = browser_of(app)
    assert through(app, provider, client=client) == "/connexion"
    assert "ne répond pas comme il faut" in client.get("/connexion").text
    assert not opens(client) and identities(app) == []


def test_states_codes_and_keys_of_others_are_refused(
    app: Flask, provider: LoopbackProvider, clock: time_machine.Traveller
) -> None:
    prove(app, CAMILLE)
    provider.profile["email"] = CAMILLE
    client, other = browser_of(app), browser_of(app)
    brought, theirs = go(client, provider), go(other, provider)
    assert come_back(client, {**brought, "state": theirs["state"]}) == "/connexion"
    assert come_back(client, brought) == "/connexion", "one try a way"
    assert come_back(browser_of(app), theirs) == "/connexion", "in the browser that left"
    assert come_back(other, {**theirs, "iss": "https://phishing.example"}) == "/connexion"
    brought = go(client, provider)
    provider.codes.clear()
    assert come_back(client, brought) == "/connexion", "a code that was used"
    brought = go(client, provider)
    assert come_back(client, brought, "/connexion/avec/oauth") == "/connexion", "at another provider"
    provider.foreign_key = True
    assert through(app, provider) == "/connexion"
    provider.foreign_key = False
    brought = go(client, provider)
    clock.shift(timedelta(minutes=30))
    assert come_back(client, brought) == "/connexion"
    assert come_back(client, {"error": "access_denied", "state": "x"}) == "/connexion"
    assert identities(app) == []
    assert browser_of(app).get("/connexion/avec/oidc/retour", query_string=brought).status_code == 200
    assert identities(app) == [], "opening the address does nothing"


def test_a_provider_that_is_down_says_so(app: Flask, provider: LoopbackProvider) -> None:
    client = browser_of(app)
    brought = go(client, provider)
    provider.broken = True
    assert come_back(client, brought) == "/connexion"
    client.get("/connexion")
    assert client.submit(WAY).location == "/connexion"
    page = client.get("/connexion").text
    assert "Loopback ne répond pas" in page.replace("\xa0", " ") and "Continuer avec Livre" in page
    provider.broken, provider.issuer = False, "https://phishing.example"
    assert client.submit(WAY).location == "/connexion"
    assert client.submit("/connexion/avec/nobody").status_code == 404


def test_it_is_linked_with_a_fresh_proof_and_unlinked_while_another_way_is_left(
    app: Flask, provider: LoopbackProvider, clock: time_machine.Traveller
) -> None:
    client, oauth = signed_in(app, CAMILLE), "/connexion/avec/oauth"
    assert come_back(client, go(client, provider, oauth, relier="oui"), oauth) == "/mon-compte/securite"
    assert identities(app) == [("oauth", "s-1", CAMILLE)]
    assert through(app, provider, oauth) == "/planning"
    other = signed_in(app, YACINE)
    assert come_back(other, go(other, provider, oauth, relier="oui"), oauth) == "/mon-compte/securite"
    assert "pas pu être relié" in other.get("/mon-compte/securite").text
    assert identities(app) == [("oauth", "s-1", CAMILLE)]
    clock.shift(timedelta(hours=1))
    other.get("/mon-compte")
    assert other.submit(oauth, {"relier": "oui"}).location.startswith("/mon-compte/preuve")
    clock.shift(timedelta(hours=-1))
    removal = "/mon-compte/securite/comptes/oauth/suppression"
    client.get("/mon-compte/securite")
    with database(app) as session:
        account_of(session, CAMILLE).password = None
    client.submit(removal)
    assert len(identities(app)) == 1, "the last way in stays"
    prove(app, CAMILLE)
    client.submit(removal)
    assert identities(app) == []


def test_a_closed_account_stays_closed_and_a_second_factor_is_asked_for(
    app: Flask, provider: LoopbackProvider, clock: time_machine.Traveller
) -> None:
    prove(app, CAMILLE)
    provider.profile["email"] = CAMILLE
    client = browser_of(app)
    assert through(app, provider, client=client) == "/planning"
    assert client.get("/mon-compte/securite/deux-etapes").status_code == 303, "it is no fresh proof"
    set_up(signed_in(app, CAMILLE))
    assert through(app, provider) == "/connexion/deux-etapes?next=/planning"
    with database(app) as session:
        services.deactivate(session, account_of(session, CAMILLE), at=NOW, by=None)
    client = browser_of(app)
    assert through(app, provider, client=client) == "/connexion" and not opens(client)
