"""A subscriber's account number: its end is all that anybody is shown, the whole stands in the bank's file alone.

At rest it is sealed, under keys that lie elsewhere (BAR P1, P2). Each role's pages are read in `test_routes`.
"""

import base64
import hashlib
import json
import subprocess
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.engine import make_url
from sqlalchemy.orm import Session

from portal.billing.models import Mandate
from portal.infra import backup
from portal.infra.orm import db
from portal.infra.outbox import Mail, StoredFile
from tests.accounts.people import account_of, browser_of
from tests.billing.signing import IBAN, MANDATE, OTHER_IBAN, is_whole, signed
from tests.contracts.site import Site
from tests.infra.test_logs import lines  # noqa: F401  a fixture
from tests.privacy.test_erasing import bytes_of
from tests.world import CAMILLE, NOW, YACINE

SIGN = "/mon-compte/coordonnees-bancaires/mandat"
SEARCHED = ("md5", "sha1", "sha256", "sha512", "blake2b")


def test_a_number_is_found_however_it_is_written() -> None:
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("a.csv", f"x;{MANDATE['iban']};y")
    assert is_whole(packed.getvalue()) and is_whole(b"<b>fr76 3000 6000\n0112\xc2\xa03456 7890 189</b>")
    assert not is_whole("•••• 0189".encode())


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
def test_no_answer_mail_or_paper_has_it_whole(site: Site) -> None:
    client = site.client("subscriber")
    refused = client.submit(SIGN, {**MANDATE, "accord": ""})
    assert refused.text.count(MANDATE["iban"]) == 1, "in its own field, as it was typed"
    assert client.submit(SIGN, MANDATE).status_code == 303
    pages = [client.get(f"/mon-compte{path}").data for path in ("", "/coordonnees-bancaires")]
    taken = client.get("/mon-compte/donnees/mes-donnees.zip")
    assert taken.status_code == 200
    client.submit("/mon-compte/coordonnees-bancaires/reglement", {"reglement": "cheque"})
    with site.app.app_context():
        mails = db.session.scalars(select(Mail)).all()
        said = [f"{mail.subject} {mail.text} {mail.html}".encode() for mail in mails]
        papers = db.session.scalars(
            select(StoredFile.data).where(StoredFile.content_type == "application/pdf")
        )
        kept = [*db.session.scalars(select(Mandate.paper)), *papers]
    assert sum(b"RUM" in data or data.startswith(b"%PDF-") for data in kept) >= 4
    assert not any(is_whole(data) for data in (*pages, taken.data, *said, *kept))


def ways_to_write(iban: str) -> Iterator[bytes]:
    """As somebody who has a copy of the database would look for it."""
    for known in (iban.encode(), iban[4:].encode()):
        yield known
        yield known.hex().encode()
        yield known.hex().upper().encode()
        for start in range(3):  # wherever it begins within three bytes
            yield base64.b64encode(bytes(start) + known)[4:-4]
        for name in SEARCHED:
            digest = hashlib.new(name, known).digest()
            yield from (digest, digest.hex().encode(), base64.b64encode(digest))


def copies(app: Flask, folder: Path) -> bytes:
    """The database's files or dump, and a backup."""
    url = make_url(app.config["SETTINGS"].database_url)
    copy = backup.backup(url, folder, NOW)
    if copy.suffix == ".dump":
        text = subprocess.run(["pg_restore", "--file=-", copy], capture_output=True, check=True).stdout
        return bytes_of(app) + text
    return bytes_of(app) + copy.read_bytes()


def test_no_copy_of_the_database_tells_it_and_new_keys_seal_it_anew(
    app: Flask, session: Session, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def keys(**these: bytes) -> None:
        monkeypatch.setitem(app.config, "SETTINGS", replace(app.config["SETTINGS"], data_keys=these))

    old, new = b"0123456789abcdefghijklmnopqrstuv", b"abcdefghijklmnopqrstuvwxyz012345"
    keys(old=old)
    signed(session)
    signed(session, YACINE, OTHER_IBAN)
    session.commit()
    before = copies(app, tmp_path)
    assert b"0189" in before and CAMILLE.encode() in before, "they are looked into"
    keys(new=new, old=old)
    assert "première clé : 4." in app.test_cli_runner().invoke(args=["data-keys", "rotate"]).output
    keys(new=new)
    session.expire_all()
    assert [row.iban for row in session.scalars(select(Mandate).order_by(Mandate.id))] == [
        IBAN.encode(),
        OTHER_IBAN.encode(),
    ]
    assert all(row.paper.startswith(b"%PDF-") for row in session.scalars(select(Mandate)))
    session.rollback()
    everything = before + copies(app, tmp_path)
    secrets = [*ways_to_write(IBAN), *ways_to_write(OTHER_IBAN)]
    secrets += [form for key in (old, new) for form in (key, key.hex().encode(), base64.b64encode(key))]
    assert not [secret for secret in secrets if secret in everything]


def test_a_signature_that_fails_leaves_it_in_no_log(
    app: Flask,
    session: Session,
    lines: list[str],  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(app.config, "PROPAGATE_EXCEPTIONS", False)
    taken = signed(session, YACINE)
    row = session.get_one(Mandate, taken.id)
    row.reference = f"{account_of(session, CAMILLE).customer_number}-M1"
    session.commit()
    client = browser_of(app)
    client.sign_in(CAMILLE)
    client.get("/mon-compte")
    failed = client.submit(SIGN, MANDATE)
    assert failed.status_code == 500 and not is_whole(failed.data)
    assert any(json.loads(line)["level"] == "error" for line in lines)
    assert not any(is_whole(line.encode()) for line in lines)
