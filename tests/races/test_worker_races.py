"""Two workers that do the same at once (BAR K12)."""

from collections.abc import Iterator
from datetime import timedelta

import time_machine
from flask import Flask
from sqlalchemy import func, select

from portal.boxes.models import Basket
from portal.boxes.services import freeze
from portal.deliveries.models import Delivery, Tour
from portal.deliveries.services import generate
from portal.infra.audit import AuditEvent
from portal.infra.orm import own_transaction
from portal.rules.calendar import WEEK, delivery_days
from tests.infra.workers import ROUNDS
from tests.races.helpers import meetings
from tests.world import TODAY

AHEAD = TODAY + timedelta(weeks=11)
"""A week later than the last delivery of the tests' farm."""


def freezes_by_two_workers(app: Flask, clock: time_machine.Traveller) -> Iterator[bool]:
    """Freeze delivery after delivery by two workers at once: whether it was done by one of them, and once."""
    with app.app_context(), own_transaction() as session:
        generate(session, TODAY, TODAY + timedelta(weeks=40 * ROUNDS))
        on_tuesdays = select(Delivery.id).join(Tour).where(Tour.slug == "mardi")
        ids = session.scalars(on_tuesdays.order_by(Delivery.day)).all()
        clock.move_to(session.scalars(select(func.max(Delivery.cutoff_at))).one())
    left = iter(ids)
    delivery_id = next(left)

    def work() -> bool:
        with app.app_context(), own_transaction() as session:
            return freeze(session, delivery_id)

    for done in meetings(app, work, work):
        with app.app_context(), own_transaction() as session:
            baskets = select(Basket.subscription_id).where(Basket.delivery_id == delivery_id)
            lines = select(AuditEvent.after).where(AuditEvent.subject_id == str(delivery_id))
            yield (
                set(done) == {True, False}
                and sorted(session.scalars(baskets)) == [1, 2]
                and session.scalars(lines).all() == [{"boxes": 2}]
            )
        delivery_id = next(left)


def test_two_workers_freeze_a_delivery_once(app: Flask, clock: time_machine.Traveller) -> None:
    assert set(freezes_by_two_workers(app, clock)) == {True}


def test_without_locks_two_workers_fall_over_each_other(
    unlocked: Flask, clock: time_machine.Traveller
) -> None:
    assert not all(freezes_by_two_workers(unlocked, clock))


def weeks_made_by_two_workers(app: Flask) -> Iterator[bool]:
    """Make one more week by two workers at once, again and again: whether each delivery was made once."""
    until = AHEAD

    def work() -> int:
        with app.app_context(), own_transaction() as session:
            return generate(session, TODAY, until)

    for made in meetings(app, work, work):
        with app.app_context(), own_transaction() as session:
            days = session.execute(select(Tour.weekday, Delivery.day).join(Tour).where(Delivery.day > TODAY))
            expected = {
                (weekday, day) for weekday in (1, 3, 4) for day in delivery_days(weekday, TODAY, until)
            }
            yield sorted(made, key=repr) == [0, 3] and {tuple(row) for row in days} == expected
        until += WEEK


def test_two_workers_make_each_delivery_once(app: Flask) -> None:
    assert set(weeks_made_by_two_workers(app)) == {True}


def test_without_locks_two_workers_would_make_deliveries_twice(unlocked: Flask) -> None:
    assert not all(weeks_made_by_two_workers(unlocked))
