"""When a delivery may be cancelled, reinstated or moved, and what its boxes then do."""

from dataclasses import replace
from datetime import date, datetime, time, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.rules.calendar import WEEK
from portal.rules.cutoffs import PARIS, Lead, cutoff_instant, local_day
from portal.rules.deliveries import (
    NOTICE,
    Refusal,
    following,
    moved,
    refusal_to_cancel,
    refusal_to_leave,
    refusal_to_move,
    refusal_to_reinstate,
    taken_along,
)
from portal.rules.planning import Delivery, Place, project
from tests.rules.guide import (
    GAP,
    LARAGNE,
    LEADS,
    PLAN,
    SERRES,
    THURSDAY,
    TUESDAY,
    VEYNES,
    WEEK_1,
    WEEK_2,
    WEEK_3,
    WEEK_4,
    WEEK_5,
    arriving,
    at,
    delivery,
    paris,
    season,
)

LEAD = LEADS[TUESDAY]
DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)
HOLIDAY = delivery(TUESDAY, WEEK_2)  # Tuesday 9 June, closes on Sunday 7
OTHERS = [delivery(TUESDAY, week) for week in (WEEK_1, WEEK_3)]
EARLY = paris(6, 3)


def to_move(day: int, now: datetime = EARLY, of: Delivery = HOLIDAY, **facts: datetime) -> Refusal | None:
    return refusal_to_move(of, OTHERS, date(2026, 6, day), lead=LEAD, now=now, **facts)


# Cancelling and reinstating


@pytest.mark.parametrize("now", [EARLY, paris(6, 8), paris(6, 9, 23, 59)])
def test_a_delivery_is_cancelled_until_its_day_is_over(now: datetime) -> None:
    assert refusal_to_cancel(HOLIDAY, now) is None
    assert refusal_to_cancel(replace(HOLIDAY, frozen=True), now) is None


def test_what_is_done_is_done() -> None:
    after = paris(6, 10, 0, 0)
    assert refusal_to_cancel(HOLIDAY, after) is Refusal.DONE
    assert refusal_to_reinstate(replace(HOLIDAY, cancelled=True), after) is Refusal.DONE
    assert to_move(12, after) is Refusal.DONE


def test_a_cancelled_delivery_is_reinstated_until_it_would_have_closed() -> None:
    cancelled = replace(HOLIDAY, cancelled=True)
    assert refusal_to_reinstate(cancelled, HOLIDAY.cutoff - MINUTE) is None
    assert refusal_to_reinstate(cancelled, HOLIDAY.cutoff) is Refusal.PAST_CUTOFF
    assert refusal_to_reinstate(replace(cancelled, frozen=True), EARLY) is Refusal.PAST_CUTOFF


# Moving


def test_a_moved_delivery_closes_as_its_tour_does() -> None:
    assert to_move(10) is None
    after = moved(HOLIDAY, date(2026, 6, 10), lead=LEAD, now=EARLY)
    assert after == replace(HOLIDAY, day=date(2026, 6, 10), cutoff=paris(6, 9, 0, 0))
    assert after.week == WEEK_2, "its week stays"


def test_a_cutoff_moves_by_the_wall_clock_across_a_dst_sunday() -> None:
    week = date(2026, 10, 26)
    of = delivery(TUESDAY, week)
    after = moved(of, week + 2 * DAY, lead=LEAD, now=EARLY)
    assert after.cutoff == datetime(2026, 10, 27, 0, 0, tzinfo=PARIS)


@pytest.mark.parametrize("day", [2, 16, 1, 30])
def test_days_stay_in_the_order_of_their_weeks(day: int) -> None:
    now = paris(5, 20)
    assert to_move(day, now) is Refusal.DAY_OUT_OF_ORDER
    assert to_move(3, now) is None
    assert to_move(15, now) is None


def test_a_cancelled_neighbour_keeps_its_place() -> None:
    others = [replace(other, cancelled=True) for other in OTHERS]
    refusal = refusal_to_move(HOLIDAY, others, date(2026, 6, 16), lead=LEAD, now=EARLY)
    assert refusal is Refusal.DAY_OUT_OF_ORDER


def test_nothing_moves_into_the_past() -> None:
    assert to_move(3, paris(6, 4)) is Refusal.DAY_PAST


def test_what_is_cancelled_does_not_move() -> None:
    assert to_move(10, of=replace(HOLIDAY, cancelled=True)) is Refusal.CANCELLED
    assert refusal_to_leave(replace(HOLIDAY, cancelled=True), EARLY) is Refusal.CANCELLED
    assert refusal_to_leave(HOLIDAY, EARLY) is None


def test_where_the_usual_cutoff_is_past_staff_set_one_a_day_ahead_and_before_the_delivery() -> None:
    of, now = delivery(THURSDAY, WEEK_2), paris(6, 8, 8)  # Thursday 11 June, closes that night

    def to_wednesday(cutoff: datetime | None = None) -> Refusal | None:
        return refusal_to_move(of, [], date(2026, 6, 10), lead=LEADS[THURSDAY], now=now, cutoff=cutoff)

    assert to_wednesday() is Refusal.CUTOFF_MISSING
    assert to_wednesday(now + NOTICE - MINUTE) is Refusal.CUTOFF_TOO_SOON
    assert to_wednesday(now + NOTICE) is None
    assert to_wednesday(paris(6, 10, 0, 0)) is None, "the evening before is in time"
    assert to_wednesday(paris(6, 10, 0, 1)) is Refusal.CUTOFF_TOO_LATE


def test_cutoffs_stay_in_the_order_of_their_weeks() -> None:
    others = [
        replace(other, cutoff=cutoff)
        for other, cutoff in zip(OTHERS, (paris(6, 7), paris(6, 10, 0, 0)), strict=True)
    ]
    refusals = {
        day: refusal_to_move(HOLIDAY, others, date(2026, 6, day), lead=LEAD, now=EARLY) for day in (8, 10, 11)
    }
    assert refusals == {8: Refusal.CUTOFF_OUT_OF_ORDER, 10: None, 11: Refusal.CUTOFF_OUT_OF_ORDER}


@pytest.mark.parametrize("frozen", [False, True])
def test_a_closed_delivery_moves_and_stays_closed(frozen: bool) -> None:
    snow = replace(HOLIDAY, frozen=frozen)
    now = paris(6, 8)
    assert to_move(11, now, of=snow) is None
    assert to_move(8, now, of=snow) is None, "today is not over"
    assert moved(snow, date(2026, 6, 11), lead=LEAD, now=now) == replace(snow, day=date(2026, 6, 11))
    reopening = moved(snow, date(2026, 6, 15), lead=LEAD, now=now, cutoff=now + 2 * NOTICE)
    assert reopening.cutoff == HOLIDAY.cutoff


leads = st.builds(Lead, st.integers(0, 6), st.sampled_from([time(0, 0), time(12, 0), time(23, 59)]))


@given(
    lead=leads,
    moves=st.lists(
        st.tuples(
            st.integers(0, 5), st.integers(-9, 9), st.integers(0, 45 * 24), st.none() | st.integers(-48, 240)
        ),
        max_size=12,
    ),
)
def test_whatever_is_moved_days_and_cutoffs_stay_in_order_and_nothing_reopens(
    lead: Lead, moves: list[tuple[int, int, int, int | None]]
) -> None:
    """Also across the 25-hour Sunday."""
    first = date(2026, 10, 12)
    tour = []
    for n in range(6):
        week = first + n * WEEK
        tour.append(Delivery(n, TUESDAY, week, week + DAY, cutoff_instant(week + DAY, lead)))
    begin = datetime.combine(first, time(), PARIS)
    for n, days, hours, by_hand in sorted(moves, key=lambda move: move[2]):
        now = begin + timedelta(hours=hours)
        before = tour[n]
        cutoff = now + timedelta(hours=by_hand) if by_hand is not None else None
        day = before.day + days * DAY
        if refusal_to_move(before, tour, day, lead=lead, now=now, cutoff=cutoff) is None:
            tour[n] = moved(before, day, lead=lead, now=now, cutoff=cutoff)
            assert tour[n].is_open(now) == before.is_open(now)
            assert before.day >= local_day(now) <= tour[n].day
            if before.is_open(now) and cutoff:
                assert now + NOTICE <= tour[n].cutoff <= datetime.combine(day, time(), PARIS)
        for earlier, later in pairwise(tour):
            assert earlier.day < later.day and earlier.cutoff < later.cutoff


hours = st.integers(0, 60)


@given(st.lists(hours, min_size=6, max_size=6, unique=True), st.dictionaries(st.integers(0, 5), hours))
def test_whatever_a_new_rule_would_give_the_cutoffs_that_follow_it_stay_in_order(
    before: list[int], wished: dict[int, int]
) -> None:
    def cutoff(hour: int) -> datetime:
        return EARLY + timedelta(hours=hour)

    wished = dict(zip(sorted(wished), sorted(set(wished.values())), strict=False))
    tour = [
        Delivery(n, TUESDAY, WEEK_1 + n * WEEK, WEEK_1 + n * WEEK + DAY, cutoff(hour))
        for n, hour in enumerate(sorted(before))
    ]
    followed = following(tour, {n: cutoff(hour) for n, hour in wished.items()})
    after = [followed.get(delivery.id, delivery.cutoff) for delivery in tour]
    assert all(one < later for one, later in pairwise(after))
    assert all(followed[n] == cutoff(wished[n]) for n in followed)


def test_one_that_keeps_its_cutoff_may_keep_another_from_following() -> None:
    tour = [delivery(TUESDAY, week) for week in (WEEK_1, WEEK_2, WEEK_3)]
    kept, second, third = (one.cutoff for one in tour)
    later = {tour[1].id: third, tour[2].id: third + DAY}
    assert following(tour, later) == later
    earlier = {tour[1].id: kept, tour[2].id: second}
    assert following(tour, earlier) == {}
    assert following(tour, {tour[2].id: second + MINUTE}) == {tour[2].id: second + MINUTE}


# What its boxes do


def cancelled(tour: int, week: date) -> Delivery:
    return delivery(tour, week, cancelled=True)


def test_a_box_postponed_to_a_cancelled_delivery_goes_home_while_that_is_open() -> None:
    plan = PLAN.with_change(WEEK_2, to_week=WEEK_3)
    gone = cancelled(TUESDAY, WEEK_3)
    after = taken_along(plan, gone, at(paris(6, 5), gone))
    assert after == PLAN


def test_a_box_whose_home_is_closed_goes_on_to_the_next_open_delivery() -> None:
    plan = PLAN.with_change(WEEK_2, to_week=WEEK_3)
    gone = cancelled(TUESDAY, WEEK_3)
    after = taken_along(plan, gone, at(paris(6, 9), gone))
    assert arriving(after, gone)[WEEK_4] == [WEEK_4, WEEK_2]


def test_a_box_that_another_cancelled_delivery_has_lost_waits_for_its_own_news() -> None:
    plan = PLAN.with_change(WEEK_2, to_week=WEEK_3).with_change(WEEK_4, to_week=WEEK_5)
    first, second = cancelled(TUESDAY, WEEK_3), cancelled(TUESDAY, WEEK_5)
    after = taken_along(plan, first, at(paris(6, 5), first, second))
    assert after == PLAN.with_change(WEEK_4, to_week=WEEK_5)


def test_a_box_there_for_once_goes_back_to_its_usual_point_while_that_is_open() -> None:
    plan = PLAN.with_change(WEEK_2, place=SERRES)
    gone = cancelled(THURSDAY, WEEK_2)
    assert taken_along(plan, gone, at(paris(6, 5), gone)) == PLAN
    assert taken_along(plan, gone, at(paris(6, 8), gone)) == plan, "Tuesday has closed"
    both = (gone, cancelled(TUESDAY, WEEK_2))
    assert taken_along(plan, gone, at(paris(6, 5), *both)) == plan


def test_a_postponed_box_comes_along_to_the_usual_point() -> None:
    plan = PLAN.with_change(WEEK_2, place=SERRES).with_change(WEEK_1, to_week=WEEK_2)
    gone = cancelled(THURSDAY, WEEK_2)
    after = taken_along(plan, gone, at(paris(6, 5), gone))
    assert after == PLAN.with_change(WEEK_1, to_week=WEEK_2)


def test_what_is_collected_elsewhere_on_the_same_tour_or_on_another_stays_as_it_is() -> None:
    gone = cancelled(TUESDAY, WEEK_2)
    for place in (VEYNES, SERRES, GAP, LARAGNE):
        plan = PLAN.with_change(WEEK_2, place=place)
        assert taken_along(plan, gone, at(paris(6, 5), gone)) == plan


@given(
    origin=st.integers(0, 3),
    later=st.integers(1, 4),
    elsewhere=st.none() | st.sampled_from([SERRES, GAP, VEYNES]),
    hours=st.integers(0, 24 * 35),
)
def test_a_postponed_box_never_vanishes(origin: int, later: int, elsewhere: Place | None, hours: int) -> None:
    week, to_week = WEEK_1 + origin * WEEK, WEEK_1 + (origin + later) * WEEK
    plan = PLAN.with_change(week, to_week=to_week).with_change(to_week, place=elsewhere)
    place = elsewhere or LARAGNE
    gone = replace(season(weeks=12).on(place.tour_id, to_week), cancelled=True)
    facts = replace(at(paris(6, 1) + timedelta(hours=hours)), season=season(gone, weeks=12))
    after = taken_along(plan, gone, facts)
    assert [box.week for box in project(after, facts.season)].count(week) == 1
