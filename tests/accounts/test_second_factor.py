"""The second factor: set up, asked for at sign-in, good once, never in the way of who has none (BAR S1, S4)."""

import base64
import re
from datetime import timedelta
from functools import partial

import pyotp
import pytest
import time_machine
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.accounts import factors
from portal.accounts.models import RecoveryCode, SecondFactor
from portal.infra import clock as farm_clock
from portal.infra.audit import AuditEvent
from portal.infra.logs import JsonLines
from portal.infra.outbox import Mail
from tests.accounts.letters import answered, ask_for_code, link_in
from tests.accounts.people import (
    account_of,
    browser_of,
    cookie,
    database,
    opens,
    signed_in,
    with_cookie,
)
from tests.client import Browser
from tests.conftest import Farms
from tests.world import ADMIN, CAMILLE, NOW, PASSPHRASE, STAFF

PAGE = "/mon-compte/securite/deux-etapes"
STEP = "/connexion/deux-etapes"
CODES = re.compile(r"<li>([a-z2-9]{4}-[a-z2-9]{4}-[a-z2-9]{4})</li>")
TYPED_SECRET = re.compile(r'class="secret"[^>]*>([A-Z2-7 ]+)<')


class Phone:
    """An authenticator."""

    def __init__(self, secret: str) -> None:
        self.totp = pyotp.TOTP(secret.replace(" ", ""))

    def code(self, steps: int = 0) -> str:
        return self.totp.generate_otp(int(farm_clock.now().timestamp()) // 30 + steps)


def set_up(client: Browser) -> tuple[Phone, list[str]]:
    client.get(PAGE)
    assert client.submit(PAGE).location == PAGE
    page = client.get(PAGE).text
    [secret] = TYPED_SECRET.findall(page)
    phone = Phone(secret)
    assert f"secret={phone.totp.secret}" in page and "<path" in page
    answer = client.submit(f"{PAGE}/confirmation", {"code": phone.code()})
    assert answer.status_code == 200
    return phone, CODES.findall(answer.text)


def half_way(app: Flask, email: str = CAMILLE, next_page: str = "/planning") -> Browser:
    """Who has given the password, and is asked for the second factor."""
    client = browser_of(app)
    client.get("/connexion")
    answer = client.submit(f"/connexion?next={next_page}", {"email": email, "password": PASSPHRASE})
    assert answer.location == f"{STEP}?next={next_page}"
    client.get(STEP)
    return client


def give(client: Browser, **code: str) -> int:
    return client.submit(f"{STEP}?next=/planning", code).status_code


def mails_and_trail(app: Flask) -> tuple[list[str], list[str]]:
    with database(app) as session:
        mails = list(session.scalars(select(Mail.subject).order_by(Mail.id)))
        return mails, list(session.scalars(select(AuditEvent.action).order_by(AuditEvent.id)))


def test_it_is_set_up_asked_for_and_given_up(app: Flask, clock: time_machine.Traveller) -> None:
    client = signed_in(app, CAMILLE)
    client.get(PAGE)
    assert browser_of(app).sign_in_by_form(CAMILLE).location == "/espace"
    client.submit(PAGE)
    assert browser_of(app).sign_in_by_form(CAMILLE).location == "/espace", "not before its first code"
    phone, codes = set_up(client)
    assert len(set(codes)) == 10
    assert client.get(f"{PAGE}/confirmation").location == PAGE, "a reload leads to new ones"
    assert "10 codes" in client.get("/mon-compte/securite").text.replace("\xa0", " ")
    assert client.submit(PAGE).status_code == 303, "a second press changes nothing"
    clock.shift(30)
    visitor = half_way(app)
    before = cookie(visitor)
    assert not opens(visitor)
    answer = visitor.submit(f"{STEP}?next=/planning", {"code": phone.code()})
    assert (answer.status_code, answer.location) == (303, "/planning")
    assert opens(visitor) and cookie(visitor) != before and not opens(with_cookie(app, before))
    assert visitor.get(PAGE).status_code == 200, "a sign-in by password is a fresh proof"
    assert visitor.submit(f"{PAGE}/suppression").status_code == 303
    assert browser_of(app).sign_in_by_form(CAMILLE).location == "/espace"
    mails, trail = mails_and_trail(app)
    assert mails == [
        "La vérification en deux étapes est en service",
        "La vérification en deux étapes est arrêtée",
    ]
    assert trail == ["second_factor_on", "second_factor_off"]
    with database(app) as session:
        assert not session.scalars(select(SecondFactor)).all() + session.scalars(select(RecoveryCode)).all()


def test_who_has_planted_a_session_is_not_half_way_with_its_owner(app: Flask) -> None:
    set_up(signed_in(app, CAMILLE))
    client = browser_of(app)
    client.get("/connexion")
    planted = cookie(client)
    assert (
        planted and client.submit("/connexion", {"email": CAMILLE, "password": PASSPHRASE}).location == STEP
    )
    assert client.get(STEP).status_code == 200 and cookie(client) != planted
    assert with_cookie(app, planted).get(STEP).location == "/connexion"


def test_a_code_is_good_once_and_around_its_time(app: Flask, clock: time_machine.Traveller) -> None:
    phone, _codes = set_up(signed_in(app, CAMILLE))
    client = half_way(app)
    assert give(client, code=phone.code()) == 422, "the one that set it up is used"
    assert give(client, code=phone.code(-1)) == 422, "and so are those before it"
    assert give(client, code=phone.code(2)) == 422
    assert give(client, code=f" {phone.code(1)[:3]} {phone.code(1)[3:]} ") == 303
    clock.shift(timedelta(minutes=20))
    assert give(half_way(app), code=phone.code(-2)) == 422
    assert give(half_way(app), code=phone.code(-1)) == 303


def test_tries_are_counted_by_account_and_the_owner_gets_in_after_the_wait(
    app: Flask, clock: time_machine.Traveller
) -> None:
    phone, codes = set_up(signed_in(app, CAMILLE))
    clock.shift(30)
    tries = [give(half_way(app), code="000000") for _ in range(5)]
    assert tries == [422] * 5
    client = half_way(app)
    for right in ({"code": phone.code()}, {"recovery": codes[0]}):
        assert give(client, **right) == 429
    refused = client.submit(STEP, {"code": phone.code()})
    assert refused.headers["Retry-After"] == "900"
    assert browser_of(app).sign_in_by_form(STAFF).location == "/ferme"
    clock.shift(timedelta(minutes=15))
    assert give(half_way(app), code=phone.code()) == 303


def test_a_recovery_code_opens_once_and_new_ones_replace_all(
    app: Flask, clock: time_machine.Traveller
) -> None:
    client = signed_in(app, CAMILLE)
    _phone, codes = set_up(client)
    assert give(half_way(app), recovery=codes[0]) == 303
    assert give(half_way(app), recovery=codes[0]) == 422
    assert give(half_way(app), recovery=codes[1].upper().replace("-", " ")) == 303
    assert mails_and_trail(app)[0][1:] == ["Un code de secours a servi"] * 2
    with database(app) as session:
        last = session.scalars(select(Mail).order_by(Mail.id.desc())).first()
        assert last is not None and "il vous en reste 8" in (last.text or "").replace("\xa0", " ")
    new = CODES.findall(client.submit(f"{PAGE}/codes").text)
    assert len(new) == 10 and not set(new) & set(codes)
    assert give(half_way(app), recovery=codes[2]) == 422
    assert give(half_way(app), recovery=new[0]) == 303
    with database(app) as session:
        assert not set(new) & set(session.scalars(select(RecoveryCode.code_hash)))


def test_ten_minutes_and_a_new_password_end_what_is_half_way(
    app: Flask, clock: time_machine.Traveller
) -> None:
    client = signed_in(app, CAMILLE)
    phone, _codes = set_up(client)
    late, overtaken = half_way(app), half_way(app)
    clock.shift(timedelta(minutes=5))
    client.get("/mon-compte/mot-de-passe")
    new = {"password": PASSPHRASE, "new_password": "le blaireau range sa cagette de navets"}
    assert client.submit("/mon-compte/mot-de-passe", new).status_code == 303
    answer = overtaken.submit(f"{STEP}?next=/planning", {"code": phone.code()})
    assert answer.location == "/connexion?next=/planning"
    clock.shift(timedelta(minutes=5))
    assert late.get(STEP).location == "/connexion"
    assert not opens(late) and not opens(overtaken)
    assert browser_of(app).get(STEP).location == "/connexion", "nobody is half-way by the address alone"


def test_the_farm_lifts_it_for_who_has_lost_everything(app: Flask) -> None:
    set_up(signed_in(app, CAMILLE))
    lift = partial(app.test_cli_runner().invoke, args=["lift-second-factor", "Camille@example.org "])
    assert lift().exit_code == 0
    assert browser_of(app).sign_in_by_form(CAMILLE).location == "/espace"
    assert lift().exit_code == 1
    with database(app) as session:
        last = session.scalars(select(AuditEvent).order_by(AuditEvent.id.desc())).first()
        assert last is not None and (last.action, last.account_id) == ("second_factor_off", None)
    assert mails_and_trail(app)[0][-1] == "La vérification en deux étapes est arrêtée"


def test_a_wrong_first_code_puts_nothing_into_service(app: Flask) -> None:
    client = signed_in(app, CAMILLE)
    client.get(PAGE)
    client.submit(PAGE)
    for wrong in ("", "000000", "x" * 100):
        refused = client.submit(f"{PAGE}/confirmation", {"code": wrong})
        assert refused.status_code == 422 and "<path" in refused.text
    assert browser_of(app).sign_in_by_form(CAMILLE).location == "/espace"
    assert mails_and_trail(app) == ([], [])


def test_the_database_alone_tells_no_secret(app: Flask, session: Session) -> None:
    account = account_of(session, CAMILLE)
    factors.begin(session, account, at=NOW)
    factor = factors.find(session, account)
    assert factor is not None
    codes = factors.confirm(session, account, Phone(base64.b32encode(factor.secret).decode()).code(), at=NOW)
    session.commit()
    kept = session.connection().exec_driver_sql("SELECT secret FROM second_factor").scalar_one()
    assert factor.secret not in bytes(kept)
    assert codes and not any(
        code.replace("-", "") in str(session.scalars(select(RecoveryCode.code_hash)).all()) for code in codes
    )


@pytest.fixture(scope="module")
def strict_farms() -> Farms:
    made = Farms(admin_second_factor=True)
    yield made
    made.stop()


def test_an_admin_without_one_is_led_to_it_before_any_other_page(backend: str, strict_farms: Farms) -> None:
    app = strict_farms.fresh(backend)
    admin, staff, subscriber = (signed_in(app, email) for email in (ADMIN, STAFF, CAMILLE))
    for page in ("/ferme", "/espace", "/mon-compte", "/ferme/journal"):
        assert admin.get(page).location == PAGE, page
    assert admin.get("/ferme/abonnes", headers={"HX-Request": "true"}).headers["HX-Redirect"] == PAGE
    assert staff.get("/ferme").status_code == subscriber.get("/espace").status_code == 200
    assert admin.get(PAGE).status_code == 200
    set_up(admin)
    assert admin.get("/ferme").status_code == 200
    admin.get(PAGE)
    assert admin.submit(f"{PAGE}/suppression").status_code == 303
    assert admin.get("/ferme").location == PAGE


def test_the_log_of_all_that_tells_no_code_link_or_secret(
    app: Flask, clock: time_machine.Traveller, caplog: pytest.LogCaptureFixture
) -> None:
    """BAR P4: from the first code by mail to a recovery code, what is logged opens nothing."""
    caplog.set_level("DEBUG")
    visitor = browser_of(app)
    mailed = ask_for_code(app, visitor, "jeanne@example.org")
    visitor.submit("/connexion/code/saisie", {"code": mailed})
    visitor.get("/inscription/nom")
    visitor.submit("/inscription/nom", {"prenom": "Jeanne", "nom": "Roux", "entree": "code"})
    phone, codes = set_up(visitor)
    visitor.submit("/deconnexion")
    clock.shift(30)
    again = ask_for_code(app, visitor, "jeanne@example.org")
    visitor.submit("/connexion/code/saisie", {"code": again})
    visitor.get(STEP)
    assert give(visitor, code=phone.code(5)) == 422 and give(visitor, recovery=codes[0]) == 303
    visitor.get("/mot-de-passe-oublie")
    visitor.submit("/mot-de-passe-oublie", {"email": "jeanne@example.org"})
    link = link_in(answered(app)[-1])
    visitor.get(link)
    written = "\n".join(map(JsonLines().format, caplog.records))
    assert written.count('"public.link"') == 1 and '"public.second_factor"' in written
    secrets = [mailed, again, phone.totp.secret, phone.code(5), *codes, link.rpartition("/")[2]]
    assert [secret for secret in [*secrets, cookie(visitor), "jeanne", "Roux"] if secret in written] == []
