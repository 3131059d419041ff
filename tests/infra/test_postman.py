"""The postman: what the server answers, several workers, and their end."""

import asyncio
import ssl
import threading
import time
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest
from aiosmtpd.smtp import AuthResult
from sqlalchemy import text

from portal.infra import clock as infra_clock
from portal.infra import outbox, postman
from portal.infra.orm import db, own_transaction
from portal.infra.outbox import LEASE, PAUSES, MailState
from portal.infra.postman import REST
from portal.settings import BadSettings
from tests.infra import smtp
from tests.infra.posting import (
    LONG_AGO,
    body,
    carry_all,
    get,
    let_leases_run_out,
    post,
    postman_for,
    states,
)
from tests.infra.workers import wait_until, worker
from tests.world import CAMILLE, NOW, YACINE

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


@pytest.mark.rounds
def test_a_worker_killed_after_the_servers_250_sends_twice_at_most_and_loses_nothing(app, within, box):
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
        first.join()
    holders[0].close()
    assert get(mail_id).state is MailState.WAITING

    let_leases_run_out()
    box.otherwise = smtp.take
    with worker(app, box.url) as second:
        wait_until(lambda: states() == {MailState.SENT: 1}, second)
    assert len(box.taken) == 2
    assert len({message["Message-ID"] for message in box.taken}) == 1


@pytest.mark.rounds
def test_a_worker_killed_at_any_moment_loses_no_mail(app, within, box, nth_round):
    for _ in range(20):
        post(at=LONG_AGO)
    with worker(app, box.url) as first:
        wait_until(lambda: len(box.taken) > 3 + nth_round % 15, first)
        first.kill()
        first.join()
    let_leases_run_out()
    with worker(app, box.url) as second:
        wait_until(lambda: states() == {MailState.SENT: 20}, second)
    sent = Counter(message["Message-ID"] for message in box.taken)
    assert len(sent) == 20
    assert sum(sent.values()) <= 21


@pytest.mark.rounds
def test_two_workers_send_two_hundred_mails_once_each(app, within, box):
    for number in range(200):
        post(f"somebody{number}@example.org", at=LONG_AGO)
    with worker(app, box.url) as one, worker(app, box.url) as two:
        wait_until(lambda: states() == {MailState.SENT: 200}, one, two, seconds=300)
    assert len(box.seen) == len({message["Message-ID"] for message in box.seen}) == 200
