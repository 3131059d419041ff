"""« Coordonnées bancaires »: signing, changing and ending a mandate."""

from datetime import timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.accounts.addresses import AddressView, add_address
from portal.accounts.models import Account, SignInSession
from portal.billing.mandates import MandateView, live_mandate, mandates_of
from portal.billing.models import DebitState
from portal.infra.outbox import Mail
from portal.rules.paying import PaymentMeans
from portal.rules.sepa import MandateEnd
from tests.accounts.people import account_of, browser_of, signed_in
from tests.billing.debiting import announced
from tests.billing.signing import IBAN, MANDATE, collecting, signed
from tests.client import Browser
from tests.joining import SUMMARY, choose, order_form, publish_conditions
from tests.pages import text_of
from tests.world import ADMIN, CAMILLE, NOW, YACINE

BANK = "/mon-compte/coordonnees-bancaires"
SIGN, OTHERWISE = f"{BANK}/mandat", f"{BANK}/reglement"
PAYMENTS = "/paiements"


@pytest.fixture
def camille(app: Flask, session: Session) -> Browser:
    """Signed in a moment ago, at a farm that collects."""
    collecting(session)
    session.commit()
    client = browser_of(app)
    client.sign_in(CAMILLE)
    client.get(BANK)
    return client


def live(session: Session, email: str = CAMILLE) -> MandateView | None:
    session.rollback()
    return live_mandate(session, account_of(session, email).id)


def test_the_payer_signs_and_sees_the_end_of_the_number_alone(camille: Browser, session: Session) -> None:
    account = account_of(session, CAMILLE)
    home = AddressView("Camille Aubert", "4 rue du Four", "05700", "Serres")
    add_address(session, account.id, home, billing=True, delivery=True, at=NOW, by=account.id)
    session.commit()
    page = camille.get(SIGN)
    said = text_of(page)
    for words in (
        "autorisez (A) Les Jardins du Test",
        "dans les 8 semaines",
        "FR72ZZZ123456",
        "12 chemin des Canaux",
        "mercredi 10 juin 2026",
    ):
        assert words in said
    assert 'value="4 rue du Four"' in page.text
    done = camille.submit(SIGN, {**MANDATE, "iban": "iban fr76 3000 6000 0112 3456 7890 189"})
    assert (done.status_code, done.location) == (303, BANK)
    mandate = live(session)
    assert mandate and mandate.last_four == "0189"
    page = camille.get(BANK)
    assert "C10001-M1, signé le mercredi 10 juin 2026" in text_of(page)
    assert "•••• 0189" in text_of(page) and IBAN[4:] not in "".join(page.text.split())
    assert page.headers["Cache-Control"] == "no-store"
    paper = camille.get(f"{BANK}/mandats/{mandate.id}")
    assert paper.mimetype == "application/pdf" and paper.data.startswith(b"%PDF-")
    other = browser_of(camille.application)
    other.sign_in(YACINE)
    assert other.get(f"{BANK}/mandats/{mandate.id}").status_code == 404
    assert camille.submit(SIGN, MANDATE).status_code == 303  # another account
    said = text_of(camille.get(BANK))
    assert "•••• 2606" in said and "•••• 0189" in said and "remplacé le mercredi 10 juin 2026" in said


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"iban": "FR76 3000 6000 0112 3456 7890 198"}, "Une faute de frappe ?"),
        ({"iban": "FR76 3000 6000 0112 3456 7890 18"}, "27 caractères dans ce pays, il y en a 26."),
        ({"iban": "MA64 0115 1900 0001 2050 0053 4921"}, "ne connaissent pas le prélèvement SEPA"),
        ({"iban": "4970 1012 3456 7890"}, "deux lettres et deux chiffres"),
        ({"iban": "MC58 1122 2000 0101 2345 6789 030"}, "BIC de votre banque : à remplir"),
        ({"iban": ""}, "IBAN de votre compte : à remplir."),
        ({"accord": None}, "Cochez la case"),
        ({"titulaire": "x" * 71}, "70 caractères au plus"),
    ],
)
def test_what_cannot_be_signed_is_said_beside_its_field_and_kept_nowhere(
    camille: Browser, session: Session, typed: dict[str, str], said: str
) -> None:
    page = camille.submit(SIGN, {key: kept for key, kept in (MANDATE | typed).items() if kept is not None})
    assert page.status_code == 422 and said in text_of(page)
    assert page.headers["Cache-Control"] == "no-store"
    assert f'value="{typed.get("iban", MANDATE["iban"])}"' in page.text
    assert live(session) is None
    kept = str(session.scalars(select(SignInSession.data)).all())
    assert not typed.get("iban") or typed["iban"] not in kept


def test_an_account_that_the_bank_code_does_not_name_is_signed_with_its_bic(
    camille: Browser, session: Session
) -> None:
    monaco = {**MANDATE, "iban": "MC58 1122 2000 0101 2345 6789 030", "bic": "cmcimcm1"}
    assert camille.submit(SIGN, monaco).status_code == 303
    mandate = live(session)
    assert mandate and (mandate.bic, mandate.bank) == ("CMCIMCM1", None)


def test_whoever_ends_it_says_how_they_pay_instead(camille: Browser, session: Session) -> None:
    camille.submit(SIGN, MANDATE)
    for odd in ({}, {"reglement": "direct_debit"}, {"reglement": "or"}):
        assert camille.submit(OTHERWISE, odd).status_code == 422
    assert live(session)
    assert camille.submit(OTHERWISE, {"reglement": "cheque"}).location == BANK
    assert live(session) is None
    account = account_of(session, CAMILLE)
    assert account.payment_means is PaymentMeans.CHEQUE
    assert [mandate.end for mandate in mandates_of(session, account.id)] == [MandateEnd.REVOKED]
    said = text_of(camille.get(BANK))
    assert "Votre mandat a pris fin. Vous réglez vos factures par chèque." in said
    assert "vous y avez mis fin le mercredi 10 juin 2026" in said


def test_what_was_announced_is_to_be_paid_once_it_is_ended(camille: Browser, session: Session) -> None:
    signed(session)
    announced(session, 3860)
    session.commit()
    assert "Ne seraient plus prélevés, mais à payer par vous : 38,60 € annoncés" in text_of(camille.get(BANK))
    assert camille.submit(OTHERWISE, {"reglement": "transfer"}).location == PAYMENTS
    said = text_of(camille.get(PAYMENTS))
    assert "Ce qui devait être prélevé est maintenant à payer" in said and "Régler 38,60 €" in said


def test_what_the_bank_has_is_still_taken_from_the_old_account_and_that_is_said(
    camille: Browser, session: Session
) -> None:
    signed(session)
    announced(session, 3860).state = DebitState.PRESENTED
    announced(session, 1200)
    session.commit()
    assert camille.submit(SIGN, MANDATE).status_code == 303
    said = text_of(camille.get(BANK))
    assert "38,60 € seront encore pris sur le compte •••• 0189, les suivants sur le nouveau." in said
    assert said.count("La banque a déjà") == 1, "the other is collected under the new one"
    letter = str(session.scalars(select(Mail.text).order_by(Mail.id.desc())).first())
    taken, _, still = letter.replace("\u00a0", " ").partition("sur l'ancien compte")
    assert "12,00 €" in taken and "38,60 €" in still


def test_it_takes_a_fresh_proof(camille: Browser, session: Session, clock: time_machine.Traveller) -> None:
    mandate = signed(session)
    session.commit()
    clock.move_to(NOW + timedelta(hours=1))
    assert camille.get(BANK).status_code == 200
    assert camille.get(SIGN).location.startswith("/mon-compte/preuve?next=")
    for path, form in ((SIGN, MANDATE), (OTHERWISE, {"reglement": "cheque"})):
        assert "/mon-compte/preuve" in camille.submit(path, form).location
    assert live(session) == mandate


def test_nobody_else_signs_or_sees_it(camille: Browser, app: Flask, session: Session) -> None:
    mandate = signed(session)
    camille_id, yacine = account_of(session, CAMILLE).id, account_of(session, YACINE)
    yacine.payer_id = camille_id
    session.commit()
    ways = ((BANK, None), (SIGN, None), (SIGN, MANDATE), (OTHERWISE, {"reglement": "cheque"}))
    paper = (f"{BANK}/mandats/{mandate.id}", None)
    staff, sharer = signed_in(app, ADMIN), signed_in(app, YACINE)
    staff.get("/ferme")
    assert staff.submit(f"/ferme/abonnes/{camille_id}/voir-comme").status_code == 303
    for client in (staff, sharer):
        client.get("/mon-compte")
        for path, form in (*ways, paper):
            assert (client.get(path) if form is None else client.submit(path, form)).status_code == 403
    assert live(session) == mandate


def test_accounts_are_not_tried_out_by_the_hundred(camille: Browser, session: Session) -> None:
    tries = [camille.submit(SIGN, {**MANDATE, "accord": ""}).status_code for _ in range(21)]
    assert tries == [422] * 20 + [429]
    late = camille.submit(SIGN, MANDATE)
    assert late.status_code == 429 and int(late.headers["Retry-After"]) > 0
    assert live(session) is None


def test_where_the_farm_cannot_collect_nobody_is_asked_to_sign(app: Flask, session: Session) -> None:
    publish_conditions(session)
    client = browser_of(app)
    client.sign_in(YACINE)
    assert "ne propose pas encore le prélèvement" in text_of(client.get(BANK))
    assert "ne propose pas encore le prélèvement" in text_of(client.get(SIGN))
    assert client.submit(SIGN, MANDATE).status_code == 422
    choose(client)
    assert "prélèvement automatique" not in text_of(client.get(SUMMARY))
    assert client.submit(SUMMARY, {**order_form(client), "reglement": "direct_debit"}).status_code == 422
    assert session.scalars(select(Account.payment_means)).all() == [None] * 4


def test_who_joins_with_direct_debit_signs_next_and_is_reminded_until_then(
    app: Flask, session: Session
) -> None:
    publish_conditions(session)
    collecting(session)
    session.commit()
    client = browser_of(app)
    client.sign_in(YACINE)
    choose(client)
    joined = client.submit(SUMMARY, {**order_form(client), "reglement": "direct_debit"})
    assert (joined.status_code, joined.location) == (303, SIGN)
    page = client.get(SIGN)
    assert "C'est fait" in text_of(page) and 'value="Serres"' in page.text  # where the bill goes
    assert "Votre abonnement tient sans lui" in text_of(page) and "Plus tard" in text_of(page)
    for path in ("/espace", "/mon-compte"):
        assert "il reste à signer le mandat" in text_of(client.get(path))
    assert client.submit(SIGN, MANDATE).location == "/abonnements"
    for path in ("/espace", "/mon-compte"):
        assert "il reste à signer le mandat" not in text_of(client.get(path))


def test_staff_who_subscribe_somebody_leave_the_mandate_to_them(app: Flask, session: Session) -> None:
    publish_conditions(session)
    collecting(session)
    yacine = account_of(session, YACINE).id
    session.commit()
    staff = signed_in(app, ADMIN)
    staff.get("/ferme")
    staff.submit(f"/ferme/abonnes/{yacine}/voir-comme")
    choose(staff)
    joined = staff.submit(SUMMARY, {**order_form(staff), "reglement": "direct_debit"})
    assert joined.location == "/abonnements"
    assert "Il lui reste à signer le mandat" in text_of(staff.get("/abonnements"))
    assert "il reste à signer le mandat" not in text_of(staff.get("/espace"))  # theirs to see
    session.expire_all()
    assert account_of(session, YACINE).payment_means is PaymentMeans.DIRECT_DEBIT


def test_a_mandate_that_is_left_aside_says_how_it_serves_again(camille: Browser, session: Session) -> None:
    mandate = signed(session)
    account_of(session, CAMILLE).payment_means = PaymentMeans.TRANSFER
    session.commit()
    assert "Reprendre le prélèvement" in text_of(camille.get(BANK))
    again = {**MANDATE, "iban": IBAN}
    assert camille.submit(SIGN, again).status_code == 303
    session.expire_all()
    assert account_of(session, CAMILLE).payment_means is PaymentMeans.DIRECT_DEBIT
    assert live(session) == mandate
