"""One person signs for two accounts at once (BAR K10): one mandate is live, each has a reference of its own."""

from collections.abc import Iterator

from flask import Flask
from sqlalchemy import func, select, update

from portal.accounts.models import Account
from portal.billing.mandates import MandateView, sign
from portal.billing.models import Mandate
from portal.infra.orm import own_transaction
from portal.rules.sepa import BankAccount
from tests.billing.signing import AT_HOME, IBAN, OTHER_IBAN, collecting
from tests.races.helpers import meetings
from tests.world import CAMILLE, NOW


def signed_twice(app: Flask) -> Iterator[bool]:
    """Sign again and again by two browsers at once: whether both went on and one mandate is live."""
    with app.app_context(), own_transaction() as session:
        collecting(session)

    def signing(iban: str) -> MandateView | None:
        with app.app_context(), own_transaction() as session:
            camille = session.scalars(select(Account).where(Account.email == CAMILLE)).one()
            return sign(session, camille, BankAccount(iban, None, None), AT_HOME, at=NOW, by=camille.id)

    kept = 0
    for done in meetings(app, lambda: signing(IBAN), lambda: signing(OTHER_IBAN)):
        with app.app_context(), own_transaction() as session:
            live = session.scalar(select(func.count(Mandate.id)).where(Mandate.ended_at.is_(None)))
            session.execute(update(Mandate).values(ended_at=NOW))
            count = session.scalar(select(func.count(Mandate.reference.distinct()))) or 0
        yield all(isinstance(one, MandateView) for one in done) and (live, count) == (1, kept + 2)
        kept = count


def test_two_signatures_at_once_leave_one_live_mandate(app: Flask) -> None:
    assert set(signed_twice(app)) == {True}


def test_without_locks_they_get_in_each_other_s_way(unlocked: Flask) -> None:
    assert not all(signed_twice(unlocked))
