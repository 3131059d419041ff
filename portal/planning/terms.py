"""Changing a subscription's terms, seen before it is confirmed, and taking that back."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from itertools import islice

from sqlalchemy.orm import Session

from portal.accounts import household
from portal.accounts.models import Account
from portal.boxes.queries import MemberBox, member_box, member_boxes
from portal.catalogue.queries import FormulaView, formula_prices
from portal.deliveries.queries import DeliveryState, DeliveryView, of_weeks
from portal.infra import clock
from portal.pickup.queries import PointView
from portal.planning.aboard import Orders
from portal.planning.desk import Case, decide, hold, refusal_where_full
from portal.rules.calendar import WEEK, Rhythm, monday_of, receives
from portal.rules.changes import Facts, Refusal
from portal.rules.cutoffs import local_day
from portal.rules.money import Money
from portal.rules.orders import Aboard
from portal.rules.planning import Delivery, Plan, Season, Term, boxes_on, carrier, term_in_force
from portal.rules.pricing import DatedPrice, price_on
from portal.rules.terms import (
    TermChange,
    adopted,
    apply_change,
    dropped,
    effective_monday,
    set_aside,
    taken_back,
    withdrawable_until,
)
from portal.subscriptions.queries import Holding, withheld

HORIZON = timedelta(weeks=60)
"""As far as deliveries are known."""

SHOWN = 6
"""Weeks before and after, side by side."""

DAYS = 3
"""A rhythm is said by so many dates."""

Prices = Mapping[int, list[DatedPrice]]


@dataclass(frozen=True, slots=True)
class TermView:
    """What a subscription is, or shall be, as pages name it."""

    formula: FormulaView
    quantity: int
    rhythm: Rhythm
    point: PointView

    @property
    def label(self) -> str:
        """« 2 × Petit panier »"""
        return f"{self.quantity} × {self.formula.name}" if self.quantity > 1 else self.formula.name

    def over(self, term: Term) -> TermChange:
        """The change that it asks for: only the fields that differ are named."""
        return replace(
            self.moving(term),
            formula_id=self.formula.id if self.formula.id != term.formula_id else None,
            quantity=self.quantity if self.quantity != term.quantity else None,
            rhythm=self.rhythm if self.rhythm is not term.rhythm else None,
        )

    def moving(self, term: Term) -> TermChange:
        """As much of it as concerns what moves along to its point."""
        if self.point.id == term.point_id:
            return TermChange()
        return TermChange(point_id=self.point.id, tour_id=self.point.tour_id)

    def price(self, prices: Prices, day: date) -> Money:
        """By delivery, all taxes included."""
        return price_on(prices[self.formula.id], day).price * self.quantity


def term_view(holding: Holding, term: Term) -> TermView:
    return TermView(
        holding.formulas[term.formula_id], term.quantity, term.rhythm, holding.points[term.point_id]
    )


def _term_of(holding: Holding, week: date) -> TermView:
    term = term_in_force(holding.plan.terms, week)
    assert term, "a change begins no earlier than the subscription"
    return term_view(holding, term)


@dataclass(frozen=True, slots=True)
class Row:
    """A week before and after: the boxes that arrive in it, absent ones too."""

    week: date
    before: tuple[MemberBox, ...]
    after: tuple[MemberBox, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """What a change of terms comes to for one subscription.

    `until` is the first refused instant for taking it back, None where it cannot be; `days` are the first ones
    under the new terms; `kept` are boxes to come that it is too late for; `aside` are the weeks whose one-off
    changes say nothing any more, `dropped` those that lose one for good, `rehomed` the postponed boxes that
    find another date.
    """

    before: Holding
    after: Holding
    monday: date
    until: datetime | None
    days: tuple[date, ...]
    price_before: Money
    price_after: Money
    rows: tuple[Row, ...]
    kept: tuple[MemberBox, ...]
    aside: tuple[date, ...]
    dropped: tuple[date, ...]
    rehomed: tuple[MemberBox, ...]

    @property
    def id(self) -> int:
        return self.before.id

    @property
    def old(self) -> TermView:
        return _term_of(self.before, self.monday)

    @property
    def new(self) -> TermView:
        return _term_of(self.after, self.monday)


@dataclass(frozen=True, slots=True)
class Preview:
    """What a choice would come to, or why it cannot be; `rhythms` says each rhythm by its first dates.

    `full` says that a point lacks the places, which staff may exceed.
    """

    rhythms: dict[Rhythm, tuple[date, ...]]
    changes: tuple[Change, ...] = ()
    refusal: Refusal | None = None
    full: bool = False


@dataclass(frozen=True, slots=True)
class _Farm:
    """What a change is worked out from."""

    facts: Facts
    deliveries: Collection[DeliveryView]
    prices: Prices


def preview(
    session: Session,
    holdings: Iterable[Holding],
    subscription_id: int,
    wanted: TermView,
    *,
    also: Collection[int] = (),
    now: datetime,
    account_id: int | None = None,
    by_farm: bool = False,
) -> Preview:
    """What it would come to that a subscription becomes otherwise and others move along; writes nothing.

    `holdings` know their changes. The others are those of `also`.
    """
    concerned = [h for h in holdings if h.id == subscription_id or h.id in also]
    since = monday_of(local_day(now)) - WEEK
    tours = {wanted.point.tour_id}.union(*(holding.plan.tour_ids for holding in concerned))
    found = of_weeks(session, since, since + HORIZON, tours)
    facts = Facts(Season(delivery.for_rules for delivery in found), now, withheld(session))
    main = next(holding.plan for holding in concerned if holding.id == subscription_id)
    rhythms = {
        rhythm: first_days(facts, wanted.point.tour_id, rhythm, monday)
        for rhythm in Rhythm
        for monday in [_monday(main, replace(wanted, rhythm=rhythm).over(main.terms[-1]), facts)]
    }
    changed = _changed(concerned, subscription_id, wanted, facts)
    if isinstance(changed, Refusal):
        return Preview(rhythms, refusal=changed)
    full = refusal_where_full(session, changed, facts.season, account_id=account_id)
    if full and not by_farm:
        return Preview(rhythms, refusal=full)
    farm = _Farm(facts, found, formula_prices(session))
    return Preview(rhythms, _shown(session, changed, farm), full=full is not None)


def first_days(facts: Facts, tour_id: int, rhythm: Rhythm, monday: date) -> tuple[date, ...]:
    """A rhythm's first dates on a tour from a Monday on: what is closed or cancelled is none of them."""
    days = (
        d.day
        for d in facts.season
        if d.tour_id == tour_id
        and d.week >= monday
        and receives(rhythm, d.fortnight)
        and d.is_open(facts.now)
    )
    return tuple(islice(days, DAYS))


def _changed(
    holdings: Iterable[Holding], subscription_id: int, wanted: TermView, facts: Facts
) -> list[tuple[Holding, Plan]] | Refusal:
    """The subscriptions that are not as wanted, with their plans from the first Monday on which it can hold."""
    changed = []
    for holding in holdings:
        latest = holding.plan.terms[-1]
        asked = wanted.over(latest) if holding.id == subscription_id else wanted.moving(latest)
        if asked == TermChange():
            continue
        monday = _monday(holding.plan, asked, facts)
        after = apply_change(holding.plan, asked, monday)
        if not first_days(facts, after.terms[-1].tour_id, after.terms[-1].rhythm, monday):
            return Refusal.NOT_EXPECTED
        plan = adopted(holding.plan, after, monday, facts)
        if isinstance(plan, Refusal):
            return plan
        changed.append((_knowing(holding, wanted), plan))
    return changed


def _monday(plan: Plan, change: TermChange, facts: Facts) -> date:
    return effective_monday(plan=plan, change=change, season=facts.season, now=facts.now)


def _knowing(holding: Holding, wanted: TermView) -> Holding:
    return replace(
        holding,
        formulas={wanted.formula.id: wanted.formula} | holding.formulas,
        points={wanted.point.id: wanted.point} | holding.points,
    )


def _shown(session: Session, changed: Collection[tuple[Holding, Plan]], farm: _Farm) -> tuple[Change, ...]:
    this_week = monday_of(local_day(farm.facts.now))
    ahead = [d for d in farm.deliveries if this_week <= d.week < this_week + SHOWN * WEEK]
    # what is frozen stays as it is written: one query for all
    frozen = member_boxes(session, [holding for holding, _ in changed], [d for d in ahead if d.frozen_at])
    coming = [d for d in ahead if not d.frozen_at]
    changes = []
    for holding, plan in changed:
        kept = [box for box in frozen if box.subscription_id == holding.id]
        after = replace(holding, plan=plan)
        old, new = ([*kept, *member_boxes(session, [version], coming)] for version in (holding, after))
        rows = tuple(
            Row(week, *(tuple(box for box in boxes if box.delivery.week == week) for boxes in (old, new)))
            for week in (this_week + n * WEEK for n in range(SHOWN))
        )
        changes.append(_change(holding, after, rows, farm))
    return tuple(changes)


def _change(holding: Holding, changed: Holding, rows: tuple[Row, ...], farm: _Farm) -> Change:
    before, after, season = holding.plan, changed.plan, farm.facts.season
    monday = min(term.monday for term in {*before.terms} ^ {*after.terms})
    days = box_days(after, (delivery for delivery in season if delivery.week >= monday))
    first = days[0] if days else monday
    moved = (w for w in sorted(before.changes) if before.change_of(w).to_week != after.change_of(w).to_week)
    return Change(
        before=holding,
        after=changed,
        monday=monday,
        until=withdrawable_until(after, monday, farm.facts),
        days=days,
        price_before=_term_of(holding, monday).price(farm.prices, first),
        price_after=_term_of(changed, monday).price(farm.prices, first),
        rows=rows,
        kept=tuple(
            box
            for row in rows
            for box in row.before
            if not box.skipped and box.delivery.state(farm.facts.now) is DeliveryState.CLOSED
        ),
        aside=tuple(set_aside(before, after, monday)),
        dropped=tuple(dropped(before, after)),
        rehomed=tuple(box for week in moved if (box := _box(changed, week, farm))),
    )


def box_days(plan: Plan, deliveries: Iterable[Delivery]) -> tuple[date, ...]:
    """The first days that bring a box."""
    return tuple(islice((d.day for d in deliveries if any(b.comes for b in boxes_on(plan, d))), DAYS))


def _box(holding: Holding, week: date, farm: _Farm) -> MemberBox | None:
    delivery = carrier(holding.plan, week, farm.facts.season)
    aboard = boxes_on(holding.plan, delivery) if delivery else []
    views = {view.id: view for view in farm.deliveries}
    return next((member_box(holding, b, views[b.delivery.id]) for b in aboard if b.week == week), None)


class Answer(StrEnum):
    """What came of it beside a refusal by the rules; its words are in the templates."""

    DONE = "done"
    ALREADY = "already"
    OTHER_DATE = "other_date"
    OTHERWISE = "otherwise"
    """Something is no more as the page has shown it."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a change of terms: what changed, or why nothing did."""

    answer: Answer | Refusal
    changes: tuple[Change, ...] = ()
    orders: Orders = field(default_factory=Orders, compare=False)


def change(
    session: Session,
    account: Account,
    subscription_id: int,
    wanted: TermView,
    *,
    also: Collection[int] = (),
    expected: Mapping[int, date],
    by: Account | None = None,
    orders: Aboard | None = None,
) -> Outcome | None:
    """Let a subscription be otherwise from the Monday that the person has seen, and others move along.

    All or none: where a Monday differs by now, nothing changes. None where one is not the account's.
    """
    since = monday_of(local_day(clock.now())) - WEEK
    case = hold(
        session,
        account,
        {subscription_id, *also},
        since=since,
        until=since + HORIZON,
        tours={wanted.point.tour_id},
        by=by,
        orders=orders,
    )
    if case is None:
        return None
    changed = _changed(case.holdings, subscription_id, wanted, case.facts)
    if isinstance(changed, Refusal):
        return Outcome(changed)
    if not changed:
        return Outcome(Answer.ALREADY)
    return _confirmed(session, case, "terms_changed", changed, expected)


def withdraw(
    session: Session,
    account: Account,
    subscription_id: int,
    monday: date,
    *,
    by: Account | None = None,
    orders: Aboard | None = None,
) -> Outcome | None:
    """Take back the terms that begin on a Monday, while they have not begun; None where it is not the account's."""
    since = monday_of(local_day(clock.now())) - WEEK
    until = since + HORIZON
    case = hold(session, account, [subscription_id], since=since, until=until, by=by, orders=orders)
    if case is None:
        return None
    (holding,) = case.holdings
    if monday not in {term.monday for term in holding.plan.terms}:
        return Outcome(Answer.ALREADY)
    plan = taken_back(holding.plan, monday, case.facts)
    if isinstance(plan, Refusal):
        return Outcome(plan)
    days = box_days(holding.plan, (d for d in case.facts.season if d.week >= monday))
    return _confirmed(
        session,
        case,
        "terms_withdrawn",
        [(holding, plan)],
        {holding.id: monday},
        day=days[0] if days else monday,
    )


def _confirmed(
    session: Session,
    case: Case,
    name: str,
    changed: Collection[tuple[Holding, Plan]],
    expected: Mapping[int, date],
    **context: object,
) -> Outcome:
    """Write it down and mail it, if it begins as expected and there is room."""
    anew = {holding.id for holding, _ in changed}
    same = tuple(holding for holding in case.holdings if holding.id not in anew)
    case = replace(case, holdings=tuple(holding for holding, _ in changed), others=case.others + same)
    farm = _Farm(case.facts, case.deliveries.values(), formula_prices(session))
    shown = _shown(session, changed, farm)
    if any(expected.get(found.id) != found.monday for found in shown):
        return Outcome(Answer.OTHER_DATE, shown)
    plans = {holding.id: plan for holding, plan in changed}
    decided = decide(session, case, lambda plan, _: plans[plan.subscription_id])
    if isinstance(decided, Refusal):
        return Outcome(decided, orders=case.orders)
    household.tell(
        session,
        case.account,
        name,
        at=case.facts.now,
        by=case.by,
        changes=shown,
        settled=case.orders.settled,
        **context,
    )
    return Outcome(Answer.DONE, shown, case.orders)
