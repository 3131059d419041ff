"""Ending a subscription and starting one for somebody, within a transaction."""

from datetime import date, timedelta

import pytest
import time_machine
from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.accounts.models import Account
from portal.infra.audit import AuditEvent
from portal.infra.outbox import Mail
from portal.pickup.models import PickupPoint
from portal.planning import ending
from portal.planning.joining import Joining, preview_joining
from portal.planning.subscribing import subscribe
from portal.planning.terms import Answer
from portal.rules.calendar import WEEK
from portal.rules.changes import Refusal
from portal.rules.cutoffs import local_day
from portal.subscriptions.models import Subscription, Term
from tests.accounts.people import account_of
from tests.planning.test_joining import MONDAY, wish
from tests.world import CAMILLE, CUTOFF, NOW, STAFF, TUESDAY


@pytest.fixture
def people(session: Session) -> tuple[Account, Account]:
    return account_of(session, CAMILLE), account_of(session, STAFF)


def first_of(session: Session, account: Account) -> Subscription:
    mine = select(Subscription).where(Subscription.account_id == account.id).order_by(Subscription.id)
    found = session.scalars(mine).first()
    assert found
    return found


def test_an_end_is_seen_then_written_mailed_and_taken_back(
    session: Session, people: tuple[Account, Account], clock: time_machine.Traveller
) -> None:
    camille, sophie = people
    held, wished = first_of(session, camille), TUESDAY + timedelta(days=1)
    seen = ending.preview(session, camille.id, held.id, wished, NOW)
    assert isinstance(seen, ending.Ending) and seen.last and seen.last.delivery.day == TUESDAY
    stranger = ending.end(session, sophie, held.id, wished, expected=wished, by=sophie)
    assert stranger is None and ending.preview(session, sophie.id, held.id, wished, NOW) is None
    clock.move_to(CUTOFF + WEEK)
    late = ending.end(session, camille, held.id, wished, expected=wished, by=sophie)
    assert late and late.answer is Answer.OTHER_DATE and held.last_day is None, "one more box has closed"
    clock.move_to(NOW)
    for answer in (Answer.DONE, Answer.ALREADY):
        done = ending.end(session, camille, held.id, wished, expected=wished, by=sophie)
        assert done and done.answer is answer and held.last_day == wished
    session.flush()
    [mail] = session.scalars(select(Mail))
    assert mail.recipient == CAMILLE and "16 juin" in mail.subject.replace("\u00a0", " ")
    back = ending.go_on(session, camille, held.id, by=sophie)
    assert back and back.answer is Answer.DONE and held.last_day is None
    lines = session.execute(
        select(AuditEvent.action, AuditEvent.account_id, AuditEvent.before, AuditEvent.after).order_by(
            AuditEvent.id
        )
    )
    day = {"last_day": wished.isoformat()}
    assert [tuple(line) for line in lines] == [
        ("subscription.end", sophie.id, {"last_day": None}, day),
        ("subscription.go_on", sophie.id, day, {"last_day": None}),
    ]
    ending.end(session, camille, held.id, wished, expected=wished, by=sophie)
    clock.move_to(CUTOFF + WEEK)
    refused = ending.go_on(session, camille, held.id, by=sophie)
    assert refused and refused.answer is Refusal.PAST_CUTOFF and held.last_day == wished


def test_staff_start_one_later_and_beyond_a_points_places_and_are_told(
    session: Session, people: tuple[Account, Account]
) -> None:
    camille, sophie = people
    session.scalars(select(PickupPoint).where(PickupPoint.slug == "halle")).one().capacity = 0
    session.flush()
    wanted, later = wish(session), MONDAY + 2 * WEEK
    assert preview_joining(session, wanted, NOW).refusal is Refusal.FULL
    seen = preview_joining(session, wanted, NOW, since=later, by_farm=True)
    assert seen.joining and seen.joining.full and seen.joining.monday == later
    assert list(seen.starts)[:3] == [MONDAY, MONDAY + WEEK, later]
    shown = seen.joining.digest
    assert subscribe(session, camille, wanted, shown, since=later) is Refusal.NOT_OPEN
    assert subscribe(session, camille, wanted, shown, by=sophie) is Answer.OTHERWISE
    done = subscribe(session, camille, wanted, shown, since=later, by=sophie)
    assert isinstance(done, Joining) and done.full
    assert done.boxes[0].delivery.day == TUESDAY + timedelta(weeks=2) == date(2026, 6, 30)
    [mail] = session.scalars(select(Mail))
    assert mail.text and "la ferme l'a commandé pour vous" in mail.text.replace("\u00a0", " ")
    [line] = session.scalars(select(AuditEvent))
    assert (line.action, line.account_id) == ("subscription.new", sophie.id)


@pytest.mark.parametrize(("point", "days"), [("halle", 0), ("mairie", 1), ("cafe", 2)])
def test_each_tours_next_box_falls_until_its_cutoff_and_not_after(
    session: Session, people: tuple[Account, Account], clock: time_machine.Traveller, point: str, days: int
) -> None:
    """BAR T3: Tuesday's box until Sunday's last instant, Thursday's until Monday's, Friday's until Tuesday's."""
    camille, _sophie = people
    held, cutoff = first_of(session, camille), CUTOFF + timedelta(days=days)
    term = session.scalars(select(Term).where(Term.subscription_id == held.id)).one()
    term.pickup_point_id = session.scalars(select(PickupPoint.id).where(PickupPoint.slug == point)).one()
    delivery = TUESDAY + timedelta(days={"halle": 0, "mairie": 2, "cafe": 3}[point])
    clock.move_to(cutoff)
    in_time, too_late = (
        ending.foresee(session, camille.id, local_day(moment), moment)[held.id].last_day
        for moment in (cutoff - timedelta(milliseconds=1), cutoff)
    )
    assert in_time < delivery <= too_late
    late = ending.end(session, camille, held.id, in_time, expected=in_time, by=camille)
    assert late and late.answer is Answer.OTHER_DATE and held.last_day is None
