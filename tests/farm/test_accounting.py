"""What the accountant takes away: totals by day and rate, each invoice, the entries of a year (BAR I3, Z5)."""

import csv
from datetime import date
from decimal import Decimal
from io import StringIO

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from portal.accounts.models import Company, CompanyState, VatState
from portal.billing.ledger import Entry, append
from portal.billing.models import BillingSettings, EntryKind, Invoice, LedgerEntry
from portal.infra.audit import AuditEvent
from portal.rules.money import Money
from portal.rules.paying import PaymentMeans
from tests.billing.books import account, invoiced
from tests.client import Browser
from tests.pages import text_of
from tests.world import CAMILLE, NOW, TODAY, YACINE

PAGE = "/ferme/factures/comptabilite"
JUNE = {"du": "2026-06-01", "au": "2026-06-30"}


def rows_of(text: str, delimiter: str) -> list[dict[str, str]]:
    return list(csv.DictReader(StringIO(text.removeprefix("\ufeff")), delimiter=delimiter))


def cents(text: str) -> int:
    return int(Decimal(text.replace(",", ".")) * 100)


def kept(session: Session) -> Invoice:
    """Camille's May and that she paid; Yacine's, a company whose name could be a formula."""
    yacine = account(session, YACINE)
    yacine.last_name = "=1+1"
    session.add(
        Company(account_id=yacine.id, name="=SOMME(A1)", siren="732829320", state=CompanyState.APPROVED,
                asked_at=NOW, vat_state=VatState.UNASKED, vat_tries=0)
    )  # fmt: skip
    invoice = invoiced(session, CAMILLE)
    invoiced(session, YACINE)
    paid = Money.zero() - invoice.total
    entry = Entry(
        EntryKind.PAYMENT, invoice.customer_id, TODAY, paid, means=PaymentMeans.CHEQUE, reference="77"
    )
    append(session, [entry], at=NOW, by=None)
    session.commit()
    return invoice


def test_day_totals_and_invoices_of_some_days_are_seen_and_taken_away(
    staff: Browser, session: Session
) -> None:
    invoice = kept(session)
    page = text_of(staff.get(PAGE, query_string=JUNE))
    assert "particuliers" in page and "entreprises" in page and "5,5 %" in page
    assert "Rien n'a été facturé" in text_of(staff.get(PAGE))  # of May nothing was issued in May
    days = rows_of(
        staff.submit(f"{PAGE}/jours/export?du=2026-06-01&au=2026-06-30", {"format": "csv"}).text, ";"
    )
    assert {day["Clients"] for day in days} == {"particuliers", "entreprises"}
    total = session.scalar(select(func.sum(Invoice.total)))
    assert total and sum(cents(day["TTC"]) for day in days) == total.cents
    listed = rows_of(
        staff.submit(f"{PAGE}/factures/export?du=2026-06-01&au=2026-06-30", {"format": "csv"}).text, ";"
    )
    assert [row["Numéro"] for row in listed] == [invoice.number, "F2026-00002"]
    assert listed[1]["Entreprise"] == "'=SOMME(A1)", "no cell is a formula"


def test_the_entries_of_a_year_balance_and_name_accounts_as_the_accountant_does(
    staff: Browser, session: Session
) -> None:
    invoice = kept(session)
    staff.get(f"{PAGE}/comptes")
    form = dict.fromkeys(("customers", "bank", "cash", "cheques", "cards", "losses"), "")
    refused = staff.submit(f"{PAGE}/comptes", {**form, "customers": "4 1"})
    assert refused.status_code == 422 and "un compte comme 411000" in text_of(refused)
    plan = {"customers": "411ABO", "sales_0": "701000", "sales_550": "701055", "sales_1000": "701100",
               "sales_2000": "701200", "vat_550": "445715", "vat_1000": "445711", "vat_2000": "445712",
               "bank": "512000", "cheques": "511200", "cards": "511500", "cash": "530000",
               "losses": "654000"}  # fmt: skip
    assert staff.submit(f"{PAGE}/comptes", plan).status_code == 303
    assert session.get_one(BillingSettings, 1).ledger_accounts == {
        "customers": "411ABO",
        "sales_550": "701055",
    }
    late, own = (
        Entry(EntryKind.PAYMENT, invoice.customer_id, day, Money(-1), means=PaymentMeans.CASH)
        for day in (date(2025, 12, 31), date(2026, 1, 3))
    )
    append(session, [late, own], at=NOW, by=None)
    session.commit()
    answer = staff.submit(f"{PAGE}/fec", {"annee": "2026"})
    assert "732829320FEC20261231.txt" in answer.headers["Content-Disposition"]
    lines = rows_of(answer.text, "\t")
    assert len(lines[0]) == 18
    assert sum(cents(line["Debit"]) for line in lines) == sum(cents(line["Credit"]) for line in lines)
    theirs = [line for line in lines if line["CompteNum"] == "411ABO"]
    assert len(theirs) == session.scalar(select(func.count(LedgerEntry.id))) - 1
    assert [line["EcritureNum"] for line in theirs] == [str(1 + n) for n in range(len(theirs))]
    numbers = {account(session, who).customer_number for who in (CAMILLE, YACINE)}
    assert {line["CompAuxNum"] for line in theirs} == numbers
    [paid] = [line for line in lines if line["CompteNum"] == "511200"]
    assert (paid["JournalCode"], paid["PieceRef"], cents(paid["Debit"])) == ("BQ", "77", invoice.total.cents)
    assert staff.submit(f"{PAGE}/fec", {"annee": "1999"}).status_code == 422
    taken = select(AuditEvent.after).where(AuditEvent.action == "list.export")
    assert session.scalars(taken).all() == [{"rows": len(lines), "format": "fec"}]
