"""What is sealed opens for whom it was sealed, under the keys that the farm has."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from flask import Flask
from sqlalchemy import LargeBinary, select, type_coerce
from sqlalchemy.orm import Session

from portal.accounts.models import Account, SecondFactor
from portal.infra import crypto
from portal.infra.crypto import Unsealable, seal, unseal
from portal.settings import Mode, Settings
from tests.world import CAMILLE, NOW, YACINE

OLD, NEW = b"o" * 32, b"n" * 32


class Keys:
    """The farm's keys, changed as its settings are."""

    def __init__(self, app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
        self.app, self.monkeypatch = app, monkeypatch

    def are(self, **keys: bytes) -> None:
        settings = replace(self.app.config["SETTINGS"], data_keys=keys)
        self.monkeypatch.setitem(self.app.config, "SETTINGS", settings)


@pytest.fixture
def keys(monkeypatch: pytest.MonkeyPatch) -> Iterator[Keys]:
    app = Flask(__name__)
    app.config["SETTINGS"] = Settings(
        mode=Mode.TEST, secret_key="s" * 32, base_url="http://localhost", database_url="sqlite://"
    )
    with app.app_context():
        yield Keys(app, monkeypatch)


def test_what_is_sealed_opens_again_and_never_looks_the_same(keys: Keys) -> None:
    for data in (b"", b"secret", bytes(100_000)):
        one, other = seal(data, "a"), seal(data, "a")
        assert unseal(one, "a") == unseal(other, "a") == data and one != other
        assert b"secret" not in one


def test_it_opens_for_its_own_purpose_and_unchanged_only(keys: Keys) -> None:
    keys.are(old=OLD)
    sealed = seal(b"secret", "second_factor.secret")
    changed = [
        sealed[:place] + bytes([sealed[place] ^ 1]) + sealed[place + 1 :] for place in range(len(sealed))
    ]
    for wrong in (b"", b"\x01", b"\x01\x03old", sealed[:-1], sealed + b"x", b"secret", *changed):
        with pytest.raises(Unsealable):
            unseal(wrong, "second_factor.secret")
    with pytest.raises(Unsealable):
        unseal(sealed, "contract.paper")


def test_the_first_key_seals_and_all_open(keys: Keys) -> None:
    keys.are(old=OLD)
    before = seal(b"secret", "a")
    keys.are(new=NEW, old=OLD)
    after = seal(b"secret", "a")
    assert unseal(before, "a") == unseal(after, "a") == b"secret"
    keys.are(new=NEW)
    assert unseal(after, "a") == b"secret"
    for wrong in ({"new": NEW}, {"old": NEW}):
        keys.are(**wrong)
        with pytest.raises(Unsealable):
            unseal(before, "a")


def test_a_column_is_sealed_at_rest_and_goes_under_the_new_key(
    app: Flask, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = Keys(app, monkeypatch)
    monkeypatch.setattr(crypto, "AT_ONCE", 1)
    keys.are(old=OLD)
    for email in (CAMILLE, YACINE):
        account = session.scalars(select(Account).where(Account.email == email)).one()
        session.add(SecondFactor(account_id=account.id, secret=email.encode(), made_at=NOW))
    session.commit()
    kept = select(type_coerce(SecondFactor.secret, LargeBinary))
    assert not any(b"example" in sealed for sealed in session.scalars(kept))
    session.rollback()
    keys.are(new=NEW)
    missing = app.test_cli_runner().invoke(args=["data-keys", "rotate"])
    assert missing.exit_code == 1 and "gardez toutes vos clés" in missing.output
    keys.are(new=NEW, old=OLD)
    for resealed in (2, 0):
        said = app.test_cli_runner().invoke(args=["data-keys", "rotate"])
        assert f"première clé : {resealed}." in said.output
    keys.are(new=NEW)
    session.expire_all()
    read = session.scalars(select(SecondFactor.secret).order_by(SecondFactor.account_id))
    assert list(read) == [CAMILLE.encode(), YACINE.encode()]
