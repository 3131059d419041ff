from datetime import date, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.billing.balances import books_of_customer
from portal.billing.models import EntryKind, LedgerClosing, LedgerEntry
from portal.billing.payments import Refusal, pay, pay_all, refund, reverse, write_off
from portal.infra.audit import AuditEvent
from portal.rules.money import Money
from tests.billing.writing import customer, paid, written
from tests.world import NOW, TODAY, YACINE

TOMORROW = TODAY + timedelta(days=1)
BOUNCED = "Chèque sans provision."


def balance(session: Session) -> int:
    return books_of_customer(session, customer(session).id).balance.cents


def test_a_form_that_is_sent_twice_enters_once(session: Session) -> None:
    camille, yacine = customer(session), customer(session, YACINE)
    first = pay(session, paid(2000, camille, key="a"), at=NOW, by=None)
    assert pay(session, paid(2000, camille, key="a"), at=NOW, by=None) is first
    assert pay(session, paid(2100, camille, key="a"), at=NOW, by=None) is Refusal.FORM_USED
    pile = [paid(2000, camille, key="b1"), paid(500, yacine, key="b2")]
    assert pay_all(session, pile, at=NOW, by=None) == pay_all(session, pile, at=NOW, by=None)
    assert balance(session) == -4000
    given = [refund(session, paid(4000, camille, key="c"), reason="Départ.", at=NOW, by=None) for _ in "12"]
    assert given[0] is given[1]
    assert (balance(session), session.query(LedgerEntry).count()) == (0, 4)


def test_a_payment_is_taken_back_once_and_an_invoice_never(session: Session) -> None:
    camille = customer(session)
    written(session, 3000)
    entry = pay(session, paid(3000, camille), at=NOW, by=None)
    assert isinstance(entry, LedgerEntry)
    reversal = reverse(session, entry, day=TODAY, reason=BOUNCED, at=NOW, by=7)
    assert isinstance(reversal, LedgerEntry)
    assert reverse(session, entry, day=TODAY, reason="Encore.", at=NOW, by=7) is reversal
    assert balance(session) == 3000
    invoice = session.scalars(select(LedgerEntry).where(LedgerEntry.kind == EntryKind.INVOICE)).one()
    for other in (reversal, invoice):
        assert reverse(session, other, day=TODAY, reason="", at=NOW, by=7) is Refusal.NOT_REVERSIBLE
    session.flush()
    told = session.scalars(select(AuditEvent).where(AuditEvent.action == "ledger.reversal")).one()
    assert (told.account_id, told.subject_id) == (7, str(reversal.number))
    assert told.after == {"amount": 3000, "customer_id": camille.id, "reason": BOUNCED}


def test_no_more_is_given_back_than_somebody_is_ahead_and_no_more_given_up_than_they_owe(session) -> None:
    camille = customer(session)
    written(session, 3000)
    assert refund(session, paid(1, camille), reason="", at=NOW, by=None) is Refusal.MORE_THAN_CREDIT
    pay(session, paid(3500, camille), at=NOW, by=None)
    assert refund(session, paid(501, camille), reason="", at=NOW, by=None) is Refusal.MORE_THAN_CREDIT
    assert refund(session, paid(400, camille), reason="", at=NOW, by=None).amount == Money(400)
    over = write_off(session, camille.id, Money(1), day=TODAY, reason="", at=NOW, by=None)
    assert (over, balance(session)) == (Refusal.MORE_THAN_OWED, -100)
    written(session, 1000)
    given_up = write_off(session, camille.id, Money(900), day=TODAY, reason="Trop peu.", at=NOW, by=None)
    assert (given_up.amount, balance(session)) == (Money(-900), 0)


def test_a_slip_of_the_year_is_asked_about(session: Session) -> None:
    camille = customer(session)
    for days, refusal in ((366, None), (367, Refusal.LONG_AGO), (7000, Refusal.LONG_AGO)):
        done = pay(session, paid(100, camille, day=TODAY - timedelta(days=days)), at=NOW, by=None)
        assert (done if refusal else None) is refusal
    assert balance(session) == -100


def test_nothing_is_entered_for_a_day_to_come_or_into_a_closed_month(session: Session) -> None:
    camille = customer(session)
    entry = pay(session, paid(900, camille, day=date(2026, 5, 31)), at=NOW, by=None)
    zero = Money(0)
    session.add(
        LedgerClosing(
            month=date(2026, 5, 1), closed_at=NOW, last_number=1, billed=zero, paid=zero, written_off=zero,
            perpetual=zero, before="", digest="",
        )
    )  # fmt: skip
    session.flush()
    for day, refusal in (
        (TOMORROW, Refusal.FUTURE_DAY),
        (date(2026, 5, 31), Refusal.MONTH_CLOSED),
        (date(2026, 4, 1), Refusal.MONTH_CLOSED),
    ):
        assert pay(session, paid(100, camille, day=day), at=NOW, by=None) is refusal
        assert reverse(session, entry, day=day, reason="", at=NOW, by=None) is refusal
        assert refund(session, paid(100, camille, day=day), reason="", at=NOW, by=None) is refusal
    pile = [paid(100, camille, day=date(2026, 6, 1)), paid(100, camille, day=TOMORROW)]
    assert pay_all(session, pile, at=NOW, by=None) is Refusal.FUTURE_DAY
    assert balance(session) == -900
    assert isinstance(pay(session, paid(100, camille, day=date(2026, 6, 1)), at=NOW, by=None), LedgerEntry)
