"""Changing a tour's rule recomputes its open deliveries that staff did not set by hand."""

from datetime import date, datetime, time, timedelta
from itertools import pairwise

import pytest
import time_machine
from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.deliveries import services
from portal.deliveries.models import Delivery, Tour
from portal.deliveries.services import Refusal, RuleChange
from portal.infra.audit import AuditEvent
from portal.rules.cutoffs import Lead, cutoff_instant, last_minute
from tests.world import CUTOFF, NOW, TUESDAY

DAY = timedelta(days=1)
WEEK = timedelta(weeks=1)
SATURDAY_EVENING = Lead(3, time(20, 0))
TUESDAYS, FRIDAYS = 1, 4


def tour(session: Session, slug: str) -> Tour:
    return session.scalars(select(Tour).where(Tour.slug == slug)).one()


def change(session: Session, slug: str, weekday: int, lead: Lead) -> RuleChange:
    return services.change_rule(session, tour(session, slug).id, weekday=weekday, lead=lead)


def cutoffs(session: Session, slug: str) -> dict[date, datetime]:
    session.flush()
    session.expire_all()
    rows = session.scalars(select(Delivery).join(Tour).where(Tour.slug == slug).order_by(Delivery.day))
    return {row.day: row.cutoff_at for row in rows}


def delivery(session: Session, slug: str, day: date) -> Delivery:
    return session.scalars(select(Delivery).join(Tour).where(Tour.slug == slug, Delivery.day == day)).one()


def test_open_deliveries_close_by_the_new_rule_and_closed_ones_stay_as_they_were(session: Session) -> None:
    before = cutoffs(session, "mardi")
    done = change(session, "mardi", TUESDAYS, SATURDAY_EVENING)
    after = cutoffs(session, "mardi")
    assert last_minute(after[TUESDAY]).strftime("%a %d %B %H:%M") == "Sat 13 June 20:00"
    assert {day for day in after if after[day] != before[day]} == {day for day in after if day >= TUESDAY}
    assert all(after[day] == cutoff_instant(day, SATURDAY_EVENING) for day in after if day >= TUESDAY)
    assert done == RuleChange(followed=sum(day >= TUESDAY for day in after))
    assert tour(session, "mardi").lead == SATURDAY_EVENING


def test_other_tours_stay_as_they_were(session: Session) -> None:
    before = cutoffs(session, "jeudi"), cutoffs(session, "vendredi")
    change(session, "mardi", TUESDAYS, SATURDAY_EVENING)
    assert (cutoffs(session, "jeudi"), cutoffs(session, "vendredi")) == before


def test_a_closed_delivery_never_reopens(session: Session) -> None:
    friday = date(2026, 6, 12)  # closed last night, not frozen yet
    before = cutoffs(session, "vendredi")
    change(session, "vendredi", FRIDAYS, Lead(1, time(12, 0)))
    after = cutoffs(session, "vendredi")
    assert after[friday] == before[friday] <= NOW
    assert after[friday + WEEK] > before[friday + WEEK]


def test_a_delivery_that_closes_while_the_locks_are_awaited_does_not_reopen(
    session: Session, clock: time_machine.Traveller, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock = services._lock_standing

    def wait(session: Session) -> object:
        locked = lock(session)
        clock.move_to(CUTOFF)
        return locked

    monkeypatch.setattr(services, "_lock_standing", wait)
    clock.move_to(CUTOFF - timedelta(seconds=1))
    change(session, "mardi", TUESDAYS, Lead(1, time(23, 59)))
    assert cutoffs(session, "mardi")[TUESDAY] == CUTOFF


@pytest.mark.parametrize("reason", ["frozen_at", "cancelled_at"])
def test_what_is_frozen_or_cancelled_stays_as_it_was(session: Session, reason: str) -> None:
    setattr(delivery(session, "mardi", TUESDAY), reason, NOW)
    done = change(session, "mardi", TUESDAYS, SATURDAY_EVENING)
    after = cutoffs(session, "mardi")
    assert after[TUESDAY] == CUTOFF and after[TUESDAY + WEEK] == cutoff_instant(
        TUESDAY + WEEK, SATURDAY_EVENING
    )
    assert done.kept == ()


def test_a_cutoff_set_by_hand_stays(session: Session) -> None:
    by_hand = CUTOFF + timedelta(hours=12)
    delivery(session, "mardi", TUESDAY).cutoff_at = by_hand
    done = change(session, "mardi", TUESDAYS, SATURDAY_EVENING)
    assert cutoffs(session, "mardi")[TUESDAY] == by_hand
    assert done.kept == (TUESDAY,)


def test_a_moved_delivery_follows_from_its_actual_day(session: Session) -> None:
    moved, wednesday = delivery(session, "mardi", TUESDAY), TUESDAY + DAY
    moved.day, moved.cutoff_at = wednesday, cutoff_instant(wednesday, moved.tour.lead)
    change(session, "mardi", TUESDAYS, SATURDAY_EVENING)
    assert cutoffs(session, "mardi")[wednesday] == cutoff_instant(wednesday, SATURDAY_EVENING)


def test_no_delivery_closes_in_the_past(session: Session) -> None:
    already_past = Lead(6, time(9, 59))  # this very minute is the first one refused
    assert cutoff_instant(TUESDAY, already_past) == NOW
    done = change(session, "mardi", TUESDAYS, already_past)
    after = cutoffs(session, "mardi")
    assert after[TUESDAY] == CUTOFF
    assert after[TUESDAY + WEEK] == cutoff_instant(TUESDAY + WEEK, already_past)
    assert done.kept == (TUESDAY,)


@pytest.mark.parametrize("reason", [None, "cancelled_at"])
def test_beside_a_cutoff_that_stays_those_that_would_cross_it_stay_too(
    session: Session, reason: str | None
) -> None:
    change(session, "mardi", TUESDAYS, Lead(6, time(23, 59)))
    late = delivery(session, "mardi", TUESDAY + WEEK)
    late.cutoff_at = cutoff_instant(TUESDAY + WEEK, Lead(0, time(23, 59)))
    if reason:
        setattr(late, reason, NOW)
    early = delivery(session, "mardi", TUESDAY + 4 * WEEK)
    early.cutoff_at = cutoff_instant(TUESDAY + 3 * WEEK, Lead(3, time(12, 0)))
    before = cutoffs(session, "mardi")
    done = change(session, "mardi", TUESDAYS, Lead(0, time(12, 0)))
    after = cutoffs(session, "mardi")
    assert all(one < following for one, following in pairwise(after.values()))
    assert done.out_of_order == (TUESDAY + 3 * WEEK,)
    assert after[TUESDAY + 3 * WEEK] == before[TUESDAY + 3 * WEEK]
    assert after[TUESDAY + 2 * WEEK] == cutoff_instant(TUESDAY + 2 * WEEK, Lead(0, time(12, 0)))
    assert TUESDAY + 3 * WEEK in done.kept


@pytest.mark.parametrize("day", range(7))
def test_cutoffs_keep_the_order_of_their_deliveries_whatever_the_two_rules(
    session: Session, clock: time_machine.Traveller, day: int
) -> None:
    latest, earliest = Lead(0, time(23, 59)), Lead(6, time(0, 0))
    change(session, "mardi", TUESDAYS, latest)
    clock.move_to(NOW + day * DAY)
    change(session, "mardi", TUESDAYS, earliest)
    in_order = list(cutoffs(session, "mardi").values())
    assert all(one < following for one, following in pairwise(in_order))


def test_another_weekday_is_refused_and_nothing_changes(session: Session) -> None:
    before = cutoffs(session, "mardi")
    done = change(session, "mardi", FRIDAYS, SATURDAY_EVENING)
    assert done == RuleChange(refusal=Refusal.WEEKDAY)
    assert cutoffs(session, "mardi") == before
    assert tour(session, "mardi").weekday == TUESDAYS
    assert session.scalar(select(AuditEvent)) is None


def test_the_same_rule_changes_and_tells_nothing(session: Session) -> None:
    by_hand = CUTOFF + timedelta(hours=12)
    delivery(session, "mardi", TUESDAY).cutoff_at = by_hand
    assert change(session, "mardi", TUESDAYS, Lead(2, time(23, 59))) == RuleChange()
    assert session.scalar(select(AuditEvent)) is None


def test_the_trail_tells_the_old_rule_and_the_new(session: Session) -> None:
    done = change(session, "mardi", TUESDAYS, SATURDAY_EVENING)
    [event] = session.scalars(select(AuditEvent))
    assert (event.action, event.subject_type, event.subject_id) == (
        "tour.rule",
        "tour",
        str(tour(session, "mardi").id),
    )
    assert (event.at, event.account_id) == (NOW, None)
    assert event.before == {"lead_days": 2, "lead_time": "23:59"}
    assert event.after == {"lead_days": 3, "lead_time": "20:00", "deliveries": done.followed}
