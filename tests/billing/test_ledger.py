"""The books: chained, never changed, whole; whatever is done in whatever order."""

import csv
from dataclasses import replace
from hashlib import sha256
from io import StringIO
from pathlib import Path

import pytest
from flask import Flask
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import delete, insert, select, text, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from portal.billing import checking, closings, ledger
from portal.billing.balances import books_of, open_invoices
from portal.billing.checking import Break, Part, Verdict
from portal.billing.models import (
    Customer,
    Invoice,
    InvoiceBuyer,
    InvoiceLine,
    LedgerClosing,
    LedgerEntry,
    NumberSeries,
)
from portal.billing.payments import Payment, pay, refund, reverse, write_off
from portal.infra.audit import AuditEvent
from portal.rules.money import Money
from portal.rules.paying import PaymentMeans
from tests.billing.test_closings import some_books
from tests.billing.writing import customer, paid, written
from tests.world import CAMILLE, NOW, TODAY, YACINE

MAY = closings.month_of(TODAY).replace(month=5)


@pytest.fixture
def books(session: Session) -> Session:
    some_books(session)
    closings.close(session, MAY, at=NOW, by=None)
    session.commit()
    return session


def without_triggers(session: Session, table: str) -> None:
    """As somebody could who owns the database."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER USER"))
        return
    named = "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = :table"
    for name in session.scalars(text(named), {"table": table}).all():
        session.execute(text(f"DROP TRIGGER {name}"))


def test_the_database_refuses_to_change_what_is_entered(books: Session) -> None:
    for table in (LedgerEntry, LedgerClosing):
        for act in (update(table).values(before="x"), delete(table)):
            with pytest.raises(DBAPIError, match="never changed"):
                books.execute(act)
            books.rollback()


def test_nor_is_it_replaced_or_counted_back(books: Session) -> None:
    """On SQLite by whoever has the file; elsewhere also by who says that they only copy."""
    copy = "INSERT OR REPLACE INTO {0} SELECT * FROM {0}"
    acts = [
        f"UPDATE number_series SET last = last - 1 WHERE name = '{ledger.SERIES}'",
        "DELETE FROM number_series",
    ]
    begin = "PRAGMA recursive_triggers = OFF"
    if books.get_bind().dialect.name == "postgresql":
        begin = "SET LOCAL session_replication_role = replica"
        acts.append("DELETE FROM ledger_entry WHERE number = 6")
    else:
        tables = (
            "invoice",
            "invoice_line",
            "invoice_rate",
            "ledger_entry",
            "ledger_closing",
            "number_series",
        )
        acts += [copy.format(table) for table in tables]
    for act in acts:
        books.execute(text(begin))
        with pytest.raises(DBAPIError, match="never changed"):
            books.execute(text(act))
        books.rollback()
    if "PRAGMA" in begin:
        books.execute(text(begin.replace("OFF", "ON")))


def entry(number: int):
    return LedgerEntry.number == number


TAMPERED = [
    (update(LedgerEntry).where(entry(2)).values(amount=Money(-2600)), Break(Part.ENTRY, 2)),
    (update(LedgerEntry).where(entry(5)).values(reference="1"), Break(Part.ENTRY, 5)),
    (delete(LedgerEntry).where(entry(6)), Break(Part.ENTRY, 6)),
    (
        update(InvoiceLine).where(InvoiceLine.invoice_id == 1).values(total=Money(4001)),
        Break(Part.INVOICE, "F2026-00001"),
    ),
    (
        update(Invoice).where(Invoice.id == 2).values(number="A2026-00009"),
        Break(Part.INVOICE, "A2026-00009"),
    ),
    (
        update(InvoiceBuyer).where(InvoiceBuyer.invoice_id == 1).values(name="Quelqu'un"),
        Break(Part.INVOICE, "F2026-00001"),
    ),
    (delete(InvoiceBuyer).where(InvoiceBuyer.invoice_id == 2), Break(Part.INVOICE, "A2026-00001")),
    (
        update(LedgerClosing).where(LedgerClosing.month == MAY).values(paid=Money(1)),
        Break(Part.CLOSING, MAY),
    ),
    (update(Customer).values(balance=Customer.balance + Money(1)), Break(Part.BALANCE, "C10001")),
]


@pytest.mark.parametrize(("act", "broken"), TAMPERED)
def test_what_is_changed_all_the_same_is_named(books: Session, act, broken: Break) -> None:
    assert checking.verify(books) == Verdict(6)
    without_triggers(books, act.table.name)
    books.execute(act)
    assert checking.verify(books).broken == broken


def test_an_invoice_that_the_ledger_does_not_have_is_named(books: Session) -> None:
    values = {
        column.name: getattr(books.get_one(Invoice, 1), column.name) for column in Invoice.__table__.columns
    }
    books.execute(insert(Invoice).values(values | {"id": 9, "number": "F2026-00009"}))
    assert checking.verify(books) == Verdict(6, Break(Part.INVOICE, "F2026-00009"))


def test_whoever_has_the_file_can_reckon_each_digest_again(
    app: Flask, books: Session, tmp_path: Path
) -> None:
    told = app.test_cli_runner().invoke(args=["ledger", "verify"])
    assert (told.exit_code, told.output.replace("\xa0", " ")) == (0, "Le journal est intact : 6 écritures.\n")
    file = tmp_path / "journal.csv"
    assert app.test_cli_runner().invoke(args=["ledger", "export", "--year", "2026", str(file)]).exit_code == 0
    rows = list(csv.DictReader(StringIO(file.read_text("utf-8-sig")), delimiter=";"))
    assert [row["Montant"] for row in rows] == ["40,00", "-25,00", "-5,00", "-9,00", "9,00", "-1,00"]
    assert [row["Facture"] for row in rows] == ["F2026-00001", "", "A2026-00001", "", "", ""]
    before = ledger.BEGINNING
    for row in rows:
        assert f'"before": "{before}"' in row["Texte scellé"]
        before = sha256(row["Texte scellé"].encode()).hexdigest()
        assert row["Empreinte"] == before
    app.test_cli_runner().invoke(args=["ledger", "export", "--year", "2025", str(file)])
    assert len(file.read_text("utf-8-sig").splitlines()) == 1
    without_triggers(books, "ledger_entry")
    books.execute(update(LedgerEntry).where(LedgerEntry.number == 3).values(amount=Money(1)))
    books.commit()
    told = app.test_cli_runner().invoke(args=["ledger", "verify"])
    assert (told.exit_code, told.output) == (1, "Le journal ne tient plus à partir de l'écriture 3.\n")


class Books(RuleBasedStateMachine):
    """Two people's, beside a model that only adds up."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.session = session

    @initialize()
    def begin(self) -> None:
        self.session.rollback()
        self.people = [customer(self.session, email) for email in (CAMILLE, YACINE)]
        self.owed = [0, 0]
        self.invoices: list[tuple[int, Invoice]] = []
        self.payments: list[tuple[int, LedgerEntry]] = []

    def teardown(self) -> None:
        self.session.rollback()

    @rule(who=st.integers(0, 1), cents=st.integers(0, 5000))
    def bill(self, who: int, cents: int) -> None:
        self.invoices.append((who, written(self.session, cents, to=self.people[who])))
        self.owed[who] += cents

    @precondition(lambda self: self.invoices)
    @rule(which=st.integers(0, 99), cents=st.integers(1, 5000))
    def credit(self, which: int, cents: int) -> None:
        who, invoice = self.invoices[which % len(self.invoices)]
        written(self.session, -cents, to=self.people[who], corrects=invoice)
        self.owed[who] -= cents

    @rule(who=st.integers(0, 1), cents=st.integers(1, 5000), which=st.none() | st.integers(1, 5))
    def pay(self, who: int, cents: int, which: int | None) -> None:
        """For an invoice that they name, which may be nobody's or another's."""
        said = replace(paid(cents, self.people[who]), reference=which and f"F2026-{which:05}")
        entry = pay(self.session, said, at=NOW, by=None)
        assert isinstance(entry, LedgerEntry)
        self.payments.append((who, entry))
        self.owed[who] -= cents

    @precondition(lambda self: self.payments)
    @rule(which=st.integers(0, 99))
    def reverse(self, which: int) -> None:
        who, entry = self.payments[which % len(self.payments)]
        known = self.session.scalar(select(LedgerEntry.id).where(LedgerEntry.reverses_id == entry.id))
        reverse(self.session, entry, day=TODAY, reason="Erreur.", at=NOW, by=None)
        self.owed[who] -= 0 if known else entry.amount.cents

    @rule(who=st.integers(0, 1), cents=st.integers(1, 5000))
    def refund(self, who: int, cents: int) -> None:
        given = Payment(self.people[who].id, PaymentMeans.TRANSFER, Money(cents), TODAY)
        entry = refund(self.session, given, reason="Trop payé.", at=NOW, by=None)
        assert isinstance(entry, LedgerEntry) == (cents <= -self.owed[who])
        if isinstance(entry, LedgerEntry):
            self.payments.append((who, entry))
            self.owed[who] += cents

    @rule(who=st.integers(0, 1), cents=st.integers(1, 5000))
    def give_up(self, who: int, cents: int) -> None:
        amount = Money(cents)
        entry = write_off(self.session, self.people[who].id, amount, day=TODAY, reason="", at=NOW, by=None)
        assert isinstance(entry, LedgerEntry) == (cents <= self.owed[who])
        self.owed[who] -= cents if isinstance(entry, LedgerEntry) else 0

    @invariant()
    def holds(self) -> None:
        if not hasattr(self, "owed"):
            return
        count = self.session.scalar(select(NumberSeries.last).where(NumberSeries.name == ledger.SERIES)) or 0
        assert checking.verify(self.session) == Verdict(count)
        known = open_invoices(self.session)
        for person, owed in zip(self.people, self.owed, strict=True):
            assert person.account_id
            found = books_of(self.session, person.account_id)
            assert found.balance.cents == ledger.balance(self.session, person.account_id).cents == owed
            opened = {bill.id: bill.open for bill in found.bills if bill.open.cents}
            assert opened == {each.id: each.open for each in known if each.customer_id == person.id}
            assert sum(amount.cents for amount in opened.values()) <= max(owed, 0)


def test_whatever_is_done_the_balance_is_what_was_billed_less_what_was_paid(session: Session) -> None:
    few = settings(max_examples=settings().max_examples // 4, stateful_step_count=12, deadline=None)
    run_state_machine_as_test(lambda: Books(session), settings=few)


def test_who_cuts_off_the_end_does_not_pass_what_the_trail_has_kept(books: Session) -> None:
    checking.anchor(), checking.anchor()
    assert len(books.scalars(select(AuditEvent).where(AuditEvent.action == "ledger.anchor")).all()) == 1
    for whole, entries in ((True, 6), (False, 0)):
        assert checking.verify(books, whole=whole) == Verdict(entries)
    pay(books, paid(700, customer(books)), at=NOW, by=None)
    assert checking.verify(books, whole=False) == Verdict(1)
    last = books.scalars(select(LedgerEntry).where(entry(7))).one()
    without_triggers(books, "ledger_entry")
    last.amount = Money(-1)
    books.flush()
    assert checking.verify(books, whole=False) == Verdict(0, Break(Part.ENTRY, 7))
    for table in ("ledger_entry", "number_series", "ledger_closing"):
        without_triggers(books, table)
    books.execute(delete(LedgerEntry).where(LedgerEntry.number > 5))
    books.execute(delete(LedgerClosing))
    books.execute(update(NumberSeries).where(NumberSeries.name == ledger.SERIES).values(last=5))
    assert checking.verify(books) == Verdict(5, Break(Part.ENTRY, 6))
