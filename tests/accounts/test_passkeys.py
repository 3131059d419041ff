"""Passkeys: what a browser sends is checked against what it was asked, once (a real browser walks it elsewhere)."""

import hashlib
import json
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from flask import Flask
from sqlalchemy import select
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url, encode_cbor

from portal.accounts import services
from portal.accounts.models import Passkey
from portal.infra.outbox import Mail
from tests.accounts.people import account_of, browser_of, database, opens, signed_in
from tests.accounts.test_second_factor import set_up
from tests.client import Browser
from tests.world import CAMILLE, NOW, YACINE

ADDING = "/mon-compte/securite/cles/ajout"
VERIFIED, PRESENT = 0x04, 0x01


class Key:
    """An authenticator with one key, which says what it is told to."""

    def __init__(
        self, verified: bool = True, origin: str = "http://localhost", site: str = "localhost"
    ) -> None:
        self.private = ec.generate_private_key(ec.SECP256R1())
        self.id = hashlib.sha256(repr(self.private).encode()).digest()
        self.flags = PRESENT | (VERIFIED if verified else 0)
        self.origin, self.site, self.count = origin, site, 0

    def made(self, options: dict[str, Any]) -> str:
        numbers = self.private.public_key().public_numbers()
        public = {1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32), -3: numbers.y.to_bytes(32)}
        held = bytes(16) + len(self.id).to_bytes(2) + self.id + encode_cbor(public)
        attested = {"fmt": "none", "attStmt": {}, "authData": self._data(0x40) + held}
        return self._answer(
            clientDataJSON=self._said("webauthn.create", options), attestationObject=encode_cbor(attested)
        )

    def shown(self, options: dict[str, Any]) -> str:
        self.count += 1
        said, data = self._said("webauthn.get", options), self._data()
        signed = self.private.sign(data + hashlib.sha256(said).digest(), ec.ECDSA(SHA256()))
        return self._answer(clientDataJSON=said, authenticatorData=data, signature=signed)

    def _data(self, more: int = 0) -> bytes:
        site = hashlib.sha256(self.site.encode()).digest()
        return site + bytes([self.flags | more]) + self.count.to_bytes(4)

    def _said(self, kind: str, options: dict[str, Any]) -> bytes:
        said = {"type": kind, "challenge": options["challenge"], "origin": self.origin}
        return json.dumps(said).encode()

    def _answer(self, **parts: bytes) -> str:
        key = bytes_to_base64url(self.id)
        response = {name: bytes_to_base64url(part) for name, part in parts.items()}
        return json.dumps({"id": key, "rawId": key, "type": "public-key", "response": response})


def asked_to_make(client: Browser) -> dict[str, Any]:
    return json.loads(client.submit("/mon-compte/securite/cles/question").data)


def asked_to_show(client: Browser) -> dict[str, Any]:
    return json.loads(client.submit("/connexion/cle/question").data)


def make(client: Browser, key: Key, name: str = "Mon téléphone") -> int:
    client.get(ADDING)
    answer = key.made(asked_to_make(client))
    return client.submit(ADDING, {"credential": answer, "name": name}).status_code


def enter(app: Flask, key: Key, client: Browser | None = None) -> str:
    client = client or browser_of(app)
    client.get("/connexion")
    answer = key.shown(asked_to_show(client))
    return client.submit("/connexion/cle?next=/planning", {"credential": answer}).location


def test_a_key_opens_the_account_until_it_is_removed(app: Flask) -> None:
    client, key = signed_in(app, CAMILLE), Key()
    assert make(client, key) == 303
    options = asked_to_make(client)
    assert options["authenticatorSelection"]["residentKey"] == "required"
    assert [base64url_to_bytes(known["id"]) for known in options["excludeCredentials"]] == [key.id]
    visitor = browser_of(app)
    assert enter(app, key, visitor) == "/planning" and opens(visitor)
    assert visitor.get(ADDING).status_code == 200, "it is a fresh proof"
    with database(app) as session:
        number = session.scalars(select(Passkey.id)).one()
    removal = f"/mon-compte/securite/cles/{number}/suppression"
    stranger = signed_in(app, YACINE)
    stranger.get(ADDING)
    assert stranger.submit(removal).status_code == 404
    assert client.submit(removal).status_code == 303
    assert enter(app, key) == "/connexion?next=/planning"
    with database(app) as session:
        subjects = list(session.scalars(select(Mail.subject).order_by(Mail.id)))
        assert subjects == ["Une clé d'accès a été ajoutée", "Une clé d'accès a été enlevée"]


def test_a_verified_key_is_both_factors_and_a_bare_one_is_the_first(app: Flask) -> None:
    client, verified, bare = signed_in(app, CAMILLE), Key(), Key(verified=False)
    assert make(client, verified) == make(client, bare) == 303
    visitor = browser_of(app)
    assert enter(app, bare, visitor) == "/planning"
    assert visitor.get(ADDING).status_code == 303, "who only holds it has shown too little"
    set_up(client)
    assert enter(app, verified) == "/planning"
    assert enter(app, bare) == "/connexion/deux-etapes?next=/planning"


@pytest.mark.parametrize(
    "wrong", [{"origin": "https://phishing.example"}, {"site": "phishing.example"}, {"site": "example.org"}]
)
def test_a_key_of_another_site_is_refused(app: Flask, wrong: dict[str, str]) -> None:
    assert make(signed_in(app, CAMILLE), Key(**wrong)) == 422
    key = Key()
    assert make(signed_in(app, CAMILLE), key) == 303
    for name, value in wrong.items():
        setattr(key, name, value)
    assert enter(app, key) == "/connexion?next=/planning"


def test_an_answer_is_good_once_in_its_browser_and_in_time(app: Flask, clock: time_machine.Traveller) -> None:
    client, key = signed_in(app, CAMILLE), Key()
    assert make(client, key) == 303
    visitor, other = browser_of(app), browser_of(app)
    for browser in (visitor, other):
        browser.get("/connexion")
    answer = {"credential": key.shown(asked_to_show(visitor))}
    asked_to_show(other)
    assert other.submit("/connexion/cle", answer).location == "/connexion"
    assert visitor.submit("/connexion/cle", answer).location == "/espace"
    visitor.get("/mon-compte")
    visitor.submit("/deconnexion")
    visitor.get("/connexion")
    assert visitor.submit("/connexion/cle", answer).location == "/connexion", "replayed"
    late = {"credential": key.shown(asked_to_show(visitor))}
    clock.shift(timedelta(minutes=5))
    assert visitor.submit("/connexion/cle", late).location == "/connexion"
    with database(app) as session:
        services.deactivate(session, account_of(session, CAMILLE), at=NOW, by=None)
    assert enter(app, key) == "/connexion?next=/planning", "a closed account"


def test_what_no_browser_sends_is_refused_and_a_copied_key_is_noticed(app: Flask) -> None:
    client, key = signed_in(app, CAMILLE), Key()
    assert make(client, key) == 303
    assert enter(app, key) == "/planning"
    key.count = 0
    assert enter(app, key) == "/connexion?next=/planning", "its counter went backwards"
    assert make(client, key) == 422, "known already"
    stranger = Key()
    stranger.id = key.id
    assert enter(app, stranger) == "/connexion?next=/planning"
    for broken in ("", "{}", "[]", "null", "x" * 1000, '{"id": 1, "rawId": [], "type": "x", "response": 3}'):
        visitor = browser_of(app)
        visitor.get("/connexion")
        asked_to_show(visitor)
        assert visitor.submit("/connexion/cle", {"credential": broken}).status_code == 303, broken
        asked_to_make(client)
        assert client.submit(ADDING, {"credential": broken, "name": "x"}).status_code == 422, broken
