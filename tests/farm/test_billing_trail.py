"""What is done to the books is on the trail, old and new, and what is taken away of them carries no formula and no
account number (BAR P1, P7, I3).
"""

import csv
import json
import re
from datetime import UTC, date, timedelta
from io import BytesIO, StringIO

import pytest
from flask import Flask
from openpyxl import load_workbook
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session
from time_machine import Traveller

from portal.accounts.models import Account, Company, CompanyState, VatState
from portal.billing import adjusting, closings, credits, debits, mandates, payments, reminders, returns
from portal.billing.models import DebitState, DirectDebit
from portal.billing.payments import Payment
from portal.infra import clock as real_clock
from portal.infra.audit import AuditEvent
from portal.rules.mentions import VatRegime
from portal.rules.money import Money
from portal.rules.paying import PaymentMeans
from portal.rules.sepa import MandateEnd, ReturnCode
from tests.billing.books import JUNE, account, invoiced
from tests.billing.debiting import DAY, IN_TIME, LATER, ON_THE_DAY, bank, office, presented
from tests.billing.signing import IBAN, is_whole, signed
from tests.billing.writing import customer, written
from tests.client import Browser
from tests.farm.conftest import at_work
from tests.world import ADMIN, CAMILLE, NOW, TODAY, YACINE

FORMULA = "=1+1"
BOOKS = "/ferme/factures/comptabilite"
DAYS = "du=2026-06-01&au=2026-07-31"
A_NUMBER = re.compile(r"[+-]?[\d   ]+(,\d+)?")


def everything(session: Session, clock: Traveller) -> None:
    """All that staff and the worker do to the books, once; Yacine's names start as formulas do."""
    by, yacine, camille = office(session), account(session, YACINE), account(session)
    yacine.last_name, camille.payment_means = FORMULA, PaymentMeans.DIRECT_DEBIT
    unknown = {"state": CompanyState.APPROVED, "vat_state": VatState.UNASKED, "vat_tries": 0}
    session.add(Company(account_id=yacine.id, name="@SOMME", siren="732829320", asked_at=NOW, **unknown))
    signed(session)
    bank(session)
    at = real_clock.now()
    adjusting.save_settings(session, {"due_days": 20, "iban": IBAN, "creditor_name": "Sophie"}, at=at, by=by)
    regime = {"regime": VatRegime.LIABLE, "mention": None, "on_debits": True}
    adjusting.set_tax_status(session, date(2026, 1, 1), regime, at=at, by=by)
    invoiced(session, CAMILLE, by=by)
    theirs = invoiced(session, YACINE, by=by)
    credits.gesture(session, theirs.id, Money(100), "Abîmé.", by=by)
    credits.cancel(session, theirs.id, "Erreur.", rebill=True, by=by)
    payer = customer(session, YACINE)
    written(session, 2000, to=payer, due=TODAY - timedelta(days=40), day=TODAY)
    cheque = Payment(payer.id, PaymentMeans.CHEQUE, Money(3000), TODAY, FORMULA)
    slip = payments.pay(session, cheque, at=at, by=by)
    assert not isinstance(slip, payments.Refusal)
    given = Payment(payer.id, PaymentMeans.TRANSFER, Money(500), TODAY, "+33")
    payments.refund(session, given, reason="Trop payé.", at=at, by=by)
    payments.reverse(session, slip, day=TODAY, reason="Impayé.", at=at, by=by)
    payments.write_off(session, payer.id, Money(700), day=TODAY, reason="Partis.", at=at, by=by)
    steps = [reminders.Step(10, "Rappel", "Bonjour"), reminders.Step(30, "Rappel", "Bonjour")]
    reminders.save_steps(session, steps, at=at, by=by)
    assert reminders.send(session, {yacine.id: 1}, at=at, by=by)
    session.execute(update(DirectDebit).values(told_at=at))
    clock.move_to(IN_TIME)
    presented(session, DAY)
    clock.move_to(ON_THE_DAY)
    on_the_way = select(DirectDebit).where(DirectDebit.state == DebitState.PRESENTED)
    debits.collect(session, session.scalars(on_the_way).all(), at=ON_THE_DAY, by=None)
    clock.move_to(LATER)
    [collected] = session.scalars(select(DirectDebit))
    returns.enter(session, collected.id, ReturnCode.AM04, DAY, by=by)
    closings.close(session, JUNE, at=LATER, by=by)
    mandates.end(session, camille, MandateEnd.REVOKED, at=LATER, by=by, means=PaymentMeans.TRANSFER)
    session.commit()


def test_each_act_says_who_when_and_what_became_of_what_and_names_nobody(
    session: Session, clock: Traveller
) -> None:
    first = session.scalar(select(func.max(AuditEvent.id))) or 0
    everything(session, clock)
    theirs = (AuditEvent.id > first, AuditEvent.action != "delivery.freeze")
    lines = session.scalars(select(AuditEvent).where(*theirs)).all()
    assert {line.action for line in lines} == {
        *("invoice.issue", "credit_note.issue", "ledger.payment", "ledger.reversal", "ledger.refund"),
        *("ledger.write_off", "ledger.close", "mandate.sign", "mandate.end", "account.change"),
        *("billing_settings.change", "tax_status.change", "payment_reminder_step.save", "invoice.remind"),
        *("debit_batch.make", "debit_batch.present", "direct_debit.return"),
    }
    assert all(line.at.tzinfo is UTC and line.subject_id for line in lines)
    nobody = [line.action for line in lines if line.account_id is None]
    assert nobody == ["ledger.payment"], "the worker's, of a debit on its day"
    changes = {line.action: (line.before, line.after) for line in lines if line.before}
    assert changes.keys() >= {"billing_settings.change", "mandate.end", "payment_reminder_step.save"}
    before, after = changes["billing_settings.change"]
    assert before and after and (before["due_days"], after["due_days"]) == (15, 20)
    assert all(line.after or line.action == "debit_batch.present" for line in lines)
    said = json.dumps([[line.before, line.after, line.subject_id] for line in lines]).upper()
    people = session.scalars(select(Account)).all()
    names = {
        name.upper() for person in people for name in (person.first_name, person.last_name, person.email)
    }
    assert not is_whole(said.encode()) and not any(name in said for name in names)


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_no_file_of_the_books_carries_a_formula_or_an_account_number(
    app: Flask, session: Session, client: Browser, clock: Traveller, kind: str, tmp_path
) -> None:  # type: ignore[no-untyped-def]
    everything(session, clock)
    desk = at_work(client, ADMIN)
    taken = [desk.submit(f"{BOOKS}/{what}/export?{DAYS}", {"format": kind}) for what in ("jours", "factures")]
    assert [answer.status_code for answer in taken] == [200, 200]
    files = [answer.data for answer in taken]
    if kind == "csv":
        fec, ledger = desk.submit(f"{BOOKS}/fec", {"annee": "2026"}), tmp_path / "journal.csv"
        app.test_cli_runner().invoke(args=["ledger", "export", str(ledger)])
        files += [fec.data, ledger.read_bytes()]
    cells = [cell for file in files for cell in (of_csv(file) if kind == "csv" else of_sheet(file))]
    assert sum("@SOMME" in cell or FORMULA in cell for cell in cells) >= (4 if kind == "csv" else 1)
    assert not any(map(is_whole, files))


def of_csv(file: bytes) -> list[str]:
    text = file.decode("utf-8-sig")
    parted = "\t" if "\t" in text.splitlines()[0] else ";"
    cells = [cell for row in csv.reader(StringIO(text), delimiter=parted) for cell in row]
    assert [cell for cell in cells if cell[:1] in set("=+-@\t\r") and not A_NUMBER.fullmatch(cell)] == []
    return cells


def of_sheet(file: bytes) -> list[str]:
    cells = [cell for sheet in load_workbook(BytesIO(file)) for row in sheet.iter_rows() for cell in row]
    assert all(cell.data_type != "f" for cell in cells)
    return [cell.value for cell in cells if isinstance(cell.value, str)]
