"""A point that closes while a delivery does: what is expected of a delivery and what is frozen agree."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import time_machine
from flask import Flask
from sqlalchemy import select

from portal.boxes.carried import received
from portal.boxes.jobs import freeze_due
from portal.boxes.models import Basket
from portal.deliveries.models import Delivery, Tour
from portal.deliveries.services import generate
from portal.infra.orm import own_transaction
from portal.pickup.models import PickupPoint
from portal.pickup.queries import points
from portal.planning.closings import Outcome, Wish, close
from portal.rules.calendar import WEEK
from tests.composing import SOMEBODY
from tests.races.helpers import AHEAD, meetings
from tests.world import TODAY, TUESDAY


def closed_at_the_cutoff(
    app: Flask, reader: Flask, clock: time_machine.Traveller
) -> Iterator[tuple[bool, bool]]:
    """Close the Halle while a Tuesday closes, week after week: whether all agree, and whether it came in time."""
    n = 0

    def prepare() -> tuple[int, datetime]:
        with reader.app_context(), own_transaction() as session:
            tuesday = select(Delivery.id, Delivery.cutoff_at).join(Tour)
            found = session.execute(
                tuesday.where(Tour.slug == "mardi", Delivery.day == TUESDAY + n * WEEK)
            ).one()
        clock.move_to(found.cutoff_at - timedelta(seconds=1))
        return found.id, found.cutoff_at

    def shut() -> Outcome:
        with app.app_context(), own_transaction() as session:
            known = {point.slug: point for point in points(session)}
            day = TUESDAY + n * WEEK
            return close(session, Wish(known["halle"], known["gare"], day, day), "Travaux", by=SOMEBODY)

    def freeze() -> None:
        clock.move_to(cutoff)
        with app.app_context():
            freeze_due()

    with reader.app_context(), own_transaction() as session:
        generate(session, TODAY, TODAY + AHEAD)
        halle = session.scalars(select(PickupPoint.id).where(PickupPoint.slug == "halle")).one()
    delivery_id, cutoff = prepare()
    for outcome, failure in meetings(app, shut, freeze):
        with reader.app_context(), own_transaction() as session:
            frozen = select(Basket.subscription_id, Basket.pickup_point_id, Basket.quantity)
            packed = sorted(map(tuple, session.execute(frozen.where(Basket.delivery_id == delivery_id))))
            expected = sorted(
                (row.subscription_id, row.pickup_point_id, row.quantity)
                for row in session.execute(received([delivery_id]))
            )
        there = {point_id for _, point_id, _ in packed}
        in_time = there != {halle}
        done = (outcome, failure) == (Outcome(changed=True, told=int(in_time)), None)
        yield done and packed == expected and len(packed) == 2, in_time
        n += 1
        delivery_id, cutoff = prepare()


def test_boxes_are_frozen_where_the_planning_sends_them(app: Flask, clock: time_machine.Traveller) -> None:
    met = list(closed_at_the_cutoff(app, app, clock))
    assert all(agreed for agreed, _ in met)
    assert {in_time for _, in_time in met} == {True, False}, "each of them was first"


def test_without_locks_they_would_not_be(app: Flask, unlocked: Flask, clock: time_machine.Traveller) -> None:
    assert not all(agreed for agreed, _ in closed_at_the_cutoff(unlocked, app, clock))
