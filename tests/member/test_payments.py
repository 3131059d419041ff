"""What somebody owes, how to pay it, what is announced and what was paid, in words."""

from dataclasses import replace
from datetime import date

import pytest
from sqlalchemy.orm import Session

from portal.billing import payments
from portal.billing.models import DebitState, LedgerEntry
from portal.rules.paying import PaymentMeans
from portal.rules.sepa import ReturnCode
from tests.billing.debiting import announced
from tests.billing.signing import collecting, signed
from tests.billing.writing import customer, paid, written
from tests.client import Browser
from tests.pages import markup_of
from tests.world import CAMILLE, NOW, TODAY, YACINE

SOON = date(2026, 6, 20)


@pytest.fixture
def camille(client: Browser) -> Browser:
    client.sign_in(CAMILLE)
    return client


def test_who_owes_nothing_is_told_so_and_home_keeps_quiet(session: Session, camille: Browser) -> None:
    assert "Vous êtes à jour" in markup_of(camille.get("/paiements"))
    assert "Vous êtes à jour" in markup_of(camille.get("/mon-compte"))
    home = markup_of(camille.get("/espace"))
    assert "Vous devez" not in home and "d'avance" not in home


def test_what_is_owed_is_said_with_every_way_to_pay_it(session: Session, camille: Browser) -> None:
    settings = collecting(session)
    settings.iban, settings.bic = "FR1420041010050500013M02606", "PSSTFRPPMAR"
    settings.cheques_to = "EARL Les Jardins du Test, 05700 Serres"
    written(session, 3860, due=SOON)
    session.commit()
    page = markup_of(camille.get("/paiements"))
    for said in (
        "Vous devez 38,60 €",
        "Régler 38,60 €",
        "FR14 2004 1010 0505 0001 3M02 606",
        'data-copy="FR1420041010050500013M02606"',
        "PSSTFRPPMAR",
        'data-copy="F2026-00001"',
        "À l'ordre de EARL Les Jardins du Test, 05700 Serres, avec au dos : F2026-00001.",
        "À la ferme",
    ):
        assert said in page, said
    assert "Vous devez 38,60 €, à payer d'ici le 20 juin." in markup_of(camille.get("/espace"))
    assert "Vous devez 38,60 €" in markup_of(camille.get("/mon-compte"))
    written(session, 1000, due=date(2026, 6, 5))
    session.commit()
    assert 'data-copy="C10001"' in markup_of(camille.get("/paiements"))
    assert "Vous devez 48,60 €, en retard depuis le 5 juin." in markup_of(camille.get("/espace"))


def test_what_is_ahead_is_said(session: Session, camille: Browser) -> None:
    payments.pay(session, paid(1200, customer(session)), at=NOW, by=None)
    session.commit()
    page = markup_of(camille.get("/paiements"))
    assert "Vous avez 12,00 € d'avance" in page and "Régler" not in page
    assert "Votre prochaine facture en sera diminuée" in page
    assert "Vous avez 12,00 € d'avance" in markup_of(camille.get("/espace"))


def test_what_is_collected_is_not_asked_for(session: Session, camille: Browser) -> None:
    signed(session)
    announced(session)
    session.commit()
    page = markup_of(camille.get("/paiements"))
    assert "38,60 € seront prélevés le 10 juillet sur le compte •••• 0189" in page and "Régler" not in page
    assert "38,60 € seront prélevés le 10 juillet." in markup_of(camille.get("/espace"))


def test_what_the_bank_has_is_told_as_it_will_be_taken(session: Session, camille: Browser) -> None:
    signed(session)
    debit = announced(session, 3860)
    payments.pay(session, paid(2000, customer(session)), at=NOW, by=None)
    session.commit()
    assert "18,60 €" in markup_of(camille.get("/paiements"))
    debit.state = DebitState.PRESENTED
    payments.pay(session, paid(1860, customer(session)), at=NOW, by=None)
    session.commit()
    page = markup_of(camille.get("/paiements"))
    assert "38,60 € seront prélevés le 10 juillet" in page and "38,60 € de trop viendront en moins" in page


def test_a_debit_that_came_back_is_told_in_plain_words(session: Session, camille: Browser) -> None:
    signed(session)
    debit = announced(session)
    debit.state, debit.returned_on, debit.return_code = DebitState.RETURNED, TODAY, ReturnCode.AM04
    taken = replace(paid(3860, debit.customer), means=PaymentMeans.DIRECT_DEBIT, debit_id=debit.id)
    entry = payments.pay(session, taken, at=NOW, by=None)
    assert isinstance(entry, LedgerEntry)
    payments.reverse(session, entry, day=TODAY, reason="AM04", at=NOW, by=None)
    session.commit()
    page = markup_of(camille.get("/paiements"))
    assert "Prélèvement" in page and "Revenu le 10 juin" in page
    assert "Votre compte n'était pas assez approvisionné ce jour-là." in page
    assert "Vous devez 38,60 €" in page and "AM04" not in page


def test_what_was_paid_is_told_by_day_and_means_and_is_nobody_elses(
    session: Session, client: Browser
) -> None:
    written(session, 3860)
    payments.pay(session, paid(3860, customer(session)), at=NOW, by=None)
    session.commit()
    client.sign_in(CAMILLE)
    page = markup_of(client.get("/paiements"))
    assert "Chèque" in page and "38,60 €" in page and "10 juin" in page and "0012345" in page
    client.sign_in(YACINE)
    assert "Pas encore de règlement" in markup_of(client.get("/paiements"))


def test_contracts_and_mandates_are_on_one_page(session: Session, camille: Browser) -> None:
    mandate = signed(session)
    session.commit()
    page = markup_of(camille.get("/mon-compte/contrats"))
    assert f"Mandat {mandate.reference}" in page and "•••• 0189" in page
    assert f"/mon-compte/coordonnees-bancaires/mandats/{mandate.id}" in page


def test_what_waited_for_a_mandate_is_collected_too_if_one_says_so(
    session: Session, camille: Browser
) -> None:
    written(session, 3860, due=SOON)
    signed(session)
    session.commit()
    page = markup_of(camille.get("/paiements"))
    assert "Prélever aussi ce qui attend ? 38,60 €, le 10 juillet." in page
    assert camille.submit("/paiements/prelevement").location == "/paiements"
    page = markup_of(camille.get("/paiements"))
    assert "38,60 € seront prélevés le 10 juillet" in page and "Prélever aussi" not in page
