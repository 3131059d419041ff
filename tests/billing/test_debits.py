"""What is announced, and what the worker makes of it."""

from datetime import date, timedelta

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session
from time_machine import Traveller

from portal.billing import ledger, mandates, payments
from portal.billing.batches import make
from portal.billing.debits import announce, announce_all, announce_open, collect_due, postpone, tell_moved
from portal.billing.files import make_files
from portal.billing.models import DebitState, DirectDebit, EntryKind, LedgerClosing, LedgerEntry, Mandate
from portal.infra.outbox import Mail
from portal.rules.collecting import FileRefusal
from portal.rules.money import Money
from portal.rules.paying import PaymentMeans
from portal.rules.sepa import MandateEnd
from tests.billing.books import invoiced, invoices_of
from tests.billing.debiting import (
    DAY,
    IN_TIME,
    ON_THE_DAY,
    TOO_LATE,
    announced,
    bank,
    billed,
    office,
    presented,
)  # fmt: skip
from tests.billing.signing import OTHER_IBAN, collecting, signed
from tests.billing.writing import customer, paid, written
from tests.world import CAMILLE, NOW, YACINE


def subjects(session: Session) -> list[str]:
    found = session.scalars(select(Mail.subject).order_by(Mail.id))
    return [subject.replace("\xa0", " ").replace("\u202f", " ") for subject in found]


def test_an_invoice_announces_what_is_open_of_it_two_weeks_ahead(session: Session) -> None:
    mandate = signed(session)
    payments.pay(session, paid(1000, customer(session)), at=NOW, by=None)
    debit = announced(session, 3860)
    assert (debit.amount, debit.collected_on, debit.state) == (Money(2860), DAY, DebitState.ANNOUNCED)
    assert (debit.end_to_end, debit.mandate_id, debit.told_at) == ("F2026-00001-1", mandate.id, NOW)
    assert announce(session, debit.invoice, at=NOW) is None, "it is under collection"
    settings = collecting(session)
    settings.collection_day, settings.notice_days = 24, 14
    assert announced(session, 500).collected_on == date(2026, 6, 24)


def test_nothing_is_announced_without_a_mandate_without_an_ics_or_where_nothing_is_open(
    session: Session,
) -> None:
    assert announce(session, billed(session, 1000, YACINE), at=NOW) is None
    signed(session)
    by_transfer = written(session, 1000, means=PaymentMeans.TRANSFER)
    assert announce(session, by_transfer, at=NOW) is None
    payments.pay(session, paid(5000, customer(session)), at=NOW, by=None)
    assert announce(session, billed(session, 2000), at=NOW) is None
    collecting(session).creditor_id = None
    assert announce(session, billed(session, 9000), at=NOW) is None
    assert session.scalars(select(DirectDebit)).all() == []


def test_what_was_billed_before_one_signed_is_announced_by_one_mail(session: Session) -> None:
    older = [billed(session, 1000), written(session, 2860)]
    camille = older[0].customer.account
    assert camille and announce_open(session, camille, at=NOW, by=3) == [], "nobody has signed"
    mandate = signed(session)
    session.execute(delete(Mail))
    payments.pay(session, paid(400, customer(session)), at=NOW, by=None)
    made = announce_open(session, camille, at=NOW, by=3)
    assert [(debit.amount, debit.collected_on) for debit in made] == [(Money(600), DAY), (Money(2860), DAY)]
    assert announce_open(session, camille, at=NOW, by=3) == [], "it is announced once"
    [mail] = session.scalars(select(Mail))
    for said in ("34,60 €", "vendredi 10 juillet 2026", "F2026-00001", mandate.reference, "FR72ZZZ123456"):
        assert said in mail.text.replace("\xa0", " ").replace("\u202f", " "), said
    made[0].state = DebitState.DROPPED
    session.flush()
    assert [debit.end_to_end for debit in announce_open(session, camille, at=NOW, by=3)] == ["F2026-00001-2"]
    assert [view.number for view in invoices_of(session, camille.id)] == ["F2026-00002", "F2026-00001"]


def test_many_are_announced_with_as_many_questions_as_one(session: Session, count_queries) -> None:  # type: ignore[no-untyped-def]
    signed(session), signed(session, YACINE, OTHER_IBAN)
    invoices = [billed(session, cents, who) for cents in (100, 200, 300) for who in (CAMILLE, YACINE)]
    with count_queries() as one:
        announce_all(session, invoices[:1], at=NOW)
    with count_queries() as many:
        assert len(announce_all(session, invoices[1:], at=NOW)) == 5
    assert [len([each for each in sent if each.startswith(("SELECT", "WITH"))]) for sent in (one, many)] == [
        6,
        6,
    ]


def test_the_worker_enters_a_debit_as_paid_on_its_day_once(session: Session, clock: Traveller) -> None:
    signed(session), bank(session)
    debit = announced(session)
    clock.move_to(IN_TIME)
    presented(session)
    session.commit()
    collect_due()
    assert session.scalars(select(LedgerEntry).where(LedgerEntry.kind == EntryKind.PAYMENT)).all() == []
    session.commit()
    clock.move_to(ON_THE_DAY)
    collect_due(), collect_due()
    session.expire_all()
    [entry] = session.scalars(select(LedgerEntry).where(LedgerEntry.kind == EntryKind.PAYMENT))
    assert (entry.amount, entry.day, entry.means) == (Money(-3860), DAY, PaymentMeans.DIRECT_DEBIT)
    assert (entry.debit_id, entry.reference) == (debit.id, "F2026-00001-1")
    assert debit.state is DebitState.COLLECTED
    assert session.scalars(select(Mandate.used_on)).one() == DAY
    assert ledger.balance(session, customer(session).account_id or 0) == Money(0)


def test_what_is_collected_after_its_month_was_closed_counts_in_the_next(
    session: Session, clock: Traveller
) -> None:
    signed(session), bank(session)
    announced(session)
    clock.move_to(IN_TIME)
    presented(session)
    closing = {
        "billed": Money(0),
        "paid": Money(0),
        "written_off": Money(0),
        "perpetual": Money(0),
        "before": "",
        "digest": "",
    }
    session.add(LedgerClosing(month=date(2026, 7, 1), closed_at=NOW, last_number=1, **closing))
    session.commit()
    clock.move_to(date(2026, 8, 3))
    collect_due()
    day = session.scalars(select(LedgerEntry.day).where(LedgerEntry.kind == EntryKind.PAYMENT)).one()
    assert day == date(2026, 8, 1)


def test_what_missed_its_day_is_announced_for_another_and_its_people_are_told(
    session: Session, clock: Traveller
) -> None:
    signed(session), bank(session)
    debit = announced(session)
    clock.move_to(IN_TIME)
    assert postpone(session, DAY, by=office(session)) is FileRefusal.TOO_EARLY
    clock.move_to(TOO_LATE)
    signed(session, YACINE, OTHER_IBAN)
    otherwise = announced(session, 900, YACINE)
    payments.pay(session, paid(900, customer(session, YACINE)), at=NOW, by=None)
    payments.pay(session, paid(60, customer(session)), at=NOW, by=None)
    session.execute(update(Mail).values(subject="before"))
    assert postpone(session, DAY, by=office(session)) == 1
    session.commit()
    tell_moved(), tell_moved()
    session.expire_all()
    assert (debit.collected_on, debit.state) == (date(2026, 8, 10), DebitState.ANNOUNCED)
    assert otherwise.state is DebitState.DROPPED
    assert [said for said in subjects(session) if said != "before"] == [
        "Votre prélèvement de 38,00 € : le lundi 10 août"
    ]


def test_who_changes_banks_is_collected_under_the_new_mandate_who_ends_it_is_not(
    session: Session, clock: Traveller
) -> None:
    signed(session), bank(session), signed(session, YACINE)
    kept, dropped = announced(session, 1000), announced(session, 2000, YACINE)
    newer = signed(session, iban=OTHER_IBAN)
    yacine = customer(session, YACINE).account
    assert yacine
    mandates.end(session, yacine, MandateEnd.REVOKED, at=NOW, by=yacine.id)
    session.expire_all()
    clock.move_to(IN_TIME)
    made = make(session, DAY, by=office(session))
    assert (made.debits, made.total) == (1, Money(1000))  # type: ignore[union-attr]
    assert (kept.mandate_id, kept.state) == (newer.id, DebitState.IN_FILE)
    assert dropped.state is DebitState.DROPPED


def test_what_is_collected_is_due_on_the_day_of_the_debit(session: Session) -> None:
    signed(session)
    invoice = invoiced(session)
    debit = session.scalars(select(DirectDebit).where(DirectDebit.invoice_id == invoice.id)).one()
    assert invoice.due_on == debit.collected_on > invoice.issued_on + timedelta(days=13)
    session.commit()
    tell_moved()
    session.refresh(debit)
    assert debit.told_at is None, "the invoice's mail tells"
    session.commit()
    make_files(lambda _: b"%PDF")
    session.refresh(debit)
    assert debit.told_at == NOW
