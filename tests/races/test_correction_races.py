"""Two of the farm who set the same box or the same order right at once, and the freeze that comes between."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial

import pytest
import time_machine
from flask import Flask
from sqlalchemy import delete, select, update

from portal.boxes import services
from portal.boxes.models import Basket, BasketCorrection
from portal.deliveries.models import Delivery
from portal.infra.orm import own_transaction
from portal.planning import corrections
from portal.rules.corrections import Refusal, Wish
from portal.rules.orders import OrderState
from portal.shop import corrections as of_orders
from portal.shop.corrections import Act
from portal.shop.models import Order, OrderCorrection
from tests.composing import SOMEBODY, delivery_on
from tests.races.helpers import Act as Meeting
from tests.races.helpers import meetings
from tests.shop.making import article, order
from tests.world import CUTOFF, TUESDAY

CAMILLES, GRAND, HALLE = 1, 2, 1
MONDAY = TUESDAY - timedelta(days=1)
SEEN = "2-1-1-1950-550-1"
LATE = CUTOFF + timedelta(hours=1)


@pytest.fixture(autouse=True)
def late(clock: time_machine.Traveller) -> None:
    """Tuesday has closed and is not frozen yet."""
    clock.move_to(LATE)


def set_box(app: Flask, quantity: int) -> corrections.Outcome | None:
    asked = corrections.Correction(MONDAY, Wish(GRAND, quantity, HALLE), SEEN, "Un mot.")
    with app.app_context(), own_transaction() as session:
        delivery_id = delivery_on(session, TUESDAY).id
        return corrections.correct(session, delivery_id, CAMILLES, asked, by=SOMEBODY)


def freeze(app: Flask) -> None:
    with app.app_context(), own_transaction() as session:
        services.freeze(session, delivery_on(session, TUESDAY).id)


def thaw(app: Flask) -> tuple[list[int], list[int], int]:
    """Camille's box, its corrections, and how many other boxes there are; then as if nothing had been."""
    with app.app_context(), own_transaction() as session:
        rows = session.scalars(select(Basket).order_by(Basket.id)).all()
        mine = [row.quantity for row in rows if row.subscription_id == CAMILLES]
        made = [row.after["quantity"] for row in session.scalars(select(BasketCorrection))]
        for table in (BasketCorrection, Basket):
            session.execute(delete(table))
        session.execute(update(Delivery).values(frozen_at=None))
        return mine, made, len(rows) - len(mine)


def test_of_two_who_set_a_box_right_one_does_and_the_other_is_told(app: Flask) -> None:
    for outcomes in meetings(app, partial(set_box, app, 0), partial(set_box, app, 3)):
        refusals = [getattr(outcome, "refusal", outcome) for outcome in outcomes]
        assert sorted(map(str, refusals)) == ["None", Refusal.CHANGED_SINCE]
        quantity = 0 if refusals[0] is None else 3
        assert thaw(app) == ([quantity], [quantity], 1)


def test_the_freeze_never_writes_over_a_correction_nor_a_box_twice(app: Flask) -> None:
    for outcome, frozen in meetings(app, partial(set_box, app, 3), partial(freeze, app)):
        assert (outcome, frozen) == (corrections.Outcome(changed=True), None)
        assert thaw(app) == ([3], [3], 1)


def set_order(app: Flask, act: Act) -> of_orders.Outcome | None:
    with app.app_context(), own_transaction() as session:
        asked = of_orders.Correction(act, "1-1.2", "Un mot.", {1: 1})
        return of_orders.correct(session, 1, asked, by=SOMEBODY)


def test_of_two_who_set_an_order_right_one_does_and_the_other_is_told(app: Flask) -> None:
    with app.app_context(), own_transaction() as session:
        order(session, {article(session): 2})
    cancelled, changed = (OrderState.CANCELLED, [None]), (OrderState.ACCEPTED, [1])
    for outcomes in meetings(app, partial(set_order, app, Act.CANCEL), partial(set_order, app, Act.CHANGE)):
        refusals = [getattr(outcome, "refusal", outcome) for outcome in outcomes]
        assert sorted(map(str, refusals)) == ["None", Refusal.CHANGED_SINCE]
        with app.app_context(), own_transaction() as session:
            [made] = session.scalars(select(Order))
            state = (made.state, [line.given for line in made.lines])
            assert state == (cancelled if refusals[0] is None else changed)
            assert len(session.scalars(select(OrderCorrection)).all()) == 1
            session.execute(delete(OrderCorrection))
            made.state, made.lines[0].given = OrderState.ACCEPTED, None


def test_control_without_locks_both_would_set_it_right(app: Flask, unlocked: Flask) -> None:
    freeze(app)
    acts: list[Callable[[], object]] = [partial(set_box, unlocked, quantity) for quantity in (0, 3)]
    results = [meeting.result for meeting in [Meeting(act) for act in acts]]
    assert results != [corrections.Outcome(changed=True), corrections.Outcome(refusal=Refusal.CHANGED_SINCE)]
    with app.app_context(), own_transaction() as session:
        assert len(session.scalars(select(BasketCorrection)).all()) == 2 or any(
            isinstance(result, Exception) for result in results
        )
