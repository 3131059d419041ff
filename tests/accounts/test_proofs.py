"""Who is signed in shows again that they are, before what matters is changed."""

import re
from datetime import timedelta

import time_machine
from flask import Flask
from sqlalchemy import select

from portal.infra.outbox import Mail
from tests.accounts.people import account_of, browser_of, database, signed_in
from tests.client import Browser
from tests.world import ADMIN, CAMILLE, PASSPHRASE

PAGE = "/mon-compte/securite/deux-etapes"
PROOF = "/mon-compte/preuve"


def late(app: Flask, clock: time_machine.Traveller) -> Browser:
    """Signed in an hour ago."""
    client = signed_in(app, CAMILLE)
    client.get("/mon-compte")
    clock.shift(timedelta(hours=1))
    return client


def test_a_password_that_has_just_been_typed_is_proof_for_ten_minutes(
    app: Flask, clock: time_machine.Traveller
) -> None:
    client = signed_in(app, CAMILLE)
    clock.shift(timedelta(minutes=9, seconds=59))
    assert client.get(PAGE).status_code == 200
    clock.shift(timedelta(seconds=1))
    assert client.get(PAGE).location == f"{PROOF}?next={PAGE}"
    clock.shift(timedelta(minutes=9, seconds=59))
    assert client.submit(PAGE).location == PAGE, "a form that was opened in time may be sent"
    clock.shift(timedelta(seconds=1))
    assert client.submit(PAGE).location == f"{PROOF}?next={PAGE}"
    assert "Rien n'a encore changé" in client.get(PROOF).text.replace("&#39;", "'")


def test_the_page_asks_for_the_password_and_leads_back(app: Flask, clock: time_machine.Traveller) -> None:
    client = late(app, clock)
    asked = client.get(PAGE).location
    for wrong in ("", "faux", "x" * 1000):
        assert client.submit(asked, {"password": wrong}).status_code == 422
        assert client.get(PAGE).status_code == 303
    assert client.submit(asked, {"password": PASSPHRASE}).location == PAGE
    assert client.get(PAGE).status_code == 200
    assert client.get(asked).location == PAGE, "who has shown it is not asked again"
    assert client.get(f"{PROOF}?next=https://example.org").location == "/mon-compte/securite"
    client.submit("/deconnexion")
    client.sign_in(CAMILLE)
    assert client.get(PAGE).status_code == 200
    clock.shift(timedelta(hours=1))
    assert client.get(PAGE).location == asked


def test_a_press_without_a_proof_comes_back_to_its_page(app: Flask, clock: time_machine.Traveller) -> None:
    client = late(app, clock)
    page = {"Referer": "http://localhost/mon-compte/securite"}
    removal = f"{PAGE}/suppression"
    assert client.submit(removal, headers=page).location == f"{PROOF}?next=/mon-compte/securite"
    assert client.submit(removal, headers={"Referer": "https://example.org/x"}).location == PROOF
    assert client.submit(removal).location == PROOF
    client.htmx = True
    fragment = client.submit(removal)
    assert (fragment.status_code, fragment.headers["HX-Redirect"]) == (401, PROOF)


def test_the_proof_cannot_be_guessed(app: Flask, clock: time_machine.Traveller) -> None:
    client = late(app, clock)
    client.get(PROOF)
    tries = [client.submit(PROOF, {"password": "faux"}) for _ in range(10)]
    assert [try_.status_code for try_ in tries] == [422] * 9 + [429]
    assert tries[-1].headers["Retry-After"] == "900" and "attendez 15" in tries[-1].text
    assert client.submit(PROOF, {"password": PASSPHRASE}).status_code == 429
    assert client.get(PAGE).status_code == 303


def test_who_has_no_password_gets_a_code_by_mail(app: Flask, clock: time_machine.Traveller) -> None:
    client = late(app, clock)
    with database(app) as session:
        account_of(session, CAMILLE).password = None
    assert 'name="password"' not in client.get(client.get(PAGE).location).text
    to_code = client.submit(f"{PROOF}/code?next={PAGE}").location
    with database(app) as session:
        [mail] = session.scalars(select(Mail))
        assert mail.recipient == CAMILLE and mail.secret
        [code] = re.findall(r"\d{3} \d{3}", mail.text or "")
    wrong = client.submit(to_code, {"code": "000000" if code != "000 000" else "1"})
    assert wrong.status_code == 422 and 'name="code"' in wrong.text
    elsewhere = browser_of(app)
    elsewhere.sign_in(CAMILLE)
    elsewhere.get("/mon-compte")
    assert elsewhere.submit(PROOF, {"code": code}).status_code == 422, "it is good in the browser that asked"
    assert client.submit(to_code, {"code": code}).location == PAGE
    assert client.get(PAGE).status_code == 200
    assert client.get("/mon-compte/mot-de-passe").status_code == 200
    chosen = {"new_password": "le blaireau range sa cagette de navets"}
    assert client.submit("/mon-compte/mot-de-passe", chosen).location == "/mon-compte/securite"
    assert browser_of(app).sign_in_by_form(CAMILLE, chosen["new_password"]).status_code == 303


def test_staff_who_see_the_site_as_somebody_open_none_of_it(app: Flask) -> None:
    staff = signed_in(app, ADMIN)
    with database(app) as session:
        number = account_of(session, CAMILLE).id
    staff.get("/ferme")
    assert staff.submit(f"/ferme/abonnes/{number}/voir-comme").status_code == 303
    for path in (PAGE, PROOF, "/mon-compte/securite", "/mon-compte/mot-de-passe"):
        assert staff.get(path).status_code == 403
    for path in (PAGE, PROOF, f"{PROOF}/code", f"{PAGE}/suppression", f"{PAGE}/codes"):
        assert staff.submit(path, {"password": PASSPHRASE}).status_code == 403
    assert "/mon-compte/securite" not in staff.get("/mon-compte").text
