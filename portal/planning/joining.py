"""Subscribing, seen before it is ordered: to a formula, and if so wished to another one beside it."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from hashlib import sha256

from sqlalchemy.orm import Session

from portal.boxes.queries import MemberBox, member_box
from portal.catalogue.queries import formula_prices
from portal.deliveries.queries import DeliveryView, of_weeks
from portal.pickup.queries import closings
from portal.planning.desk import refusal_where_full
from portal.planning.previews import DAYS, HORIZON, TermView, first_days
from portal.profile.queries import ConditionsView, conditions_in_force
from portal.rules.calendar import Rhythm, monday_of
from portal.rules.changes import Facts, Refusal
from portal.rules.cutoffs import local_day
from portal.rules.money import Money
from portal.rules.planning import Plan, Season, Term, project
from portal.rules.terms import TermChange, effective_monday
from portal.subscriptions.queries import Holding, withheld

STARTS = 8
"""First deliveries among which staff choose."""


@dataclass(frozen=True, slots=True)
class Joining:
    """What subscribing comes to: from which Monday, the first boxes, what each costs, under which conditions."""

    wanted: TermView
    holding: Holding
    boxes: tuple[MemberBox, ...]
    price: Money
    conditions: ConditionsView | None
    beside: "Joining | None" = None
    """What else begins in the same act, with the same boxes' days."""
    full: bool = False
    """The point lacks the places: staff may exceed them, and are told."""

    @property
    def monday(self) -> date:
        return self.holding.plan.terms[0].monday

    @property
    def parts(self) -> "tuple[Joining, ...]":
        return (self, self.beside) if self.beside else (self,)

    @property
    def total(self) -> Money:
        return sum((part.price for part in self.parts), Money.zero())

    @property
    def label(self) -> str:
        return " + ".join(part.wanted.label for part in self.parts)

    def over_full(self) -> "Joining":
        return replace(self, full=True)

    @property
    def digest(self) -> str:
        """Tells whether a page has shown just this: what, when, where, for how much, under which conditions."""
        point = self.wanted.point
        shown = (
            [(part.wanted.label, part.wanted.formula.id, part.price.cents) for part in self.parts],
            self.wanted.rhythm,
            self.monday.isoformat(),
            [box.delivery.day.isoformat() for box in self.boxes],
            (point.id, point.name, point.address, point.town, f"{point.opens} {point.closes}"),
            self.conditions and self.conditions.id,
        )
        return sha256(json.dumps(shown).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class JoiningPreview:
    """What it would come to, or why it cannot be; `rhythms` says each rhythm by its first dates.

    `starts` are the deliveries with which it can begin, by the Mondays of their weeks.
    """

    rhythms: dict[Rhythm, tuple[date, ...]]
    joining: Joining | None = None
    refusal: Refusal | None = None
    starts: dict[date, date] = field(default_factory=dict)


def preview_joining(
    session: Session,
    wanted: TermView,
    now: datetime,
    *,
    beside: TermView | None = None,
    since: date | None = None,
    account_id: int | None = None,
    by_farm: bool = False,
) -> JoiningPreview:
    """What subscribing would come to, from a Monday on if it may begin so late; writes nothing."""
    found = deliveries_ahead(session, wanted, now)
    facts = Facts(Season(delivery.for_rules for delivery in found), now, withheld(session))
    rhythms = {
        rhythm: first_days(facts, wanted.point.tour_id, rhythm, plan.terms[0].monday)
        for rhythm in Rhythm
        for plan in [_plan(replace(wanted, rhythm=rhythm), facts)]
    }
    starts = _starts(wanted, facts)
    joining = joining_of(session, wanted, facts, found, beside=beside, since=since)
    if isinstance(joining, Refusal):
        return JoiningPreview(rhythms, refusal=joining, starts=starts)
    full = refusal_where_full(session, from_nothing(joining), facts.season, account_id=account_id)
    if full and not by_farm:
        return JoiningPreview(rhythms, refusal=full, starts=starts)
    return JoiningPreview(rhythms, joining.over_full() if full else joining, starts=starts)


def _starts(wanted: TermView, facts: Facts) -> dict[date, date]:
    boxes = project(_plan(wanted, facts), facts.season)[:STARTS]
    return {box.week: box.delivery.day for box in boxes}


def deliveries_ahead(
    session: Session, wanted: TermView, now: datetime, *, held: bool = False
) -> list[DeliveryView]:
    this_week = monday_of(local_day(now))
    return of_weeks(session, this_week, this_week + HORIZON, {wanted.point.tour_id}, held=held)


def _plan(wanted: TermView, facts: Facts, since: date | None = None) -> Plan:
    """The plan that begins on the first Monday on which nothing is closed, or later if so wished."""
    term = Term(
        monday_of(local_day(facts.now)),
        wanted.formula.id,
        wanted.quantity,
        wanted.rhythm,
        wanted.point.id,
        wanted.point.tour_id,
    )
    unbegun = Plan(0, (term,))
    monday = effective_monday(plan=unbegun, change=TermChange(), season=facts.season, now=facts.now)
    return replace(unbegun, terms=(replace(term, monday=max(monday, since or monday)),))


def joining_of(
    session: Session,
    wanted: TermView,
    facts: Facts,
    found: Iterable[DeliveryView],
    *,
    beside: TermView | None,
    since: date | None,
) -> Joining | Refusal:
    """What subscribing comes to by these facts, whether there is room or not."""
    views, prices = {view.id: view for view in found}, formula_prices(session)
    known, conditions = closings(session, local_day(facts.now)), conditions_in_force(session)

    def part(wanted: TermView, beside: Joining | None) -> Joining | Refusal:
        if (wanted.point.id, wanted.formula.id) in facts.withheld:
            return Refusal.NOT_OFFERED
        plan = _plan(wanted, facts, since)
        holding = Holding(plan, {wanted.formula.id: wanted.formula}, {wanted.point.id: wanted.point})
        holding = holding.with_closings(known)
        boxes = project(plan, facts.season)[:DAYS]
        if not boxes:
            return Refusal.NOT_EXPECTED
        shown = tuple(member_box(holding, box, views[box.delivery.id]) for box in boxes)
        return Joining(
            wanted, holding, shown, wanted.price(prices, boxes[0].delivery.day), conditions, beside
        )

    also = part(beside, None) if beside else None
    return also if isinstance(also, Refusal) else part(wanted, also)


def from_nothing(joining: Joining) -> list[tuple[Holding, Plan]]:
    plans = ((part.holding, part.holding.plan) for part in joining.parts)
    return [(replace(holding, plan=replace(plan, terms=())), plan) for holding, plan in plans]
