"""Harvested, packed, delivered: said of a delivery that has closed, once."""

from datetime import date, timedelta

import pytest
import time_machine
from sqlalchemy.orm import Session

from portal.deliveries.models import Step
from portal.deliveries.steps import done, set_step
from portal.rules.corrections import AFTERWARDS, Refusal
from tests.composing import SOMEBODY, delivery_on
from tests.farm.trail import events
from tests.world import NOW, TUESDAY

THURSDAY = date(2026, 6, 11)


def test_a_step_is_done_until_it_is_taken_back_and_said_twice_it_stands_once(session: Session) -> None:
    delivery_id = delivery_on(session, THURSDAY, "jeudi").id
    for step in (Step.PACKED, Step.HARVESTED, Step.PACKED):
        assert set_step(session, delivery_id, step, True, by=SOMEBODY) is None
    assert done(session, [delivery_id]) == {delivery_id: {Step.PACKED: NOW, Step.HARVESTED: NOW}}
    for _ in range(2):
        assert set_step(session, delivery_id, Step.PACKED, False, by=SOMEBODY) is None
    assert done(session, [delivery_id]) == {delivery_id: {Step.HARVESTED: NOW}}
    assert [event.action for event in events(session)] == ["delivery.step"] * 3


@pytest.mark.parametrize(
    ("day", "tour", "at", "refusal"),
    [
        (TUESDAY, "mardi", NOW, Refusal.STILL_OPEN),
        (THURSDAY, "jeudi", NOW + AFTERWARDS + timedelta(days=2), Refusal.TOO_LATE),
    ],
)
def test_only_what_has_closed_and_not_long_ago_takes_a_step(
    session: Session, clock: time_machine.Traveller, day: date, tour: str, at: object, refusal: Refusal
) -> None:
    clock.move_to(at)  # type: ignore[arg-type]
    delivery_id = delivery_on(session, day, tour).id
    assert set_step(session, delivery_id, Step.PACKED, True, by=SOMEBODY) is refusal
    assert done(session, [delivery_id]) == {delivery_id: {}}
