"""One rule for persons and for the freeze, one statement for lists: the two say the same of every farm."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime, time, timedelta

import time_machine
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import ColumnElement, Subquery, insert, select
from sqlalchemy.orm import Session

from portal.accounts.models import Account
from portal.boxes.carried import counts, loads, packing, received
from portal.boxes.models import Basket, BoxChange, Suspension
from portal.boxes.queries import member_boxes, with_changes
from portal.boxes.services import freeze
from portal.catalogue.models import Formula, FormulaPrice, Kind
from portal.deliveries import models as deliveries
from portal.deliveries.queries import upcoming
from portal.pickup.models import PickupPoint, PointClosing
from portal.rules import capacity, planning
from portal.rules.calendar import WEEK, Rhythm, fortnight_of
from portal.rules.cutoffs import Lead, cutoff_instant
from portal.rules.money import Money
from portal.rules.planning import (
    NO_CHANGE,
    Box,
    Closing,
    Delivery,
    Place,
    Plan,
    Season,
    Term,
    WeekChange,
    baskets_at_freeze,
    project,
)
from portal.rules.pricing import DatedPrice, price_on
from portal.subscriptions import models as subscriptions
from portal.subscriptions.queries import of_account
from tests.infra.workers import ROUNDS

# The tests' small farm has ids of its own below these.
TOURS = [1001, 1002, 1003]
POINTS = [(tour * 10 + n, tour) for tour in TOURS for n in (0, 1)]
FORMULAS = [1001, 1002, 1003]
WEIGHTS = {1001: 0, 1002: 1, 1003: 2}
ACCOUNTS = [1001, 1002, 1003]
LEAD = Lead(2, time(23, 59))
WEEKS = 4
FIRST_WEEKS = [date(2026, 12, 21), date(2026, 10, 19)]
"""Around week 53, and around the 25-hour Sunday."""

weeks_ahead = st.integers(0, WEEKS - 1)


@dataclass(frozen=True)
class Farm:
    """A farm as the rules see it; `owners` says whose each subscription is, `undone` which changes were taken back."""

    deliveries: list[Delivery]
    plans: list[Plan]
    owners: dict[int, int]
    undone: set[tuple[int, date]]
    prices: dict[int, list[DatedPrice]]
    closings: tuple[Closing, ...]

    def baskets(self) -> list[Box]:
        return [box for delivery in self.deliveries for box in baskets_at_freeze(self.plans, delivery)]


@st.composite
def farms(draw: st.DrawFn) -> Farm:
    first = draw(st.sampled_from(FIRST_WEEKS))
    closings = draw(closings_from(first))
    plans = [
        replace(draw(plans_of(1001 + n, first)), closings=closings) for n in range(draw(st.integers(4, 10)))
    ]
    undone = {
        (plan.subscription_id, first + n * WEEK)
        for plan in plans
        for n in draw(st.sets(weeks_ahead, max_size=2))
        if first + n * WEEK not in plan.changes
    }
    prices = {formula: draw(prices_from(first)) for formula in FORMULAS}
    owners = {plan.subscription_id: draw(st.sampled_from(ACCOUNTS)) for plan in plans}
    return Farm(draw(seasons(first)), plans, owners, undone, prices, closings)


@st.composite
def closings_from(draw: st.DrawFn, first: date) -> tuple[Closing, ...]:
    """Some points closed for some days, one after the other on a tour; some of the closings were taken back."""
    closed = []
    for tour in TOURS:
        free = first
        for _ in range(draw(st.integers(0, 2))):
            point, substitute = draw(st.permutations([tour * 10, tour * 10 + 1]))
            since = free + timedelta(days=draw(st.integers(0, 14)))
            until = since + timedelta(days=draw(st.integers(0, 14)))
            made_at, ended_at = sorted([draw(moments_from(first)), draw(moments_from(first))])
            ended = draw(st.sampled_from([None, ended_at]))
            closed.append(Closing(point, substitute, since, until, made_at, ended))
            free = until + timedelta(days=1)
    return tuple(closed)


@st.composite
def seasons(draw: st.DrawFn, first: date) -> list[Delivery]:
    """Some deliveries cancelled, some moved by up to three days."""
    every = st.tuples(st.sampled_from(TOURS), weeks_ahead)
    cancelled = draw(st.sets(every, max_size=4))
    moved = draw(st.dictionaries(every, st.integers(-3, 3), max_size=4))
    season = []
    for tour in TOURS:
        weekday = draw(st.integers(0, 6))
        for n in range(WEEKS):
            day = first + n * WEEK + timedelta(days=weekday + moved.get((tour, n), 0))
            cutoff = cutoff_instant(day, LEAD)
            season.append(
                Delivery(
                    tour * 100 + n, tour, first + n * WEEK, day, cutoff, cancelled=(tour, n) in cancelled
                )
            )
    return season


@st.composite
def plans_of(draw: st.DrawFn, subscription: int, first: date) -> Plan:
    terms = []
    for n in sorted(draw(st.sets(st.integers(-2, WEEKS), min_size=1, max_size=4))):
        formula, quantity = draw(st.sampled_from(FORMULAS)), draw(st.integers(1, 3))
        rhythm, (point, tour) = draw(st.sampled_from(Rhythm)), draw(st.sampled_from(POINTS))
        terms.append(Term(first + n * WEEK, formula, quantity, rhythm, point, tour))
    last_day = draw(st.none() | st.integers(0, 7 * WEEKS).map(lambda n: first + timedelta(days=n)))
    suspensions = draw(st.lists(suspensions_from(first), max_size=2))
    return Plan(subscription, tuple(terms), draw(changes_from(first)), tuple(suspensions), last_day)


@st.composite
def changes_from(draw: st.DrawFn, first: date) -> dict[date, WeekChange]:
    """One-off changes of some weeks; no two boxes are postponed to the same one."""
    changes = {}
    free = set(range(1, WEEKS))
    for n in draw(st.sets(weeks_ahead, max_size=3)):
        later = draw(st.sampled_from([None, *sorted(m for m in free if m > n)]))
        free.discard(later)
        skip = draw(st.none() | st.booleans())
        place = draw(st.none() | st.sampled_from(POINTS))
        change = WeekChange(
            skip=skip,
            skip_at=None if skip is None else draw(moments_from(first)),
            to_week=None if later is None else first + later * WEEK,
            place=Place(*place) if place else None,
            formula_id=draw(st.none() | st.sampled_from(FORMULAS)),
            quantity=draw(st.none() | st.integers(1, 3)),
        )
        if change != NO_CHANGE:
            changes[first + n * WEEK] = change
    return changes


@st.composite
def suspensions_from(draw: st.DrawFn, first: date) -> planning.Suspension:
    since = first + timedelta(days=draw(st.integers(-7, 7 * WEEKS)))
    until = since + timedelta(days=draw(st.integers(0, 21)))
    made_at, ended_at = sorted([draw(moments_from(first)), draw(moments_from(first))])
    return planning.Suspension(since, until, made_at, draw(st.sampled_from([None, ended_at])))


def moments_from(first: date) -> st.SearchStrategy[datetime]:
    """Some of them are the very cutoff of a delivery."""
    return st.integers(-14, 7 * WEEKS).map(lambda n: cutoff_instant(first + timedelta(days=n), LEAD))


@st.composite
def prices_from(draw: st.DrawFn, first: date) -> list[DatedPrice]:
    changes = draw(st.sets(st.integers(0, 7 * WEEKS), max_size=3))
    since = [date(2020, 1, 1), *(first + timedelta(days=n) for n in sorted(changes))]
    return [
        DatedPrice(day, Money(draw(st.integers(0, 5000))), draw(st.sampled_from([550, 2000])))
        for day in since
    ]


def write(session: Session, farm: Farm) -> None:
    """The farm's rows, in few statements."""
    tours = [
        {"id": t, "slug": f"t{t}", "name": "", "weekday": 0, "lead_days": 2, "lead_time": time(23, 59)}
        for t in TOURS
    ]
    session.execute(insert(deliveries.Tour), tours)
    session.execute(insert(deliveries.Delivery), [_delivery(d) for d in farm.deliveries])
    session.execute(insert(PickupPoint), [_point(point, tour) for point, tour in POINTS])
    session.execute(insert(Formula), [_formula(formula) for formula in FORMULAS])
    prices = [
        {"formula_id": formula, "since": p.since, "price": p.price, "vat_basis_points": p.vat_basis_points}
        for formula, dated in farm.prices.items()
        for p in dated
    ]
    session.execute(insert(FormulaPrice), prices)
    long_ago = datetime(2020, 1, 1, tzinfo=UTC)
    names = {"password": None, "first_name": "", "last_name": "", "created_at": long_ago}
    session.execute(
        insert(Account),
        [{"id": a, "email": f"{a}@example.org", "fs_uniquifier": str(a), **names} for a in ACCOUNTS],
    )
    rows = [
        {
            "id": plan.subscription_id,
            "account_id": farm.owners[plan.subscription_id],
            "created_at": long_ago,
            "last_day": plan.last_day,
        }
        for plan in farm.plans
    ]
    session.execute(insert(subscriptions.Subscription), rows)
    session.execute(insert(subscriptions.Term), [row for plan in farm.plans for row in _terms(plan)])
    changes = {(plan.subscription_id, week): c for plan in farm.plans for week, c in plan.changes.items()}
    changes |= dict.fromkeys(farm.undone, NO_CHANGE)
    if changes:
        session.execute(insert(BoxChange), [_change(*key, change) for key, change in changes.items()])
    suspended = [_suspension(plan, suspension) for plan in farm.plans for suspension in plan.suspensions]
    if suspended:
        session.execute(insert(Suspension), suspended)
    if farm.closings:
        session.execute(insert(PointClosing), [_closing(closing) for closing in farm.closings])


def _closing(closing: Closing) -> dict[str, object]:
    row = asdict(closing) | {"reason": ""}
    del row["id"]
    row["pickup_point_id"] = row.pop("point_id")
    return row


def _change(subscription: int, week: date, change: WeekChange) -> dict[str, object]:
    return {
        "subscription_id": subscription,
        "week": week,
        "skip": change.skip,
        "skip_at": change.skip_at,
        "to_week": change.to_week,
        "pickup_point_id": change.place.point_id if change.place else None,
        "formula_id": change.formula_id,
        "quantity": change.quantity,
        "changed_at": datetime(2020, 1, 1, tzinfo=UTC),
    }


def _suspension(plan: Plan, suspension: planning.Suspension) -> dict[str, object]:
    return {
        "subscription_id": plan.subscription_id,
        "first_day": suspension.first_day,
        "last_day": suspension.last_day,
        "made_at": suspension.made_at,
        "ended_at": suspension.ended_at,
    }


def _delivery(delivery: Delivery) -> dict[str, object]:
    return {
        "id": delivery.id,
        "tour_id": delivery.tour_id,
        "week": delivery.week,
        "fortnight": fortnight_of(delivery.week),
        "nominal_day": delivery.week,
        "day": delivery.day,
        "cutoff_at": delivery.cutoff,
        "cancelled_at": delivery.cutoff if delivery.cancelled else None,
    }


def _point(point: int, tour: int) -> dict[str, object]:
    texts = dict.fromkeys(("name", "address", "postcode", "town", "access"), "")
    hours = {"opens": time(16), "closes": time(19)}
    where = {"position": point, "latitude": 44.4, "longitude": 5.7, "capacity": 40}
    return {"id": point, "tour_id": tour, "slug": f"p{point}", **texts, **hours, **where}


def _formula(formula: int) -> dict[str, object]:
    texts = dict.fromkeys(("name", "short_name", "description", "serves", "drawing"), "")
    return {
        "id": formula,
        "slug": f"f{formula}",
        "kind": Kind.EGGS,
        "position": formula,
        "weight": WEIGHTS[formula],
        **texts,
    }


def _terms(plan: Plan) -> Iterable[dict[str, object]]:
    ends = [term.monday for term in plan.terms[1:]]
    for term, until in zip(plan.terms, [*ends, None], strict=True):
        yield {
            "subscription_id": plan.subscription_id,
            "monday": term.monday,
            "until": until,
            "formula_id": term.formula_id,
            "quantity": term.quantity,
            "rhythm": term.rhythm,
            "pickup_point_id": term.point_id,
        }


def _columns(carried: Subquery) -> list[ColumnElement[object]]:
    names = ("subscription_id", "week", "delivery_id", "formula_id", "quantity", "pickup_point_id")
    return [carried.c[name] for name in names]


def as_row(box: Box) -> tuple[object, ...]:
    return (box.subscription_id, box.week, box.delivery.id, box.formula_id, box.quantity, box.point_id)


def says_of_lists(session: Session, ids: list[int]) -> tuple[Counter[object], Counter[object]]:
    """What the counts and the packing list hold of these deliveries."""
    counted: Counter[object] = Counter()
    for delivery_id, found in counts(session, ids).items():
        for count in found:
            counted[delivery_id, count.formula_id, count.pickup_point_id] += count.boxes
    packed: Counter[object] = Counter()
    for delivery_id in ids:
        for box in packing(session, delivery_id):
            packed[delivery_id, box.account_id, box.formula_id, box.pickup_point_id] += box.quantity
    return counted, packed


def says_to_members(session: Session, season: list[Delivery]) -> set[tuple[object, ...]]:
    """What people's own pages hold of these deliveries, and whether it is skipped."""
    days = [delivery.day for delivery in season]
    views = upcoming(session, min(days), max(days), TOURS)
    return {
        (
            *(box.subscription_id, box.week, box.delivery.id, box.formula.id, box.quantity, box.point.id),
            box.absence,
        )
        for account in ACCOUNTS
        for box in member_boxes(
            session, with_changes(session, of_account(session, account), min(days)), views
        )
    }


@settings(
    max_examples=12 * ROUNDS,
    deadline=None,
    # every example begins on the small farm again: it is rolled back
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(farm=farms())
def test_members_lists_and_the_freeze_say_the_same(
    session: Session, clock: time_machine.Traveller, farm: Farm
) -> None:
    try:
        write(session, farm)
        compare(session, clock, farm)
    finally:
        session.rollback()
        session.expunge_all()


def compare(session: Session, clock: time_machine.Traveller, farm: Farm) -> None:
    ids = [delivery.id for delivery in farm.deliveries]
    baskets = farm.baskets()
    expected = sorted(map(as_row, baskets))
    assert (
        sorted(tuple(row) for row in session.execute(select(*_columns(received(ids).subquery())))) == expected
    )

    counted: Counter[object] = Counter()
    packed: Counter[object] = Counter()
    for box in baskets:
        owner = farm.owners[box.subscription_id]
        counted[box.delivery.id, box.formula_id, box.point_id] += box.quantity
        packed[box.delivery.id, owner, box.formula_id, box.point_id] += box.quantity
    shown = {(*as_row(box), box.absence) for plan in farm.plans for box in project(plan, farm.deliveries)}
    assert says_of_lists(session, ids) == (counted, packed)
    assert says_to_members(session, farm.deliveries) == shown

    weeks = sorted({delivery.week for delivery in farm.deliveries})
    places = sum(
        (capacity.places(plan, weeks, Season(farm.deliveries), WEIGHTS) for plan in farm.plans),
        capacity.Places(),
    )
    assert loads(session, [point for point, _ in POINTS], weeks) == places

    clock.move_to(max(delivery.cutoff for delivery in farm.deliveries))
    assert [freeze(session, i) for i in ids] == [not delivery.cancelled for delivery in farm.deliveries]
    columns = [column for column in Basket.__table__.columns if column.name != "id"]
    rows = session.execute(select(*columns).where(Basket.delivery_id.in_(ids)))
    priced = []
    for box in baskets:
        price = price_on(farm.prices[box.formula_id], box.delivery.day)
        priced.append((*as_row(box), price.price, price.vat_basis_points, box.quantity))
    assert sorted(tuple(row) for row in rows) == sorted(priced)
    assert says_of_lists(session, ids) == (counted, packed)
    assert says_to_members(session, farm.deliveries) == shown
