"""« Mes informations », and another mail address."""

import re
from datetime import timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select

from portal.accounts.models import Account, LinkPurpose, MailedLink, Passkey
from portal.infra.audit import AuditEvent
from portal.infra.outbox import Mail
from tests.accounts.people import account_of, browser_of, database, opens, signed_in
from tests.client import Browser
from tests.world import CAMILLE, NOW, PASSPHRASE, YACINE

NEW = "camille.aubert@example.net"
LINK = re.compile(r"http://localhost(/lien/[A-Za-z0-9_-]{43})\b")
DETAILS = {"first_name": "Camille", "last_name": "Aubert", "phone": "06 39 98 00 01", "birthday": ""}


@pytest.fixture
def camille(app: Flask) -> Browser:
    """Signed in with the password a moment ago, and a page open."""
    client = signed_in(app, CAMILLE)
    client.get("/mon-compte")
    return client


def mails(app: Flask) -> list[Mail]:
    with database(app) as session:
        found = list(session.scalars(select(Mail).order_by(Mail.id)))
        session.expunge_all()
    return found


def link_in(mail: Mail) -> str:
    [path] = set(LINK.findall(mail.text or ""))
    assert path in (mail.html or "") and mail.secret
    return str(path)


def ask(app: Flask, client: Browser, email: str = NEW) -> Mail:
    assert client.submit("/mon-compte/adresse-mail", {"email": email}).status_code == 303
    return mails(app)[-1]


def press(app: Flask, path: str, client: Browser | None = None) -> tuple[int, str]:
    client = client or browser_of(app)
    client.get("/connexion")
    answer = client.submit(path)
    return answer.status_code, answer.location or ""


def moved(app: Flask, client: Browser, email: str = NEW) -> str:
    """The way back, once the address is another."""
    status, _location = press(app, link_in(ask(app, client, email)))
    assert status == 303
    return link_in(mails(app)[-1])


def test_details_are_saved_at_once_and_nothing_else_with_them(app: Flask, camille: Browser) -> None:
    sent = {
        **DETAILS,
        "last_name": "Aubert-Roux",
        "birthday": "29 février",
        "email": NEW,
        "note": "x",
        "id": "9",
        "roles": "admin",
        "payer_id": "2",
    }
    camille.get("/mon-compte/informations")
    assert camille.submit("/mon-compte/informations", sent).status_code == 303
    page = camille.get("/mon-compte/informations").text
    assert (
        "C'est enregistré" in page.replace("&#39;", "'") and 'value="29/02"' in page and "Langue" not in page
    )
    with database(app) as session:
        account = account_of(session, CAMILLE)
        assert (account.full_name, account.birthday, account.note) == ("Camille Aubert-Roux", 229, None)
        assert (account.roles, account.payer_id) == ([], None)
        [event] = session.scalars(select(AuditEvent).where(AuditEvent.action == "account.change"))
        assert event.before is None and event.after == {"fields": ["last_name", "birthday"]}
    camille.submit("/mon-compte/informations", DETAILS | {"phone": ""})
    with database(app) as session:
        account = account_of(session, CAMILLE)
        assert (account.last_name, account.birthday, account.phone) == ("Aubert", None, None)
    refused = camille.submit("/mon-compte/informations", DETAILS | {"birthday": "31/02", "first_name": ""})
    assert refused.status_code == 422 and 'value="31/02"' in refused.text


def test_another_address_asks_for_a_proof_and_works_once_it_is_confirmed(
    app: Flask, camille: Browser, clock: time_machine.Traveller
) -> None:
    clock.move_to(NOW + timedelta(hours=1))
    assert "/mon-compte/preuve" in camille.get("/mon-compte/adresse-mail").location
    assert "/mon-compte/preuve" in camille.submit("/mon-compte/adresse-mail", {"email": NEW}).location
    clock.move_to(NOW)
    assert mails(app) == []
    mail = ask(app, camille)
    assert mail.recipient == NEW
    path = link_in(mail)
    page = browser_of(app).get(path).text
    assert NEW in page and CAMILLE not in page and "Aubert" not in page
    with database(app) as session:
        assert account_of(session, CAMILLE).email_proven_at is None
    assert press(app, path, camille) == (303, "/mon-compte/informations")
    assert press(app, path)[0] == 410
    with database(app) as session:
        assert account_of(session, NEW).email_proven_at == NOW
        events = session.scalars(select(AuditEvent).where(AuditEvent.action.like("a%")))
        assert not any("@" in f"{event.before}{event.after}" for event in events)
    assert mails(app)[-1].recipient == CAMILLE
    assert browser_of(app).sign_in_by_form(NEW).status_code == 303
    assert browser_of(app).sign_in_by_form(CAMILLE).status_code == 422


def test_an_address_that_waits_is_shown_and_may_be_given_up(app: Flask, camille: Browser) -> None:
    path = link_in(ask(app, camille))
    page = camille.get("/mon-compte/informations").text
    assert NEW in page and "12 juin" in page.replace("\xa0", " ")
    camille.submit("/mon-compte/adresse-mail/abandon")
    assert NEW not in camille.get("/mon-compte/informations").text.partition("adresse-mail")[2]
    assert press(app, path)[0] == 410


def test_the_old_address_takes_it_back_whoever_has_moved_on_since(app: Flask, camille: Browser) -> None:
    back = moved(app, camille)
    with database(app) as session:
        account = account_of(session, NEW)
        key = {"public_key": b"", "sign_count": 0, "name": "", "account_id": account.id}
        session.add_all(
            Passkey(credential=str(day), made_at=NOW - timedelta(days=day), **key) for day in (0, 400)
        )
        session.commit()
    moved(app, camille, "further@example.net")
    security = {"password": PASSPHRASE, "new_password": "le blaireau range sa cagette de navets"}
    camille.submit("/mon-compte/mot-de-passe", security)
    assert opens(camille)
    assert browser_of(app).get(back).status_code == 200 and opens(camille)
    client = browser_of(app)
    status, location = press(app, back, client)
    assert status == 303 and re.fullmatch(r"/lien/[\w-]{43}", location)
    assert not opens(camille)
    with database(app) as session:
        account = account_of(session, CAMILLE)
        assert account.password is None
        assert [key.credential for key in session.scalars(select(Passkey))] == ["400"]
        links = session.scalars(select(MailedLink.purpose).where(MailedLink.account_id == account.id)).all()
        assert links == [LinkPurpose.RESET_PASSWORD], "not even the address between the two comes back"
    client.get(location)
    assert (
        client.submit(location, {"new_password": "sept navets blancs dorment sous la paille"}).status_code
        == 303
    )
    assert mails(app)[-1].recipient == CAMILLE


def test_the_way_back_is_open_for_two_weeks(
    app: Flask, camille: Browser, clock: time_machine.Traveller
) -> None:
    back = moved(app, camille)
    clock.move_to(NOW + timedelta(days=13, hours=23))
    assert browser_of(app).get(back).status_code == 200
    clock.move_to(NOW + timedelta(days=14))
    assert press(app, back)[0] == 410


def test_an_address_that_is_taken_is_told_to_its_owner_alone(app: Flask, camille: Browser) -> None:
    said = []
    for email in (YACINE, NEW):
        answer = camille.submit("/mon-compte/adresse-mail", {"email": email.upper()})
        shown = camille.get("/mon-compte/informations").text.replace(email, "…")
        said.append((answer.status_code, answer.location, re.sub(r'value="[^"]{40,}"', "", shown)))
    assert said[0] == said[1]
    taken, free = mails(app)
    assert taken.recipient == YACINE and not LINK.search(taken.text or "") and free.recipient == NEW
    path = link_in(free)
    with database(app) as session:
        account_of(session, YACINE).email = NEW
        session.commit()
    assert press(app, path, camille) == (303, "/mon-compte/informations")
    assert mails(app)[-1].recipient == NEW
    with database(app) as session:
        assert account_of(session, CAMILLE) and account_of(session, NEW).first_name == "Yacine"


def test_what_is_no_address_or_ones_own_is_refused_and_the_link_is_ours(app: Flask, camille: Browser) -> None:
    for wrong in ("", "x", CAMILLE, "a@b.fr\r\nBcc: c@d.fr", "a@b.fr,c@d.fr", "a" * 250 + "@example.org"):
        assert camille.submit("/mon-compte/adresse-mail", {"email": wrong}).status_code == 422, wrong
    forged = {"X-Forwarded-Host": "evil.example", "Forwarded": "host=evil.example"}
    camille.submit("/mon-compte/adresse-mail", {"email": NEW}, headers=forged)
    [mail] = mails(app)
    assert "evil" not in f"{mail.text}{mail.html}" and link_in(mail)
    for _ in range(2):
        camille.submit("/mon-compte/adresse-mail", {"email": NEW})
    assert camille.submit("/mon-compte/adresse-mail", {"email": NEW}).status_code == 429
    with database(app) as session:
        of_new = select(MailedLink).where(MailedLink.purpose == LinkPurpose.NEW_ADDRESS)
        assert len(list(session.scalars(of_new))) == 1, "the newest alone is good"
        assert session.scalars(select(Account).where(Account.email == CAMILLE)).one()
