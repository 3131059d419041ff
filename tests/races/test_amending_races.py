"""An owner who amends or cancels an order while staff end it, in two tabs, or at the cutoff (BAR K9, T9)."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select
from werkzeug.test import TestResponse

from portal.catalogue.models import Article
from portal.infra.orm import own_transaction
from portal.infra.outbox import Mail
from portal.rules.orders import OrderState
from portal.rules.selling import StockKind
from portal.shop.jobs import accept_unjudged
from portal.shop.models import Happening, Order, OrderEvent
from tests.client import Browser
from tests.races.helpers import Act, held, meetings, watching
from tests.shop.making import article, order
from tests.world import CAMILLE, CUTOFF, STAFF

LEFT = 10
ORDERED = 2
AMENDED = 5
SECOND = timedelta(seconds=1)


@pytest.fixture
def jars(app: Flask) -> int:
    with app.app_context(), own_transaction() as session:
        return article(session, stock_kind=StockKind.COUNTED, stock=LEFT).id


def tab(app: Flask, email: str = CAMILLE) -> Browser:
    browser: Browser = app.test_client()  # type: ignore[assignment]
    browser.sign_in(email)
    browser.get("/mon-compte")
    return browser


def place(app: Flask, jars: int, state: OrderState = OrderState.ACCEPTED) -> int:
    """Two jars for Camille, with ten left; what happened before is gone."""
    with app.app_context(), own_transaction() as session:
        for table in (Order, Mail):
            for old in session.scalars(select(table)):
                session.delete(old)
        session.flush()
        honey = session.get_one(Article, jars)
        honey.stock = LEFT
        return order(session, {honey: ORDERED}, state=state).id


def came(app: Flask, jars: int) -> tuple[OrderState, int, bool, int]:
    """The order's state, what is in it, whether every jar is accounted for once, how many mails there are."""
    with app.app_context(), own_transaction() as session:
        [made] = session.scalars(select(Order))
        quantity = sum(line.quantity for line in made.lines)
        kept = 0 if made.state in {OrderState.CANCELLED, OrderState.REFUSED} else quantity
        left = session.get_one(Article, jars).stock or 0
        mails = len(session.scalars(select(Mail.id)).all())
        return made.state, quantity, kept + left == LEFT + ORDERED, mails


def amend(browser: Browser, order_id: int) -> TestResponse:
    page = browser.get(f"/commandes/{order_id}/modification?").text
    line = page.partition('name="quantite-')[2].partition('"')[0]
    form = {f"quantite-{line}": str(AMENDED), "total": str(AMENDED * 650)}
    return browser.submit(f"/commandes/{order_id}/modification", form)


def cancel(browser: Browser, order_id: int) -> TestResponse:
    return browser.submit(f"/commandes/{order_id}/annulation")


def raced(
    app: Flask, jars: int, first: Callable[[int], Any], second: Callable[[int], Any]
) -> Iterator[tuple[list[int | Exception], tuple[OrderState, int, bool, int]]]:
    ids = [place(app, jars)]
    for answers in meetings(app, lambda: first(ids[-1]), lambda: second(ids[-1])):
        statuses = [answer if isinstance(answer, Exception) else answer.status_code for answer in answers]
        yield statuses, came(app, jars)
        ids.append(place(app, jars))


def refused_while_amended(app: Flask, jars: int) -> Iterator[bool]:
    """Whether one wins, the other hears no, and every jar is accounted for once."""
    owner, staff = tab(app), tab(app, STAFF)
    reason = {"reason": "Il n'y en a plus."}
    for statuses, (state, _, right, mails) in raced(
        app,
        jars,
        lambda n: amend(owner, n),
        lambda n: staff.submit(f"/ferme/commandes/{n}/refus", reason),
    ):
        won = (statuses, mails) in (([303, 303], 2), ([422, 303], 1))
        yield won and right and state is OrderState.REFUSED


def test_staff_who_refuse_and_an_owner_who_amends_count_every_jar_once(app: Flask, jars: int) -> None:
    assert all(refused_while_amended(app, jars))


def test_without_locks_jars_are_lost_or_found(app: Flask, jars: int, unlocked: Flask) -> None:
    assert not all(refused_while_amended(unlocked, jars))


def test_an_owner_who_cancels_and_amends_in_two_tabs_counts_every_jar_once(app: Flask, jars: int) -> None:
    one, other = tab(app), tab(app)
    for statuses, (state, _, right, _) in raced(
        app, jars, lambda n: amend(one, n), lambda n: cancel(other, n)
    ):
        assert statuses in ([303, 303], [422, 303])
        assert (state, right) == (OrderState.CANCELLED, True)


def test_cancelling_in_two_tabs_gives_back_once_and_tells_once(app: Flask, jars: int) -> None:
    one, other = tab(app), tab(app)
    for statuses, came_of_it in raced(app, jars, lambda n: cancel(one, n), lambda n: cancel(other, n)):
        assert statuses == [303, 303]
        assert came_of_it == (OrderState.CANCELLED, ORDERED, True, 1)


@pytest.mark.parametrize("act", [cancel, amend])
def test_an_act_that_waits_beyond_the_cutoff_is_refused(
    app: Flask, jars: int, act: Callable[[Browser, int], TestResponse], clock: time_machine.Traveller
) -> None:
    order_id = place(app, jars)
    clock.move_to(CUTOFF - SECOND)
    browser = tab(app)
    with watching(app) as somebody_waits:
        with held(app, Order):
            waiting = Act(lambda: act(browser, order_id))
            waiting.runs_until(somebody_waits)
            clock.move_to(CUTOFF)
        assert waiting.result.status_code == 422
    assert came(app, jars) == (OrderState.ACCEPTED, ORDERED, True, 0)


def test_two_workers_accept_what_nobody_judged_once(
    app: Flask, jars: int, clock: time_machine.Traveller
) -> None:
    place(app, jars, OrderState.PLACED)
    clock.move_to(CUTOFF)

    def work() -> bool:
        with app.app_context():
            return accept_unjudged()

    for answers in meetings(app, work, work):
        assert answers == (False, False)
        with app.app_context(), own_transaction() as session:
            steps = session.scalars(select(OrderEvent.what).order_by(OrderEvent.id)).all()
        assert steps == [Happening.PLACED, Happening.ACCEPTED]
        assert came(app, jars) == (OrderState.ACCEPTED, ORDERED, True, 1)
        place(app, jars, OrderState.PLACED)
