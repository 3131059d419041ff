"""« Modifications non prises en compte », the page of the farm's guide, to the millisecond (BAR T1 to T6)."""

import os
import time as system_time
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.rules.calendar import WEEK, Rhythm, monday_of
from portal.rules.changes import Facts, Refusal, refusal_to_change
from portal.rules.cutoffs import PARIS, Lead, cutoff_instant, is_past, last_minute, local_day
from portal.rules.planning import Delivery, Place, Plan, Season, Term
from tests.rules.acts import bring_forward, move, postpone, skip, suspend, unskip, vary

TUESDAY_TOUR = Lead(days=2, time=time(23, 59))
THURSDAY_TOUR = Lead(days=3, time=time(23, 59))
FRIDAY_TOUR = Lead(days=3, time=time(23, 59))

MOMENT = timedelta(milliseconds=1)
DST_SUNDAYS = [date(2026, 10, 25), date(2027, 3, 28)]


@pytest.fixture(
    autouse=True, scope="module", params=["UTC", "America/New_York", "Asia/Tokyo", "Europe/Paris"]
)
def server_time_zone(request):
    """T6: every test of this file runs as on a server of each of these zones."""
    before = os.environ.get("TZ")
    os.environ["TZ"] = request.param
    system_time.tzset()
    yield request.param
    if before is None:
        del os.environ["TZ"]
    else:
        os.environ["TZ"] = before
    system_time.tzset()


def paris(day, hour=0, minute=0, second=0, microsecond=0):
    return datetime(day.year, day.month, day.day, hour, minute, second, microsecond, PARIS)


def acts_at(now, cutoff):
    """What every kind of act on a box answers at that moment."""
    week = monday_of(local_day(cutoff)) + WEEK
    day, here, there = week + timedelta(days=4), Place(10, 1), Place(11, 1)
    usual = Plan(1, (Term(week, 1, 1, Rhythm.WEEKLY, *here),))
    closing = Delivery(1, 1, week, day, cutoff)
    facts = Facts(Season([closing, Delivery(2, 1, week + WEEK, day + WEEK, cutoff + WEEK)]), now)
    asked = [
        (usual, skip(week)),
        (usual.with_change(week, skip=True, skip_at=cutoff - WEEK), unskip(week)),
        (usual, postpone(week, week + WEEK)),
        (usual.with_change(week, to_week=week + WEEK), bring_forward(week)),
        (usual, move(week, there)),
        (usual.with_change(week, place=there), move(week, None)),
        (usual, vary(week, 2, 2)),
        (usual.with_change(week, formula_id=2), vary(week, None, None)),
        (usual, suspend(day, day)),
    ]
    outcomes = [act.do(plan, facts) for plan, act in asked]
    return {outcome if isinstance(outcome, Refusal) else None for outcome in outcomes}


@pytest.mark.parametrize(
    ("delivery", "lead", "last_day"),
    [
        (date(2026, 6, 2), TUESDAY_TOUR, date(2026, 5, 31)),
        (date(2026, 6, 4), THURSDAY_TOUR, date(2026, 6, 1)),
        (date(2026, 6, 5), FRIDAY_TOUR, date(2026, 6, 2)),
    ],
    ids=[
        "Tuesday's delivery closes on Sunday 23:59",
        "Thursday's delivery closes on Monday 23:59",
        "Friday's delivery closes on Tuesday 23:59",
    ],
)
def test_the_closing_minute_is_included_and_midnight_is_too_late(delivery, lead, last_day):
    cutoff = cutoff_instant(delivery, lead)
    assert acts_at(paris(last_day, 23, 59), cutoff) == {None}
    assert acts_at(paris(last_day, 23, 59, 59, 999_000), cutoff) == {None}
    assert acts_at(paris(last_day + timedelta(days=1)), cutoff) == {Refusal.PAST_CUTOFF}


def test_a_cutoff_is_an_instant_in_utc():
    cutoff = cutoff_instant(date(2026, 6, 2), TUESDAY_TOUR)
    assert cutoff == datetime(2026, 5, 31, 22, 0, tzinfo=UTC)
    assert cutoff.tzinfo is UTC


@pytest.mark.parametrize(
    ("delivery", "first_refused"),
    [
        (date(2026, 10, 27), datetime(2026, 10, 25, 23, 0, tzinfo=UTC)),
        (date(2027, 3, 30), datetime(2027, 3, 28, 22, 0, tzinfo=UTC)),
    ],
    ids=["T4, a Sunday of 25 hours", "T5, a Sunday of 23 hours"],
)
def test_a_dst_sunday_ends_at_its_own_midnight(delivery, first_refused):
    cutoff = cutoff_instant(delivery, TUESDAY_TOUR)
    assert acts_at(first_refused - MOMENT, cutoff) == {None}
    assert acts_at(first_refused, cutoff) == {Refusal.PAST_CUTOFF}


def test_a_lead_of_several_days_counts_calendar_days_across_a_clock_change():
    assert cutoff_instant(date(2026, 10, 26), Lead(2, time(12, 0))) == datetime(
        2026, 10, 24, 10, 1, tzinfo=UTC
    )
    assert cutoff_instant(date(2026, 10, 27), Lead(2, time(12, 0))) == datetime(
        2026, 10, 25, 11, 1, tzinfo=UTC
    )


def test_a_closing_minute_that_comes_twice_closes_after_the_second():
    cutoff = cutoff_instant(date(2026, 10, 25), Lead(0, time(2, 30)))
    assert cutoff == datetime(2026, 10, 25, 1, 31, tzinfo=UTC)


def test_a_closing_minute_that_never_comes_refuses_nobody_early():
    cutoff = cutoff_instant(date(2027, 3, 28), Lead(0, time(2, 30)))
    assert cutoff >= datetime(2027, 3, 28, 1, 0, tzinfo=UTC)


@pytest.mark.parametrize("sunday", DST_SUNDAYS)
def test_the_minute_before_the_clock_changes_lasts_a_minute(sunday):
    cutoff = cutoff_instant(sunday, Lead(0, time(1, 59)))
    assert cutoff - paris(sunday, 1, 59).astimezone(UTC) == timedelta(minutes=1)


def test_the_minute_shown_is_the_last_that_is_taken():
    shown = last_minute(cutoff_instant(date(2026, 6, 2), TUESDAY_TOUR))
    assert shown == paris(date(2026, 5, 31), 23, 59)
    assert shown.tzinfo is PARIS
    assert shown.date() == date(2026, 5, 31)
    assert shown.time() == time(23, 59)


def test_a_cutoff_is_compared_as_an_instant_whatever_the_zone_of_the_clock():
    cutoff = cutoff_instant(date(2026, 6, 2), TUESDAY_TOUR)
    tokyo = ZoneInfo("Asia/Tokyo")
    assert is_past(cutoff, cutoff.astimezone(tokyo))
    assert not is_past(cutoff.astimezone(tokyo), cutoff - MOMENT)


def test_a_day_begins_in_paris_whatever_the_server_thinks():
    assert local_day(datetime(2026, 6, 1, 21, 59, tzinfo=UTC)) == date(2026, 6, 1)
    assert local_day(datetime(2026, 6, 1, 22, 0, tzinfo=UTC)) == date(2026, 6, 2)


def test_a_naive_datetime_is_never_guessed_at():
    aware = datetime(2026, 5, 31, 22, 0, tzinfo=UTC)
    naive = aware.replace(tzinfo=None)
    for attempt in (
        lambda: is_past(naive, aware),
        lambda: is_past(aware, naive),
        lambda: is_past(naive, naive),
        lambda: last_minute(naive),
        lambda: local_day(naive),
    ):
        with pytest.raises(ValueError, match="naive"):
            attempt()


@pytest.mark.parametrize(
    ("days", "at"),
    [(-1, time(23, 59)), (2, time(23, 59, 59)), (2, time(23, 59, tzinfo=UTC)), (2, time(0, 0, 0, 1))],
)
def test_a_lead_that_makes_no_sense_is_refused(days, at):
    with pytest.raises(ValueError, match=r"close after|whole minute"):
        Lead(days, at)


leads = st.builds(
    Lead, st.integers(0, 13), st.builds(time, hour=st.integers(0, 23), minute=st.integers(0, 59))
)
days = st.dates(date(2024, 1, 1), date(2040, 12, 31)) | st.sampled_from(DST_SUNDAYS)


@given(days, st.integers(1, 400), leads)
def test_on_one_tour_cutoffs_strictly_increase_with_the_days(day, later, lead):
    assert cutoff_instant(day, lead) < cutoff_instant(day + timedelta(days=later), lead)


@given(days, leads)
def test_the_minute_shown_is_the_lead_on_the_wall_unless_the_clock_skips_it(day, lead):
    shown = last_minute(cutoff_instant(day, lead))
    promised = datetime.combine(day - timedelta(days=lead.days), lead.time, PARIS)
    exists = promised.astimezone(UTC).astimezone(PARIS).replace(tzinfo=None) == promised.replace(tzinfo=None)
    assert not exists or shown.replace(tzinfo=None) == promised.replace(tzinfo=None)


@given(st.booleans(), st.booleans(), st.integers(-90_000, 90_000), st.integers(0, 10**9))
def test_what_is_allowed_late_was_allowed_earlier(cancelled, frozen, seconds, earlier):
    cutoff = cutoff_instant(date(2026, 10, 27), TUESDAY_TOUR)
    late = cutoff + timedelta(seconds=seconds)
    delivery = Delivery(1, 1, date(2026, 10, 26), date(2026, 10, 27), cutoff, cancelled, frozen)
    if refusal_to_change(delivery, late) is None:
        assert refusal_to_change(delivery, late - timedelta(seconds=earlier)) is None
