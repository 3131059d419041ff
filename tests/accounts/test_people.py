"""People whom staff add, change, invite, shut out."""

import re
from datetime import timedelta

from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.accounts import people
from portal.accounts.models import Account, MailedLink
from portal.accounts.people import Refusal
from portal.accounts.queries import find_link
from portal.infra.audit import AuditEvent
from portal.infra.outbox import Mail
from tests.accounts.people import account_of, browser_of, opens, signed_in
from tests.world import CAMILLE, NOW, STAFF, YACINE

NOE = {"email": "noe@example.org", "first_name": "Noé", "last_name": "Lœwe", "phone": "06 39 98 12 34"}
LINK = re.compile(r"/lien/([A-Za-z0-9_-]{43})\b")
PHRASE = "le blaireau range sa cagette de navets"


def link_of(session: Session) -> str:
    mail = session.scalars(select(Mail).order_by(Mail.id.desc())).first()
    assert mail and mail.secret and mail.text
    return str(LINK.findall(mail.text)[0])


def test_whoever_is_invited_chooses_a_password_within_a_fortnight_and_enters(
    app: Flask, session: Session
) -> None:
    by = account_of(session, STAFF).id
    noe = people.add(session, NOE, at=NOW, by=by)
    assert isinstance(noe, Account) and noe.password is None
    assert people.invite(session, noe, at=NOW, by=by) is None
    first = link_of(session)
    assert people.invite(session, noe, at=NOW, by=by) is None
    token = link_of(session)
    assert find_link(session, first, NOW) is None, "the newest alone is good"
    assert find_link(session, token, NOW + timedelta(days=13, hours=23))
    assert find_link(session, token, NOW + timedelta(days=14)) is None
    session.commit()
    client = browser_of(app)
    page = client.get(f"/lien/{token}").text
    assert "Choisissez un mot de passe" in page and "appareils" not in page
    assert client.submit(f"/lien/{token}", {"new_password": PHRASE}).status_code == 303
    assert "est choisi" in client.get("/connexion").text
    assert client.sign_in_by_form("noe@example.org", PHRASE).location == "/espace"
    assert client.get(f"/lien/{token}").status_code == 410
    trail = select(AuditEvent.action).where(AuditEvent.account_id == by).order_by(AuditEvent.id)
    assert list(session.scalars(trail)) == ["account_created", "account_invited", "account_invited"]


def test_who_has_a_password_is_not_invited_and_a_new_address_ends_what_was_open(
    app: Flask, session: Session
) -> None:
    client, by = signed_in(app, CAMILLE), account_of(session, STAFF).id
    camille = account_of(session, CAMILLE)
    assert people.invite(session, camille, at=NOW, by=by) is Refusal.HAS_PASSWORD
    assert not session.scalars(select(MailedLink)).all() and not session.scalars(select(Mail)).all()
    people.change(session, camille, {"phone": "06 39 98 00 02"}, at=NOW, by=by)
    session.commit()
    assert opens(client)
    people.change(session, account_of(session, CAMILLE), {"email": "c@example.org"}, at=NOW, by=by)
    session.commit()
    assert not opens(client)


def test_a_mail_address_has_one_account_and_links_do_not_follow_to_another(session: Session) -> None:
    camille, by = account_of(session, CAMILLE), account_of(session, STAFF).id
    assert people.add(session, NOE | {"email": CAMILLE}, at=NOW, by=by) is Refusal.ADDRESS_TAKEN
    assert people.change(session, camille, {"email": YACINE}, at=NOW, by=by) is Refusal.ADDRESS_TAKEN
    session.refresh(camille)
    assert camille.email == CAMILLE
    camille.password = None
    people.invite(session, camille, at=NOW, by=by)
    people.change(session, camille, {"phone": "06 39 98 00 02"}, at=NOW, by=by)
    assert session.scalars(select(MailedLink)).all()
    assert people.change(session, camille, {"email": "c@example.org"}, at=NOW, by=by) == ["email"]
    assert not session.scalars(select(MailedLink)).all()
    changes = select(AuditEvent).where(AuditEvent.action == "account.change").order_by(AuditEvent.id.desc())
    event = session.scalars(changes).first()
    assert event and event.account_id == by and event.after == {"fields": ["email"]}, "never a personal value"


def test_a_closed_account_is_signed_out_everywhere_and_can_be_opened_again(
    app: Flask, session: Session
) -> None:
    client, by = signed_in(app, CAMILLE), account_of(session, STAFF).id
    camille = account_of(session, CAMILLE)
    assert people.set_active(session, camille, False, at=NOW, by=by)
    assert not people.set_active(session, camille, False, at=NOW, by=by)
    assert people.invite(session, camille, at=NOW, by=by) is Refusal.CLOSED
    session.commit()
    assert client.get("/espace").status_code == 303
    assert browser_of(app).sign_in_by_form(CAMILLE).status_code == 422
    assert people.set_active(session, account_of(session, CAMILLE), True, at=NOW, by=by)
    session.commit()
    assert browser_of(app).sign_in_by_form(CAMILLE).status_code == 303
    trail = session.execute(
        select(AuditEvent.action, AuditEvent.account_id).where(AuditEvent.account_id == by)
    )
    assert {action for action, _ in trail} == {
        "sessions_revoked", "account_deactivated", "account_reactivated",
    }  # fmt: skip
