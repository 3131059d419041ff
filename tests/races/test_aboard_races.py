"""A box that is given up meets the order that travels with it: no order is left without anybody being asked."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import partial

import pytest
import time_machine
from flask import Flask
from sqlalchemy import delete, select
from werkzeug.test import TestResponse

from portal.boxes.models import BoxChange
from portal.catalogue.models import Article
from portal.deliveries.models import Delivery
from portal.infra.orm import own_transaction
from portal.infra.outbox import Mail
from portal.rules.calendar import WEEK
from portal.rules.money import Money
from portal.rules.orders import OPEN
from portal.rules.selling import StockKind
from portal.shop.jobs import follow_deliveries
from portal.shop.models import Order, ShopSettings
from tests.client import Browser
from tests.infra.workers import ROUNDS
from tests.races.helpers import EVERY, Act, held, meetings, watching
from tests.races.test_skip_races import MONDAY, status, tab
from tests.shop import making
from tests.shop.buying import guests, subscriber
from tests.world import CAMILLE, CUTOFF

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


@pytest.mark.rounds
def test_of_two_tabs_that_give_up_the_last_boxes_one_is_asked(app: Flask) -> None:
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


def orders_meet_a_buyer(app: Flask) -> Iterator[bool]:
    """Two orders that hold the same things the other way round are given up while somebody buys both."""
    browser = tab(app)
    with app.app_context(), own_transaction() as session:
        session.add(ShopSettings(id=1, accepts_at_once=True, guests_welcome=True, guest_minimum=Money(0)))
        making.article(session, "Jus", stock_kind=StockKind.COUNTED, stock=9)

    def anew() -> None:
        begin_again(app)
        with app.app_context(), own_transaction() as session:
            honey, juice = session.scalars(select(Article).order_by(Article.id))
            for article in (juice, honey):
                making.order(session, {article: 1})

    buyers = iter(guests(app, *[{1: 1, 2: 1}] * 60))
    give_up = partial(skip, browser, BOX, EGGS, commande="cancel")
    anew()
    for answers in meetings(app, give_up, lambda: next(buyers).press(), every=min(4, EVERY + 2)):
        yield list(map(status, answers)) == [303, 303]
        anew()


def test_orders_that_fall_and_a_buyer_wait_for_each_other_and_never_for_ever(app: Flask) -> None:
    assert all(orders_meet_a_buyer(app))


def waits_beyond_the_cutoff(app: Flask, clock: time_machine.Traveller) -> datetime:
    """A delivery falls, the next one is held until it has closed: when the order's new delivery closes."""
    with app.app_context(), own_transaction() as session:
        making.order(session, {session.scalars(select(Article)).one(): 1})
        making.delivery(session).cancelled_at = CUTOFF
    closes = CUTOFF + WEEK

    def follow() -> None:
        with app.app_context():
            follow_deliveries()

    clock.move_to(closes - timedelta(seconds=1))
    with watching(app) as somebody_waits:
        with held(app, Delivery):
            act = Act(follow)
            act.runs_until(somebody_waits)
            clock.move_to(closes)
        assert act.result is None
    follow()
    with app.app_context(), own_transaction() as session:
        return session.scalars(select(Order)).one().delivery.cutoff_at


def test_no_order_lands_on_a_delivery_that_has_closed_meanwhile(
    app: Flask, clock: time_machine.Traveller
) -> None:
    assert waits_beyond_the_cutoff(app, clock) > CUTOFF + WEEK
