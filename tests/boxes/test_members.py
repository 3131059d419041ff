"""What a person's planning shows of boxes that were postponed far, and of frozen ones."""

from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.accounts.models import Account
from portal.boxes.carried import received
from portal.boxes.models import BoxChange
from portal.boxes.queries import member_boxes, with_changes
from portal.boxes.services import freeze
from portal.deliveries.queries import of_weeks
from portal.planning import deliveries
from portal.planning.suspensions import suspend
from portal.rules.calendar import WEEK, monday_of
from portal.subscriptions.models import Subscription
from portal.subscriptions.queries import of_account
from tests.world import CAMILLE, CUTOFF, NOW, STAFF, TUESDAY

HOME = monday_of(TUESDAY)


@pytest.mark.parametrize("weeks", [4, 8])
def test_a_persons_planning_knows_the_postponed_boxes_of_the_list(session: Session, weeks: int) -> None:
    subscription = session.scalars(select(Subscription).order_by(Subscription.id)).first()
    to_week = HOME + weeks * WEEK
    session.add(BoxChange(subscription_id=subscription.id, week=HOME, to_week=to_week, changed_at=NOW))
    session.flush()
    (delivery,) = (d for d in of_weeks(session, to_week, to_week) if d.tour_slug == "mardi")
    holdings = with_changes(session, of_account(session, subscription.account_id), delivery.day)
    shown = member_boxes(session, holdings, [delivery])
    told = received([delivery.id]).subquery().c
    listed = session.execute(select(told.subscription_id, told.week)).all()
    assert sorted((box.subscription_id, box.week) for box in shown) == sorted(map(tuple, listed))
    assert (subscription.id, HOME) in {(box.subscription_id, box.week) for box in shown}


def test_a_closed_delivery_that_is_moved_into_a_suspension_brings_what_was_frozen(
    session: Session, clock: time_machine.Traveller
) -> None:
    camille, staff = (
        session.scalars(select(Account).where(Account.email == email)).one() for email in (CAMILLE, STAFF)
    )
    (delivery,) = (d for d in of_weeks(session, HOME, HOME) if d.tour_slug == "mardi")
    wednesday = TUESDAY + timedelta(days=1)
    ids = [holding.id for holding in of_account(session, camille.id)]
    assert not suspend(session, camille, ids, wednesday, wednesday + WEEK).refusal
    clock.move_to(CUTOFF)
    assert freeze(session, delivery.id)
    assert deliveries.move(session, delivery.id, wednesday, by=staff.id).changed
    (moved,) = (d for d in of_weeks(session, HOME, HOME) if d.id == delivery.id)
    shown = member_boxes(session, with_changes(session, of_account(session, camille.id), HOME), [moved])
    assert [(box.subscription_id, box.skipped) for box in shown] == [(i, False) for i in sorted(ids)]
