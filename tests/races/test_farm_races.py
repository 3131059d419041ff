"""Staff who edit the farm itself while others do, and while its deliveries close."""

from collections.abc import Iterator
from datetime import datetime, time, timedelta
from functools import partial

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select
from werkzeug.test import TestResponse

from portal.boxes.jobs import freeze_due
from portal.deliveries.models import Delivery, Tour
from portal.deliveries.services import change_rule, generate
from portal.infra.orm import own_transaction
from portal.pickup.models import PickupPoint
from portal.rules.calendar import WEEK
from portal.rules.cutoffs import Lead, cutoff_instant
from tests.client import Browser
from tests.farm.forms import NEW_TOUR, POINT
from tests.races.helpers import AHEAD, meetings
from tests.world import CAMILLE, STAFF, TODAY, TUESDAY

TUESDAYS = 1
USUAL, LATER = Lead(2, time(23, 59)), Lead(1, time(23, 59))
SECOND = timedelta(seconds=1)


@pytest.fixture(autouse=True)
def years_ahead(app: Flask) -> None:
    """Each meeting has a week of its own."""
    with app.app_context(), own_transaction() as session:
        generate(session, TODAY, TODAY + AHEAD)


def desk(app: Flask, email: str = STAFF) -> Browser:
    browser: Browser = app.test_client()  # type: ignore[assignment]
    browser.sign_in(email)
    browser.get("/mon-compte")
    return browser


def status(answer: TestResponse | Exception) -> int:
    return 500 if isinstance(answer, Exception) else answer.status_code


def give_more_time(browser: Browser) -> TestResponse:
    """« Lundi, 23 h 59 » for Tuesday's deliveries."""
    rule = {"name": "Tournée du mardi", "weekday": "1", "lead_days": str(LATER.days), "lead_time": "23:59"}
    return browser.submit(f"/ferme/tournees/{TUESDAYS}", rule)


def on_tuesday(app: Flask, n: int) -> tuple[datetime, datetime | None]:
    """When the n-th Tuesday's delivery closes, and when it was frozen."""
    with app.app_context(), own_transaction() as session:
        row = session.execute(
            select(Delivery.cutoff_at, Delivery.frozen_at)
            .join(Tour)
            .where(Tour.id == TUESDAYS, Delivery.day == TUESDAY + n * WEEK)
        ).one()
        return row.cutoff_at, row.frozen_at


def rules_at_the_cutoff(app: Flask, clock: time_machine.Traveller) -> Iterator[bool]:
    """Give a tour more time while its delivery closes, week after week: whether all agree on who won."""
    n = 0

    def prepare() -> None:
        clock.move_to(cutoff_instant(TUESDAY + n * WEEK, USUAL) - SECOND)
        with app.app_context(), own_transaction() as session:
            change_rule(session, TUESDAYS, weekday=1, lead=USUAL)

    def close() -> None:
        clock.move_to(cutoff_instant(TUESDAY + n * WEEK, USUAL))
        with app.app_context():
            freeze_due()

    def change() -> TestResponse:
        return give_more_time(browser)

    prepare()
    browser = desk(app)
    for answer, failure in meetings(app, change, close):
        cutoff, frozen = on_tuesday(app, n)
        followed = cutoff == cutoff_instant(TUESDAY + n * WEEK, LATER)
        yield status(answer) == 303 and failure is None and followed == (frozen is None)
        n += 1
        prepare()
        browser = desk(app)  # a week later one signs in again


def test_a_rule_that_meets_the_freeze_moves_an_open_delivery_or_leaves_a_frozen_one(
    app: Flask, clock: time_machine.Traveller
) -> None:
    assert set(rules_at_the_cutoff(app, clock)) == {True}


def test_a_rule_and_a_skip_at_once_are_both_done(app: Flask) -> None:
    """Neither waits for the other in a circle: on PostgreSQL that would be a deadlock, and a 503."""
    staff, camille = desk(app), desk(app, CAMILLE)
    week = TUESDAY - timedelta(days=1)
    leads = [LATER, USUAL]

    def change() -> TestResponse:
        leads.reverse()
        rule = {
            "name": "Tournée du mardi",
            "weekday": "1",
            "lead_days": str(leads[0].days),
            "lead_time": "23:59",
        }
        return staff.submit(f"/ferme/tournees/{TUESDAYS}", rule)

    for act, answers in enumerate(
        meetings(app, change, lambda: camille.submit(f"/planning/{week}/saut", {"abonnement": 1}))
    ):
        assert [status(answer) for answer in answers] == [303, 303], act
        assert camille.submit(f"/planning/{week}/reprise", {"abonnement": 1}).status_code == 303


def test_of_two_tours_with_one_word_the_second_is_refused(app: Flask) -> None:
    one, other = desk(app), desk(app)
    words = (f"samedi-{n}" for n in range(1000))
    word = next(words)

    def add(browser: Browser) -> TestResponse:
        return browser.submit("/ferme/tournees/ajout", NEW_TOUR | {"slug": word})

    for answers in meetings(app, partial(add, one), partial(add, other)):
        assert sorted(map(status, answers)) == [303, 422]
        word = next(words)


def test_two_points_of_one_name_added_at_once_have_two_words_and_two_places(app: Flask) -> None:
    one, other = desk(app), desk(app)

    def add(browser: Browser) -> TestResponse:
        return browser.submit("/ferme/points-de-retrait/ajout", POINT | {"tour_id": "3"})

    for answers in meetings(app, partial(add, one), partial(add, other)):
        assert [status(answer) for answer in answers] == [303, 303]
    positions = places(app, 3)
    assert len(set(positions)) == len(positions)


def test_two_who_move_stops_at_once_leave_each_stop_a_place(app: Flask) -> None:
    one, other = desk(app), desk(app)
    for n in range(2):
        one.submit("/ferme/points-de-retrait/ajout", POINT | {"tour_id": "1", "name": f"Arrêt {n}"})

    def to_the_end(browser: Browser, point: int) -> TestResponse:
        return browser.submit(f"/ferme/points-de-retrait/{point}/place", {"place": "4"})

    for answers in meetings(app, partial(to_the_end, one, 2), partial(to_the_end, other, 1)):
        assert [status(answer) for answer in answers] == [303, 303]
        assert sorted(places(app, 1)) == [0, 1, 2, 3]
        for point in (2, 1):
            one.submit(f"/ferme/points-de-retrait/{point}/place", {"place": "1"})


def places(app: Flask, tour: int) -> list[int]:
    with app.app_context(), own_transaction() as session:
        return list(session.scalars(select(PickupPoint.position).where(PickupPoint.tour_id == tour)))
