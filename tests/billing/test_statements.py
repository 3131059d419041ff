"""Bank statements on their way in (BAR I13, P1), and what becomes of their lines."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from portal.accounts.queries import find_account
from portal.billing.balances import books_of
from portal.billing.camt import BadStatement, Problem
from portal.billing.matching import (
    Refusal,
    enter,
    find_line,
    ignore,
    list_lines,
    proposals,
    reopen,
    reverse,
    settle_certain,
)
from portal.billing.models import (
    BankLine,
    BankLineState,
    BankStatement,
    DebitBatch,
    DebitState,
    DirectDebit,
    LedgerEntry,
    Mandate,
    StatementFormat,
)
from portal.billing.statements import (
    KEPT,
    UnknownColumns,
    bank_day,
    choose_columns,
    chosen_columns,
    forget_old,
    is_told_otherwise,
    read,
    signed_euros,
    take_in,
)
from portal.rules.money import Money
from portal.web.forms import write_euros
from tests.billing.banking import CSV, IBAN, VERSIONS, entry, received, statement
from tests.billing.signing import signed
from tests.billing.writing import customer, written
from tests.world import CAMILLE, NOW, TODAY, YACINE

DAY = date(2026, 6, 5)
NOTHING: dict[str, str] = {}


def movements(data, chosen=NOTHING):
    return [
        (each.movement.day, each.movement.amount.cents, each.movement.name, each.movement.label)
        for each in read(data, chosen).booked
    ]


def imported(session, data, chosen=NOTHING):
    return take_in(session, data, "relevé.xml", read(data, chosen), at=NOW, by=3)


def the_lines(session, state=BankLineState.OPEN):
    return list_lines(session, state, page=0, size=50)


@pytest.mark.parametrize(("version", "new"), [(VERSIONS[0], False), (VERSIONS[1], True)])
def test_each_version_of_a_statement_is_read_alike(version, new):
    one_by_one = "".join(
        f"<TxDtls><Refs><EndToEndId>E{n}</EndToEndId></Refs>"
        + (f'<Amt Ccy="EUR">{n}.50</Amt>' if new else f'<AmtDtls><TxAmt><Amt Ccy="EUR">{n}.50</Amt></TxAmt></AmtDtls>')
        + "</TxDtls>"
        for n in (1, 2)
    )  # fmt: skip
    entries = [
        entry("38.60", f"F2026-00001 {IBAN}", "Camille Aubert", new=new),
        entry("-12", "FRAIS", new=new),
        entry("4.00", more=one_by_one, new=new),
        entry("9.00", more=one_by_one, new=new),
        entry("5", "en attente", status="PDNG", new=new),
    ]
    assert movements(statement(entries, version)) == [
        (DAY, 3860, "Camille Aubert", "F2026-00001 •••• 0189"),
        (DAY, -1200, "", "FRAIS"),
        (DAY, 150, "", "E1"),
        (DAY, 250, "", "E2"),
        (DAY, 900, "", "E1"),
    ]


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (statement([entry("1")], before='<!DOCTYPE d [<!ENTITY a "b">]>'), Problem.DOCTYPE),
        (statement([entry("1")], before='<!DOCTYPE d SYSTEM "http://127.0.0.1/x.dtd">'), Problem.DOCTYPE),
        (b"<Document><BkToCstmrStmt>", Problem.NOT_XML),
        (b"<html><p>Bonjour</p></html>", Problem.NOT_A_STATEMENT),
        (statement([entry("1", currency="CHF")]), Problem.NOT_EUROS),
        (statement([entry("1e3")]), Problem.NOT_A_STATEMENT),
        (statement([entry("1", day="hier")]), Problem.NOT_A_STATEMENT),
    ],
)
def test_what_is_no_statement_is_refused(data, problem):
    with pytest.raises(BadStatement) as refused:
        read(data, NOTHING)
    assert refused.value.problem is problem


def test_a_table_is_read_below_its_preamble_with_two_columns_or_one():
    found = read(CSV, NOTHING)
    assert (found.format, found.unread) == (StatementFormat.CSV, (7,))
    assert movements(CSV)[::3] == [
        (DAY, 3860, "", "VIR MME CAMILLE AUBERT F2026-00001"),
        (DAY, -123450, "", "PRLV EDF"),
    ]
    one = "Date comptable,Montant,Nom,Libellé\n2026-06-05,-12.5,EDF,x\n2026-06-05,3 800,Aubert,y\n"
    assert [each[1] for each in movements(one.encode())] == [-1250, 380000]


def test_columns_that_nobody_knows_are_asked_for_once():
    odd = f"Export\nQuand;Combien;Quoi\n05/06/2026;12,00;VIR {IBAN}\n".encode()
    with pytest.raises(UnknownColumns) as asked:
        read(odd, NOTHING)
    assert asked.value.rows == [["Quand", "Combien", "Quoi"], ["05/06/2026", "12,00", "VIR •••• 0189"]]
    assert movements(odd, {"day": "Quand", "amount": "Combien", "label": "Quoi"}) == [
        (DAY, 1200, "", "VIR •••• 0189")
    ]


@given(st.integers(0, 10**9 - 1), st.sampled_from(["", "-", "+"]), st.booleans())
def test_amounts_are_read_as_french_and_english_write_them(cents, sign, french):
    whole, point = f"{cents // 100:,}", f"{cents % 100:02}"
    text = f"{whole.replace(',', '.')},{point} €" if french else f"{whole}.{point}"
    assert signed_euros(sign + text) == Money(-cents if sign == "-" else cents)
    assert signed_euros(sign + write_euros(Money(cents))) == signed_euros(sign + text)


@pytest.mark.parametrize("text", ["", "1e3", "١٢", "1.234", "1,2,3", "12,345", "--1", "NaN", "1_0", "9" * 12])
def test_what_is_no_amount_is_none(text):
    with pytest.raises(ValueError):
        signed_euros(text)


def test_a_year_may_have_two_figures():
    assert bank_day("05/06/26") == bank_day("2026-06-05") == bank_day("5.6.2026") == DAY


def test_lines_are_kept_once_whatever_overlaps(session):
    first = imported(session, CSV)
    assert (first.new, first.known) == (4, 0)
    again = imported(session, CSV)
    assert (again.statement.id, again.new, again.known) == (first.statement.id, 0, 4)
    longer = CSV + b"06/06/2026;VIR YACINE BENALI;;12,00\n07/06/2026;VIR X;;1,00\n"
    assert (imported(session, longer).new, imported(session, longer).known) == (2, 6)
    assert len(session.scalars(select(BankStatement)).all()) == 2
    assert [line.amount for line in the_lines(session, BankLineState.IGNORED)] == [Money(-123450)]
    own = statement([entry("1", "a", reference="R1"), entry("1", "a", reference="R2")])
    other = statement([entry("1", "written otherwise", reference="R2"), entry("1", "a", reference="R3")])
    assert (imported(session, own).new, imported(session, other).new) == (2, 1)


def test_no_account_number_is_kept(session):
    imported(session, statement([entry("5", f"VIR DE {IBAN}", IBAN)]))
    [line] = the_lines(session)
    assert (line.name, line.label) == ("•••• 0189", "VIR DE •••• 0189")


def test_one_format_tells_a_day(session):
    received(session)
    same = read(CSV, {})
    assert not is_told_otherwise(session, same)
    for day, told in (("2026-06-06", True), ("2026-06-07", False)):
        assert is_told_otherwise(session, read(statement([entry("38.60", "AUBERT", day=day)]), {})) is told


def test_a_line_is_entered_once_and_undone_by_another_entry(session):
    written(session, 3860)
    camille, yacine = (find_account(session, email).id for email in (CAMILLE, YACINE))
    imported(session, statement([entry("50.00", "F2026-00001", day="2026-05-05"), entry("-9", "REJET PRLV")]))
    outward, line = the_lines(session)
    assert (outward.amount, proposals(session, [outward])[outward.id].reason) == (Money(-900), "returned")
    assert enter(session, {outward.id: camille}, at=NOW, by=3) is Refusal.NO_INCOME
    assert enter(session, {line.id: 999}, at=NOW, by=3) is Refusal.NOBODY
    for _press in range(2):
        assert not isinstance(enter(session, {line.id: camille}, at=NOW, by=3), Refusal)
    assert enter(session, {line.id: yacine}, at=NOW, by=4) is Refusal.SETTLED
    assert ignore(session, line.id, at=NOW, by=3) is Refusal.SETTLED
    assert books_of(session, camille).balance == Money(-1140)
    [paid] = books_of(session, camille).payments
    assert (paid.day, paid.means, paid.reference) == (
        date(2026, 5, 5),
        "transfer",
        f"BQ{line.id} F2026-00001",
    )
    assert find_line(session, line.id).payer_id == camille
    for _press in range(2):
        assert reopen(session, line.id, at=NOW, by=3) is None
    assert (books_of(session, camille).balance, books_of(session, camille).credit) == (Money(3860), Money(0))
    assert session.query(LedgerEntry).count() == 3
    enter(session, {line.id: yacine}, at=NOW, by=3)
    assert books_of(session, yacine).credit == Money(5000)
    taken_back = session.scalars(select(LedgerEntry).order_by(LedgerEntry.id.desc()).limit(1)).one()
    for _press in range(2):
        reverse(session, taken_back, day=TODAY, reason="Pas la sienne.", at=NOW, by=3)
    assert (find_line(session, line.id).state, books_of(session, yacine).credit) == ("open", Money(0))


def test_only_what_is_certain_still_is_accepted_with_the_others(session, count_queries):
    written(session, 3860)
    written(session, 1200, to=customer(session, YACINE))
    camille, yacine = (find_account(session, email).id for email in (CAMILLE, YACINE))
    session.commit()
    imported(session, CSV)
    *twice, sure = lines = the_lines(session)
    found = proposals(session, lines)
    assert found[sure.id].confidence == "certain"
    assert sorted(found[line.id].confidence for line in twice) == ["certain", "probable"]
    with count_queries() as few:
        proposals(session, [sure])
    with count_queries() as many:
        proposals(session, lines)
    assert len(few) == len(many)
    wanted = {sure.id: camille} | {line.id: yacine for line in twice}
    assert settle_certain(session, wanted | {sure.id: yacine}, at=NOW, by=3) == (1, 0)
    assert settle_certain(session, wanted, at=NOW, by=3) == (1, 0)
    assert settle_certain(session, wanted, at=NOW, by=3) == (0, 0)
    assert (books_of(session, camille).balance, books_of(session, yacine).balance) == (Money(0), Money(0))
    assert len(the_lines(session)) == 1


def test_chosen_columns_are_remembered_and_old_names_forgotten(session, clock):
    choose_columns(session, {"day": "Quand"}, at=NOW, by=3)
    assert chosen_columns(session) == {"day": "Quand"}
    imported(session, statement([entry("5", "VIR", "Aubert")]))
    session.commit()
    for days, kept in ((0, "Aubert"), (2, "")):
        clock.move_to(NOW - timedelta(days=6) + KEPT + timedelta(days=days))
        forget_old()
        assert session.scalars(select(BankLine.name)).one() == kept
        session.commit()


def test_the_farm_s_own_collections_are_set_aside_and_what_comes_back_is_seen(session):
    invoice = written(session, 1950)
    signed(session)
    batch = DebitBatch(
        message_id="LOT-2026-06-04",
        collected_on=date(2026, 6, 4),
        made_at=NOW,
        presented_at=NOW,
        count=1,
        total=Money(1950),
        data=b"<pain/>",
    )
    session.add(batch)
    session.flush()
    session.add(
        DirectDebit(
            end_to_end="P2026-00009-1",
            customer_id=invoice.customer_id,
            mandate_id=session.scalars(select(Mandate.id)).one(),
            invoice_id=invoice.id,
            batch_id=batch.id,
            amount=Money(1950),
            collected_on=batch.collected_on,
            state=DebitState.COLLECTED,
            announced_at=NOW,
        )
    )
    session.flush()
    imported(
        session,
        statement(
            [entry("19.50", "PRLV SEPA EMIS"), entry("-19.50", "MD06 P2026-00009-1"), entry("-1", "EDF")]
        ),
    )
    lines = the_lines(session)
    assert {line.amount.cents: proposals(session, lines)[line.id].reason for line in lines} == {
        1950: "collection",
        -1950: "returned",
    }
    [collection] = [line.id for line in lines if line.amount > Money(0)]
    assert settle_certain(session, {collection: None}, at=NOW, by=3) == (0, 1)
    assert [line.amount.cents for line in the_lines(session)] == [-1950]
