"""/contact: writing to the farm; /ferme/contact: reading it, answering."""

from datetime import timedelta
from io import BytesIO

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from portal.infra.outbox import Mail
from portal.messages import contact
from portal.messages.models import ContactAnswer, ContactFile, ContactMessage, ContactState, Subject
from portal.public.contact import COPIES_TO_ADDRESS, MESSAGES_OF_CLIENT
from tests.farm.trail import events
from tests.pages import text_of
from tests.photographs import picture
from tests.world import CAMILLE, NOW, STAFF

PAGE, INBOX = "/contact", "/ferme/contact"
WORDS = {
    "sujet": "box",
    "nom": "Emma <b>Roux</b>",
    "email": "emma@example.org",
    "telephone": "",
    "message": "Deux courgettes étaient abîmées.\n\nMerci !",
    "site": "",
}
PDF = b"%PDF-1.4\n<script>\n%%EOF\n"


@pytest.fixture
def desk(client):
    client.sign_in(STAFF)
    return client


def kept(session: Session) -> list[ContactMessage]:
    session.rollback()
    session.expire_all()
    return list(session.scalars(select(ContactMessage).order_by(ContactMessage.id)))


def mails(session: Session) -> list[Mail]:
    return list(session.scalars(select(Mail).order_by(Mail.id)))


def written(session: Session, **values: object) -> ContactMessage:
    words = {"name": "Emma Roux", "email": "emma@example.org", "text": "Où est mon panier ?"}
    stands = {"subject": Subject.BOX, "sent_at": NOW, "state": ContactState.NEW}
    message = ContactMessage(**words, **stands | values)
    session.add(message)
    session.commit()
    return message


def test_a_message_reaches_the_farm_and_a_copy_who_wrote_it(browser, session):
    browser.get(PAGE)
    for _ in range(2):
        assert browser.submit(PAGE, WORDS).location == PAGE
    [message] = kept(session)
    assert (message.reference, message.subject, message.state, message.account_id) == (
        "M10001", Subject.BOX, ContactState.NEW, None
    )  # fmt: skip
    assert "Sa référence : M10001." in text_of(browser.get(PAGE))
    copy, word = mails(session)
    assert (copy.recipient, word.recipient) == ("emma@example.org", "ferme@example.org")
    assert copy.subject == "Votre message M10001"
    assert "M10001" in copy.text and "M10001" in copy.html
    for words in ("courgettes", "Emma"):
        assert words not in copy.text + copy.html, "a stranger has the farm mail no words of theirs"
        assert words in word.text
    assert "/ferme/contact/1" in word.text
    assert "<b>Roux" not in copy.html + word.html


def test_who_is_signed_in_finds_the_form_filled_in(browser, session):
    browser.sign_in(CAMILLE)
    page = browser.get(PAGE)
    assert f'value="{CAMILLE}"' in page.text and 'value="Camille Aubert"' in page.text
    assert "du lundi au vendredi, de 9 h à 12 h" in text_of(page)
    browser.submit(PAGE, WORDS)
    assert kept(session)[0].account_id is not None
    assert all("Deux courgettes étaient abîmées." in mail.text for mail in mails(session))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"message": ""}, "Message : à remplir."),
        ({"sujet": "navets"}, "Sujet : choisissez dans la liste."),
        ({"email": "a@b.fr\r\nBcc: c@d.fr"}, "Adresse e-mail : une adresse entière"),
        ({"nom": "x" * 20_000}, "160 caractères au plus"),
        ({"site": "https://machines.example"}, "Rien n'est encore parti."),
    ],
)
def test_what_is_refused_keeps_what_was_typed_and_sends_nothing(client, session, change, says):
    client.get(PAGE)
    answer = client.submit(PAGE, WORDS | {"message": "Gardez-moi."} | change | {"fichiers": _file(PDF)})
    assert answer.status_code == 422
    assert says in text_of(answer)
    assert "Choisissez vos fichiers à nouveau" in text_of(answer)
    assert "Gardez-moi." in answer.text or "message" in change
    assert "machines.example" not in answer.text, "pressed again, it is sent"
    assert kept(session) == [] and mails(session) == []


def test_a_name_with_a_line_break_adds_no_header(client, session):
    client.get(PAGE)
    client.submit(PAGE, WORDS | {"nom": "Emma\r\nBcc: x@example.org"})
    assert kept(session)[0].name == "Emma Bcc: x@example.org"


def _file(data: bytes, name: str = "../../x.html") -> tuple[BytesIO, str]:
    return BytesIO(data), name


def test_what_comes_with_it_gets_a_name_of_ours_and_is_only_to_be_kept(client, session):
    client.get(PAGE)
    photo = picture("JPEG", exif=b"Exif\0\0secret")
    sent = {"fichiers": [_file(photo), _file(PDF, "x" * 3000)]}
    assert client.submit(PAGE, WORDS | sent).status_code == 303
    files = kept(session)[0].files
    assert [(file.name, file.content_type) for file in files] == [
        ("piece-1.webp", "image/webp"),
        ("piece-2.pdf", "application/pdf"),
    ]
    assert files[0].data.startswith(b"RIFF") and b"secret" not in files[0].data
    assert all("Vos 2 pièces jointes" in text for text in (mails(session)[0].text, mails(session)[0].html))
    session.rollback()
    client.sign_in(STAFF)
    answer = client.get(f"{INBOX}/1/pieces/2")
    assert answer.data == PDF
    assert answer.headers["Content-Disposition"] == "attachment; filename=piece-2.pdf"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert client.get(f"{INBOX}/2/pieces/2").status_code == 404


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ([b"<svg xmlns='http://www.w3.org/2000/svg'/>"], "n'est ni une photo"),
        ([b"<html>%PDF-1.4 %%EOF"], "n'est ni une photo"),
        ([b"%PDF-" + b"x" * 10_000 + b"%%EOF"], "trop lourd"),
        ([PDF] * 4, "3 fichiers au plus"),
    ],
    ids=["svg", "html", "heavy", "many"],
)
def test_other_files_are_refused_by_what_is_in_them(client, session, monkeypatch, files, says):
    monkeypatch.setattr("portal.messages.files.MOST_BYTES", 10_000)
    client.get(PAGE)
    answer = client.submit(PAGE, WORDS | {"fichiers": [_file(data, "photo.png") for data in files]})
    assert answer.status_code == 422
    assert says in text_of(answer)
    assert kept(session) == []


def test_nobody_fills_a_mailbox_or_the_farms_from_here(client, session):
    client.get(PAGE)
    for number in range(MESSAGES_OF_CLIENT.most + 1):
        answer = client.submit(PAGE, WORDS | {"message": f"N° {number}"})
    assert answer.status_code == 429
    assert "Trop de messages" in text_of(answer) and "N° 10" in text_of(answer)
    assert len(kept(session)) == MESSAGES_OF_CLIENT.most
    copies = [mail for mail in mails(session) if mail.recipient == "emma@example.org"]
    assert len(copies) == COPIES_TO_ADDRESS.most


def test_staff_take_a_message_answer_it_and_are_done(desk, session):
    written(session)
    desk.get("/ferme")
    assert "Un nouveau message." in text_of(desk.get("/ferme"))
    assert "1 nouveau message attend." in text_of(desk.get("/ferme/sommaire"))
    assert desk.submit(f"{INBOX}/1/etat", {"etat": "taken"}).status_code == 303
    assert "Pris par" in text_of(desk.get(f"{INBOX}/1"))
    assert desk.submit(f"{INBOX}/1/reponse", {"reponse": " "}).status_code == 422
    for _ in range(2):
        desk.submit(f"{INBOX}/1/reponse", {"reponse": "À la Halle.", "ensuite": "clore"})
    [message], [mail] = kept(session), mails(session)
    assert (message.state, len(message.answers)) == (ContactState.DONE, 1), "pressed twice"
    assert mail.recipient == "emma@example.org"
    assert mail.subject.startswith("Réponse à votre message M10001")
    assert "À la Halle." in mail.text and "> Où est mon panier ?" in mail.text
    assert "Où est mon" not in text_of(desk.get(INBOX))
    said = [(event.action, event.before, event.after) for event in events(session)]
    assert [action for action, *_ in said] == [
        "contact_message.change", "contact_message.answer", "contact_message.change"
    ]  # fmt: skip
    assert "Halle" not in str(said)


def test_messages_are_found_and_listed_in_few_statements(desk, session, count_queries):
    first = written(session)
    for number in range(60):
        written(session, state=ContactState.DONE) if number % 2 else written(session)
    session.execute(update(ContactMessage).where(ContactMessage.id == 2).values(name="100 % Navet"))
    session.commit()
    for query, found in (("q=M10001", 1), ("q=100+%25", 1), ("q=nulle+part", 0), ("etat=done", 30)):
        page = desk.get(f"{INBOX}?{query}")
        assert page.text.count(f'href="{INBOX}/') == found, query
    with count_queries() as statements:
        assert desk.get(f"{INBOX}?etat=tous").status_code == 200
    assert len(statements) <= 5
    assert f"avant={first.id + 11}" in desk.get(f"{INBOX}?etat=tous").text
    assert desk.get(f"{INBOX}?avant=x&compte=-1&etat=y").status_code == 200


def test_old_messages_go_with_all_that_hangs_on_them(app, session):
    young, old = (
        written(session),
        written(session, files=[ContactFile(name="a", content_type="b", data=b"c")]),
    )
    old.sent_at = NOW - contact.KEPT - timedelta(seconds=1)
    old.answers = [ContactAnswer(text="Oui.", at=NOW, by_id=1)]
    session.commit()
    contact.forget_old()
    assert [message.id for message in kept(session)] == [young.id]
    assert session.scalar(select(func.count()).select_from(ContactFile)) == 0
