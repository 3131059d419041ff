"""`flask staff`: who may enter the farm's pages, without anybody knowing another's password."""

import re
from collections.abc import Callable

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from portal.accounts.models import Account, Role
from portal.infra.audit import AuditEvent
from portal.infra.outbox import Mail
from portal.rules.permissions import EVERYDAY
from tests.accounts.people import account_of
from tests.client import Browser
from tests.world import CAMILLE, NOW, PASSPHRASE, STAFF

ADA = "ada@example.org"
EVERYBODY = sorted(name.value for name in EVERYDAY)
ALL = sorted([*EVERYBODY, "admin"])
NEW = "le blaireau range sa cagette de navets"
LINK = re.compile(r"http://localhost(/lien/[A-Za-z0-9_-]{43})\b")

Staff = Callable[..., Result]


@pytest.fixture
def staff(app: Flask, session: Session) -> Staff:
    def run(email: str, *options: str, first: str = "Ada", last: str = "Lovelace") -> Result:
        session.commit()
        names = ["--first-name", first, "--last-name", last]
        result = app.test_cli_runner().invoke(args=["staff", email, *names, *options])
        session.expire_all()
        return result

    return run


def roles(session: Session, email: str) -> list[str]:
    return sorted(role.name for role in account_of(session, email).roles)


def links(session: Session) -> list[str]:
    """Those mailed, the last one last."""
    return [LINK.findall(text or "")[0] for text in session.scalars(select(Mail.text).order_by(Mail.id))]


def test_a_newcomer_chooses_a_password_by_the_mailed_link_and_enters(
    staff: Staff, session: Session, client: Browser
) -> None:
    done = staff(" Ada@Example.org ")
    assert done.exit_code == 0, done.output
    assert done.output == f"{ADA} : compte créé, un lien pour choisir son mot de passe part par mail.\n"
    account = account_of(session, ADA)
    assert (account.full_name, account.password, account.active) == ("Ada Lovelace", None, True)
    [mail] = session.scalars(select(Mail))
    assert mail.recipient == ADA and mail.secret
    [path] = links(session)
    client.get(path)
    assert client.submit(path, {"new_password": NEW}).status_code == 303
    assert client.sign_in_by_form(ADA, NEW).status_code == 303
    assert client.get("/ferme").status_code == 200


def test_staff_is_staff_and_an_admin_is_both(staff: Staff, session: Session) -> None:
    staff(ADA)
    assert roles(session, ADA) == EVERYBODY
    staff("grace@example.org", "--admin")
    assert roles(session, "grace@example.org") == ALL


def test_roles_are_made_where_there_are_none_yet(staff: Staff, session: Session) -> None:
    for account in session.scalars(select(Account)):
        account.roles = []
    session.flush()
    session.execute(delete(Role))
    staff(ADA, "--admin")
    assert roles(session, ADA) == ALL


def test_a_subscriber_is_promoted_and_keeps_name_and_password(
    staff: Staff, session: Session, client: Browser
) -> None:
    done = staff(CAMILLE)
    assert done.output == f"{CAMILLE} : droits ajoutés, même mot de passe.\n"
    assert roles(session, CAMILLE) == EVERYBODY
    assert account_of(session, CAMILLE).full_name == "Camille Aubert"
    assert session.scalar(select(func.count(Mail.id))) == 0
    session.rollback()
    client.sign_in_by_form(CAMILLE, PASSPHRASE)
    assert client.get("/ferme").status_code == 200


def test_staff_becomes_admin_and_an_admin_stays_one(staff: Staff, session: Session) -> None:
    assert "droits ajoutés" in staff(STAFF, "--admin").output
    assert roles(session, STAFF) == ALL
    assert staff(STAFF).output == f"{STAFF} : droits inchangés, même mot de passe.\n"
    assert roles(session, STAFF) == ALL


def test_asking_again_mails_a_new_link_and_voids_the_old(
    staff: Staff, session: Session, client: Browser
) -> None:
    for _ in range(5):
        assert staff(ADA).exit_code == 0
    sent = links(session)
    assert len(set(sent)) == 5, "no limit: whoever has the command line may"
    session.rollback()
    assert client.get(sent[0]).status_code == 410
    assert client.get(sent[-1]).status_code == 200


def test_the_trail_tells_roles_and_nobody_s_name(staff: Staff, session: Session) -> None:
    staff(CAMILLE, "--admin")
    [event] = session.scalars(select(AuditEvent))
    assert (event.action, event.at, event.account_id) == ("roles_changed", NOW, None)
    assert event.subject_id == str(account_of(session, CAMILLE).id)
    assert (event.before, event.after) == ({"roles": []}, {"roles": ALL})
    staff(ADA)
    trail = session.execute(select(AuditEvent.action, AuditEvent.before, AuditEvent.after)).all()
    assert "account_created" in {row.action for row in trail}
    assert not re.search("ada|lovelace", str(trail), re.IGNORECASE)


def test_a_closed_account_stays_closed(staff: Staff, session: Session) -> None:
    account_of(session, CAMILLE).active = False
    done = staff(CAMILLE)
    assert (done.exit_code, done.output) == (1, f"Le compte {CAMILLE} est fermé : rien n'a changé.\n")
    assert roles(session, CAMILLE) == []


@pytest.mark.parametrize(
    "email", ["ada", "ada@example", "ada@example.org, eve@example.org", "a d a@example.org"]
)
def test_what_is_no_address_is_refused(staff: Staff, session: Session, email: str) -> None:
    done = staff(email)
    assert done.exit_code == 2 and "n'est pas une adresse mail" in done.output
    assert session.scalar(select(func.count(Mail.id))) == 0


@pytest.mark.parametrize("name", [" ", "Ada" * 27])
def test_a_name_that_is_none_is_refused(staff: Staff, session: Session, name: str) -> None:
    assert staff(ADA, first=name).exit_code == 2
    assert session.scalar(select(Account.id).where(Account.email == ADA)) is None
