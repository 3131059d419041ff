"""A point's places, where a change brings a box that was postponed long before."""

from dataclasses import replace

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.accounts.models import Account
from portal.boxes.carried import loads
from portal.boxes.models import BoxChange
from portal.boxes.queries import with_changes
from portal.pickup.models import PickupPoint
from portal.pickup.queries import points
from portal.planning.previews import preview, term_view
from portal.planning.terms import change
from portal.rules.calendar import WEEK, monday_of
from portal.rules.changes import Refusal
from portal.subscriptions.queries import of_account
from tests.world import CAMILLE, NOW, TODAY

THIS_WEEK = monday_of(TODAY)


def test_a_box_postponed_from_weeks_ago_needs_a_place_at_the_new_point_too(session: Session) -> None:
    camille = session.scalars(select(Account).where(Account.email == CAMILLE)).one()
    station = session.scalars(select(PickupPoint).where(PickupPoint.slug == "gare")).one()
    box = of_account(session, camille.id)[0]
    session.add(
        BoxChange(
            subscription_id=box.id,
            week=THIS_WEEK - 2 * WEEK,
            to_week=THIS_WEEK + 2 * WEEK,
            changed_at=NOW,
        )
    )
    station.capacity = 1
    session.flush()
    (there,) = (point for point in points(session) if point.slug == "gare")
    (holding,) = with_changes(session, [box], THIS_WEEK)
    wanted = replace(term_view(holding, holding.plan.terms[-1]), point=there)
    assert preview(session, [holding], box.id, wanted, now=NOW).refusal is Refusal.FULL
    outcome = change(session, camille, box.id, wanted, expected={box.id: THIS_WEEK + WEEK})
    assert outcome.answer is Refusal.FULL
    assert loads(session, [station.id], [THIS_WEEK + 2 * WEEK]) == {}
