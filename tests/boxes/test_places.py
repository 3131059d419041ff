"""How many places a point has left, for pages: counted by the worker."""

from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.boxes.models import BoxChange, Suspension
from portal.pickup.models import PickupPoint
from portal.planning.waiting import count_places
from tests import crowd
from tests.world import NOW

BOX = 1


def free(session: Session) -> dict[str, int | None]:
    session.commit()
    count_places()
    rows = session.execute(select(PickupPoint.slug, PickupPoint.free_places))
    return dict(rows.all())


def test_a_box_takes_its_place_and_eggs_take_none(session: Session) -> None:
    assert free(session) == {"halle": 39, "gare": 40, "mairie": 39, "cafe": 40}


def test_a_box_that_is_away_keeps_its_place_and_takes_one_where_it_goes(session: Session) -> None:
    gare = session.scalars(select(PickupPoint.id).where(PickupPoint.slug == "gare")).one()
    session.add(BoxChange(subscription_id=BOX, week=date(2026, 6, 22), pickup_point_id=gare, changed_at=NOW))
    session.add(
        Suspension(subscription_id=BOX, first_day=date(2026, 6, 11), last_day=date(2026, 9, 30), made_at=NOW)
    )
    assert free(session)["halle"] == 39 and free(session)["gare"] == 39


def test_the_fullest_week_counts_and_a_point_may_be_over_full(session: Session) -> None:
    crowd.add(session, 90)
    assert free(session)["halle"] < 40
    session.scalars(select(PickupPoint).where(PickupPoint.slug == "halle")).one().capacity = 3
    assert free(session)["halle"] < 0
