"""What people are written about: chosen in the account, taken back by a link or a mail program's button."""

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from portal.accounts import consents
from portal.accounts.models import Consent
from portal.infra import mail, outbox
from portal.infra.orm import db
from portal.messages.unsubscribing import letters_token, read_token, unsubscribe_link
from portal.privacy.models import AccountMerge
from portal.public.letters import UNDONE_WITHIN
from portal.rules.consents import ConsentSource, Notice, Topic
from portal.web.topics import TOPICS
from tests import world
from tests.accounts.people import account_of
from tests.client import Browser

PAGE = "/mon-compte/lettres"


def test_nothing_is_ticked_at_first_and_what_is_chosen_holds_at_once(
    client: Browser, session: Session
) -> None:
    client.sign_in(world.CAMILLE)
    page = client.get(PAGE).text
    assert page.count('name="sujet"') == len(Topic) and page.count('name="rappel"') == len(Notice)
    assert [line for line in page.splitlines() if "checked" in line and "sujet" in line] == []
    assert page.count("checked") == len(Notice), "reminders come with the subscription"
    chosen = {"sujet": "letter", "rappel": ["pickup", "cutoff", "nonsense"]}
    assert client.submit(PAGE, chosen).status_code == 303
    client.submit(PAGE, chosen)
    camille = account_of(session, world.CAMILLE)
    assert consents.agreed(session, camille.id) == {Topic.LETTER}
    assert consents.muted(session, camille.id) == {Notice.COMPOSITION}
    [line] = session.scalars(select(Consent)).all()
    assert (line.source, line.wording) == (ConsentSource.ACCOUNT, str(TOPICS[Topic.LETTER].asks))
    client.submit(PAGE)
    assert consents.agreed(session, camille.id) == frozenset()
    assert consents.muted(session, camille.id) == set(Notice)


def test_one_click_without_cookie_or_form_token_takes_one_topic_back_and_the_page_gives_it_again(
    app: Flask, client: Browser, session: Session
) -> None:
    camille = account_of(session, world.CAMILLE)
    for topic in (Topic.LETTER, Topic.SHOP):
        consents.give(session, camille, topic, source=ConsentSource.SIGN_UP, wording="Oui.", at=world.NOW)
    session.commit()
    address = unsubscribe_link(camille.id, Topic.LETTER).removeprefix("http://localhost")

    def agreed() -> frozenset[Topic]:
        return consents.agreed(session, camille.id)

    assert "Ne plus recevoir" in client.get(address).text
    assert client.head(address).status_code == 200
    assert agreed() == {Topic.LETTER, Topic.SHOP}, "a mail scanner opens links too"
    session.rollback()
    answer = app.test_client().post(address, data={"List-Unsubscribe": "One-Click"})
    assert (answer.status_code, answer.headers.getlist("Set-Cookie")) == (204, [])
    assert agreed() == {Topic.SHOP}
    assert "Vous ne recevez pas" in client.get(address).text
    assert client.submit(address, {"voulu": "oui"}).status_code == 303
    assert agreed() == {Topic.LETTER, Topic.SHOP}
    assert client.submit(address, {"voulu": "non"}).status_code == 303
    assert session.scalar(select(func.count()).where(Consent.source == ConsentSource.MAIL)) == 3
    session.execute(update(Consent).values(at=world.NOW - UNDONE_WITHIN))
    session.commit()
    assert 'name="voulu"' not in client.get(address).text
    assert client.submit(address, {"voulu": "oui"}).status_code == 303
    assert agreed() == {Topic.SHOP}, "whoever was forwarded the letter agrees for nobody"
    session.add(
        AccountMerge(from_id=camille.id, into_id=account_of(session, world.YACINE).id, at=world.NOW, moved={})
    )
    consents.give(
        session,
        account_of(session, world.YACINE),
        Topic.LETTER,
        source=ConsentSource.SIGN_UP,
        wording="Oui.",
        at=world.NOW,
    )
    session.commit()
    app.test_client().post(address, data={"List-Unsubscribe": "One-Click"})
    assert consents.agreed(session, account_of(session, world.YACINE).id) == frozenset(), "one account by now"
    session.rollback()
    for broken in (address[:-1], address + "x", "/lien/lettres/nothing"):
        assert client.get(broken).status_code == client.submit(broken).status_code == 404
    assert client.post(PAGE, data={"sujet": "shop"}).status_code >= 400, "it is exempt, nothing else"


def test_a_token_names_one_account_and_one_topic(app: Flask) -> None:
    with app.app_context():
        assert read_token(letters_token(7, Topic.EVENTS)) == (7, Topic.EVENTS)
        assert read_token(letters_token(7, "no topic")) is None  # type: ignore[arg-type]


@pytest.mark.parametrize("address", ["https://paniers.example.org/lien/lettres/" + "a" * 200, None])
def test_the_headers_of_rfc_8058_stand_whole_on_their_lines(app: Flask, address: str | None) -> None:
    with app.app_context():
        written: dict[str, Any] = {"subject": "Bonjour", "text": "Bonjour.\n", "html": "<p>Bonjour.</p>"}
        posted = outbox.post(db.session(), to=world.CAMILLE, at=world.NOW, unsubscribe=address, **written)
        sender = mail.Sender("La ferme", "")
        lines = mail.message(posted, [], sent_from=world.STAFF, sender=sender).as_bytes().split(b"\r\n")
    found = [line.decode() for line in lines if line.startswith(b"List-")]
    expected = [f"List-Unsubscribe: <{address}>", "List-Unsubscribe-Post: List-Unsubscribe=One-Click"]
    assert found == (expected if address else [])
