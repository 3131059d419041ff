"""What opens an account beside its password: aged, moved, taken away (BAR S1, S12)."""

from datetime import timedelta

import time_machine
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.accounts import mailboxes
from portal.accounts.models import LinkPurpose, Passkey, SecondFactor, SocialIdentity
from portal.accounts.services import new_link
from portal.accounts.ways_in import list_ways
from portal.infra import audit
from portal.infra.outbox import Mail
from portal.privacy.merging import merge
from tests.accounts.people import account_of, browser_of, signed_in
from tests.accounts.test_proofs import PROOF
from tests.accounts.test_second_factor import PAGE, TYPED_SECRET, Phone, set_up
from tests.pages import text_of
from tests.world import CAMILLE, NOW, PASSPHRASE, YACINE

WAYS = "/mon-compte/securite/entrees"


def key(session: Session, email: str, name: str) -> Passkey:
    made = Passkey(
        account_id=account_of(session, email).id, credential=name, public_key=b"", sign_count=0, name=name
    )
    made.made_at = NOW
    session.add(made)
    return made


def known_as(session: Session, email: str, provider: str) -> SocialIdentity:
    account_id = account_of(session, email).id
    made = SocialIdentity(provider=provider, subject=email, account_id=account_id, linked_at=NOW)
    session.add(made)
    return made


def test_a_secret_that_waits_half_an_hour_is_drawn_anew(app: Flask, clock: time_machine.Traveller) -> None:
    client = signed_in(app, CAMILLE)
    client.get(PAGE)
    client.submit(PAGE)
    [others] = TYPED_SECRET.findall(client.get(PAGE).text)
    clock.shift(timedelta(minutes=30))
    client.sign_in_by_form(CAMILLE)
    assert "Commencer" in client.get(PAGE).text, "somebody else may have begun it"
    known = {"code": Phone(others).code()}
    assert client.submit(f"{PAGE}/confirmation", known).status_code == 422
    client.submit(PAGE)
    [own] = TYPED_SECRET.findall(client.get(PAGE).text)
    assert own != others
    assert client.submit(f"{PAGE}/confirmation", {"code": Phone(own).code()}).status_code == 200


def test_an_address_that_is_taken_back_takes_a_factor_away_that_was_begun_long_before(
    session: Session,
) -> None:
    camille = account_of(session, CAMILLE)
    begun, confirmed = NOW - timedelta(days=400), NOW - timedelta(hours=1)
    session.add(SecondFactor(account_id=camille.id, secret=b"s", made_at=begun, confirmed_at=confirmed))
    back = new_link(session, camille, LinkPurpose.OLD_ADDRESS, at=NOW, lives=timedelta(days=1), email=CAMILLE)
    mailboxes.take_address_back(session, back, at=NOW)
    assert session.scalars(select(SecondFactor)).all() == []


def test_what_opened_the_one_account_opens_the_other_or_nothing(session: Session) -> None:
    into, other = account_of(session, CAMILLE), account_of(session, YACINE)
    into.email_proven_at = other.email_proven_at = NOW
    for email, provider in ((YACINE, "google"), (YACINE, "oidc"), (CAMILLE, "oidc")):
        known_as(session, email, provider)
    key(session, YACINE, "téléphone")
    own = key(session, CAMILLE, "ordinateur")
    session.flush()
    assert merge(session, into.id, other.id, at=NOW) is into
    session.flush()
    found = select(SocialIdentity.account_id, SocialIdentity.provider, SocialIdentity.subject)
    kept = {(into.id, "google", YACINE), (into.id, "oidc", CAMILLE)}
    assert {tuple(row) for row in session.execute(found)} == kept
    assert session.scalars(select(Passkey)).all() == [own]
    told = select(Mail.recipient).where(Mail.text.contains("téléphone"))
    assert session.scalars(told).all() == [YACINE]


def test_who_has_a_second_factor_shows_it_before_what_protects_the_account_is_changed(
    app: Flask, clock: time_machine.Traveller
) -> None:
    client = signed_in(app, CAMILLE)
    phone, codes = set_up(client)
    for code in (phone.code, codes.pop):
        clock.shift(timedelta(hours=1))
        asked = client.get("/mon-compte/adresse-mail").location
        assert client.submit(asked, {"password": PASSPHRASE}).location == asked
        for path in ("/mon-compte/securite/cles/ajout", "/mon-compte/adresse-mail"):
            assert client.get(path).location == f"{PROOF}?next={path}", "the password alone is half of it"
        for path in (f"{PAGE}/suppression", f"{PAGE}/codes"):
            assert client.submit(path).location.startswith(PROOF)
        assert "Code de votre application" in text_of(client.get(asked))
        assert client.submit(asked, {"factor": "000000"}).status_code == 422
        assert client.submit(asked, {"factor": code()}).location == "/mon-compte/adresse-mail"
        assert client.get("/mon-compte/adresse-mail").status_code == 200
    clock.shift(timedelta(hours=1))
    client.submit(asked, {"password": PASSPHRASE})
    tries = [client.submit(asked, {"factor": "000000"}).status_code for _ in range(5)]
    assert tries == [422] * 4 + [429]
    clock.shift(timedelta(minutes=10))
    assert "Mot de passe actuel" in text_of(client.get(asked)), "one half lasts ten minutes as well"


def test_a_reset_shows_what_else_opens_the_account_and_one_press_forgets_what_is_new(
    app: Flask, session: Session, clock: time_machine.Traveller
) -> None:
    camille, yacine = account_of(session, CAMILLE), account_of(session, YACINE)
    old = key(session, CAMILLE, "ordinateur")
    key(session, CAMILLE, "téléphone")
    old.made_at = NOW - timedelta(days=400)
    known_as(session, CAMILLE, "google")
    yacine.payer_id = camille.id
    audit.record(session, "household.join", ("account", camille.id), at=NOW, by=yacine.id)
    token = new_link(session, camille, LinkPurpose.RESET_PASSWORD, at=NOW, lives=timedelta(days=1))
    session.commit()
    client, new = browser_of(app), "le blaireau range sa cagette de navets"
    client.get(f"/lien/{token}")
    answer = client.submit(f"/lien/{token}", {"new_password": new})
    assert answer.location == f"/connexion?next={WAYS}"
    [told] = session.scalars(select(Mail.text)).all()
    names = ("ordinateur", "téléphone", "google", yacine.full_name)
    assert told and all(name in told for name in names) and WAYS in told
    session.rollback()
    client.get(answer.location)
    assert client.submit(answer.location, {"email": CAMILLE, "password": new}).location == WAYS
    page = text_of(client.get(WAYS))
    assert all(name in page for name in names)
    assert client.submit(WAYS).location == WAYS
    session.expire_all()
    assert [way.name for way in list_ways(session, camille)] == ["ordinateur"]
    assert yacine.payer_id is None
    session.rollback()
    assert "Enlever ce qui" not in text_of(client.get(WAYS)), "the old one stays"
