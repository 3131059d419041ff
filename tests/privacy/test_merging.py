"""Two accounts become one: whatever named the one names the other, nothing is lost, nobody comes in by the first."""

import re
from html import unescape

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from portal.accounts.models import Account, SecondFactor, SignInSession
from portal.infra import clock as real_clock
from portal.infra.audit import AuditEvent
from portal.infra.orm import Base
from portal.infra.outbox import Mail
from portal.privacy.map import PEOPLES
from portal.privacy.merging import STAYS, STAYS_BESIDE, Refusal, merge, references
from portal.privacy.models import AccountMerge
from tests.accounts.people import account_of, browser_of, database, opens, signed_in
from tests.privacy.filling import fill, somebody
from tests.world import ADMIN, CAMILLE, NOW, YACINE


def proven(app: Flask) -> None:
    """Camille has shown once that her mailbox is hers."""
    with database(app) as session:
        account_of(session, CAMILLE).email_proven_at = NOW


def numbers(session: Session, *names: str) -> list[int]:
    return [session.scalars(select(Account.id).where(Account.email == name)).one() for name in names]


def rows_of(session: Session, account_id: int) -> dict[str, int]:
    counted: dict[str, int] = {}
    for table, column in references():
        found = session.scalar(select(func.count()).select_from(table).where(column == account_id)) or 0
        counted[table.name] = counted.get(table.name, 0) + found
    return counted


@pytest.mark.parametrize("both", [False, True], ids=["all of one", "all of both"])
def test_every_row_that_named_the_one_names_the_other(session: Session, both: bool) -> None:
    into, other = somebody(session, "Aline"), somebody(session, "Berthe")
    other.note = into.phone = None
    but = frozenset({"account_merge", "account_role", "second_factor", "departure"})
    fill(session, other, but=but)
    if both:
        fill(session, into, but=but)
    session.flush()
    before = rows_of(session, other.id)
    assert {name for name, found in before.items() if found} == {
        table.name for table, _column in references() if table.name not in but and PEOPLES.get(table.name)
    } - {"account_merge"}
    assert merge(session, into.id, other.id, at=NOW) is into
    session.flush()
    after = rows_of(session, other.id)
    assert {name for name, found in after.items() if found} == ({*STAYS_BESIDE} if both else set())
    assert not other.active and into.active and into.phone == "Berthe 01"


def test_only_two_of_ones_own_become_one(session: Session) -> None:
    camille, yacine, admin = numbers(session, CAMILLE, YACINE, ADMIN)
    assert merge(session, camille, camille, at=NOW) is Refusal.SAME
    share = session.get_one(Account, camille)
    assert merge(session, camille, yacine, at=NOW) is Refusal.UNPROVEN, "staff may have typed the address"
    share.email_proven_at = session.get_one(Account, yacine).email_proven_at = NOW
    assert merge(session, camille, admin, at=NOW) is Refusal.TEAM
    share.payer_id = admin
    session.flush()
    assert merge(session, camille, yacine, at=NOW) is Refusal.HOUSEHOLD
    share.payer_id = yacine
    session.flush()
    factor = SecondFactor(account_id=yacine, secret=b"s", made_at=NOW, confirmed_at=NOW)
    session.add(factor)
    assert merge(session, camille, yacine, at=NOW) is Refusal.PROTECTED, "a mailbox is not all"
    session.delete(factor)
    session.flush()
    assert merge(session, camille, yacine, at=NOW) is share, "who shared has it now"
    session.flush()
    assert share.payer_id is None
    assert merge(session, camille, yacine, at=NOW) is Refusal.CLOSED
    assert merge(session, yacine, camille, at=NOW) is Refusal.CLOSED, (
        "nothing goes to who has just been closed"
    )
    assert share.active
    assert session.scalars(select(AccountMerge.moved)).one()["subscription"] == 1
    assert Base.metadata.tables.keys() >= STAYS


def test_the_other_mailbox_is_proven_then_what_comes_over_is_seen(app: Flask) -> None:
    proven(app)
    client, theirs = signed_in(app, CAMILLE), signed_in(app, YACINE)
    assert client.get("/mon-compte/fusion/confirmation").location == "/mon-compte/fusion"
    client.get("/mon-compte/fusion")
    assert client.submit("/mon-compte/fusion", {"email": "personne"}).status_code == 422
    for email in ("nulle-part@example.org", YACINE.upper()):
        assert client.submit("/mon-compte/fusion", {"email": email}).location == "/mon-compte/fusion/code"
    assert "Six chiffres" in client.get("/mon-compte/fusion/code").text
    assert client.submit("/mon-compte/fusion/code", {"code": "000000"}).status_code == 422
    assert client.get("/mon-compte/fusion/confirmation").location == "/mon-compte/fusion"
    assert client.submit("/mon-compte/fusion/code", {"code": code_for(app, YACINE)}).status_code == 303
    page = unescape(client.get("/mon-compte/fusion/confirmation").text)
    assert "1 abonnement" in page and YACINE in page
    assert client.submit("/mon-compte/fusion/confirmation").location == "/mon-compte"
    with database(app) as session:
        assert not account_of(session, YACINE).active
        told = session.scalars(
            select(Mail.recipient).where(Mail.subject.startswith("Vos deux comptes"))
        ).all()
        assert sorted(told) == [CAMILLE, YACINE]
        [said] = session.scalars(select(AuditEvent).where(AuditEvent.action == "account_merged"))
        camille, yacine = numbers(session, CAMILLE, YACINE)
        assert (said.account_id, said.subject_id, said.after["from"]) == (camille, str(camille), yacine)
    assert not opens(theirs) and opens(client)
    assert browser_of(app).sign_in_by_form(YACINE).status_code == 422
    assert client.get("/mon-compte/fusion/confirmation").location == "/mon-compte/fusion"


def test_what_one_has_proven_is_not_for_whoever_signs_in_after_them(app: Flask) -> None:
    client = signed_in(app, CAMILLE)
    client.get("/mon-compte/fusion")
    client.submit("/mon-compte/fusion", {"email": YACINE})
    client.submit("/mon-compte/fusion/code", {"code": code_for(app, YACINE)})
    assert client.sign_in_by_form(ADMIN).status_code == 303, "in the same browser, nobody signed out"
    with database(app) as session:
        [row] = session.scalars(select(SignInSession).where(SignInSession.revoked_at.is_(None)))
        assert row.account_id and "other_account" not in row.data
        others = {"into": 0, "email": YACINE, "at": real_clock.now().isoformat()}
        row.data = {**row.data, "other_account": others}
    for page in ("code", "confirmation"):
        assert client.get(f"/mon-compte/fusion/{page}").location == "/mon-compte/fusion"


def test_nobody_is_mailed_without_end_nor_told_what_others_have_asked(app: Flask) -> None:
    client = signed_in(app, CAMILLE)
    client.get("/mon-compte/fusion")
    said = [client.submit("/mon-compte/fusion", {"email": YACINE}).status_code for _ in range(6)]
    assert said == [303] * 5 + [429]
    with database(app) as session:
        assert session.scalar(select(func.count(Mail.id)).where(Mail.recipient == YACINE)) == 3


def test_an_address_without_account_is_told_to_its_own_mailbox_alone(app: Flask) -> None:
    client = signed_in(app, CAMILLE)
    client.get("/mon-compte/fusion")
    client.submit("/mon-compte/fusion", {"email": "moi@example.net"})
    client.submit("/mon-compte/fusion/code", {"code": code_for(app, "moi@example.net")})
    assert "Il n'y a pas de compte" in unescape(client.get("/mon-compte/fusion/confirmation").text)


def code_for(app: Flask, email: str) -> str:
    with database(app) as session:
        sent = session.scalars(
            select(Mail.text).where(Mail.recipient == email).order_by(Mail.id.desc())
        ).first()
        [(first, second)] = re.findall(r"(\d{3})\s(\d{3})", sent or "")
        return f"{first}{second}"
