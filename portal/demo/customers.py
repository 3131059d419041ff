"""The demo farm's subscribers: what they take and where, what they change, when they are away."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice, pairwise
from random import Random
from uuid import uuid4

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.accounts.models import Account
from portal.boxes import models as boxes
from portal.boxes.models import BoxChange
from portal.catalogue.models import Formula, Kind
from portal.deliveries import queries
from portal.demo import people
from portal.pickup.models import PickupPoint
from portal.rules.calendar import WEEK, Rhythm, monday_of
from portal.rules.changes import Facts, postponements, refusal_to_move, with_place, with_postponement
from portal.rules.cutoffs import local_day
from portal.rules.planning import Box, Place, Plan, Season, Suspension, Term, WeekChange, project
from portal.rules.terms import TermChange, apply_change, effective_monday
from portal.subscriptions import models

BEFORE, AHEAD = 13 * WEEK, 10 * WEEK
"""The time in which people are away now and then."""


@dataclass(frozen=True, slots=True)
class Customer:
    """A person, the plans of what is received, and when each week's change was chosen."""

    person: people.Person
    created_at: datetime
    plans: tuple[Plan, ...]
    chosen: tuple[dict[date, datetime], ...]


class Market:
    """What there is to choose from: formulas, points with room, deliveries near enough to matter."""

    def __init__(self, session: Session, draw: Random, now: datetime) -> None:
        self.draw = draw
        self.now = now
        self.this_week = monday_of(local_day(now))
        formulas = session.scalars(select(Formula).order_by(Formula.position))
        self.formulas = {formula.slug: formula for formula in formulas}
        self.boxes = [formula for formula in self.formulas.values() if formula.kind is Kind.VEGETABLES]
        self.eggs = next(formula for formula in self.formulas.values() if formula.kind is Kind.EGGS)
        self.points = list(session.scalars(select(PickupPoint).order_by(PickupPoint.id)))
        # A tenth stays free, for those who change to a larger box.
        self.room = {point.id: point.capacity * 9 // 10 for point in self.points}
        since, until = self.this_week - BEFORE, self.this_week + AHEAD
        self.deliveries = [delivery.for_rules for delivery in queries.upcoming(session, since, until)]

    def take_place(self, weight: int) -> PickupPoint:
        """A point with room, the larger ones more often; the place is taken."""
        free = [point for point in self.points if self.room[point.id] >= weight]
        point = self.draw.choices(free, [point.capacity for point in free])[0]
        self.room[point.id] -= weight
        return point

    def boxes_of(self, plan: Plan) -> list[Box]:
        tours = {term.tour_id for term in plan.terms}
        return project(plan, [delivery for delivery in self.deliveries if delivery.tour_id in tours])


def camille(market: Market) -> Customer:
    """The subscriber who signs in: vegetables and eggs at one point, one box of vegetables skipped ahead."""
    point = next(point for point in market.points if point.slug == "serres-cafe-librairie")
    formula = market.formulas["panier-moyen"]
    start = market.this_week - 40 * WEEK
    market.room[point.id] -= formula.weight
    vegetables = Plan(0, (Term(start, formula.id, 1, Rhythm.WEEKLY, point.id, point.tour_id),))
    eggs = _eggs_beside(vegetables, market)
    coming = [box for box in market.boxes_of(vegetables) if box.delivery.is_open(market.now)]
    skips = {coming[2].week: market.now - timedelta(days=2)}
    plans = (_skipping(vegetables, skips), eggs)
    return Customer(people.SUBSCRIBER, _joined(start, market), plans, (skips, {}))


def crowd(market: Market) -> Iterator[Customer]:
    """As many more as are asked for."""
    draw = market.draw
    for person in people.subscribers(draw):
        plan = _vegetables(market)
        taste = draw.random()
        if taste < 0.65:
            plans: tuple[Plan, ...] = (plan,)
        elif taste < 0.97:
            plans = (plan, _eggs_beside(plan, market))
        else:
            plans = (_eggs_beside(plan, market),)
        created_at = _joined(plan.terms[0].monday, market)
        away = _weeks_away(market)
        chosen = tuple(_skips(each, away, created_at, market) for each in plans)
        changed = tuple(map(_skipping, plans, chosen))
        if created_at < market.now - WEEK:
            changed = _once(changed, chosen, market)
        yield Customer(person, created_at, changed, chosen)


def save(session: Session, customers: list[Customer]) -> list[Account]:
    """Write them in their order; the accounts have no passwords."""
    accounts, rows = [], []
    for number, customer in enumerate(customers):
        account = account_of(customer.person, customer.created_at)
        account.note = people.note_of(number)
        accounts.append(account)
        for plan, chosen in zip(customer.plans, customer.chosen, strict=True):
            subscription = _subscription(account, plan, customer.created_at)
            session.add(subscription)
            rows.append((subscription, plan, chosen))
    session.flush()
    for subscription, plan, chosen in rows:
        session.add_all(
            _box_change(subscription, week, plan.changes[week], at) for week, at in chosen.items()
        )
        session.add_all(_pause(subscription, suspension) for suspension in plan.suspensions)
    session.flush()
    return accounts


def _box_change(subscription: models.Subscription, week: date, change: WeekChange, at: datetime) -> BoxChange:
    return BoxChange(
        subscription_id=subscription.id,
        week=week,
        skip=change.skip,
        skip_at=change.skip_at,
        to_week=change.to_week,
        pickup_point_id=change.place.point_id if change.place else None,
        formula_id=change.formula_id,
        quantity=change.quantity,
        changed_at=at,
        changed_by=subscription.account_id,
    )


def _pause(subscription: models.Subscription, suspension: Suspension) -> boxes.Suspension:
    return boxes.Suspension(
        subscription_id=subscription.id,
        first_day=suspension.first_day,
        last_day=suspension.last_day,
        made_at=suspension.made_at,
        made_by=subscription.account_id,
    )


def account_of(person: people.Person, created_at: datetime, password: str | None = None) -> Account:
    return Account(
        email=person.email,
        password=password,
        fs_uniquifier=uuid4().hex,  # the one thing that must not be guessed from the seed
        first_name=person.first_name,
        last_name=person.last_name,
        phone=person.phone,
        created_at=created_at,
    )


def _subscription(account: Account, plan: Plan, created_at: datetime) -> models.Subscription:
    untils = [following.monday for _, following in pairwise(plan.terms)] + [None]
    return models.Subscription(
        account=account,
        created_at=created_at,
        last_day=plan.last_day,
        terms=[
            models.Term(
                monday=term.monday,
                until=until,
                formula_id=term.formula_id,
                quantity=term.quantity,
                rhythm=term.rhythm,
                pickup_point_id=term.point_id,
            )
            for term, until in zip(plan.terms, untils, strict=True)
        ],
    )


def _vegetables(market: Market) -> Plan:
    """Most came long ago, some lately or begin soon; some have changed, will change, have stopped or will."""
    draw = market.draw
    formula = draw.choices(market.boxes, (45, 35, 20))[0]
    quantity = 1 + (draw.random() < 0.02)
    rhythm = draw.choices(tuple(Rhythm), (70, 15, 15))[0]
    point = market.take_place(formula.weight * quantity)
    term = Term(market.this_week, formula.id, quantity, rhythm, point.id, point.tour_id)

    start = draw.random()
    if start < 0.03:  # a week later than the first possible: no delivery of that week can be closed yet
        return Plan(0, (replace(term, monday=market.this_week + 2 * WEEK),))
    if start < 0.15:
        return Plan(0, (replace(term, monday=market.this_week - draw.randint(1, 12) * WEEK),))
    plan = Plan(0, (replace(term, monday=market.this_week - draw.randint(14, 160) * WEEK),))

    match draw.choices(("steady", "changed", "changing", "stopped", "stopping"), (76, 12, 5, 5, 2))[0]:
        case "changed":
            monday = market.this_week - draw.randint(1, 12) * WEEK
            plan = apply_change(plan, _change(term, market), monday)
        case "changing":
            change = _change(term, market)
            plan = apply_change(plan, change, _ahead(plan, change, market))
        case "stopped":
            plan = replace(plan, last_day=local_day(market.now) - timedelta(days=draw.randint(7, 84)))
        case "stopping":
            plan = replace(plan, last_day=local_day(market.now) + timedelta(days=draw.randint(15, 60)))
    return plan


def _ahead(plan: Plan, change: TermChange, market: Market) -> date:
    """A Monday to come from which the rules allow the change."""
    coming = Season(delivery for delivery in market.deliveries if delivery.week >= market.this_week)
    allowed = effective_monday(plan=plan, change=change, season=coming, now=market.now)
    return max(allowed, market.this_week + WEEK)


def _change(term: Term, market: Market) -> TermChange:
    draw = market.draw
    wish = draw.randrange(3)
    if wish == 0:
        others = [formula.id for formula in market.boxes if formula.id != term.formula_id]
        return TermChange(formula_id=draw.choice(others))
    if wish == 1:
        return TermChange(rhythm=draw.choice([rhythm for rhythm in Rhythm if rhythm is not term.rhythm]))
    point = market.take_place(2 * term.quantity)
    return TermChange(point_id=point.id, tour_id=point.tour_id)


def _eggs_beside(plan: Plan, market: Market) -> Plan:
    """Eggs in the rhythm and at the point of the vegetables."""
    return apply_change(plan, TermChange(formula_id=market.eggs.id), plan.terms[0].monday)


def _weeks_away(market: Market) -> set[date]:
    """The weeks in which somebody is away: now and then one, in the holidays two or three."""
    draw = market.draw
    away: set[date] = set()
    for _ in range(draw.choices((0, 1, 2, 3), (40, 30, 20, 10))[0]):
        first = market.this_week + draw.randrange(-BEFORE // WEEK, AHEAD // WEEK) * WEEK
        away.update(first + week * WEEK for week in range(draw.choices((1, 2, 3), (70, 20, 10))[0]))
    return away


def _skips(plan: Plan, away: set[date], created_at: datetime, market: Market) -> dict[date, datetime]:
    """The skipped boxes, each with a moment before its cutoff."""
    skips = {}
    for box in market.boxes_of(plan) if away else ():
        if box.week in away:
            chosen = min(box.delivery.cutoff, market.now) - timedelta(minutes=market.draw.randint(30, 12_000))
            skips[box.week] = max(chosen, created_at)
    return skips


def _skipping(plan: Plan, skips: dict[date, datetime]) -> Plan:
    for week, at in skips.items():
        plan = plan.with_change(week, skip=True, skip_at=at)
    return plan


def _once(
    plans: tuple[Plan, ...], chosen: tuple[dict[date, datetime], ...], market: Market
) -> tuple[Plan, ...]:
    """Now and then something else than a skip: all boxes suspended for a while, one postponed, one elsewhere."""
    draw, plan = market.draw, plans[0]
    at = market.now - timedelta(minutes=draw.randint(30, 2_000))
    facts = Facts(Season(market.deliveries), at)
    wish = draw.random()
    if wish < 0.04:
        first = local_day(market.now) + timedelta(days=draw.randint(7, 40))
        pause = Suspension(first, first + timedelta(days=draw.randint(9, 24)), made_at=at)
        return tuple(replace(each, suspensions=(pause,)) for each in plans)
    open_boxes = [
        box
        for box in market.boxes_of(plan)
        if box.comes and box.delivery.is_open(market.now) and box.week not in chosen[0]
    ]
    if wish >= 0.1 or not open_boxes:
        return plans
    week = draw.choice(open_boxes[:3]).week
    if wish < 0.07 and (later := postponements(plan, week, facts)):
        plan = with_postponement(plan, week, later[0].week)
    elif wish >= 0.07:
        point = market.take_place(2)
        place = Place(point.id, point.tour_id)
        if refusal_to_move(plan, week, place, facts) is None:
            plan = with_place(plan, week, place)
    if week in plan.changes:
        chosen[0][week] = at
    return (plan, *plans[1:])


def _joined(start: date, market: Market) -> datetime:
    """The evening of the subscription: a week before the first one counts, in time for any cutoff."""
    evening = time(17, market.draw.randrange(60))
    return min(datetime.combine(start - timedelta(days=8), evening, UTC), market.now - timedelta(days=1))


def first(count: int, market: Market) -> list[Customer]:
    """Camille, then as many others as make up the number."""
    return [camille(market), *islice(crowd(market), count - 1)]
