"""Codes by mail: signing in with one, beginning an account with one (BAR S1, S5, S11)."""

import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select, text
from werkzeug.test import TestResponse

from portal.accounts import services
from portal.accounts.answers import closed_door
from portal.accounts.consents import agreed
from portal.accounts.jobs import purge_expired
from portal.accounts.models import Account, Consent
from portal.infra import clock as real_clock
from portal.infra.audit import AuditEvent
from portal.public import sign_up
from portal.rules.consents import ConsentSource, Topic
from tests.accounts.letters import answered, ask_for_code, code_in, link_in
from tests.accounts.people import account_of, browser_of, cookie, database, opens, signed_in, with_cookie
from tests.client import Browser
from tests.world import CAMILLE, STAFF, YACINE

JEANNE = "jeanne@example.org"
ENTER = "/connexion/code/saisie"
NAME = "/inscription/nom"
PHRASE = "le blaireau range sa cagette de navets"
NAMES = {"prenom": "Jeanne", "nom": "Dupont"}
OWN = NAMES | {"entree": "mot-de-passe", "new_password": PHRASE}
NO_PASSWORD = NAMES | {"entree": "code"}


def enter(client: Browser, code: str, **options: Any) -> TestResponse:
    return client.submit(ENTER, {"code": code}, **options)


def proven(app: Flask, email: str = JEANNE, path: str = "/inscription") -> Browser:
    """A browser that has proven the mailbox of somebody without an account."""
    client = browser_of(app)
    answer = enter(client, ask_for_code(app, client, email, path))
    assert (answer.status_code, answer.location) == (303, NAME)
    client.get(NAME)
    return client


def words(page: TestResponse, email: str) -> str:
    """What stands on it, but for the address and the form's token."""
    return "".join(line for line in page.text.replace(email, "").splitlines() if "csrf_token" not in line)


def close(app: Flask, email: str) -> None:
    with database(app) as session:
        services.deactivate(session, account_of(session, email), at=real_clock.now(), by=None)


# Beginning an account


def test_an_address_a_code_and_a_name_make_an_account_and_lead_on(app: Flask, browser: Browser) -> None:
    assert "/inscription?next=/boutique" in browser.get("/connexion?next=/boutique").text
    start = "/inscription?next=/boutique"
    browser.get(start)
    assert browser.submit(start, {"email": " Jeanne@Example.org "}).location == ENTER
    page = browser.get(ENTER)
    assert JEANNE in page.text and 'autocomplete="one-time-code"' in page.text
    assert all(word in page.text for word in ("indésirables", "faute de frappe", "quinze minutes", start))
    code = code_in(answered(app)[-1])
    assert enter(browser, f" {code[:3]} {code[3:]}").location == NAME
    page = browser.get(NAME).text
    assert 'type="checkbox"' in page and 'checkbox" checked' not in page
    assert not re.search(r'name="sujet"[^>]* checked', page)
    answer = browser.submit(NAME, OWN | {"sujet": ["letter", "x"]})
    assert (answer.status_code, answer.location) == (303, "/boutique")
    assert "Bienvenue Jeanne" in browser.get("/boutique").text
    assert opens(browser)
    with database(app) as session:
        jeanne = account_of(session, JEANNE)
        assert jeanne.email_proven_at == jeanne.seen_at == real_clock.now()
        assert agreed(session, jeanne.id) == {Topic.LETTER}
        [consent] = session.scalars(select(Consent))
        assert consent.source is ConsentSource.SIGN_UP and consent.wording in page
        made = select(AuditEvent.account_id).where(AuditEvent.action == "account_created")
        assert session.scalars(made).all() == [jeanne.id]
        number = jeanne.customer_number
    welcome = answered(app)[-1]
    assert (welcome.recipient, welcome.secret) == (JEANNE, False)
    assert number in (welcome.text or "") and PHRASE not in (welcome.text or "")
    assert browser_of(app).sign_in_by_form(JEANNE, PHRASE).location == "/espace"


def test_the_phrase_on_the_screen_or_no_password_at_all_will_do(app: Flask) -> None:
    client = proven(app)
    [phrase] = re.findall(r'name="phrase" value="([a-z ]+)"', client.get(NAME).text)
    answer = client.submit(NAME, NAMES | {"entree": "phrase", "phrase": phrase, "new_password": "x"})
    assert answer.location == "/espace"
    assert browser_of(app).sign_in_by_form(JEANNE, phrase).status_code == 303
    other = proven(app, "ali@example.org")
    assert other.submit(NAME, NO_PASSWORD).location == "/espace"
    with database(app) as session:
        assert account_of(session, "ali@example.org").password is None
    again = browser_of(app)
    assert enter(again, ask_for_code(app, again, "ali@example.org")).location == "/espace"


def test_what_is_missing_or_weak_is_said_and_what_was_typed_stays(app: Flask) -> None:
    client = proven(app)
    [phrase] = re.findall(r'name="phrase" value="([a-z ]+)"', client.get(NAME).text)
    cases = {
        "Prénom : à remplir": OWN | {"prenom": " "},
        "Indiquez un nouveau mot de passe": OWN | {"new_password": ""},
        "contient votre nom": OWN | {"new_password": "Dupont-2026-Xylophone!"},
        "contenait votre nom": NAMES | {"entree": "phrase", "phrase": phrase, "nom": phrase.split()[0]},
        "choisissez dans la liste": NAMES | {"entree": "x"},
        "voici une autre": NAMES | {"entree": "phrase", "phrase": "azerty"},
    }
    for said, form in cases.items():
        answer = client.submit(NAME, form)
        assert answer.status_code == 422 and said in answer.text.replace("\xa0", " "), said
        assert form["prenom"].strip() in answer.text and "Xylophone" not in answer.text
    assert client.submit(NAME, OWN).status_code == 303


def test_no_field_but_those_of_the_page_becomes_the_account(app: Flask) -> None:
    """BAR Z4."""
    forged = {"email": CAMILLE, "roles": "admin", "payer_id": "1", "active": "", "id": "1", "note": "x"}
    assert (
        proven(app).submit(NAME, OWN | forged | {"email_proven_at": "", "payment_means": "transfer"}).location
    )
    with database(app) as session:
        jeanne, camille = account_of(session, JEANNE), account_of(session, CAMILLE)
        assert jeanne.id != camille.id and jeanne.active and jeanne.email_proven_at == real_clock.now()
        assert [jeanne.roles, jeanne.payer_id, jeanne.note, jeanne.payment_means] == [[], None, None, None]


def test_nobody_gives_a_name_without_a_code_or_long_after_it(
    app: Flask, clock: time_machine.Traveller
) -> None:
    client = browser_of(app)
    ask_for_code(app, client, JEANNE)
    assert client.submit(NAME, OWN).location == client.get(NAME).location == "/inscription"
    client = proven(app)
    clock.shift(3600)
    assert client.submit(NAME, OWN).location == "/inscription"
    with database(app) as session:
        assert session.scalar(select(Account).where(Account.email == JEANNE)) is None


def test_who_proves_an_address_twice_gets_one_account(app: Flask) -> None:
    first, second = proven(app), proven(app)
    assert first.submit(NAME, OWN).location == "/espace"
    assert second.submit(NAME, OWN | {"prenom": "Janine"}).location == "/espace"
    assert "Jeanne" in second.get("/mon-compte").text


def test_an_address_that_looks_mistyped_is_asked_about_once(client: Browser) -> None:
    for path in ("/inscription", "/connexion/code"):
        client.get(path)
        answer = client.submit(path, {"email": "jeanne@gmial.com"})
        assert answer.status_code == 422
        assert "vouliez-vous dire jeanne@gmail.com" in answer.text
        [sure] = re.findall(r'name="sure" value="([^"]+)"', answer.text)
        assert client.submit(path, {"email": "jeanne@gmial.com", "sure": sure}).location == ENTER
        for typed in ("", "jeanne", "a@b@example.org", "jeanne@example.org\r\nBcc: x@example.org"):
            assert client.submit(path, {"email": typed}).status_code == 422, typed


# Signing in


def test_a_code_signs_in_whoever_has_an_account(app: Flask, browser: Browser) -> None:
    login = browser.get("/connexion?next=/planning").text
    assert 'formaction="/connexion/code?next=/planning"' in login
    path = "/connexion/code?next=/planning"
    code = ask_for_code(app, browser, CAMILLE, path)
    mail = answered(app)[-1]
    assert "déjà un compte" not in (mail.text or "") and "/lien/" not in (mail.text or "")
    assert enter(browser, code).location == "/planning"
    assert opens(browser)
    assert [browser.get(way).location for way in ("/inscription", "/connexion/code", ENTER, NAME)] == [
        "/espace"
    ] * 4
    with database(app) as session:
        assert account_of(session, CAMILLE).email_proven_at == real_clock.now()
        assert session.scalar(text("SELECT count(*) FROM mailed_link")) == 0
    staff = browser_of(app)
    assert enter(staff, ask_for_code(app, staff, STAFF)).location == "/ferme"


def test_an_address_that_is_known_gets_the_same_page_and_its_owner_a_way_in_and_a_link(app: Flask) -> None:
    pages = []
    for email in (CAMILLE, JEANNE):
        client = browser_of(app)
        client.get("/inscription")
        answer = client.submit("/inscription", {"email": email})
        pages.append((answer.status_code, answer.location, words(client.get(ENTER), email)))
    assert pages[0] == pages[1]
    known, unknown = answered(app)[-2:]
    assert "déjà un compte" in (known.text or "") and "/lien/" not in (unknown.text or "")
    link = link_in(known)
    holder = browser_of(app)
    assert enter(holder, ask_for_code(app, holder, CAMILLE, "/inscription")).location == "/espace"
    client = browser_of(app)
    assert link != link_in(answered(app)[-1]), "nobody voids what was mailed before by signing up"
    client.get(link)
    assert client.submit(link, {"new_password": PHRASE}).location == "/connexion"
    assert browser_of(app).sign_in_by_form(CAMILLE, PHRASE).status_code == 303


def test_a_code_asked_for_without_an_account_says_so_and_begins_one(app: Flask) -> None:
    client = proven(app, path="/connexion/code")
    assert "pas encore de compte" in (answered(app)[-1].text or "")
    assert client.submit(NAME, NO_PASSWORD).location == "/espace"


def test_a_closed_account_is_not_entered_and_its_owner_is_told_how_to_come_back(app: Flask) -> None:
    client, late = browser_of(app), browser_of(app)
    code = ask_for_code(app, late, CAMILLE)
    close(app, CAMILLE)
    assert enter(late, code).status_code == 422 and not opens(late)
    client.get("/inscription")
    assert client.submit("/inscription", {"email": CAMILLE}).location == ENTER
    mail = answered(app)[-1]
    assert (
        "fermé" in mail.subject and "appelez-nous" in (mail.text or "") and "/lien/" not in (mail.text or "")
    )

    def reopen(account: Account, **_: object) -> str:
        return "A" * 43

    with closed_door.connected_to(reopen):
        client.submit("/connexion/code", {"email": CAMILLE})
        assert link_in(answered(app)[-1]) == f"/lien/{'A' * 43}"
    assert "ne sert plus" in enter(client, "000000").text


# The code


@pytest.mark.parametrize(("after", "status"), [(15 * 60 - 1, 303), (15 * 60, 422)])
def test_a_code_lives_a_quarter_of_an_hour(
    app: Flask, clock: time_machine.Traveller, after: int, status: int
) -> None:
    client = browser_of(app)
    code = ask_for_code(app, client, CAMILLE)
    clock.shift(after)
    with database(app) as session:
        purge_expired(session, real_clock.now() - timedelta(seconds=1))
    assert enter(client, code).status_code == status
    with database(app) as session:
        purge_expired(session, real_clock.now() + timedelta(minutes=15))
        assert session.scalar(text("SELECT count(*) FROM mailed_code")) == 0


def test_a_code_serves_once(app: Flask) -> None:
    client = browser_of(app)
    code = ask_for_code(app, client, CAMILLE)
    kept = cookie(client)
    assert enter(client, code).status_code == 303
    again = browser_of(app)
    ask_for_code(app, again, CAMILLE)
    assert enter(again, code).status_code == 422
    assert not opens(with_cookie(app, kept))


def test_a_code_stands_five_tries(app: Flask, client: Browser) -> None:
    for wrong, status in ((4, 303), (5, 422)):
        client = browser_of(app)
        code = ask_for_code(app, client, CAMILLE)
        bad = f"{(int(code) + 1) % 10**6:06}"
        answers = [enter(client, bad) for _ in range(wrong)]
        assert {answer.status_code for answer in answers} == {422}
        assert "ne sert plus" in answers[0].text and "Six chiffres" in enter(client, "12345").text
        assert enter(client, code).status_code == status
    client.submit("/connexion/code/renvoi")
    assert enter(client, code_in(answered(app)[-1])).status_code == 303


def test_a_code_is_good_in_the_browser_that_asked_for_it_alone(app: Flask) -> None:
    client, other = browser_of(app), browser_of(app)
    code = ask_for_code(app, client, CAMILLE)
    others = ask_for_code(app, other, CAMILLE)
    assert code == others or enter(other, code).status_code == 422
    assert enter(client, code).status_code == 303
    assert browser_of(app).submit(ENTER, {"code": others}).location == "/connexion/code"
    ask_for_code(app, other, YACINE)
    assert enter(other, others).status_code == 422, "it is another's"


def test_a_newer_code_voids_the_older(app: Flask, client: Browser) -> None:
    older = ask_for_code(app, client, CAMILLE)
    client.get(ENTER)
    assert client.submit("/connexion/code/renvoi").location == ENTER
    assert "Un nouveau code" in client.get(ENTER).text
    newer = code_in(answered(app)[-1])
    assert older == newer or enter(client, older).status_code == 422
    assert enter(client, newer).status_code == 303


def test_a_new_password_voids_the_code(app: Flask, client: Browser) -> None:
    code = ask_for_code(app, client, CAMILLE)
    with database(app) as session:
        services.set_password(session, account_of(session, CAMILLE), PHRASE, at=real_clock.now())
    assert enter(client, code).status_code == 422


def test_the_database_keeps_a_keyed_hash_of_the_code_and_a_hash_of_the_browser(
    app: Flask, client: Browser
) -> None:
    code = ask_for_code(app, client, CAMILLE)
    with database(app) as session:
        row = session.execute(text("SELECT * FROM mailed_code")).one()
        visit = session.scalars(text("SELECT data FROM sign_in_session")).one()
    assert code not in str(tuple(row)) and row.visit not in str(visit)


def test_the_session_id_changes_with_the_proof(app: Flask, client: Browser) -> None:
    code = ask_for_code(app, client, JEANNE)
    planted = cookie(client)
    enter(client, code)
    assert cookie(client) != planted
    assert with_cookie(app, planted).get(NAME).location == "/inscription"


def test_forms_need_the_token_of_a_page(app: Flask, client: Browser) -> None:
    code = ask_for_code(app, client, CAMILLE)
    for path, form in (
        (ENTER, {"code": code}),
        ("/inscription", {"email": JEANNE}),
        ("/adresse-oubliee", {}),
    ):
        assert client.post(path, data=form).status_code == 403
    assert enter(client, code).status_code == 303


# S11


def test_an_address_gets_three_codes_an_hour_and_ten_a_day(
    app: Flask, client: Browser, clock: time_machine.Traveller
) -> None:
    for email in (CAMILLE, JEANNE):
        client.get("/inscription")
        answers = {client.submit("/inscription", {"email": email}).location for _ in range(10)}
        assert answers == {ENTER}
        assert sum(mail.recipient == email for mail in answered(app)) == 3
        client.submit("/connexion/code/renvoi")
        assert "Un nouveau code" not in client.get(ENTER).text, "known or not, none leaves"
    for _ in range(5):
        clock.shift(3600)
        for _ in range(4):
            client.submit("/inscription", {"email": JEANNE})
        answered(app)
    assert sum(mail.recipient == JEANNE for mail in answered(app)) == 10
    owner = signed_in(app, STAFF)
    with database(app) as session:
        account_of(session, STAFF).password = None
    for _ in range(6):
        client.submit("/connexion/code", {"email": STAFF})
    mails = [mail for mail in answered(app) if mail.recipient == STAFF]
    assert len(mails) == 4 and link_in(mails[-1]), "her codes are used up, not her way in"
    clock.shift(1800)
    owner.get("/mon-compte/preuve")
    owner.submit("/mon-compte/preuve/code")
    assert code_in(answered(app)[-1]), "who is signed in has codes of their own"
    close(app, YACINE)
    for _ in range(5):
        client.submit("/connexion/code", {"email": YACINE})
    assert sum(mail.recipient == YACINE for mail in answered(app)) == 3


def test_a_client_may_not_ask_nor_try_without_end(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, most in (("MAILS_OF_CLIENT", 3), ("CODES_OF_CLIENT", 2)):
        limit = getattr(sign_up, name)
        assert limit.most >= 30
        monkeypatch.setattr(sign_up, name, replace(limit, most=most))
    client = browser_of(app)
    ask_for_code(app, client, CAMILLE)
    assert [enter(client, "x").status_code, enter(client, "000000").status_code] == [422, 422]
    wrong = [enter(client, "000001") for _ in range(2)]
    assert [answer.status_code for answer in wrong] == [422, 429]
    assert wrong[1].headers["Retry-After"] == "900" and re.search(r"15\sminutes", wrong[1].text)
    asked = [client.submit("/inscription", {"email": JEANNE}) for _ in range(3)]
    assert [answer.status_code for answer in asked] == [303, 303, 429]
    again = client.submit("/connexion/code/renvoi")
    assert again.status_code == 429 and "attendez" in again.text
    assert len(answered(app)) == 3


def test_those_who_get_in_do_not_use_up_their_clients_share(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sign_up, "CODES_OF_CLIENT", replace(sign_up.CODES_OF_CLIENT, most=1))
    for email in (CAMILLE, YACINE, STAFF):
        client = browser_of(app)
        assert enter(client, ask_for_code(app, client, email)).status_code == 303


# S5


def test_asking_and_trying_do_the_same_for_every_address(app: Flask, count_queries: Any) -> None:
    close(app, YACINE)
    done = []
    for email in (CAMILLE, JEANNE, YACINE):
        client = browser_of(app)
        client.get("/inscription")
        with count_queries() as asking:
            client.submit("/inscription", {"email": email})
        answered(app)
        with count_queries() as trying:
            answer = enter(client, "123456")
        done.append((asking, trying, answer.status_code, words(answer, email)))
    assert done[0] == done[1] == done[2]


# The forgotten address


def test_who_has_forgotten_the_address_finds_it_in_the_mailbox(app: Flask, browser: Browser) -> None:
    with database(app) as session:
        for email in (CAMILLE, YACINE, STAFF):
            account_of(session, email).phone = "06 12 34 56 78"
        number = account_of(session, CAMILLE).customer_number
    close(app, STAFF)
    page = browser.get("/connexion")
    assert "/adresse-oubliee" in page.text
    browser.get("/adresse-oubliee")
    for typed, found in {
        number: [CAMILLE],
        f" {number[1:]}": [CAMILLE],
        "+33 6 12 34 56 78": [CAMILLE, YACINE],
        "C99999": [],
        "C10000": [],
        "0699999999": [],
    }.items():
        before = len(answered(app))
        answer = browser.submit("/adresse-oubliee", {"numero": typed})
        assert (answer.status_code, answer.location) == (303, "/adresse-oubliee/envoye"), typed
        assert sorted(mail.recipient for mail in answered(app)[before:]) == found, typed
    sent = browser.get("/adresse-oubliee/envoye").text
    assert "@example" not in sent.replace("ferme@example.org", "") and "chacune de vos boîtes" in sent
    assert CAMILLE in (answered(app)[0].text or "")
    for typed in ("", "Camille", "12", CAMILLE, "C9" * 200, "06 12"):
        assert browser.submit("/adresse-oubliee", {"numero": typed}).status_code == 422, typed
    for _ in range(3):
        browser.submit("/adresse-oubliee", {"numero": number})
    assert sum(mail.recipient == CAMILLE for mail in answered(app)) == 3


# Signs of life


def test_a_link_proves_the_mailbox_and_each_visit_is_a_sign_of_life(
    app: Flask, client: Browser, clock: time_machine.Traveller
) -> None:
    client.get("/mot-de-passe-oublie")
    client.submit("/mot-de-passe-oublie", {"email": CAMILLE})
    link = link_in(answered(app)[-1])
    client.get(link)
    client.submit(link, {"new_password": PHRASE})
    asked = real_clock.now()
    assert client.sign_in_by_form(CAMILLE, PHRASE).status_code == 303
    assert browser_of(app).sign_in_by_form(YACINE, "faux").status_code == 422
    clock.shift(7200)
    client.get("/espace")
    with database(app) as session:
        camille = account_of(session, CAMILLE)
        assert (camille.email_proven_at, camille.seen_at) == (asked, real_clock.now())
        assert account_of(session, YACINE).seen_at is None
