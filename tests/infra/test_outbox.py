"""Mail goes out once, whatever the server answers and whenever a worker dies."""

import asyncio
import ssl
import threading
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from aiosmtpd.smtp import AuthResult
from sqlalchemy import select, text, update

from portal.infra import clock as infra_clock
from portal.infra import outbox, postman
from portal.infra.mail import Sender
from portal.infra.orm import db, own_transaction
from portal.infra.outbox import LEASE, PAUSES, Attachment, File, Mail, MailError, MailState, StoredFile
from portal.infra.postman import REST, Postman
from portal.settings import BadSettings
from tests.conftest import settings_for
from tests.infra import smtp
from tests.infra.workers import ROUNDS, wait_until, worker
from tests.world import CAMILLE, NOW, YACINE

LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
CONDITIONS_CONTENT = ("application/pdf", b"%PDF-1.7\n\x00\xff conditions\n")
CONDITIONS = File("conditions.pdf", *CONDITIONS_CONTENT)
ORDER = File("commande.pdf", "application/pdf", b"%PDF-1.7 order")


@pytest.fixture
def box():
    with smtp.letterbox() as box:
        yield box


@pytest.fixture
def within(app):
    with app.app_context():
        yield


def post(to=CAMILLE, at=NOW, **changes):
    content = {"subject": "Votre panier", "text": "Bonjour", "html": "<p>Bonjour</p>"}
    with own_transaction() as session:
        mail = outbox.post(session, to=to, at=at, **{**content, **changes})
        session.flush()
        return mail.id


def postman_for(url):
    return Postman(
        settings_for("sqlite://", smtp_url=url), lambda: Sender("Les Jardins du Test", "jardins@example.org")
    )


def body(message, kind):
    return message.get_body((kind,)).get_content().replace("\r\n", "\n")


def carry_all(carry):
    while carry():
        pass


def states():
    with own_transaction() as session:
        return Counter(session.scalars(select(Mail.state)))


def get(mail_id):
    with own_transaction() as session:
        mail = session.get_one(Mail, mail_id)
        session.expunge(mail)
        return mail


def let_leases_run_out():
    with own_transaction() as session:
        session.execute(update(Mail).where(Mail.state == MailState.WAITING).values(due_at=LONG_AGO))


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


# What the server answers


def test_a_server_that_is_down_delays_mail_and_blames_none(within, clock):
    port = smtp.free_port()
    mail_id = post()
    carry = postman_for(f"smtp://127.0.0.1:{port}")
    for _ in range(30):
        assert carry() is False
        clock.shift(60)
    with own_transaction() as session:
        assert outbox.count(session) == outbox.Counts(waiting=1, failed=0)
    assert get(mail_id).attempts == 0
    with smtp.letterbox(port) as box:
        clock.shift(min(REST, timedelta(minutes=5)))
        carry_all(carry)
        assert len(box.taken) == 1


def test_a_server_that_is_down_is_not_asked_all_the_time(within, clock):
    port = smtp.free_port()
    post()
    carry = postman_for(f"smtp://127.0.0.1:{port}")
    assert carry() is False
    with smtp.letterbox(port) as box:
        clock.shift(REST - timedelta(seconds=1))
        carry_all(carry)
        assert box.taken == []
        clock.shift(1)
        carry_all(carry)
        assert len(box.taken) == 1


def test_a_passing_refusal_is_tried_again_after_growing_pauses_then_given_up(within, box, clock):
    box.otherwise = smtp.reply("451 Greylisted, camille@example.org try later")
    mail_id = post()
    carry = postman_for(box.url)
    pauses = []
    while get(mail_id).state is MailState.WAITING:
        before = infra_clock.now()
        carry_all(carry)
        assert get(mail_id).last_error == "SMTPDataError 451"
        if get(mail_id).state is MailState.WAITING:
            pauses.append(get(mail_id).due_at - before)
            clock.shift(pauses[-1] - timedelta(seconds=1))
            seen = len(box.seen)
            carry_all(carry)
            assert len(box.seen) == seen
            clock.shift(1)
    assert pauses == list(PAUSES) == sorted(set(pauses))
    assert get(mail_id).state is MailState.FAILED
    assert len({message["Message-ID"] for message in box.seen}) == 1


@pytest.mark.parametrize("at_recipient", [True, False])
def test_a_final_refusal_is_shown_to_staff_at_once(within, box, at_recipient):
    if at_recipient:
        box.refused_recipients[CAMILLE] = "550 no such user camille@example.org"
    else:
        box.otherwise = smtp.reply("550 we think this is spam")
    mail_id = post()
    carry_all(postman_for(box.url))
    failed = get(mail_id)
    assert failed.state is MailState.FAILED
    assert failed.last_error == ("SMTPRecipientsRefused 550" if at_recipient else "SMTPDataError 550")
    with own_transaction() as session:
        assert outbox.count(session) == outbox.Counts(waiting=0, failed=1)


def test_a_refusal_holds_up_no_other_mail(within, box):
    box.answer(CAMILLE, smtp.reply("451 later"))
    post()
    others = [post(YACINE) for _ in range(3)]
    carry_all(postman_for(box.url))
    assert {get(mail_id).state for mail_id in others} == {MailState.SENT}


def test_a_connection_cut_after_the_message_means_the_same_message_again(within, box, clock):
    box.otherwise = smtp.close
    mail_id = post()
    carry = postman_for(box.url)
    carry_all(carry)
    assert get(mail_id).state is MailState.WAITING

    box.otherwise = smtp.take
    clock.shift(PAUSES[0])
    carry_all(carry)
    first, second = box.seen
    for header in ("Message-ID", "Date", "Subject"):
        assert first[header] == second[header]
    assert body(first, "plain") == body(second, "plain")
    assert get(mail_id).state is MailState.SENT


def test_a_server_that_hangs_is_left_and_the_others_mail_goes_on(within, box, monkeypatch):
    monkeypatch.setattr(postman, "SMTP_TIMEOUT", 0.3)
    box.answer(CAMILLE, smtp.hang)
    stuck, other = post(), post(YACINE)
    began = time.monotonic()
    carry_all(postman_for(box.url))
    assert time.monotonic() - began < smtp.HANGS_FOR / 2
    assert get(stuck).state is MailState.WAITING
    assert get(stuck).due_at == NOW + PAUSES[0]
    assert get(other).state is MailState.SENT


def test_a_connection_that_the_server_closed_meanwhile_costs_no_attempt(within, box):
    carry = postman_for(box.url)
    post()

    async def close_soon(server, _message):
        asyncio.get_running_loop().call_later(0.05, server.transport.close)
        return smtp.TAKEN

    box.otherwise = close_soon
    assert carry() is True
    closed = threading.Event()
    threading.Timer(0.15, closed.set).start()
    closed.wait()
    box.otherwise = smtp.take
    second = post(YACINE)
    carry_all(carry)
    assert (get(second).state, get(second).attempts) == (MailState.SENT, 1)


def test_failed_mail_is_sent_again_when_staff_ask(within, box):
    box.otherwise = smtp.reply("550 no")
    mail_id, other = post(), post()
    carry_all(postman_for(box.url))
    box.otherwise = smtp.take
    with own_transaction() as session:
        assert outbox.retry(session, NOW, only=mail_id) == [mail_id]
        assert outbox.retry(session, NOW, only=mail_id) == []
    assert get(mail_id).attempts == 0
    carry_all(postman_for(box.url))
    assert [get(mail_id).state, get(other).state] == [MailState.SENT, MailState.FAILED]
    with own_transaction() as session:
        assert outbox.retry(session, NOW) == [other]


@pytest.mark.parametrize("scheme", ["smtps", "smtp+starttls"])
def test_mail_travels_encrypted_to_a_known_server_after_signing_in(within, scheme, monkeypatch):
    certificate = Path(__file__).with_name("localhost.pem")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    sign_ins = []

    def check(_server, _session, _envelope, _mechanism, data):
        sign_ins.append((data.login, data.password))
        return AuthResult(success=data.password == b"p@ss/w:rd")

    tls = {
        "smtps": {"ssl_context": context, "auth_require_tls": False},  # it knows only STARTTLS as TLS
        "smtp+starttls": {"tls_context": context, "require_starttls": True},
    }[scheme]
    with smtp.letterbox(authenticator=check, **tls) as box:
        url = f"{scheme}://ferme%40example.org:p%40ss%2Fw%3Ard@localhost:{box.port}"
        mail_id = post()
        carry_all(postman_for(url))
        assert (box.seen, get(mail_id).attempts) == ([], 0), "nobody vouches for this server"

        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        carry_all(postman_for(url))
        assert get(mail_id).state is MailState.SENT
    assert sign_ins == [(b"ferme@example.org", b"p@ss/w:rd")]


@pytest.mark.parametrize(
    "url", ["http://smtp.example.org", "smtp://", "smtp://host:port", "smtp.example.org:25"]
)
def test_an_unusable_smtp_address_stops_the_start(url):
    with pytest.raises(BadSettings, match="PORTAL_SMTP_URL"):
        postman_for(url)


# Several workers, and their end


def test_a_claimed_mail_is_nobody_elses_until_the_lease_runs_out(within):
    mail_id = post()
    first = outbox.claim(NOW)
    assert first.id == mail_id
    assert outbox.claim(NOW + LEASE - timedelta(seconds=1)) is None
    second = outbox.claim(NOW + LEASE)
    assert second.id == mail_id
    assert second.message_id == first.message_id


def test_who_lost_the_lease_does_not_undo_what_the_next_one_did(within):
    post()
    slow = outbox.claim(NOW)
    quick = outbox.claim(NOW + LEASE)
    outbox.mark_refused(slow, "TimeoutError", NOW + LEASE, for_good=True)
    assert get(quick.id).state is MailState.WAITING
    outbox.mark_sent(quick, NOW + LEASE)
    outbox.mark_refused(quick, "TimeoutError", NOW + LEASE, for_good=True)
    assert get(quick.id).state is MailState.SENT


def test_two_workers_never_claim_one_mail(app, within):
    for _ in range(20):
        post()
    claimed = []
    gate = threading.Barrier(4)

    def claim_all():
        with app.app_context():
            gate.wait()
            while mail := outbox.claim(NOW):
                claimed.append(mail.id)

    threads = [threading.Thread(target=claim_all) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(claimed) == len(set(claimed)) == 20


@pytest.mark.parametrize("_round", range(ROUNDS))
def test_a_worker_killed_after_the_servers_250_sends_twice_at_most_and_loses_nothing(
    app, within, box, _round
):
    mail_id = post(at=LONG_AGO)
    holders = []

    async def take_and_freeze(_server, _message):
        """From here on the worker cannot write down that the mail has left."""
        with app.app_context():
            holder = db.engine.connect()
        holder.begin()
        if holder.dialect.name == "postgresql":
            holder.execute(text("LOCK TABLE mail IN EXCLUSIVE MODE"))
        holders.append(holder)
        return smtp.TAKEN

    box.otherwise = take_and_freeze
    with worker(app, box.url) as first:
        wait_until(lambda: box.taken, first)
        first.kill()
        first.wait()
    holders[0].close()
    assert get(mail_id).state is MailState.WAITING

    let_leases_run_out()
    box.otherwise = smtp.take
    with worker(app, box.url) as second:
        wait_until(lambda: states() == {MailState.SENT: 1}, second)
    assert len(box.taken) == 2
    assert len({message["Message-ID"] for message in box.taken}) == 1


@pytest.mark.parametrize("_round", range(ROUNDS))
def test_a_worker_killed_at_any_moment_loses_no_mail(app, within, box, _round):
    for _ in range(20):
        post(at=LONG_AGO)
    with worker(app, box.url) as first:
        wait_until(lambda: len(box.taken) > 3 + _round % 15, first)
        first.kill()
        first.wait()
    let_leases_run_out()
    with worker(app, box.url) as second:
        wait_until(lambda: states() == {MailState.SENT: 20}, second)
    sent = Counter(message["Message-ID"] for message in box.taken)
    assert len(sent) == 20
    assert sum(sent.values()) <= 21


@pytest.mark.parametrize("_round", range(ROUNDS))
def test_two_workers_send_two_hundred_mails_once_each(app, within, box, _round):
    for number in range(200):
        post(f"somebody{number}@example.org", at=LONG_AGO)
    with worker(app, box.url) as one, worker(app, box.url) as two:
        wait_until(lambda: states() == {MailState.SENT: 200}, one, two, seconds=300)
    assert len(box.seen) == len({message["Message-ID"] for message in box.seen}) == 200
