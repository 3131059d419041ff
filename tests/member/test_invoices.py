"""A subscriber's invoices: month by month, one with what it is for, as files, and what the month comes to so far."""

from collections.abc import Callable
from datetime import date, timedelta
from io import BytesIO
from typing import Any
from zipfile import ZipFile

import pytest
from sqlalchemy import delete, select
from sqlalchemy.orm import Session
from time_machine import Traveller

from portal.accounts.models import Address, Company, CompanyState, VatState
from portal.billing import files, payments
from portal.billing.credits import cancel
from portal.billing.issuing import issue
from portal.billing.models import FileState, Invoice, InvoiceFile
from portal.rules.orders import OrderState
from tests.billing.books import able_to_bill, account, box, invoiced
from tests.billing.signing import signed
from tests.billing.writing import customer, paid, written
from tests.client import Browser
from tests.pages import markup_of
from tests.shop.making import article, order
from tests.world import ADMIN, CAMILLE, NOW, TODAY, YACINE


@pytest.fixture
def camille(client: Browser) -> Browser:
    client.sign_in(CAMILLE)
    return client


def test_before_the_first_one_the_page_says_when_it_comes(camille: Browser) -> None:
    page = markup_of(camille.get("/factures"))
    assert "Pas encore de facture" in page and "Vous êtes à jour" in page


def test_the_month_so_far_and_the_months_before(session: Session, camille: Browser) -> None:
    invoiced(session)
    session.commit()
    page = markup_of(camille.get("/factures"))
    assert "Juin 2026, jusqu'à présent" in page
    assert "43,80 €" in page and "Environ 109,50 € à la fin du mois, si rien ne change" in page
    assert "mardi 9 juin" in page and "mardi 26 mai" not in page
    for said in ("Mai 2026", "F2026-00001", "21,90 €", "À payer d'ici le 25 juin", "Vous devez 21,90 €"):
        assert said in page, said


def test_what_was_given_back_for_good_is_announced_to_nobody_again(
    session: Session, client: Browser, camille: Browser
) -> None:
    """The box is set right once its invoice is credited: nothing is left of it to give back."""
    bill = invoiced(session)
    issue(session, account(session).id, through=TODAY, by=None)
    cancel(session, bill.id, "Erreur.", rebill=False, by=3)
    box(session, date(2026, 5, 26)).billed_quantity = 0
    session.commit()
    assert issue(session, account(session).id, through=TODAY, by=None) is None
    session.rollback()
    page = markup_of(camille.get("/factures"))
    assert "d'avant ce mois" not in page and "19,50" not in page
    client.sign_in(ADMIN)
    assert "Tout est facturé" in markup_of(client.get(f"/ferme/abonnes/{account(session).id}/facturation"))


def test_invoices_are_found_by_year_and_by_where_they_stand(session: Session, camille: Browser) -> None:
    written(session, 4000, day=date(2025, 12, 3), due=date(2025, 12, 20))
    newer = written(session, 3000, due=date(2026, 6, 20))
    written(session, -500, corrects=newer)
    payments.pay(session, paid(4500, customer(session)), at=NOW, by=None)
    session.commit()
    all_of_them = markup_of(camille.get("/factures"))
    for said in ("Payée", "Reste 20,00 €, d'ici le 20 juin", "Avoir du 10 juin", "Déduit de F2026-00002"):
        assert said in all_of_them, said
    shown = {
        asked: [
            number
            for number in ("F2026-00001", "F2026-00002", "A2026-00001")
            if f"/factures/{number}.pdf" in page
        ]
        for asked in ("etat=a-payer", "etat=payees", "etat=avoirs", "annee=2025", "annee=2026&etat=payees")
        for page in [camille.get(f"/factures?{asked}").text]
    }
    assert shown == {
        "etat=a-payer": ["F2026-00002"],
        "etat=payees": ["F2026-00001"],
        "etat=avoirs": ["A2026-00001"],
        "annee=2025": ["F2026-00001"],
        "annee=2026&etat=payees": [],
    }


def test_an_invoice_tells_what_it_is_for_why_it_costs_that_and_what_is_paid(
    session: Session, camille: Browser
) -> None:
    made = invoiced(session)
    payments.pay(session, paid(1000, made.customer), at=NOW, by=None)
    session.commit()
    page = markup_of(camille.get("/factures/F2026-00001"))
    for said in (
        "Mai 2026",
        "mardi 26 mai",
        "Grand panier : 1 × 19,50 €, le prix de la formule depuis le 1er janvier 2025. TVA à 5,5 % comprise.",
        "Cette livraison",
        "/livraisons/2026-05-26/mardi",
        "20,76 €",
        "1,14 €",
        "Chèque",
        "11,90 €",
        "Nature de",
    ):
        assert said in page, said


def test_its_file_is_there_once_the_worker_has_made_it(session: Session, camille: Browser) -> None:
    made = invoiced(session)
    session.commit()
    assert camille.get("/factures/F2026-00001.pdf").location == "/factures/F2026-00001"
    assert "Le PDF est en préparation" in markup_of(camille.get("/factures/F2026-00001"))
    assert "PDF en préparation" in markup_of(camille.get("/factures"))
    file = session.get_one(InvoiceFile, made.id)
    file.state, file.data = FileState.MADE, b"%PDF-1.7"
    session.commit()
    assert 'href="/factures/F2026-00001.pdf"' in camille.get("/factures").text
    answer = camille.get("/factures/F2026-00001.pdf")
    assert (answer.data, answer.mimetype) == (b"%PDF-1.7", "application/pdf")
    assert "filename=facture-F2026-00001.pdf" in answer.headers["Content-Disposition"]
    assert answer.headers["Cache-Control"] == "no-store"
    year = camille.get("/factures/2026.zip")
    assert "filename=factures-2026.zip" in year.headers["Content-Disposition"]
    assert ZipFile(BytesIO(year.data)).namelist() == ["facture-F2026-00001.pdf"]
    assert camille.get("/factures/2025.zip").status_code == 404


def test_nobody_elses_is_there(session: Session, client: Browser) -> None:
    invoiced(session)
    session.commit()
    client.sign_in(YACINE)
    for path in ("/factures/F2026-00001", "/factures/F2026-00001.pdf", "/factures/2026.zip"):
        assert client.get(path).status_code == 404
    assert "F2026-00001" not in markup_of(client.get("/factures"))


def test_who_shares_a_household_sees_their_own_and_whose_the_others_are(
    session: Session, client: Browser
) -> None:
    invoiced(session)
    account(session, YACINE).payer_id = account(session).id
    session.commit()
    client.sign_in(YACINE)
    assert "Pas encore de facture" not in markup_of(client.get("/factures"))
    assert "Les paniers que vous partagez, Camille les règle." in markup_of(client.get("/paiements"))
    written(session, 900, to=customer(session, YACINE))
    session.commit()
    page = markup_of(client.get("/factures"))
    assert "c'est à cette personne que les factures sont adressées" in page and "Camille Aubert" in page
    assert "F2026-00002" in page and "F2026-00001" not in page and "jusqu'à présent" not in page
    assert client.get("/factures/F2026-00001").status_code == 404


def test_what_is_collected_is_said_where_one_looks(session: Session, camille: Browser) -> None:
    signed(session)
    invoiced(session)
    session.commit()
    assert "Prélèvement le 10 juillet" in markup_of(camille.get("/factures"))
    said = "21,90 € seront prélevés le 10 juillet sur le compte •••• 0189"
    assert said in markup_of(camille.get("/factures/F2026-00001"))
    assert said in markup_of(camille.get("/paiements"))


def test_a_page_asks_as_much_for_one_invoice_as_for_forty(
    session: Session, camille: Browser, count_queries: Callable[[], Any]
) -> None:
    invoiced(session)
    session.commit()
    pages = ("/factures", "/factures/F2026-00001", "/paiements")
    taken: list[list[int]] = []
    for _ in range(2):
        taken.append([])
        for page in pages:
            camille.get(page)
            with count_queries() as statements:
                assert camille.get(page).status_code == 200
            taken[-1].append(len(statements))
        for _more in range(40):
            payments.pay(session, paid(100, written(session, 100).customer), at=NOW, by=None)
        session.commit()
    assert taken[0] == taken[1]
    assert all(count <= most for count, most in zip(taken[0], (20, 12, 6), strict=True)), taken[0]


def test_an_orders_invoice_is_there_from_the_day_of_its_delivery_on(
    session: Session, camille: Browser, clock: Traveller
) -> None:
    able_to_bill(session)
    made = order(session, {article(session): 2}, state=OrderState.DELIVERED)
    path = f"/commandes/{made.id}"
    session.commit()
    assert "Disponible le mardi 16 juin" in markup_of(camille.get(path))
    refused = camille.submit(f"{path}/facture")
    assert refused.status_code == 422 and "Obtenir la facture" not in markup_of(refused)
    clock.move_to(NOW + timedelta(days=6))
    assert "Obtenir la facture" in markup_of(camille.get(path))
    assert camille.submit(f"{path}/facture").location == "/factures/F2026-00001"
    assert "/factures/F2026-00001" in markup_of(camille.get(path))
    assert path in markup_of(camille.get("/factures/F2026-00001"))
    assert camille.submit(f"{path}/facture").location == f"{path}#facture"


def test_without_an_address_an_orders_invoice_asks_for_one(
    session: Session, camille: Browser, clock: Traveller
) -> None:
    able_to_bill(session)
    session.execute(delete(Address))
    made = order(session, {article(session): 2}, state=OrderState.DELIVERED)
    path = f"/commandes/{made.id}"
    session.commit()
    clock.move_to(NOW + timedelta(days=6))
    camille.get(path)
    refused = camille.submit(f"{path}/facture")
    assert refused.status_code == 422
    assert "nous ne l'avons pas" in markup_of(refused) and "Ajouter mon adresse" in markup_of(refused)


def test_an_order_is_billed_by_its_owner_alone(session: Session, client: Browser, clock: Traveller) -> None:
    able_to_bill(session)
    made = order(session, {article(session): 2}, state=OrderState.DELIVERED)
    path = f"/commandes/{made.id}"
    session.commit()
    clock.move_to(NOW + timedelta(days=6))
    client.sign_in(YACINE)
    client.get("/mon-compte")
    assert client.submit(f"{path}/facture").status_code == 404
    account(session, YACINE).payer_id = account(session).id
    session.commit()
    assert "Elle est adressée à Camille Aubert" in markup_of(client.get(path))
    assert client.submit(f"{path}/facture").status_code == 403
    assert session.scalars(select(Invoice)).all() == []


def test_a_company_says_how_its_purchases_are_named(session: Session, camille: Browser) -> None:
    asked = {"siren": "732829320", "state": CompanyState.APPROVED, "asked_at": NOW, "vat_tries": 0}
    whose = account(session).id
    session.add(Company(account_id=whose, name="Crèche Les Lutins", vat_state=VatState.UNASKED, **asked))
    session.commit()
    camille.get("/mon-compte/entreprise")
    for typed, status in (("x" * 61, 422), ("BC 2026-17", 303)):
        answer = camille.submit("/mon-compte/entreprise/reference", {"reference": typed})
        assert answer.status_code == status
    assert 'value="BC 2026-17"' in markup_of(camille.get("/mon-compte/entreprise"))
    invoiced(session)
    session.commit()
    page = markup_of(camille.get("/factures/F2026-00001"))
    assert "Crèche Les Lutins" in page and "BC 2026-17" in page
    alone = "/factures/F2026-00001.xml"
    assert camille.get(alone).status_code == 404 and alone not in page, "it is not made yet"
    session.commit()
    files.make_files()
    assert alone in markup_of(camille.get("/factures/F2026-00001"))
    answer = camille.get(alone)
    assert b"<ram:ID>F2026-00001</ram:ID>" in answer.data and answer.headers["Cache-Control"] == "no-store"
    assert "filename=factur-x-F2026-00001.xml" in answer.headers["Content-Disposition"]
