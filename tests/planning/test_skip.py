"""Skipping a box and taking it back, within a transaction."""

from datetime import timedelta
from functools import partial

import time_machine
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from portal.accounts.models import Account
from portal.boxes.models import BoxChange
from portal.deliveries.models import Delivery, Tour
from portal.infra.audit import AuditEvent
from portal.infra.outbox import Mail
from portal.planning.services import skip
from portal.rules.calendar import monday_of
from portal.rules.changes import Refusal
from portal.subscriptions.models import Subscription
from tests.world import CAMILLE, CUTOFF, TUESDAY, YACINE

WEEK = monday_of(TUESDAY)

unskip = partial(skip, wanted=False)


def person(session: Session, email: str) -> tuple[Account, list[int]]:
    account = session.scalars(select(Account).where(Account.email == email)).one()
    ids = session.scalars(select(Subscription.id).where(Subscription.account_id == account.id))
    return account, sorted(ids)


def skipped(session: Session) -> set[int]:
    return set(session.scalars(select(BoxChange.subscription_id).where(BoxChange.skip.is_(True))))


def test_a_box_is_skipped_and_taken_back_at_once(session: Session) -> None:
    camille, (box, _) = person(session, CAMILLE)
    assert skip(session, camille, [box], WEEK).changed
    assert skipped(session) == {box}
    assert unskip(session, camille, [box], WEEK).changed
    assert skipped(session) == set()


def test_several_boxes_are_skipped_in_one_act_with_one_mail(session: Session) -> None:
    camille, boxes = person(session, CAMILLE)
    result = skip(session, camille, boxes, WEEK)
    assert [change.after.subscription_id for change in result.changed] == boxes
    mail = session.scalars(select(Mail)).one()
    assert mail.recipient == CAMILLE
    assert "mardi 16 juin" in mail.subject.replace("\u00a0", " ")
    assert "mardi 23 juin" in mail.text.replace("\u00a0", " "), "it says when deliveries go on"


def test_skipping_what_is_skipped_changes_nothing_and_mails_nobody(session: Session) -> None:
    camille, (box, _) = person(session, CAMILLE)
    skip(session, camille, [box], WEEK)
    again = skip(session, camille, [box], WEEK)
    assert again.changed == () and again.refusal is None
    assert session.scalar(select(func.count()).select_from(Mail)) == 1
    assert session.scalar(select(func.count()).select_from(AuditEvent)) == 1


def test_at_the_cutoff_both_acts_are_refused(session: Session, clock: time_machine.Traveller) -> None:
    camille, (box, eggs) = person(session, CAMILLE)
    clock.move_to(CUTOFF - timedelta(milliseconds=1))
    assert skip(session, camille, [box], WEEK).changed
    clock.move_to(CUTOFF)
    assert skip(session, camille, [eggs], WEEK).refusal is Refusal.PAST_CUTOFF
    assert unskip(session, camille, [box], WEEK).refusal is Refusal.PAST_CUTOFF
    assert skipped(session) == {box}


def test_one_refusal_refuses_the_whole_act(session: Session) -> None:
    camille, (box, eggs) = person(session, CAMILLE)
    session.get(Subscription, eggs).last_day = TUESDAY - timedelta(days=7)
    session.flush()
    assert skip(session, camille, [box, eggs], WEEK).refusal is Refusal.NOT_EXPECTED
    assert skipped(session) == set()


def test_somebody_elses_subscription_is_not_found(session: Session) -> None:
    camille, (box, _) = person(session, CAMILLE)
    _, (other,) = person(session, YACINE)
    assert skip(session, camille, [other], WEEK) is None
    assert skip(session, camille, [box, other], WEEK) is None


def test_choosing_nothing_is_refused(session: Session) -> None:
    camille, _ = person(session, CAMILLE)
    assert skip(session, camille, [], WEEK).refusal is Refusal.NOTHING_CHOSEN
    assert unskip(session, camille, [], WEEK).refusal is Refusal.NOTHING_CHOSEN


def test_a_week_without_a_box_cannot_be_skipped(session: Session) -> None:
    yacine, (box,) = person(session, YACINE)
    weeks = [
        d.week
        for d in session.scalars(
            select(Delivery).join(Tour).where(Tour.slug == "jeudi", Delivery.day > TUESDAY)
        )
    ]
    outcomes = [skip(session, yacine, [box], week).refusal for week in weeks[:4]]
    assert sorted(outcomes, key=str) == sorted([None, Refusal.NOT_EXPECTED] * 2, key=str), "every other week"


def test_a_cancelled_delivery_cannot_be_skipped(session: Session) -> None:
    camille, (box, _) = person(session, CAMILLE)
    delivery = session.scalars(select(Delivery).join(Tour).where(Delivery.day == TUESDAY)).one()
    delivery.cancelled_at = delivery.cutoff_at
    session.flush()
    assert skip(session, camille, [box], WEEK).refusal is Refusal.CANCELLED


def test_the_trail_says_who_did_what_to_which_week(session: Session) -> None:
    camille, (box, _) = person(session, CAMILLE)
    skip(session, camille, [box], WEEK)
    session.flush()
    event = session.scalars(select(AuditEvent)).one()
    assert (event.account_id, event.action, event.subject_id) == (camille.id, "box.change", str(box))
    assert event.after == {"week": "2026-06-15", "skip": True}
