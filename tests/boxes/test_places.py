"""How many places a point has left, for pages: counted by the worker."""

from datetime import date

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from portal.boxes.models import BoxChange, Suspension
from portal.infra.orm import own_transaction, reading_only
from portal.pickup.models import PickupPoint
from portal.planning import waiting
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


def test_it_is_counted_beside_who_writes_and_what_they_have_written_meanwhile_stays(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    halle = session.scalars(select(PickupPoint.id).where(PickupPoint.slug == "halle")).one()
    loads = waiting.loads

    def meanwhile(reading, points, weeks):
        if points == [halle]:
            token = reading_only.set(False)
            with own_transaction() as other:
                other.execute(update(PickupPoint).where(PickupPoint.id == halle).values(free_places=7))
            reading_only.reset(token)
        return loads(reading, points, weeks)

    with monkeypatch.context() as patched:
        patched.setattr(waiting, "loads", meanwhile)
        assert free(session)["halle"] == 7
    assert free(session)["halle"] == 39, "counted the next time"
