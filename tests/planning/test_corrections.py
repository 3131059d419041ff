"""Boxes set right once their delivery has closed: who receives what, what is billed, and taking it back."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
import time_machine
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from portal.boxes.carried import counts
from portal.boxes.models import Basket, BasketCorrection, BoxChange
from portal.boxes.services import freeze
from portal.catalogue.models import FormulaPrice
from portal.deliveries.models import Delivery
from portal.infra.outbox import Mail
from portal.planning.corrections import Correction, Outcome, correct, stamp, standing, undo
from portal.rules.corrections import AFTERWARDS, Refusal, Wish
from tests.composing import SOMEBODY, delivery_on, formula
from tests.farm.trail import events
from tests.shop.making import article, order
from tests.world import CUTOFF, NOW, TUESDAY

CAMILLES, EGGS, YACINES = 1, 2, 3
GARE, MAIRIE = 2, 3
HALLE = 1
MONDAY = TUESDAY - timedelta(days=1)
LATE = CUTOFF + timedelta(hours=1)


@pytest.fixture
def closed(session: Session, clock: time_machine.Traveller) -> Session:
    """Tuesday, closed and not frozen yet."""
    clock.move_to(LATE)
    return session


def do(session: Session, quantity: int = 1, *, whose: int = CAMILLES, **other: Any) -> Outcome:
    """Set Tuesday's box right, as it was seen a moment ago."""
    delivery = delivery_on(session, TUESDAY)
    seen = standing(session, delivery, whose).get(MONDAY)
    wish = seen.wish if seen else Wish(formula(session, "petit"), 1, HALLE)
    point_id = other.pop("point_id", wish.point_id)
    formula_id = formula(session, other.pop("formula")) if "formula" in other else wish.formula_id
    asked = Correction(MONDAY, Wish(formula_id, quantity, point_id), stamp(seen), "Un mot au téléphone.")
    outcome = correct(session, delivery.id, whose, replace(asked, **other), by=SOMEBODY)
    assert outcome
    session.flush()
    return outcome


def row(session: Session, whose: int = CAMILLES) -> tuple[str, int, int, int, int]:
    """Formula, quantity and point; what is billed, at which price."""
    basket = session.scalars(
        select(Basket).where(Basket.subscription_id == whose, Basket.week == MONDAY)
    ).one()
    slugs = {formula(session, slug): slug for slug in ("petit", "grand", "oeufs")}
    return (
        slugs[basket.formula_id],
        basket.quantity,
        basket.pickup_point_id,
        basket.billed_quantity,
        basket.unit_price.cents,
    )


def last(session: Session) -> int:
    return session.scalars(select(BasketCorrection.id).order_by(BasketCorrection.id.desc())).first() or 0


def take_back(session: Session, correction_id: int) -> Outcome:
    outcome = undo(session, delivery_on(session, TUESDAY).id, correction_id, by=SOMEBODY)
    assert outcome
    return outcome


@pytest.mark.parametrize(
    ("wish", "fault", "after"),
    [
        ({"quantity": 0}, False, ("grand", 0, HALLE, 1, 1950)),
        ({"quantity": 0}, True, ("grand", 0, HALLE, 0, 1950)),
        ({"quantity": 2}, False, ("grand", 2, HALLE, 1, 1950)),
        ({"quantity": 2}, True, ("grand", 2, HALLE, 2, 1950)),
        ({"formula": "petit"}, False, ("petit", 1, HALLE, 1, 1950)),
        ({"formula": "petit"}, True, ("petit", 1, HALLE, 1, 1150)),
        ({"point_id": GARE}, False, ("grand", 1, GARE, 1, 1950)),
    ],
)
def test_the_bill_follows_only_where_the_fault_was_the_farms(
    closed: Session, wish: dict[str, Any], fault: bool, after: tuple[object, ...]
) -> None:
    assert do(closed, **wish, farm_fault=fault) == Outcome(changed=True)
    assert row(closed) == after
    assert closed.get_one(Delivery, delivery_on(closed, TUESDAY).id).frozen_at == LATE, "frozen first"
    trail = events(closed)[-1]
    assert (trail.action, trail.account_id) == ("basket.correct", SOMEBODY)
    assert trail.before and trail.before["price"] == 1950 and trail.after != trail.before


def test_what_is_taken_off_is_packed_no_more_and_comes_back(closed: Session) -> None:
    delivery = delivery_on(closed, TUESDAY)
    do(closed, 0)
    assert sum(count.boxes for count in counts(closed, [delivery.id])[delivery.id]) == 1, "the eggs"
    do(closed, 1)
    assert row(closed) == ("grand", 1, HALLE, 1, 1950)


def test_a_box_that_the_farm_adds_is_billed_and_taken_back_it_is_neither_packed_nor_billed(
    session: Session, clock: time_machine.Traveller
) -> None:
    session.add(BoxChange(subscription_id=CAMILLES, week=MONDAY, skip=True, skip_at=NOW, changed_at=NOW))
    session.flush()
    clock.move_to(LATE)
    assert do(session, 2, formula="petit").changed
    assert row(session) == ("petit", 2, HALLE, 2, 1150)
    assert take_back(session, last(session)).changed
    assert row(session) == ("petit", 0, HALLE, 0, 1150)
    assert do(session, 1).changed
    assert row(session) == ("petit", 1, HALLE, 1, 1150), "nothing was billed: what is brought is"


def test_a_correction_is_taken_back_once_and_not_below_a_newer_one(closed: Session) -> None:
    do(closed, 0, farm_fault=True)
    first = last(closed)
    do(closed, 3)
    newer = last(closed)
    assert take_back(closed, first).refusal is Refusal.NEWER
    assert take_back(closed, newer).changed
    assert take_back(closed, first).changed
    assert row(closed) == ("grand", 1, HALLE, 1, 1950)
    assert take_back(closed, first) == Outcome()
    assert [event.action for event in events(closed)][-4:] == ["basket.correct"] * 2 + [
        "basket.uncorrect"
    ] * 2


def test_the_same_again_changes_nothing_and_what_was_seen_otherwise_is_refused(closed: Session) -> None:
    delivery = delivery_on(closed, TUESDAY)
    seen = stamp(standing(closed, delivery, CAMILLES)[MONDAY])
    do(closed, 0)
    assert do(closed, 0, seen=seen) == Outcome()
    assert do(closed, 2, seen=seen).refusal is Refusal.CHANGED_SINCE
    assert len(list(closed.scalars(select(BasketCorrection)))) == 1


def test_a_box_of_another_delivery_is_not_brought_twice(closed: Session) -> None:
    other = delivery_on(closed, TUESDAY)
    assert do(closed, whose=YACINES, formula="petit").refusal is Refusal.OTHER_BOX, "Thursday's is open"
    next_week = Correction(MONDAY + timedelta(weeks=1), Wish(1, 1, HALLE), "none", "")
    outcome = correct(closed, other.id, EGGS, next_week, by=SOMEBODY)
    assert outcome and outcome.refusal is Refusal.OTHER_BOX
    assert do(closed, point_id=MAIRIE).refusal is Refusal.OTHER_ROUND


def test_a_box_that_was_given_already_does_not_stop_the_freeze_that_would_bring_it_again(
    session: Session, clock: time_machine.Traveller
) -> None:
    """Terms may have changed since it was given."""
    clock.move_to(LATE)
    tuesday, thursday = delivery_on(session, TUESDAY), delivery_on(session, date(2026, 6, 18), "jeudi")
    do(session)
    session.execute(update(Basket).values(subscription_id=YACINES).where(Basket.subscription_id == CAMILLES))
    clock.move_to(LATE + timedelta(days=2))
    assert freeze(session, thursday.id)
    assert session.scalars(select(Basket.delivery_id).where(Basket.subscription_id == YACINES)).all() == [
        tuesday.id
    ]


def test_an_open_cancelled_or_long_past_delivery_stays_as_it_is(
    session: Session, clock: time_machine.Traveller
) -> None:
    assert do(session, 0).refusal is Refusal.STILL_OPEN
    clock.move_to(LATE + AFTERWARDS + timedelta(days=2))
    assert do(session, 0).refusal is Refusal.TOO_LATE
    clock.move_to(LATE)
    do(session, 0)
    session.get_one(Delivery, delivery_on(session, TUESDAY).id).cancelled_at = LATE
    assert do(session, 2).refusal is Refusal.CANCELLED
    assert take_back(session, last(session)).refusal is Refusal.CANCELLED


def test_without_its_price_no_box_is_given_nor_frozen(closed: Session) -> None:
    closed.execute(update(FormulaPrice).values(since=TUESDAY + timedelta(days=1)))
    outcome = do(closed, 1, formula="petit")
    assert (outcome.refusal, outcome.unpriced) == (Refusal.PRICE_MISSING, ("Grand panier", "Œufs"))


def test_an_order_goes_where_the_last_box_of_its_person_goes(closed: Session) -> None:
    made = order(closed, {article(closed): 2})
    do(closed, point_id=GARE)
    first = last(closed)
    assert made.pickup_point_id == HALLE, "the eggs are there"
    do(closed, whose=EGGS, point_id=GARE)
    assert made.pickup_point_id == GARE
    assert take_back(closed, last(closed)).changed
    assert made.pickup_point_id == GARE, "the large box is there"
    assert take_back(closed, first).changed
    assert made.pickup_point_id == HALLE


def test_the_person_is_told_if_staff_say_so(closed: Session) -> None:
    do(closed, 0)
    assert not closed.scalars(select(Mail)).all()
    do(closed, 2, farm_fault=True, tell=True)
    [mail] = closed.scalars(select(Mail))
    assert mail.text and "2 × Grand panier" in mail.text and "39,00" in mail.text
    assert "Un mot au téléphone." in mail.text
