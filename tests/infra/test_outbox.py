"""Mail goes out once, whatever the server answers and whenever a worker dies."""

import threading
from datetime import timedelta

import pytest
from sqlalchemy import select

from portal.infra import outbox
from portal.infra.mail import Sender
from portal.infra.orm import own_transaction
from portal.infra.outbox import PAUSES, Attachment, File, MailError, MailState, StoredFile
from portal.infra.postman import Postman
from tests.conftest import settings_for
from tests.infra import smtp
from tests.infra.posting import (
    CONDITIONS,
    CONDITIONS_CONTENT,
    ORDER,
    body,
    carry_all,
    get,
    post,
    postman_for,
    states,
)
from tests.world import CAMILLE, NOW, YACINE

# What leaves


def test_a_mail_leaves_as_text_and_html_and_can_be_answered_to_the_farm(within, box):
    mail_id = post(subject="Panier sauté : mardi 16 juin", text="À bientôt !\n", html="<p>À bientôt !</p>")
    carry_all(postman_for(box.url))

    [message] = box.taken
    assert message["Subject"] == "Panier sauté : mardi 16 juin"
    assert message["To"] == CAMILLE
    assert message["From"] == "Les Jardins du Test <ferme@example.org>"
    assert message["Reply-To"] == "Les Jardins du Test <jardins@example.org>"
    assert message["Message-ID"].endswith("@localhost>")
    assert message["Date"].datetime == NOW
    assert message["Auto-Submitted"] == "auto-generated"
    assert body(message, "plain") == "À bientôt !\n"
    assert body(message, "html") == "<p>À bientôt !</p>\n"
    assert get(mail_id).state is MailState.SENT


def test_without_smtp_server_mail_is_kept_in_the_mailbox(within):
    mail_id = post(secret=True)
    carry_all(postman_for(None))
    kept = get(mail_id)
    assert kept.state is MailState.KEPT
    assert kept.readable


def test_a_rolled_back_transaction_sends_no_mail(session, box):
    outbox.post(session, to=CAMILLE, subject="Panier", text="…", html="…", at=NOW)
    session.flush()
    session.rollback()
    carry_all(postman_for(box.url))
    assert box.seen == []
    assert states() == {}


def test_who_has_waited_longest_goes_first(within, box):
    subjects = ["second", "first", "third"]
    for subject, at in zip(subjects, (-1, -2, 0), strict=True):
        post(subject=subject, at=NOW + timedelta(minutes=at))
    carry_all(postman_for(box.url))
    assert [message["Subject"] for message in box.taken] == ["first", "second", "third"]


def test_mail_is_sent_outside_of_any_transaction(app, within, box):
    """While the server takes its time, others can write: on SQLite an open transaction would stop them."""
    mail_id = post()
    wrote = threading.Event()

    async def write_meanwhile(_server, _message):
        with app.app_context():
            post(YACINE, at=NOW + timedelta(hours=1))
        wrote.set()
        return smtp.TAKEN

    box.otherwise = write_meanwhile
    carry_all(postman_for(box.url))
    assert wrote.is_set()
    assert get(mail_id).state is MailState.SENT


def test_a_secret_mail_is_emptied_when_it_has_left_and_never_readable_before(within, box):
    mail_id = post(secret=True)
    assert not get(mail_id).readable
    carry_all(postman_for(box.url))
    assert (get(mail_id).state, get(mail_id).text, get(mail_id).html) == (MailState.SENT, None, None)
    assert body(box.taken[0], "plain") == "Bonjour\n"


def test_bodies_are_forgotten_after_thirty_days_and_what_waits_is_not(within, box):
    sent = post()
    carry_all(postman_for(box.url))
    waiting = post(at=NOW)
    outbox.forget_bodies(NOW + timedelta(days=30))
    assert get(sent).text == "Bonjour"
    outbox.forget_bodies(NOW + timedelta(days=30, seconds=1))
    assert (get(sent).text, get(sent).html, get(sent).subject) == (None, None, "Votre panier")
    assert get(waiting).text == "Bonjour"
    outbox.forget_bodies(NOW + timedelta(days=365))
    assert get(sent).recipient
    outbox.forget_bodies(NOW + timedelta(days=365, seconds=1))
    assert not get(sent).recipient and get(waiting).recipient


# What goes with it


def kept_files():
    with own_transaction() as session:
        return set(session.scalars(select(StoredFile.data))), len(session.scalars(select(Attachment)).all())


def test_files_leave_with_the_mail_after_its_words(within, box):
    post(attachments=[ORDER, CONDITIONS])
    carry_all(postman_for(box.url))
    [message] = box.taken
    assert body(message, "plain") == "Bonjour\n"
    assert body(message, "html") == "<p>Bonjour</p>\n"
    assert [
        File(part.get_filename(), part.get_content_type(), part.get_content())
        for part in message.iter_attachments()
    ] == [ORDER, CONDITIONS]


def test_a_mail_without_files_is_words_only(within, box):
    post()
    carry_all(postman_for(box.url))
    assert box.taken[0].get_content_type() == "multipart/alternative"


def test_the_same_file_is_kept_once_however_many_mails_carry_it(within, box):
    post(attachments=[CONDITIONS])
    post(YACINE, attachments=[File("renamed.pdf", *CONDITIONS_CONTENT), ORDER])
    assert kept_files() == ({CONDITIONS.data, ORDER.data}, 3)
    carry_all(postman_for(box.url))
    names = [[part.get_filename() for part in message.iter_attachments()] for message in box.taken]
    assert names == [["conditions.pdf"], ["renamed.pdf", "commande.pdf"]]


def test_every_attempt_sends_the_same_bytes(within, box, clock):
    box.otherwise = smtp.close
    post(attachments=[ORDER, CONDITIONS])
    carry = postman_for(box.url)
    carry_all(carry)
    box.otherwise = smtp.take
    clock.shift(PAUSES[0])
    carry_all(carry)
    first, second = box.seen
    del first["X-Peer"], second["X-Peer"]  # by which socket it came
    assert first.as_bytes() == second.as_bytes()


def test_files_go_with_the_words_and_stay_while_another_mail_needs_them(within, box):
    post(attachments=[ORDER, CONDITIONS])
    carry_all(postman_for(box.url))
    post(YACINE, attachments=[CONDITIONS])
    outbox.forget_bodies(NOW + timedelta(days=30))
    assert kept_files() == ({ORDER.data, CONDITIONS.data}, 3)
    outbox.forget_bodies(NOW + timedelta(days=30, seconds=1))
    assert kept_files() == ({CONDITIONS.data}, 1)
    carry_all(postman_for(box.url))
    outbox.forget_bodies(NOW + timedelta(days=31))
    assert kept_files() == (set(), 0)


# Nothing smuggled in


@pytest.mark.parametrize(
    "address",
    [
        "a@example.org, b@example.org",
        "a@example.org,b@example.org",
        "a@example.org;b@example.org",
        "a@example.org\r\nBcc: b@example.org",
        "a@example.org\n",
        "a@example.org b@example.org",
        "a,b@example.org",
        "a@example.org,example.net",
        "a;b@example.org",
        "a@b@example.org",
        "Camille <a@example.org>",
        '"a,b"@example.org',
        "a@example.org\x00",
        "=?utf-8?q?a=0d=0aBcc=3a_b?=@example.org",
        "example.org",
        "@example.org",
        "a@",
        "",
    ],
)
def test_what_is_not_one_plain_address_is_refused(session, address):
    with pytest.raises(MailError):
        outbox.post(session, to=address, subject="Panier", text="…", html="…", at=NOW)
    assert not session.new


@pytest.mark.parametrize(
    "line_break", ["\r\n", "\n", "\r", "\x00", "\x0b", "\x0c", "\x1d", "\x85", "\u2028", "\u2029"]
)
def test_a_subject_with_a_line_break_is_refused(session, line_break):
    with pytest.raises(MailError):
        outbox.post(
            session, to=CAMILLE, subject=f"Panier{line_break}Bcc: x@example.org", text="…", html="…", at=NOW
        )
    assert not session.new


def test_no_name_and_no_text_adds_a_header_or_a_recipient(within, box):
    smuggle = "Camille\r\nBcc: b@example.org\r\n.\r\nRCPT TO:<b@example.org>\r\n"
    post(
        text=smuggle, html=smuggle, subject="Bonjour =?utf-8?q?a=0d=0aBcc:_b=40example.org?= ; x@example.org"
    )
    settings = settings_for("sqlite://", smtp_url=box.url)
    carry_all(Postman(settings, lambda: Sender(smuggle, "ferme@example.org")))
    [message] = box.taken
    expected = "Auto-Submitted Content-Type Date From MIME-Version Message-ID Reply-To Subject To"
    assert sorted(message.keys()) == expected.split()
    assert box.envelopes == [("ferme@example.org", [CAMILLE])]


def test_an_address_with_an_accented_domain_leaves_in_its_ascii_form(within, box):
    post("camille@légumes.example.org")
    carry_all(postman_for(box.url))
    assert box.envelopes[0][1] == ["camille@xn--lgumes-bva.example.org"]


def test_a_mail_that_cannot_be_written_fails_alone(within, box):
    broken, sound = post(f"camille@{'a' * 80}.example.org"), post(YACINE)
    carry_all(postman_for(box.url))
    assert get(broken).state is MailState.FAILED
    assert get(sound).state is MailState.SENT
