"""How an act on a planning is done: its case loaded under the locks, decided by the rules, written down.

Subscriptions are locked first, then orders, the deliveries concerned, then points; the clock is read once
the locks are held, so that nothing slips past the freeze.
"""

from collections.abc import Callable, Collection, Iterable
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.accounts.household import acts_for_farm
from portal.accounts.models import Account
from portal.boxes import services as boxes
from portal.boxes.carried import loads
from portal.boxes.queries import with_changes
from portal.catalogue.queries import sold_from
from portal.deliveries.queries import of_weeks
from portal.infra import clock, locks
from portal.pickup.models import PickupPoint
from portal.planning.aboard import settle
from portal.planning.case import Case, Orders
from portal.planning.places import kept_places, served
from portal.rules import capacity
from portal.rules.changes import Facts, Refusal
from portal.rules.orders import Aboard
from portal.rules.planning import Place, Plan, Season
from portal.shop.follow import hold_open
from portal.subscriptions import terms
from portal.subscriptions.models import Subscription
from portal.subscriptions.queries import Holding, of_account, withheld


def hold(
    session: Session,
    account: Account,
    subscription_ids: Collection[int],
    *,
    since: date,
    until: date,
    tours: Iterable[int] = (),
    by: Account | None = None,
    orders: Aboard | None = None,
) -> Case | None:
    """Lock subscriptions and the deliveries from one week to another; None where one is not the account's.

    `tours` are those concerned beside the subscriptions' own; `orders` is the person's wish for orders that
    lose their box.
    """
    asked = set(subscription_ids)
    locked = session.scalars(
        locks.for_update(
            select(Subscription)
            .where(Subscription.id.in_(asked), Subscription.account_id == account.id)
            .order_by(Subscription.id),
            of=Subscription,
        )
    ).all()
    if len(locked) != len(asked):
        return None
    open_orders = hold_open(session, account.id)
    mine = with_changes(session, of_account(session, account.id), since)
    holdings = [holding for holding in mine if holding.id in asked]
    farthest = (change.to_week for h in holdings for change in h.plan.changes.values() if change.to_week)
    until = max([until, *farthest])  # the farm may have taken a box along farther than one may postpone
    concerned = set(tours).union(*(holding.plan.tour_ids for holding in holdings))
    found = of_weeks(session, since, until, concerned, held=True)
    offers, prices = withheld(session), sold_from(session)
    season = Season(delivery.for_rules for delivery in found)
    return Case(
        account=account,
        by=by or account,
        holdings=tuple(holdings),
        deliveries={delivery.id: delivery for delivery in found},
        facts=Facts(season, clock.now(), offers, prices),
        others=tuple(holding for holding in mine if holding.id not in asked),
        orders=Orders(open_orders, orders),
    )


Decision = Callable[[Plan, Facts], Plan | Refusal]
"""What an act makes of a plan: another one, the same where it is as wished already, or why it cannot."""


def decide(session: Session, case: Case, decision: Decision) -> list[tuple[Holding, Plan]] | Refusal:
    """All the subscriptions or none: those whose plan changes, written down, or why nothing does."""
    changed = []
    for holding in case.holdings:
        outcome = decision(holding.plan, case.facts)
        if isinstance(outcome, Refusal):
            return outcome
        if outcome != holding.plan:
            changed.append((holding, outcome))
    if changed:
        if refusal := refusal_of_points(session, case, changed) or refusal_of_places(session, case, changed):
            return refusal
        if not settle(session, case, changed):
            return Refusal.ORDER_ABOARD
        locks.checked()
    for holding, plan in changed:
        write(session, case, holding.plan, plan)
        if come_to := {term.point_id for term in plan.terms} - {term.point_id for term in holding.plan.terms}:
            served(session, case.account.id, come_to)
    return changed


def write(session: Session, case: Case, before: Plan, after: Plan) -> None:
    terms.save(session, before, after, at=case.facts.now, by=case.by.id)
    terms.set_end(session, before, after, at=case.facts.now, by=case.by.id)
    boxes.save(session, before, after, at=case.facts.now, by=case.by.id)


def refusal_of_points(
    session: Session, case: Case, changed: Collection[tuple[Holding, Plan]]
) -> Refusal | None:
    """Whether a point that somebody newly comes to is still what it was before it was locked.

    Staff may meanwhile have retired it, given it another tour, or withheld a formula there.
    """
    named = {place for before, after in changed for place in _places(after) - _places(before.plan)}
    if not named:
        return None
    points = session.scalars(
        locks.for_update(
            select(PickupPoint)
            .where(PickupPoint.id.in_([place.point_id for place in named]))
            .order_by(PickupPoint.id),
            of=PickupPoint,
        )
    ).all()
    standing = {Place(point.id, point.tour_id) for point in points if point.retired_at is None}
    same = named <= standing and withheld(session) == case.facts.withheld
    return None if same else Refusal.NOT_OFFERED


def _places(plan: Plan) -> set[Place]:
    once = {change.place for change in plan.changes.values() if change.place}
    return {term.place for term in plan.terms} | once


def refusal_of_places(
    session: Session, case: Case, changed: Collection[tuple[Holding, Plan]]
) -> Refusal | None:
    """Whoever newly takes a place is checked under the point's lock; staff may exceed it."""
    if acts_for_farm(case.by, case.account):
        return None
    return refusal_where_full(session, changed, case.facts.season, account_id=case.account.id, held=True)


def refusal_where_full(
    session: Session,
    changed: Collection[tuple[Holding, Plan]],
    season: Season,
    *,
    account_id: int | None = None,
    held: bool = False,
) -> Refusal | None:
    """Whether a point lacks the places that are newly taken there, without what is theirs already.

    Who is invited from the waiting list has what is kept for them. `held` keeps the points until our commit;
    without it, it is as true as a page is.
    """
    before, after = capacity.Places(), capacity.Places()
    for holding, plan in changed:
        weight = {formula.id: formula.weight for formula in holding.formulas.values()}
        for taken, version in ((before, holding.plan), (after, plan)):
            weeks = {*season.weeks, *version.changes}  # a box may come that was postponed long before
            taken.update(capacity.places(version, weeks, season, weight))
    new = capacity.newly_taken(before, after)
    if not new:
        return None
    concerned = (
        select(PickupPoint)
        .where(PickupPoint.id.in_({point_id for point_id, _ in new}))
        .order_by(PickupPoint.id)
    )
    points = session.scalars(locks.for_update(concerned, of=PickupPoint) if held else concerned).all()
    others = loads(session, [p.id for p in points], {week for _, week in new}, {h.id for h, _ in changed})
    room = {point.id: point.capacity for point in points}
    for (point_id, invited), places in kept_places(session, list(room)).items():
        if invited != account_id:
            room[point_id] -= places
        elif all(new[key] <= places for key in new if key[0] == point_id):
            del room[point_id]
    full = any(others[key] + after[key] > room[key[0]] for key in new if key[0] in room)
    return Refusal.FULL if full else None
