"""A change of a subscription's terms, as it is seen before it is confirmed."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from itertools import islice

from sqlalchemy.orm import Session

from portal.boxes.queries import MemberBox, member_box, member_boxes
from portal.catalogue.queries import FormulaView, formula_prices
from portal.deliveries.queries import DeliveryState, DeliveryView, of_weeks
from portal.pickup.queries import PointView
from portal.planning.desk import refusal_where_full
from portal.rules.calendar import WEEK, Rhythm, monday_of, receives
from portal.rules.changes import Facts, Refusal
from portal.rules.cutoffs import local_day
from portal.rules.money import Money
from portal.rules.planning import Delivery, Plan, Season, Term, boxes_on, carrier, term_in_force
from portal.rules.pricing import DatedPrice, price_on
from portal.rules.terms import (
    TermChange,
    adopted,
    apply_change,
    dropped,
    effective_monday,
    set_aside,
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
class Around:
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
    changed = plans_after(concerned, subscription_id, wanted, facts)
    if isinstance(changed, Refusal):
        return Preview(rhythms, refusal=changed)
    full = refusal_where_full(session, changed, facts.season, account_id=account_id)
    if full and not by_farm:
        return Preview(rhythms, refusal=full)
    farm = Around(facts, found, formula_prices(session))
    return Preview(rhythms, changes_of(session, changed, farm), full=full is not None)


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


def plans_after(
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


def changes_of(
    session: Session, changed: Collection[tuple[Holding, Plan]], farm: Around
) -> tuple[Change, ...]:
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


def _change(holding: Holding, changed: Holding, rows: tuple[Row, ...], farm: Around) -> Change:
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


def _box(holding: Holding, week: date, farm: Around) -> MemberBox | None:
    delivery = carrier(holding.plan, week, farm.facts.season)
    aboard = boxes_on(holding.plan, delivery) if delivery else []
    views = {view.id: view for view in farm.deliveries}
    return next((member_box(holding, b, views[b.delivery.id]) for b in aboard if b.week == week), None)
