"""Suspending a range, and ending it early: within a transaction."""

from datetime import date, timedelta

import pytest
import time_machine
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from portal.accounts.models import Account
from portal.boxes.models import Suspension
from portal.boxes.queries import MemberBox, member_boxes, with_changes
from portal.deliveries.queries import upcoming
from portal.infra.audit import AuditEvent
from portal.infra.outbox import Mail
from portal.planning.services import skip
from portal.planning.suspensions import Preview, preview, resume, running, suspend
from portal.rules.calendar import WEEK, monday_of
from portal.rules.changes import Refusal
from portal.rules.money import Money
from portal.rules.planning import Absence
from portal.subscriptions.queries import of_account
from tests.world import CAMILLE, CUTOFF, NOW, TODAY, TUESDAY, YACINE

MONDAY = monday_of(TUESDAY)
BOX, EGGS, YACINES = 1, 2, 3
JUNE_11, JUNE_30 = date(2026, 6, 11), date(2026, 6, 30)


@pytest.fixture
def camille(session: Session) -> Account:
    return session.scalars(select(Account).where(Account.email == CAMILLE)).one()


def boxes(session: Session, account: Account) -> list[MemberBox]:
    session.flush()
    holdings = with_changes(session, of_account(session, account.id), TODAY)
    ahead = upcoming(session, TODAY, TODAY + timedelta(weeks=6), holdings[0].plan.tour_ids)
    return member_boxes(session, holdings, ahead)


def away(session: Session, account: Account) -> list[tuple[int, str]]:
    suspended = (b for b in boxes(session, account) if b.absence is Absence.SUSPENDED)
    return [(b.subscription_id, b.delivery.day.isoformat()) for b in suspended]


def seen(session: Session, account: Account, chosen: list[int], first: date, last: date) -> Preview:
    since = first.replace(day=1)
    holdings = with_changes(session, of_account(session, account.id), since)
    return preview(session, holdings, chosen, first=first, last=last, now=NOW)


def test_vegetables_are_suspended_and_eggs_still_come(session: Session, camille: Account) -> None:
    outcome = suspend(session, camille, [BOX], JUNE_11, JUNE_30)
    assert [b.delivery.day.day for line in outcome.lines for b in line.suspended] == [16, 23, 30]
    assert away(session, camille) == [(BOX, "2026-06-16"), (BOX, "2026-06-23"), (BOX, "2026-06-30")]
    mail = session.scalars(select(Mail)).one()
    said = mail.text.replace("\u00a0", " ")
    assert "mardi 23 juin" in said and "mardi 7 juillet" in said, "what, and when it goes on"


def test_the_preview_is_what_happens_and_says_what_the_months_cost(
    session: Session, camille: Account
) -> None:
    found = seen(session, camille, [BOX], JUNE_11, date(2026, 7, 10))
    days = [b.delivery.day for line in found.lines for b in line.suspended]
    assert [(m.first_day.month, m.before, m.after) for m in found.months] == [
        # five and four Tuesdays of a large box and eggs; two June Tuesdays are past
        (6, 5 * Money(2190), 5 * Money(240) + 2 * Money(1950)),
        (7, 4 * Money(2190), 4 * Money(240) + 3 * Money(1950)),
    ]
    assert away(session, camille) == [], "nothing is written"
    suspend(session, camille, [BOX], JUNE_11, date(2026, 7, 10))
    assert [day for _, day in away(session, camille)] == [day.isoformat() for day in days]


def test_a_closed_delivery_in_the_range_comes_and_is_said(
    session: Session, camille: Account, clock: time_machine.Traveller
) -> None:
    clock.move_to(CUTOFF)
    (line,) = suspend(session, camille, [BOX], date(2026, 6, 15), date(2026, 6, 24)).lines
    assert [b.delivery.day for b in line.closed] == [TUESDAY]
    assert [b.delivery.day for b in line.suspended] == [TUESDAY + WEEK]
    assert line.back.delivery.day == TUESDAY + 2 * WEEK
    assert away(session, camille) == [(BOX, "2026-06-23")]


@pytest.mark.parametrize(
    ("first", "last", "refusal"),
    [
        (date(2026, 6, 20), date(2026, 6, 19), Refusal.BAD_RANGE),
        (date(2026, 6, 1), date(2026, 6, 9), Refusal.BAD_RANGE),
        (date(2026, 6, 17), date(2026, 6, 20), Refusal.NOT_EXPECTED),
    ],
)
def test_a_range_that_takes_nothing_away_is_refused(
    session: Session, camille: Account, first: date, last: date, refusal: Refusal
) -> None:
    assert suspend(session, camille, [BOX, EGGS], first, last).refusal is refusal
    assert seen(session, camille, [BOX, EGGS], first, last).refusal is refusal
    assert session.scalar(select(func.count()).select_from(Suspension)) == 0


def test_a_range_of_closed_deliveries_only_is_too_late(
    session: Session, camille: Account, clock: time_machine.Traveller
) -> None:
    clock.move_to(CUTOFF)
    refused = suspend(session, camille, [BOX], date(2026, 6, 15), date(2026, 6, 17))
    assert refused.refusal is Refusal.PAST_CUTOFF


def test_the_same_range_again_writes_nothing_and_mails_nobody(session: Session, camille: Account) -> None:
    suspend(session, camille, [BOX, EGGS], JUNE_11, JUNE_30)
    again = suspend(session, camille, [BOX, EGGS], JUNE_11, JUNE_30)
    assert (again.lines, again.refusal) == ((), None)
    session.flush()
    assert session.scalar(select(func.count()).select_from(Mail)) == 1
    assert session.scalar(select(func.count()).select_from(AuditEvent)) == 2, "one for each subscription"


def test_one_box_is_taken_back_from_a_suspension_and_goes_into_it_again(
    session: Session, camille: Account
) -> None:
    suspend(session, camille, [BOX], JUNE_11, JUNE_30)
    session.flush()
    assert skip(session, camille, [BOX], MONDAY + WEEK, wanted=False).changed
    assert away(session, camille) == [(BOX, "2026-06-16"), (BOX, "2026-06-30")]
    assert skip(session, camille, [BOX], MONDAY + WEEK).changed
    assert away(session, camille) == [(BOX, "2026-06-16"), (BOX, "2026-06-23"), (BOX, "2026-06-30")]


def test_a_later_suspension_takes_a_box_that_an_earlier_one_gave_back(
    session: Session, camille: Account, clock: time_machine.Traveller
) -> None:
    suspend(session, camille, [BOX], JUNE_11, JUNE_30)
    session.flush()
    skip(session, camille, [BOX], MONDAY + WEEK, wanted=False)
    clock.shift(timedelta(minutes=1))
    suspend(session, camille, [BOX], date(2026, 6, 20), date(2026, 6, 25))
    assert (BOX, "2026-06-23") in away(session, camille)


def test_ending_early_brings_back_what_is_open_and_leaves_what_has_closed(
    session: Session, camille: Account, clock: time_machine.Traveller
) -> None:
    suspend(session, camille, [BOX, EGGS], JUNE_11, JUNE_30)
    session.flush()
    clock.move_to(CUTOFF)
    ids = list(session.scalars(select(Suspension.id)))
    lines = resume(session, camille, ids).lines
    assert [b.delivery.day.day for b in lines[0].suspended] == [23, 30]
    assert lines[0].back.delivery.day == TUESDAY + WEEK
    assert away(session, camille) == [(BOX, "2026-06-16"), (EGGS, "2026-06-16")]
    assert resume(session, camille, ids).lines == (), "ended already"
    assert session.scalar(select(func.count()).select_from(Mail)) == 2


def test_ending_at_once_leaves_everything_as_it_was(session: Session, camille: Account) -> None:
    before = boxes(session, camille)
    suspend(session, camille, [BOX, EGGS], JUNE_11, JUNE_30)
    session.flush()
    resume(session, camille, list(session.scalars(select(Suspension.id))))
    assert boxes(session, camille) == before


def test_suspensions_of_the_same_days_are_shown_together(session: Session, camille: Account) -> None:
    suspend(session, camille, [BOX, EGGS], JUNE_11, JUNE_30)
    session.flush()
    holdings = with_changes(session, of_account(session, camille.id), TODAY)
    (pause,) = running(holdings, TODAY)
    assert (pause.formulas, len(pause.ids)) == (("Grand panier", "Œufs"), 2)
    assert running(holdings, JUNE_30 + timedelta(days=1)) == []


def test_somebody_elses_is_not_found(session: Session, camille: Account) -> None:
    yacine = session.scalars(select(Account).where(Account.email == YACINE)).one()
    assert suspend(session, camille, [BOX, YACINES], JUNE_11, JUNE_30) is None
    suspend(session, yacine, [YACINES], JUNE_11, JUNE_30)
    session.flush()
    assert resume(session, camille, list(session.scalars(select(Suspension.id)))) is None
