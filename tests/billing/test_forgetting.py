"""Ten years for who bought, thirteen months for account numbers."""

from datetime import date, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session
from time_machine import Traveller

from portal.billing import mandates
from portal.billing.checking import verify
from portal.billing.forgetting import forget_old
from portal.billing.models import DebitBatch, Invoice, InvoiceBuyer, InvoiceFile, Mandate
from portal.billing.statements import KEPT
from portal.rules.sepa import MandateEnd
from tests.billing.books import account, invoiced
from tests.billing.debiting import IN_TIME, announced, bank, presented
from tests.billing.signing import signed
from tests.billing.writing import written


def test_who_bought_is_forgotten_ten_years_after_the_end_of_the_year_and_the_books_hold(
    session: Session,
) -> None:
    old = invoiced(session).id
    session.get_one(InvoiceFile, old).data = b"%PDF"
    for day, kept in ((date(2036, 12, 31), True), (date(2037, 1, 1), False)):
        newest = written(session, 100, day=day).id
        session.commit()
        forget_old()
        assert (session.get(InvoiceBuyer, old) is not None) is kept
        assert (session.get_one(InvoiceFile, old).data is not None) is kept
        assert session.get(InvoiceBuyer, newest) and session.get_one(Invoice, old).number
        assert verify(session).broken is None
        session.rollback()


def test_account_numbers_are_forgotten_once_nothing_can_come_back(session: Session, clock: Traveller) -> None:
    signed(session), bank(session)
    debit = announced(session)
    clock.move_to(IN_TIME)
    batch = presented(session)
    mandates.end(session, account(session), MandateEnd.REVOKED, at=IN_TIME, by=None)
    session.commit()
    known = [select(column) for column in (DebitBatch.data, Mandate.iban)]
    for days, kept in ((0, True), (5, False)):
        clock.move_to(IN_TIME + KEPT + timedelta(days=days))
        forget_old()
        assert [session.scalar(each) is not None for each in known] == [kept, kept]
        session.rollback()
    assert (batch.count, debit.mandate.last_four) == (1, "0189")
