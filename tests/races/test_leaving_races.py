"""Somebody closes the account, or has it joined to another, while ordering elsewhere at that moment."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import delete, func, select, update

from portal.accounts.models import Account
from portal.infra import clock
from portal.infra.orm import own_transaction
from portal.privacy import leaving, merging
from portal.privacy.leaving import Closed
from portal.privacy.models import AccountMerge, Departure
from portal.shop.models import Order
from portal.subscriptions.models import Subscription
from tests.accounts.people import account_of
from tests.races.helpers import EVERY, meetings
from tests.shop.buying import Buyer, subscriber
from tests.shop.making import article
from tests.world import CAMILLE, TODAY, YACINE

Act = Callable[[], Any]


@pytest.fixture
def jar(app: Flask) -> int:
    with app.app_context(), own_transaction() as session:
        session.execute(update(Subscription).values(last_day=TODAY.replace(day=1)))
        return article(session).id


def buyer(app: Flask, jar: int) -> Buyer:
    """Yacine with a full cart, whatever happened before."""
    with app.app_context(), own_transaction() as session:
        session.execute(delete(Departure))
        session.execute(delete(AccountMerge))
        session.execute(update(Order).values(state="cancelled"))
        session.execute(update(Account).values(active=True))
    return subscriber(app, YACINE, {jar: 1})


def close(app: Flask) -> bool:
    with app.app_context(), own_transaction() as session:
        done = leaving.close(session, account_of(session, YACINE), for_good=True, at=clock.now())
        return isinstance(done, Closed)


def join(app: Flask) -> bool:
    with app.app_context(), own_transaction() as session:
        ids = [account_of(session, email).id for email in (CAMILLE, YACINE)]
        return isinstance(merging.merge(session, *ids, at=clock.now()), Account)


def stranded(app: Flask) -> tuple[bool, int]:
    """Whether the account is closed, and how many orders under way it has all the same."""
    with app.app_context(), own_transaction() as session:
        yacine = account_of(session, YACINE)
        under_way = Order.state.in_(leaving.UNDER_WAY), Order.account_id == yacine.id
        return not yacine.active, session.scalar(select(func.count(Order.id)).where(*under_way)) or 0


@pytest.mark.parametrize(("leave", "orders_first"), [(close, True), (close, False), (join, True)])
def test_no_order_is_left_with_a_closed_account(app: Flask, jar: int, leave, orders_first: bool) -> None:
    buyers = [buyer(app, jar)]

    def press() -> Any:
        return buyers[-1].press()

    acts = (press, lambda: leave(app))
    for answers in meetings(app, *(acts if orders_first else acts[::-1]), every=EVERY * 4):
        assert not any(isinstance(answer, Exception) for answer in answers), answers
        ordered, left = answers if orders_first else answers[::-1]
        assert ordered.status_code in {303, 422}
        closed, under_way = stranded(app)
        assert closed == left and not (closed and under_way)
        if leave is close:
            assert left or under_way, "one of the two is done"
        buyers.append(buyer(app, jar))
