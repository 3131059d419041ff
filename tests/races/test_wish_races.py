"""Two workers that tell the same person of the same thing (BAR K12)."""

from collections.abc import Iterator

from flask import Flask
from sqlalchemy import func, select, update

from portal.accounts.models import Account
from portal.infra.orm import own_transaction
from portal.infra.outbox import Mail
from portal.shop.models import Wish
from portal.shop.wishes import tell
from tests.races.helpers import meetings
from tests.shop.making import article
from tests.world import CAMILLE, NOW


def told_by_two_workers(app: Flask) -> Iterator[bool]:
    """Tell Camille again and again, by two workers at once: whether both went on and she got one mail."""
    with app.app_context(), own_transaction() as session:
        camille = session.scalars(select(Account.id).where(Account.email == CAMILLE)).one()
        session.add(Wish(account_id=camille, article_id=article(session).id, made_at=NOW, missed_at=NOW))
    before = 0

    def work() -> None:
        with app.app_context(), own_transaction() as session:
            tell(session, camille, NOW)

    for done in meetings(app, work, work):
        with app.app_context(), own_transaction() as session:
            mails = session.scalar(select(func.count(Mail.id))) or 0
            session.execute(update(Wish).values(missed_at=NOW))
        yield done == (None, None) and mails == before + 1
        before = mails


def test_two_workers_write_one_mail(app: Flask) -> None:
    assert set(told_by_two_workers(app)) == {True}


def test_without_locks_two_workers_fall_over_each_other(unlocked: Flask) -> None:
    assert not all(told_by_two_workers(unlocked))
