"""The way back in for who has forgotten the password (BAR S6–S9, S11)."""

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select, text

from portal.accounts import services
from portal.accounts.jobs import PAUSE, answer_mail_requests, purge_expired
from portal.infra import clock as real_clock
from portal.infra.outbox import Mail
from tests.accounts.people import account_of, browser_of, cookie, database, opens, signed_in, with_cookie
from tests.client import Browser
from tests.world import CAMILLE, PASSPHRASE, YACINE

NEW = "le blaireau range sa cagette de navets"
TWO_DAYS = 48 * 3600
LINK = re.compile(r"http://localhost(/lien/[A-Za-z0-9_-]{43})\b")


def ask(app: Flask, email: str = CAMILLE, client: Browser | None = None, **kwargs: object) -> int:
    """Fill in the form, then let the worker work."""
    client = client or browser_of(app)
    answer = client.submit("/mot-de-passe-oublie", {"email": email}, **kwargs)  # type: ignore[arg-type]
    if answer.status_code == 303:
        assert answer.location == "/mot-de-passe-oublie/envoye"
    with app.app_context():
        while answer_mail_requests():
            pass
    return answer.status_code


def mails(app: Flask) -> list[Mail]:
    with database(app) as session:
        found = list(session.scalars(select(Mail).order_by(Mail.id)))
        session.expunge_all()
    return found


def link_in(mail: Mail) -> str:
    [path] = set(LINK.findall(mail.text or ""))
    assert path in (mail.html or "")
    return str(path)


def ask_for_link(app: Flask) -> str:
    ask(app)
    return link_in(mails(app)[-1])


def use(app: Flask, path: str, password: str = NEW) -> int:
    client = browser_of(app)
    client.get("/connexion")
    return client.submit(path, {"new_password": password}).status_code


def test_a_forgotten_password_is_replaced_by_a_mailed_link(app: Flask) -> None:
    path = ask_for_link(app)
    [asked] = mails(app)
    assert asked.recipient == CAMILLE and asked.secret
    client = browser_of(app)
    page = client.get(path)
    assert page.status_code == 200 and CAMILLE in page.text
    answer = client.submit(path, {"new_password": NEW})
    assert (answer.status_code, answer.location) == (303, "/connexion")
    assert "a été changé" in client.get("/connexion").text
    assert not opens(client)
    assert browser_of(app).sign_in_by_form(CAMILLE, NEW).status_code == 303
    assert browser_of(app).sign_in_by_form(CAMILLE, PASSPHRASE).status_code == 422
    notice = mails(app)[-1]
    assert notice.subject == "Votre mot de passe a été changé" and not LINK.search(notice.text or "")


def test_the_page_after_asking_helps_who_gets_nothing(client: Browser) -> None:
    page = client.get("/mot-de-passe-oublie/envoye").text
    assert all(word in page for word in ("indésirables", "faute de frappe", "deux jours", "04 65 71 00 01"))


def test_an_incomplete_address_is_said_at_once(client: Browser) -> None:
    client.get("/mot-de-passe-oublie")
    for typed in ("", "camille", "camille@example", "a@b@example.org", "a b@example.org"):
        answer = client.submit("/mot-de-passe-oublie", {"email": typed})
        assert answer.status_code == 422 and 'aria-invalid="true"' in answer.text


def test_nobody_gets_mail_for_an_unknown_or_deactivated_address(app: Flask) -> None:
    with database(app) as session:
        services.deactivate(session, account_of(session, YACINE), at=real_clock.now(), by=None)
    for email in ("personne@example.org", YACINE):
        assert ask(app, email) == 303
    assert mails(app) == []


def test_an_account_without_a_password_gets_its_first(app: Flask) -> None:
    with database(app) as session:
        account_of(session, CAMILLE).password = None
    assert use(app, ask_for_link(app)) == 303
    assert browser_of(app).sign_in_by_form(CAMILLE, NEW).status_code == 303


# S6


@pytest.mark.parametrize(("after", "status"), [(TWO_DAYS - 1, 303), (TWO_DAYS, 410), (TWO_DAYS + 1, 410)])
def test_a_link_lives_two_days(app: Flask, clock: time_machine.Traveller, after: int, status: int) -> None:
    path = ask_for_link(app)
    clock.shift(after)
    assert use(app, path) == status
    assert browser_of(app).get(path).status_code == 410


def test_a_link_serves_once(app: Flask) -> None:
    path = ask_for_link(app)
    assert use(app, path) == 303
    assert use(app, path, "une autre phrase de sept mots de potager") == 410
    assert browser_of(app).sign_in_by_form(CAMILLE, NEW).status_code == 303


def test_of_two_who_press_at_once_one_is_too_late(app: Flask) -> None:
    token = ask_for_link(app).removeprefix("/lien/")
    with database(app) as session:
        assert services.use_link(session, token, at=real_clock.now()) is not None
        assert services.use_link(session, token, at=real_clock.now()) is None


def test_a_newer_link_voids_the_older(app: Flask) -> None:
    older, newer = ask_for_link(app), ask_for_link(app)
    assert use(app, older) == 410
    assert use(app, newer) == 303


def test_a_change_of_password_voids_the_link(app: Flask) -> None:
    path = ask_for_link(app)
    with database(app) as session:
        services.set_password(session, account_of(session, CAMILLE), NEW, at=real_clock.now())
    assert use(app, path) == 410


def test_deactivation_voids_the_link(app: Flask) -> None:
    path = ask_for_link(app)
    with database(app) as session:
        services.deactivate(session, account_of(session, CAMILLE), at=real_clock.now(), by=None)
    assert use(app, path) == 410


def test_the_database_keeps_only_a_hash_of_the_link(app: Flask) -> None:
    token = ask_for_link(app).removeprefix("/lien/")
    with database(app) as session:
        row = session.execute(text("SELECT * FROM mailed_link")).one()
    assert token not in str(tuple(row))


def test_a_link_that_nobody_sent_is_refused_kindly(app: Flask) -> None:
    client = browser_of(app)
    for token in ("x", "A" * 43, "%ED%A0%80", "é", "'%20OR%201=1", "A" * 4000):
        answer = client.get(f"/lien/{token}")
        assert answer.status_code == 410 and "/mot-de-passe-oublie" in answer.text, token
    for path in ("/lien/", "/lien/%00", "/lien/..%2F..", "/lien/a/b"):
        assert client.get(path).status_code == 404, path


# S7


def test_opening_a_link_changes_nothing(app: Flask, count_queries: object) -> None:
    path = ask_for_link(app)
    for method in ("GET", "HEAD", "GET"):
        assert browser_of(app).open(path, method=method).status_code == 200
    assert browser_of(app).sign_in_by_form(CAMILLE).status_code == 303
    assert use(app, path) == 303


def test_the_forms_need_the_token_of_a_page(app: Flask) -> None:
    path = ask_for_link(app)
    assert browser_of(app).post(path, data={"new_password": NEW}).status_code == 403
    assert browser_of(app).post("/mot-de-passe-oublie", data={"email": CAMILLE}).status_code == 403
    assert use(app, path) == 303


# S8


def test_a_forged_host_does_not_reach_the_mail(app: Flask) -> None:
    forged = dict.fromkeys(("X-Forwarded-Host", "X-Original-Host", "X-Host", "Origin"), "evil.example")
    assert ask(app, headers=forged | {"Forwarded": "host=evil.example;proto=https"}) == 303
    [mail] = mails(app)
    assert link_in(mail) and "evil" not in f"{mail.subject}{mail.text}{mail.html}"


def test_an_unknown_host_is_refused(app: Flask) -> None:
    client = browser_of(app)
    client.get("/mot-de-passe-oublie")
    form = {"email": CAMILLE, "csrf_token": client.token}
    answer = client.post("/mot-de-passe-oublie", data=form, headers={"Host": "evil.example"})
    assert answer.status_code == 400
    assert mails(app) == []


# S9


WEAK = {
    "": "Indiquez",
    "Abc1!": "trop court",
    "Motdepasse2026!": "essaie en premier",
    "azertyuiopqsdfg": "trop simple",
    "Camille-Aubert-2026!": "votre nom",
    "A1!" + "x" * 254: "trop long",
}
GOOD = (
    "Vb7!kd92Lm#q",
    "carottesnavets27X",
    NEW,
    "  des espaces devant, derrière et aussi dedans  ",
    "🥕 deux bottes de fanes bien vertes ce matin 🥬",
    "phrase " * 28 + "fin.",
    "sept mots\u00a0avec\tdes blancs de toute sorte",
)


def test_a_weak_password_is_refused_with_the_reason_beside_the_field(app: Flask) -> None:
    path = ask_for_link(app)
    client = browser_of(app)
    client.get(path)
    for password, said in WEAK.items():
        answer = client.submit(path, {"new_password": password})
        assert answer.status_code == 422, password
        error = re.search(r'id="new_password-error">.*?<span>(.*?)</span>', answer.text, re.DOTALL)
        assert error and said in error[1], password
        assert password not in answer.text or not password
    assert use(app, path) == 303  # the link is still good


def test_a_good_password_is_taken_unchanged(app: Flask, clock: time_machine.Traveller) -> None:
    for password in GOOD:
        clock.shift(3600)
        assert use(app, ask_for_link(app), password) == 303, password
        assert browser_of(app).sign_in_by_form(CAMILLE, password.strip() + "?").status_code == 422, password
        if password != password.strip():
            assert browser_of(app).sign_in_by_form(CAMILLE, password.strip()).status_code == 422, password
        assert browser_of(app).sign_in_by_form(CAMILLE, password).status_code == 303, password


def test_accents_may_be_composed_differently_by_another_keyboard(app: Flask) -> None:
    composed = "une forêt près du pré où paît la brebis"
    decomposed = "une fore\u0302t pre\u0300s du pre\u0301 ou\u0300 pai\u0302t la brebis"
    assert use(app, ask_for_link(app), composed) == 303
    assert browser_of(app).sign_in_by_form(CAMILLE, decomposed).status_code == 303


@pytest.fixture
def no_hashing(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    def never(*_: object) -> None:
        raise AssertionError("hashed")

    monkeypatch.setattr(services, "hash_password", never)
    monkeypatch.setattr("portal.accounts.models.Account.verify_and_update_password", never)
    yield
    monkeypatch.undo()


def test_a_huge_password_is_refused_before_it_is_hashed(app: Flask, no_hashing: None) -> None:
    path = ask_for_link(app)
    for size, status in ((1_000_000, 422), (2_000_000, 413)):
        client = browser_of(app)
        client.get("/connexion")
        assert client.submit("/connexion", {"email": CAMILLE, "password": "x" * size}).status_code == status
        assert use(app, path, "aB3!" * (size // 4)) == status
        known = browser_of(app)
        known.sign_in(CAMILLE)
        known.get("/mon-compte")
        for page in ("preuve", "mot-de-passe"):
            form = {"password": "x" * size, "new_password": NEW}
            assert known.submit(f"/mon-compte/{page}", form).status_code == status


def test_the_rule_and_an_idea_are_shown_before_anything_is_typed(app: Flask) -> None:
    path = ask_for_link(app)
    first, second = (browser_of(app).get(path).text for _ in range(2))
    assert re.search(r"sept\smots", first) and re.search(r"12\scaractères", first)
    ideas = [re.search(r'class="idea-words"[^>]*>([^<]+)<', page) for page in (first, second)]
    assert ideas[0] and ideas[1] and ideas[0][1] != ideas[1][1]
    assert use(app, path, ideas[0][1]) == 303


def test_password_managers_and_paste_are_welcome(app: Flask) -> None:
    reset = browser_of(app).get(ask_for_link(app)).text
    login = browser_of(app).get("/connexion").text
    assert 'autocomplete="new-password"' in reset and 'autocomplete="username"' in reset
    assert 'autocomplete="current-password"' in login and 'autocomplete="username"' in login
    assert "onpaste" not in reset + login


# S2, S4


def test_a_reset_ends_every_session_at_once(app: Flask) -> None:
    devices = [signed_in(app, CAMILLE) for _ in range(2)]
    cookies = [cookie(device) for device in devices]
    path = ask_for_link(app)
    devices[0].get("/mon-compte")
    assert devices[0].submit(path, {"new_password": NEW}).status_code == 303
    assert "a été changé" in devices[0].get("/connexion").text
    assert not any(opens(device) for device in devices)
    assert not any(opens(with_cookie(app, value)) for value in cookies)


def test_a_reset_on_somebody_elses_device_leads_to_the_sign_in_page(app: Flask) -> None:
    path = ask_for_link(app)
    lent = signed_in(app, YACINE)
    lent.get("/mon-compte")
    assert lent.submit(path, {"new_password": NEW}).status_code == 303
    assert "a été changé" in lent.get("/connexion").text
    assert not opens(lent)


def test_who_was_shut_out_gets_in_by_a_reset(app: Flask) -> None:
    for _ in range(10):
        last = browser_of(app).sign_in_by_form(CAMILLE, "faux")
    assert last.status_code == 429
    assert use(app, ask_for_link(app)) == 303
    assert browser_of(app).sign_in_by_form(CAMILLE, NEW).status_code == 303


# S11


def test_one_address_gets_three_mails_an_hour_and_every_answer_is_the_same(
    app: Flask, clock: time_machine.Traveller
) -> None:
    assert [ask(app) for _ in range(20)] == [303] * 20
    assert len(mails(app)) == 3
    assert use(app, link_in(mails(app)[-1])) == 303  # those that were not sent voided nothing
    clock.shift(3600)
    ask(app)
    assert len(mails(app)) == 5


def test_one_client_asks_thirty_times_an_hour(app: Flask, clock: time_machine.Traveller) -> None:
    client = browser_of(app)
    answers = [ask(app, f"abonne{n}@example.org", client) for n in range(31)]
    assert answers == [303] * 30 + [429]
    answer = client.submit(
        "/mot-de-passe-oublie", {"email": CAMILLE}, headers={"X-Forwarded-For": "203.0.113.9"}
    )
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "3600")
    assert re.search(r"attendez 60\sminutes", answer.text)
    clock.shift(3600)
    assert ask(app) == 303


def test_a_request_that_fails_is_not_lost_and_does_not_hold_up_the_others(
    app: Flask, clock: time_machine.Traveller, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = browser_of(app)
    for email in (CAMILLE, YACINE):
        client.get("/mot-de-passe-oublie")
        client.submit("/mot-de-passe-oublie", {"email": email})
    with app.app_context():
        with monkeypatch.context() as broken:
            broken.setattr(services.outbox, "post", lambda *_, **__: (_ for _ in ()).throw(RuntimeError))
            assert answer_mail_requests()
        assert answer_mail_requests() and not answer_mail_requests()
        assert [mail.recipient for mail in mails(app)] == [YACINE]
        clock.shift(PAUSE)
        assert answer_mail_requests() and not answer_mail_requests()
    assert [mail.recipient for mail in mails(app)] == [YACINE, CAMILLE]


def test_expired_links_and_counts_are_forgotten(app: Flask) -> None:
    ask(app)
    with database(app) as session:
        purge_expired(session, real_clock.now() + timedelta(days=2))
        for table in ("mailed_link", "rate_count", "mail_request"):
            assert session.scalar(text(f"SELECT count(*) FROM {table}")) == 0
