"""A box that is given up meets the order that travels with it: no order is left without anybody being asked."""

from collections.abc import Iterator
from functools import partial

import pytest
from flask import Flask
from sqlalchemy import delete, select
from werkzeug.test import TestResponse

from portal.boxes.models import BoxChange
from portal.catalogue.models import Article
from portal.infra.orm import own_transaction
from portal.infra.outbox import Mail
from portal.rules.orders import OPEN
from portal.shop.models import Order
from tests.client import Browser
from tests.infra.workers import ROUNDS
from tests.races.helpers import meetings
from tests.races.test_skip_races import MONDAY, status, tab
from tests.shop import making
from tests.shop.buying import subscriber
from tests.world import CAMILLE

BOX, EGGS = 1, 2


@pytest.fixture(autouse=True)
def honey(app: Flask) -> None:
    with app.app_context(), own_transaction() as session:
        making.article(session)


def skip(browser: Browser, *subscriptions: int, **fields: str) -> TestResponse:
    return browser.submit(f"/planning/{MONDAY}/saut", {"abonnement": [*map(str, subscriptions)], **fields})


def state(app: Flask) -> tuple[set[int], list[bool]]:
    """Which boxes of the week are skipped, and whether each open order on its delivery goes with a box."""
    with app.app_context(), own_transaction() as session:
        skipped = select(BoxChange.subscription_id).where(BoxChange.week == MONDAY, BoxChange.skip)
        tuesday = making.delivery(session).id
        riding = select(Order.with_box).where(Order.delivery_id == tuesday, Order.state.in_(OPEN))
        return set(session.scalars(skipped)), list(session.scalars(riding))


def begin_again(app: Flask) -> None:
    with app.app_context(), own_transaction() as session:
        for table in (BoxChange, Order, Mail):
            session.execute(delete(table))


def ordered_anew(app: Flask) -> None:
    begin_again(app)
    with app.app_context(), own_transaction() as session:
        making.order(session, {session.scalars(select(Article)).one(): 1})


def two_tabs(app: Flask) -> Iterator[bool]:
    """One skips the vegetables and one the eggs: whether the second of them was asked, and changed nothing."""
    first, second = tab(app), tab(app)
    ordered_anew(app)
    for answers in meetings(app, partial(skip, first, BOX), partial(skip, second, EGGS)):
        skipped, riding = state(app)
        yield sorted(map(status, answers)) == [303, 422] and len(skipped) == 1 and riding == [True]
        ordered_anew(app)


@pytest.mark.parametrize("_round", range(ROUNDS))
def test_of_two_tabs_that_give_up_the_last_boxes_one_is_asked(app: Flask, _round: int) -> None:
    assert all(two_tabs(app))


def order_meets_skip(app: Flask) -> Iterator[bool]:
    """An order is placed while both boxes are skipped: whether none goes with a box that does not come."""
    browser = tab(app)
    buyers = [subscriber(app, CAMILLE, {1: 1})]

    def order() -> TestResponse:
        return buyers[-1].press()

    some = max(1, 8 // ROUNDS)  # an order takes some fifty statements
    for _ in meetings(app, order, partial(skip, browser, BOX, EGGS), every=some):
        skipped, riding = state(app)
        yield not (len(skipped) == 2 and True in riding) and (bool(riding) or len(skipped) == 2)
        begin_again(app)
        buyers.append(subscriber(app, CAMILLE, {1: 1}))


def test_no_order_is_placed_with_a_box_that_is_being_skipped(app: Flask) -> None:
    assert all(order_meets_skip(app))
