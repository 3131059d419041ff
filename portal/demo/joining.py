"""Camille's contract; a pickup point that is full, and who waits for a place there."""

from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.accounts.models import Account
from portal.boxes.carried import loads
from portal.catalogue.models import Formula
from portal.demo import people
from portal.pickup.models import PickupPoint
from portal.planning import contracts
from portal.planning.joining import Joining, preview_joining
from portal.planning.models import Waiting
from portal.planning.previews import term_view
from portal.planning.waiting import weeks_ahead
from portal.profile.queries import get_farm
from portal.rules.waiting import kept_until
from portal.subscriptions.models import Subscription, Term
from portal.subscriptions.queries import of_account

WAITING = 4
"""Of whom the first is invited."""


def add_joining(session: Session, now: datetime) -> None:
    _sign_contract(session, now)
    _let_wait(session, now)


def _sign_contract(session: Session, now: datetime) -> None:
    """As it was when her boxes began; the deliveries of that time are forgotten, so their days are reckoned."""
    camille = session.scalars(select(Account).where(Account.email == people.SUBSCRIBER.email)).one()
    vegetables, eggs = of_account(session, camille.id)
    wanted, beside = (term_view(holding, holding.plan.terms[0]) for holding in (vegetables, eggs))
    found = preview_joining(session, wanted, now, beside=beside, by_farm=True).joining
    assert found
    ago = found.boxes[0].week - vegetables.plan.terms[0].monday
    made_at = session.get_one(Subscription, vegetables.id).created_at
    then = _earlier(found, ago)
    contracts.write(session, camille, then, [vegetables.id, eggs.id], get_farm(session), at=made_at)


def _earlier(joining: Joining, ago: timedelta) -> Joining:
    boxes = (
        replace(box, delivery=replace(box.delivery, day=box.delivery.day - ago)) for box in joining.boxes
    )
    return replace(joining, boxes=tuple(boxes), conditions=None)


def _let_wait(session: Session, now: datetime) -> None:
    """The point with the least room has none left."""
    points, weeks = session.scalars(select(PickupPoint).order_by(PickupPoint.id)).all(), weeks_ahead(now)
    taken = {p.id: max(loads(session, [p.id], weeks).values(), default=0) for p in points}
    full = min(points, key=lambda point: (point.capacity - taken[point.id], point.id))
    there = select(Subscription.account_id).join(Subscription.terms).where(Term.pickup_point_id == full.id)
    wishes = (
        select(Term)
        .join(Term.subscription)
        .join(Term.formula)
        .where(Subscription.last_day.is_(None), Subscription.account_id.not_in(there), Formula.weight > 0)
        .order_by(Subscription.account_id, Term.id)
    )
    full.capacity, full.free_places = taken[full.id], 0
    for number, wish in enumerate(session.scalars(wishes.offset(20).limit(WAITING)).unique().all()):
        asked = now - timedelta(days=9 - 2 * number, hours=number)
        row = Waiting(
            account_id=wish.subscription.account_id,
            pickup_point_id=full.id,
            formula_id=wish.formula_id,
            quantity=wish.quantity,
            asked_at=asked,
        )
        if not number:
            row.invited_at = now - timedelta(days=1)
            row.kept_until = kept_until(row.invited_at)
            full.capacity += wish.quantity * wish.formula.weight
        session.merge(row)
    session.flush()
