"""What somebody takes away: all that is theirs, as both files say it; nothing that opens the account, nobody else."""

import json
from io import BytesIO
from zipfile import ZipFile

from flask import Flask
from sqlalchemy import update
from sqlalchemy.orm import Session

from portal.accounts.models import LinkPurpose, MailedLink
from portal.boxes.models import Handover
from portal.messages.models import ContactMessage
from portal.planning.models import ContractWithdrawal, Termination
from portal.privacy import export
from portal.privacy.map import PEOPLES, TABLES
from portal.privacy.words import SECTIONS
from portal.profile.queries import get_farm
from tests.privacy.filling import WORD, fill, somebody
from tests.world import NOW


def test_everything_of_theirs_is_told_and_nothing_of_others(app: Flask, session: Session) -> None:
    account, other = somebody(session), somebody(session, "Wqxxy")
    fill(session, account)
    fill(session, other)
    session.execute(update(Termination).values(account_id=None))  # known by their address alone
    session.flush()
    made = export.archive(session, account.id, farm=get_farm(session), at=NOW)
    with ZipFile(BytesIO(made)) as file:
        told = json.loads(file.read("mes-donnees.json"))
        assert file.read("mes-donnees.pdf").startswith(b"%PDF")
        assert {name.partition("/")[0] for name in file.namelist()} >= {"contrats", "fichiers"}
        assert b"sealed" in [file.read(name) for name in file.namelist()]
    assert "Wqxxy" not in json.dumps(told).replace("wqxxy", "Wqxxy")
    whole = {name for name, rows in PEOPLES.items() if rows.told}
    assert told.keys() - {"made_at"} == whole
    assert {name for name in whole if not told[name]} == set()
    text = json.dumps(told)
    assert f"{WORD} hash" not in text and account.fs_uniquifier not in text
    assert told["account"][0]["email"] == account.email
    assert told["term"][0]["formula"] == "Petit panier"
    assert not {"by_id", "made_by", "taken_by", "changed_by"} & {
        key for row in told.values() for key in row[0]
    }


def test_an_address_is_theirs_by_proof_not_by_being_typed(session: Session) -> None:
    thief, guest = somebody(session, "Wqxxy"), "louise@example.net"
    others = fill(session, somebody(session))
    fill(session, thief)
    session.execute(update(ContactMessage).values(account_id=None, email=guest))
    session.execute(update(Termination).where(Termination.account_id == thief.id).values(contact=guest))
    session.execute(update(Handover).values(email=guest))
    session.execute(update(ContractWithdrawal).values(email=guest))
    session.execute(update(MailedLink).values(email=guest, purpose=LinkPurpose.NEW_ADDRESS))
    session.flush()
    told = export.everything(session, thief.id)
    assert told["termination"] and not told["contact_message"] and not told["contact_file"]
    session.execute(
        update(MailedLink)
        .where(MailedLink.account_id == thief.id)
        .values(email=guest, purpose=LinkPurpose.OLD_ADDRESS)
    )
    session.flush()
    told = export.everything(session, thief.id)
    assert others["contact_message"]["id"] in {row["id"] for row in told["contact_message"]}, "it was theirs"


def test_the_readable_paper_names_columns_that_are_told() -> None:
    for name, section in SECTIONS.items():
        told = {column.name.removesuffix("_id") for column in export.columns(TABLES[name])}
        told |= {column.name for column in export.columns(TABLES[name])}
        assert set(section.columns) <= told, name


def test_the_readable_paper_calls_things_as_other_papers_do() -> None:
    assert export._numbered("subscription", "id", 259) == export._numbered("term", "subscription_id", 259)
    assert export._numbered("subscription", "id", 259) == "A10259"
    assert export._read(NOW).replace("\xa0", " ").endswith("2026, 10 h")
