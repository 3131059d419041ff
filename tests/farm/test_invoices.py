"""/ferme/factures: a month at a glance, billing it, an invoice and what is given back of it; how the farm bills."""

from typing import Any

import pytest
from sqlalchemy import select, update

from portal.accounts.models import Company, CompanyState, VatState
from portal.billing import credits, months, runs
from portal.billing.ledger import Entry, append
from portal.billing.models import (
    BillingSettings,
    EntryKind,
    FileState,
    Invoice,
    InvoiceFile,
    InvoiceRun,
    RunState,
    TaxStatus,
)
from portal.billing.months import Wished
from portal.rules.invoicing import DocumentKind
from portal.rules.mentions import VatRegime
from portal.rules.money import Money
from portal.rules.paying import PaymentMeans
from tests.billing.books import JUNE, able_to_bill, delivered, invoiced
from tests.farm.forms import BILLING, COMPANY_TERMS, GESTURE, TAX
from tests.farm.trail import events
from tests.pages import text_of
from tests.world import NOW, TODAY, YACINE

PAGE = "/ferme/factures"
MAY = f"{PAGE}/2026-05"
SETTINGS = "/ferme/reglages/facturation"


@pytest.fixture
def bills(session: Any) -> list[Invoice]:
    """May's: Camille has paid hers, Yacine's is open."""
    made = [invoiced(session), invoiced(session, YACINE)]
    paid = Entry(EntryKind.PAYMENT, made[0].customer_id, TODAY, Money(-2190), means=PaymentMeans.CHEQUE)
    append(session, [paid], at=NOW, by=3)
    session.commit()
    return made


def test_a_month_is_told_at_a_glance_and_each_figure_leads_to_what_makes_it(office, session, bills):
    page = office.get(PAGE)
    said = text_of(page)
    assert "Mai 2026" in said and "43,80 € à facturer" not in said
    assert "Facturé 33,40 € 2 factures Payé 21,90 € 1 facture À payer 11,50 € 1 facture" in said
    assert "5,5 %31,66 €1,74 €33,40 €" in said and "dont en retard 0,00 €" in said
    for address, numbers in {
        "?mois=2026-05": ["F2026-00002", "F2026-00001"],
        "?mois=2026-05&etat=payees": ["F2026-00001"],
        "?mois=2026-05&etat=a-payer": ["F2026-00002"],
        "?mois=2026-05&etat=en-retard": [],
        "?mois=2026-05&taux=550": ["F2026-00002", "F2026-00001"],
    }.items():
        assert f'href="{PAGE}{address.replace("&", "&amp;")}"' in page.text, address
        assert listed(office, address) == numbers, address
    assert listed(office, "?mois=2026-04&etat=payees") == listed(office, "?taux=1000") == []
    for words in ("F2026-00002", "benali", "C10002", "yacine@example"):
        assert listed(office, f"?q={words}") == ["F2026-00002"], words
    assert len(listed(office, "?toutes=oui&etat=x&mois=9&taux=x&page=x")) == 2


def test_all_that_was_billed_is_paid_due_or_credited_and_lists_come_to_their_figures(admin, session, bills):
    part = Entry(EntryKind.PAYMENT, bills[1].customer_id, TODAY, Money(-400), means=PaymentMeans.CHEQUE)
    append(session, [part], at=NOW, by=3)
    credits.gesture(session, bills[0].id, Money(500), "Salade abîmée.", by=3)
    session.commit()
    glance = months.glance(session, bills[0].month, TODAY)
    found = {wished: each.total for wished, each in glance.states.items() if wished is not Wished.LATE}
    assert found == {
        Wished.PAID: Money(1690 + 400),
        Wished.DUE: Money(750),
        Wished.COLLECTING: Money(0),
        Wished.CREDITED: Money(500),
    }
    assert sum(found.values(), Money(0)) == glance.invoices.total
    for wished, words in {
        "payees": "20,90 € payés",
        "a-payer": "reste 7,50 €",
        "reprises": "5,00 € repris",
    }.items():
        assert words in text_of(admin.get(f"{PAGE}?mois=2026-05&etat={wished}"))
    credits.cancel(session, bills[1].id, "Nom faux.", rebill=False, by=3)
    session.commit()
    assert months.glance(session, bills[0].month, TODAY).states[Wished.CREDITED].total == Money(1650)
    assert "Il ne reste rien à rendre" in text_of(admin.get(f"{PAGE}/F2026-00002/avoir"))
    page = admin.get(f"{PAGE}/F2026-00002")
    assert "Annulée par l'avoir A2026-00002" in text_of(page) and "/geste" not in page.text


def listed(client: Any, address: str) -> list[str]:
    page = client.get(f"{PAGE}{address}")
    return [part[:11] for part in page.text.split("/ferme/factures/F") for part in [f"F{part}"]][1:]


def test_as_many_queries_list_many_invoices_as_few(office, session, bills, count_queries):
    office.get(PAGE)
    with count_queries() as few:
        office.get(f"{PAGE}?toutes=oui")
    with count_queries() as glance:
        office.get(PAGE)
    delivered(session)
    for email in ("camille@example.org", YACINE):
        invoiced(session, email, month=JUNE)
    session.commit()
    with count_queries() as many:
        office.get(f"{PAGE}?toutes=oui")
    with count_queries() as later:
        office.get(PAGE)
    assert (len(many), len(later)) == (len(few), len(glance))


def test_a_month_is_looked_at_then_billed_by_the_worker_with_its_progress(admin, session, monkeypatch):
    monkeypatch.setattr(runs, "AT_ONCE", 1)
    refused = admin.submit(f"{MAY}/facturation")
    assert refused.status_code == 422 and "il manque la raison sociale" in text_of(refused)
    early = admin.submit(f"{PAGE}/2027-09/facturation")
    assert early.status_code == 422 and "il n'a pas encore commencé" in text_of(early)
    delivered(session)
    session.commit()
    preview = admin.get(f"{MAY}/apercu")
    said = text_of(preview)
    assert "À facturer33,40 €2 factures" in said and "Facturer mai 2026" in said
    assert "Sans moyen de paiement (2)" in said and "Sans adresse" not in said
    assert text_of(admin.get(f"{MAY}/apercu?anomalie=no_means&page=x")).count("Yacine Benali") == 1
    assert admin.submit(f"{MAY}/facturation").status_code == 303
    assert "0 personne vue sur 2" in text_of(admin.get(MAY))
    assert runs.step()
    part = admin.get(MAY, headers={"HX-Request": "true"})
    assert "1 facture ou avoir" in text_of(part) and "data-hx-get" in part.text and "<main" not in part.text
    assert admin.submit(f"{MAY}/arret").status_code == 303
    assert not runs.step() and "Reprendre" in text_of(admin.get(MAY))
    admin.submit(f"{MAY}/facturation")
    while runs.step():
        pass
    part = admin.get(MAY, headers={"HX-Request": "true"})
    assert part.headers["HX-Refresh"] == "true" and not part.text, "its figures are the page's"
    assert "Facturé le 10 juin" in text_of(admin.get(PAGE))
    over = text_of(admin.get(f"{MAY}/apercu"))
    assert "Facturer mai" not in over and "Tout est facturé" in over
    assert "Pas encore commencé" in text_of(admin.get(f"{PAGE}/2027-09"))
    done = [event.action for event in events(session) if event.subject_type == "invoice_run"]
    assert done == [f"invoice_run.{act}" for act in ("start", "stop", "resume", "end")]
    session.rollback()
    assert session.scalars(select(InvoiceRun.state)).all() == [RunState.DONE]


def test_somebody_is_billed_at_once_and_once(admin, session):
    able_to_bill(session)
    delivered(session)
    session.commit()
    address = "/ferme/abonnes/1/facturation"
    assert "En tout65,70 €" in text_of(admin.get(address))
    assert admin.submit(address).status_code == 303
    assert "La facture F2026-00001 est faite" in text_of(admin.get(f"{PAGE}/F2026-00001"))
    assert admin.submit(address).status_code == 303
    assert "Tout est déjà facturé." in text_of(admin.get("/ferme/abonnes/1"))
    assert "doit 65,70 €" in text_of(admin.get("/ferme/abonnes/1"))
    session.rollback()
    assert session.scalars(select(Invoice.total)).all() == [Money(6570)]


def test_an_invoice_says_all_there_is_about_it(office, session, bills):
    page = office.get(f"{PAGE}/F2026-00002")
    said = text_of(page)
    assert "Facture F2026-00002" in said and "11,50 € TTC À payer" in said and "En préparation" in said
    assert (
        "Petit panier : 1 × 11,50 €, le prix de la formule depuis le 1er janvier 2025. TVA à 5,5 % comprise."
        in said
    )
    assert 'href="/ferme/livraisons/2026-05-21/jeudi"' in page.text and 'href="/ferme/abonnes/2"' in page.text
    assert office.get(f"{PAGE}/F2026-00002.pdf").status_code == 404
    kept = update(InvoiceFile).where(InvoiceFile.invoice_id == bills[1].id)
    session.execute(kept.values(state=FileState.FAILED, tries=5))
    session.commit()
    assert "N'a pas pu être fait" in text_of(office.get(f"{PAGE}/F2026-00002"))
    assert "F2026-00002" in text_of(office.get(MAY))
    assert office.submit(f"{PAGE}/pdf/reprise").status_code == 303
    session.rollback()
    assert session.get_one(InvoiceFile, bills[1].id).state is FileState.WAITING
    file = session.get_one(InvoiceFile, bills[1].id)
    file.state, file.data = FileState.MADE, b"%PDF-1.7"
    session.commit()
    answer = office.get(f"{PAGE}/F2026-00002.pdf")
    assert answer.data == b"%PDF-1.7" and answer.headers["Cache-Control"] == "no-store"


def test_an_invoice_is_taken_back_whole_and_billed_anew(admin, session, bills):
    address = f"{PAGE}/F2026-00002/avoir"
    assert "Un avoir de 11,50 € sera fait" in text_of(admin.get(address))
    assert admin.submit(address, {"rebill": "True", "reason": ""}).status_code == 422
    assert admin.submit(address, {"rebill": "True", "reason": "Nom faux."}).status_code == 303
    note = text_of(admin.get(f"{PAGE}/A2026-00001"))
    assert "Avoir A2026-00001" in note and "Nom faux." in note and "vient avec la prochaine facture" in note
    assert "A2026-00001" in text_of(admin.get(f"{PAGE}/F2026-00002"))
    assert listed(admin, "?etat=avoirs") == []
    assert admin.get(f"{PAGE}/A2026-00001/avoir").status_code == 404
    assert admin.submit(address, {"rebill": "False", "reason": "Encore."}).status_code == 303
    assert "Il ne reste rien à rendre" in text_of(admin.get(f"{PAGE}/F2026-00002"))
    assert "11,50 €" in text_of(admin.get("/ferme/abonnes/2/facturation"))


def test_a_gesture_is_shown_before_it_is_made(admin, session, bills):
    address = f"{PAGE}/F2026-00001/geste"
    line = str(bills[0].lines[0].id)
    shown = admin.submit(address, GESTURE | {"line": line, "act": "look"})
    assert shown.status_code == 200 and "Un avoir de 5,00 € sera fait" in text_of(shown)
    assert '<input type="hidden" name="amount" value="5,00">' in shown.text and "<select" not in shown.text
    changed = admin.submit(address, GESTURE | {"line": line, "act": "change"})
    assert "<select" in changed.text and "Voir avant de le faire" in text_of(changed)
    for act in ("look", "issue"):
        too_much = admin.submit(address, GESTURE | {"line": line, "amount": "19,51", "act": act})
        assert too_much.status_code == 422 and "il n'en reste que 19,50 €." in text_of(too_much)
        assert 'id="amount-error"' in too_much.text
    assert admin.submit(address, GESTURE | {"line": line, "act": "issue"}).status_code == 303
    session.rollback()
    [note] = session.scalars(select(Invoice).where(Invoice.kind == DocumentKind.CREDIT_NOTE))
    assert (note.total, note.reason, note.corrects_id) == (Money(-500), "Salade abîmée.", bills[0].id)
    assert "a 5,00 € d'avance" in text_of(admin.get("/ferme/abonnes/1"))


def test_a_company_has_its_own_terms(admin, session):
    said = {"name": "Crèche", "siren": "732829320", "state": CompanyState.APPROVED, "asked_at": NOW}
    session.add(Company(account_id=1, vat_tries=0, vat_state=VatState.UNASKED, **said))
    session.commit()
    address = "/ferme/abonnes/1/entreprise/reglement"
    refused = admin.submit(address, COMPANY_TERMS | {"due_days": "61"})
    assert refused.status_code == 422 and "un nombre entier, de 0 à 60." in text_of(refused)
    assert admin.submit(address, COMPANY_TERMS).status_code == 303
    session.rollback()
    company = session.get_one(Company, 1)
    assert (company.due_days, company.purchase_reference) == (45, "Service achats")
    [event] = events(session)
    assert event.after == {"due_days": 45, "fields": ["purchase_reference"]}


def test_how_the_farm_bills_is_set_once_and_noted(admin, session):
    page = admin.get(SETTINGS)
    assert "Avant de facturer, il manque encore :" in text_of(page)
    assert admin.submit(SETTINGS, BILLING).status_code == 303
    assert admin.submit(SETTINGS, BILLING).status_code == 303
    assert "Rien n'a changé." in text_of(admin.get(SETTINGS))
    session.rollback()
    kept = session.get_one(BillingSettings, 1)
    assert (kept.iban, kept.bic) == ("FR1420041010050500013M02606", "PSSTFRPP")
    assert (kept.company_due_days, kept.late_rate_basis_points, kept.reminds) == (45, 1250, True)
    assert 'value="FR14 2004 1010 0505 0001 3M02 606"' in admin.get(SETTINGS).text
    [event] = events(session)
    assert event.action == "billing_settings.change" and event.after["company_due_days"] == 45
    assert "FR14" not in str(event.after) and "iban" in event.after["fields"]
    assert admin.submit(f"{SETTINGS}/tva", TAX).status_code == 303
    assert "Depuis le mercredi 1er juillet 2026 : franchise en base" in text_of(admin.get(SETTINGS))
    session.rollback()
    assert session.scalars(select(TaxStatus.regime)).all() == [VatRegime.FRANCHISE]
    invoiced(session)
    session.commit()
    behind = admin.submit(f"{SETTINGS}/tva", TAX | {"since": "2026-05-01"})
    assert behind.status_code == 422 and "des livraisons sont facturées jusqu'au" in text_of(behind)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"iban": "FR14 2004 1010 0505 0001 3M02 607"}, "vérifiez chaque caractère."),
        ({"bic": "NAVET"}, "huit ou onze caractères"),
        ({"creditor_id": "FR73ZZZ123456"}, "un ICS comme FR72ZZZ123456"),
        ({"creditor_name": ""}, "dites aussi le nom du créancier."),
        ({"notice_days": "13"}, "un nombre entier, de 14 à 60."),
        ({"collection_day": "29"}, "un nombre entier, de 1 à 28."),
    ],
)
def test_what_no_bank_would_take_is_refused_by_name(office, session, change, says):
    answer = office.submit(SETTINGS, BILLING | change)
    assert answer.status_code == 422 and says in text_of(answer)
    assert events(session) == []
