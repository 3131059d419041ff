"""Deliveries are made a year and more ahead, each with its week, its fortnight and its cutoff."""

from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from portal.deliveries.jobs import generate_ahead
from portal.deliveries.models import Delivery, Tour
from portal.deliveries.services import generate
from portal.rules.calendar import Fortnight
from tests.world import NOW, TODAY, TUESDAY

YEAR = timedelta(weeks=53)


@pytest.fixture
def year(session: Session) -> Session:
    generate(session, TODAY, TODAY + YEAR)
    session.flush()
    return session


def of(session: Session, tour: str) -> dict[date, Delivery]:
    """A tour's deliveries by their nominal day."""
    found = session.scalars(
        select(Delivery).join(Tour).where(Tour.slug == tour).order_by(Delivery.nominal_day)
    )
    return {delivery.nominal_day: delivery for delivery in found}


@pytest.mark.parametrize(("tour", "weekday"), [("mardi", 1), ("jeudi", 3), ("vendredi", 4)])
def test_every_week_has_a_delivery_of_each_tour(year: Session, tour: str, weekday: int) -> None:
    days = [day for day in of(year, tour) if day >= TODAY]
    first = TODAY + timedelta(days=(weekday - TODAY.weekday()) % 7)
    assert days == [first + timedelta(weeks=n) for n in range(len(days))]
    assert days[-1] > TODAY + YEAR - timedelta(weeks=1)
    assert all(delivery.day == day for day, delivery in of(year, tour).items())


@pytest.mark.parametrize(
    ("tour", "day", "first_refused"),
    [
        ("mardi", date(2026, 9, 1), datetime(2026, 8, 30, 22, tzinfo=UTC)),
        ("jeudi", date(2026, 9, 3), datetime(2026, 8, 31, 22, tzinfo=UTC)),
        ("vendredi", date(2026, 9, 4), datetime(2026, 9, 1, 22, tzinfo=UTC)),
        ("mardi", date(2026, 10, 27), datetime(2026, 10, 25, 23, tzinfo=UTC)),
        ("vendredi", date(2026, 10, 23), datetime(2026, 10, 20, 22, tzinfo=UTC)),
        ("mardi", date(2027, 3, 30), datetime(2027, 3, 28, 22, tzinfo=UTC)),
        ("vendredi", date(2027, 3, 26), datetime(2027, 3, 23, 23, tzinfo=UTC)),
    ],
)
def test_each_closes_as_the_guide_says_on_both_sides_of_the_clocks_change(
    year: Session, tour: str, day: date, first_refused: datetime
) -> None:
    assert of(year, tour)[day].cutoff_at == first_refused


def test_weeks_are_mondays_and_fortnights_alternate_across_week_53(year: Session) -> None:
    ahead = [delivery for day, delivery in of(year, "jeudi").items() if day >= date(2026, 12, 1)]
    assert date(2026, 12, 31) in [delivery.day for delivery in ahead], "a Thursday of week 53"
    assert all(delivery.week == delivery.day - timedelta(days=3) for delivery in ahead)
    letters = [delivery.fortnight for delivery in ahead]
    assert set(letters[::2]) == {letters[0]} and set(letters[1::2]) == {letters[1]}
    assert set(letters) == set(Fortnight)


def test_a_second_run_makes_nothing(year: Session) -> None:
    before = year.scalar(select(func.count()).select_from(Delivery))
    assert generate(year, TODAY, TODAY + YEAR) == 0
    assert generate(year, TODAY, TODAY + YEAR + timedelta(weeks=1)) == 3
    assert year.scalar(select(func.count()).select_from(Delivery)) == before + 3


def test_what_staff_moved_cancelled_or_closed_earlier_is_left_alone(session: Session) -> None:
    deliveries = of(session, "mardi")
    moved, cancelled, early = (deliveries[TUESDAY + timedelta(weeks=n)] for n in range(3))
    moved.day, moved.cutoff_at = TUESDAY + timedelta(days=2), NOW
    cancelled.cancelled_at, cancelled.cancel_reason = NOW, "Neige"
    early.cutoff_at = NOW
    before = [repr(vars_of(delivery)) for delivery in deliveries.values()]
    generate(session, TUESDAY, TODAY + YEAR)
    session.flush()
    session.expire_all()
    assert [repr(vars_of(deliveries[day])) for day in deliveries] == before
    assert len(of(session, "mardi")) == len({d.week for d in of(session, "mardi").values()})


def vars_of(delivery: Delivery) -> list[object]:
    return [getattr(delivery, column.key) for column in Delivery.__table__.columns]


def test_the_worker_keeps_twelve_months_ahead(session: Session, clock: time_machine.Traveller) -> None:
    session.rollback()
    for today in (TODAY, TODAY + timedelta(days=100)):
        clock.move_to(datetime(today.year, today.month, today.day, 12, tzinfo=UTC))
        generate_ahead()
        for tour in ("mardi", "jeudi", "vendredi"):
            assert max(of(session, tour)) >= today + timedelta(days=366)
        session.rollback()
