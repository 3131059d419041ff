"""Who owes what is due, and who is reminded of it."""

from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import select

from portal.accounts.queries import find_account
from portal.billing.adjusting import save_settings
from portal.billing.debts import debts
from portal.billing.models import DebitState, DirectDebit, Mandate, PaymentReminder
from portal.billing.payments import pay
from portal.billing.reminders import Slot, Step, due_reminders, remind_debtors, save_steps, send, steps
from portal.infra.audit import AuditEvent
from portal.infra.outbox import Mail
from portal.rules.letters import unknown_slots
from portal.rules.money import Money
from tests.billing.signing import signed
from tests.billing.writing import customer, paid, written
from tests.world import CAMILLE, NOW, TODAY, YACINE


def ago(days: int) -> date:
    return TODAY - timedelta(days=days)


def mails(session):
    return session.scalars(select(Mail).where(Mail.subject.contains("€")).order_by(Mail.id)).all()


def plain(text: str) -> str:
    return text.replace("\u00a0", " ").replace("\u202f", " ")


def reminded(session):
    rows = session.scalars(select(PaymentReminder).order_by(PaymentReminder.id))
    return [(row.invoice_id, row.position, row.amount.cents, row.sent_by) for row in rows]


@pytest.fixture
def owing(session):
    """Camille owes an old invoice and what is left of a newer one; Yacine one that is not due."""
    yacine = customer(session, YACINE)
    invoices = [
        written(session, 1500, due=ago(70), day=ago(85)),
        written(session, 3860, due=ago(10), day=ago(25)),
        written(session, 2300, to=yacine, due=TODAY, day=ago(15)),
    ]
    pay(session, paid(500, customer(session), day=ago(80)), at=NOW, by=None)
    return invoices


def test_what_is_due_is_listed_by_age_and_what_is_collected_is_not(session, owing, count_queries):
    old, newer, _not_due = owing
    found = debts(session, TODAY)
    [camille] = found.debts
    assert (camille.amount, camille.since, camille.days(TODAY)) == (Money(4860), old.due_on, 70)
    assert [cents.cents for cents in found.by_age.values()] == [3860, 0, 1000, 0]
    assert (camille.number, camille.contact.phone) == ("C10001", "06 39 98 00 01")
    assert len(debts(session, TODAY + timedelta(days=1)).debts) == 2
    signed(session)
    session.add(
        DirectDebit(
            end_to_end="E1",
            customer_id=newer.customer_id,
            mandate_id=session.scalars(select(Mandate.id)).one(),
            invoice_id=newer.id,
            amount=newer.total,
            collected_on=TODAY,
            state=DebitState.ANNOUNCED,
            announced_at=NOW,
        )
    )
    session.flush()
    with count_queries() as one:
        found = debts(session, TODAY)
    assert ([debt.amount for debt in found.debts], found.collecting) == ([Money(1000)], Money(3860))
    written(session, 100, to=customer(session, YACINE), due=ago(1))
    with count_queries() as two:
        assert len(debts(session, TODAY).debts) == 2
    assert len(one) == len(two)
    debit = session.scalars(select(DirectDebit)).one()
    debit.state, debit.returned_on = DebitState.RETURNED, TODAY
    session.flush()
    [camille, _yacine] = debts(session, TODAY).debts
    assert [invoice.late_since for invoice in camille.invoices] == [old.due_on, TODAY]


def test_each_invoice_is_reminded_of_once_a_step_and_nobody_twice_in_a_week(session, owing):
    old, newer, _not_due = owing
    camille = find_account(session, CAMILLE).id
    [due] = due_reminders(session, debts(session, TODAY).debts, TODAY)
    assert dict(due.steps) == {old.id: 1, newer.id: 1}
    assert send(session, {camille: 2}, at=NOW, by=3) == 0
    for _press in range(2):
        send(session, {camille: 1}, at=NOW, by=3)
    assert reminded(session) == [(old.id, 1, 1000, 3), (newer.id, 1, 3860, 3)]
    [mail] = mails(session)
    assert mail.recipient == CAMILLE and plain(mail.subject) == "Un oubli ? 48,60 € à régler"
    for words in (
        "Bonjour Camille",
        "F2026-00001 et F2026-00002",
        "1er avril 2026",
        "04 65 71 00 01",
        "plusieurs fois",
    ):
        assert words in plain(mail.text), words
    assert "/paiements" in mail.text and "{{" not in mail.text and "/paiements" in mail.html
    told = session.scalars(select(AuditEvent).where(AuditEvent.action == "invoice.remind")).all()
    assert [(event.subject_id, event.after) for event in told] == [
        (str(old.id), {"step": 1}),
        (str(newer.id), {"step": 1}),
    ]
    soon, later = NOW + timedelta(days=6), NOW + timedelta(days=7)
    assert send(session, {camille: 2}, at=soon, by=None) == 0
    assert send(session, {camille: 2}, at=later, by=None) == 1
    assert reminded(session)[2:] == [(old.id, 2, 1000, None)]


def test_who_has_paid_a_second_ago_or_is_nobody_any_more_hears_nothing(session, owing):
    camille = find_account(session, CAMILLE)
    wanted = {camille.id: 1}
    pay(session, paid(4860, customer(session)), at=NOW, by=None)
    assert send(session, wanted, at=NOW, by=3) == 0
    written(session, 900, due=ago(30))
    camille.erased_at = NOW
    session.flush()
    assert len(debts(session, TODAY).debts) == 1
    assert send(session, wanted, at=NOW, by=3) == 0 and mails(session) == []


def test_the_worker_reminds_where_the_farm_wishes_it(session, owing, clock):
    session.commit()
    assert remind_debtors() is False and mails(session) == []
    save_settings(session, {"reminds": True}, at=NOW, by=4)
    session.commit()
    clock.move_to(datetime(2026, 6, 10, 4, 0, tzinfo=NOW.tzinfo))
    assert remind_debtors() is False
    clock.move_to(NOW)
    assert (remind_debtors(), remind_debtors()) == (True, False)
    assert len(mails(session)) == 1 and [row[3] for row in reminded(session)] == [None, None]


def test_the_farm_has_its_own_steps_and_the_usual_ones_say_only_what_is_allowed(session, owing):
    usual = steps(session)
    assert [step.days for step in usual] == [7, 21, 45]
    assert not any(unknown_slots(step.subject + step.text, tuple(Slot)) for step in usual)
    own = [Step(60, "Le {{montant}} de {{prenom}}", "{{7*7}} {{prenom.__class__}} {{echeance}}")]
    for _press in range(2):
        save_steps(session, own, at=NOW, by=4)
    assert steps(session) == own
    assert len(session.scalars(select(AuditEvent).where(AuditEvent.action.contains("step.save"))).all()) == 1
    send(session, {find_account(session, CAMILLE).id: 1}, at=NOW, by=3)
    [mail] = mails(session)
    assert "{{7*7}} {{prenom.__class__}} mercredi 1er avril 2026" in plain(mail.text)
    assert len(reminded(session)) == 1
