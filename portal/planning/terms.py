"""Changing a subscription's terms, seen before it is confirmed; taking that back; subscribing to another formula."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.accounts.models import Account
from portal.boxes.queries import MemberBox, member_boxes
from portal.catalogue.queries import FormulaView
from portal.deliveries.queries import DeliveryView, of_weeks
from portal.infra import audit, clock, locks, mail, outbox
from portal.pickup.queries import PointView
from portal.planning.desk import Case, decide, hold, refusal_of_places
from portal.rules.calendar import WEEK, Rhythm, monday_of
from portal.rules.changes import Facts, Refusal, rehomed
from portal.rules.cutoffs import local_day
from portal.rules.planning import Plan, Season, Term
from portal.rules.terms import (
    TermChange,
    apply_change,
    effective_monday,
    set_aside,
    withdrawable_until,
    withdrawal,
)
from portal.subscriptions import models, terms
from portal.subscriptions.models import Subscription
from portal.subscriptions.queries import Holding, withheld

HORIZON = timedelta(weeks=60)
"""As far as deliveries are known."""

SHOWN = 6
"""Weeks before and after, side by side."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What somebody wants a subscription to be."""

    formula: FormulaView
    quantity: int
    rhythm: Rhythm
    point: PointView

    def over(self, term: Term) -> TermChange:
        """The change that it asks for: only the fields that differ are named."""
        moved = self.point.id != term.point_id
        return TermChange(
            formula_id=self.formula.id if self.formula.id != term.formula_id else None,
            quantity=self.quantity if self.quantity != term.quantity else None,
            rhythm=self.rhythm if self.rhythm is not term.rhythm else None,
            point_id=self.point.id if moved else None,
            tour_id=self.point.tour_id if moved else None,
        )


@dataclass(frozen=True, slots=True)
class Row:
    """A week before and after: the boxes that arrive in it, absent ones too."""

    week: date
    before: tuple[MemberBox, ...]
    after: tuple[MemberBox, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """What a change of terms comes to for one subscription.

    `until` is the first refused instant for taking it back; `aside` are the weeks whose one-off changes say
    nothing any more, `rehomed` those whose postponed box finds another date.
    """

    before: Holding
    after: Holding
    monday: date
    until: datetime | None
    rows: tuple[Row, ...]
    aside: tuple[date, ...]
    rehomed: tuple[date, ...]

    @property
    def id(self) -> int:
        return self.before.id

    @property
    def first(self) -> MemberBox | None:
        """The first box under the new terms, if it lies in the weeks shown."""
        return next((box for row in self.rows if row.week >= self.monday for box in row.after), None)


def preview(
    session: Session,
    holdings: Iterable[Holding],
    wanted: Mapping[int, TermChange],
    known: Choice,
    now: datetime,
) -> list[Change] | Refusal:
    """What changes of terms would come to, subscription by subscription; writes nothing.

    `known` names what the changes may name.
    """
    changing = [_knowing(holding, known) for holding in holdings if holding.id in wanted]
    since = monday_of(local_day(now)) - WEEK
    tours = {known.point.tour_id}.union(*(holding.plan.tour_ids for holding in changing))
    views = of_weeks(session, since, since + HORIZON, tours)
    facts = Facts(Season(view.for_rules for view in views), now, withheld(session))
    changed = []
    for holding in changing:
        plan = _changed(holding.plan, wanted[holding.id], facts)
        if isinstance(plan, Refusal):
            return plan
        changed.append(_shown(session, holding, plan, facts, views))
    return changed


def _knowing(holding: Holding, choice: Choice) -> Holding:
    return replace(
        holding,
        formulas={choice.formula.id: choice.formula} | holding.formulas,
        points={choice.point.id: choice.point} | holding.points,
    )


def _changed(plan: Plan, change: TermChange, facts: Facts) -> Plan | Refusal:
    """The plan from the first Monday on which the change can hold, or why it cannot be."""
    after = apply_change(plan, change, _monday(plan, change, facts))
    if after == plan:
        return Refusal.NOTHING_CHOSEN
    latest = after.terms[-1]
    asks = change.formula_id is not None or change.point_id is not None
    if asks and (latest.point_id, latest.formula_id) in facts.withheld:
        return Refusal.NOT_OFFERED
    return rehomed(after, facts)


def _monday(plan: Plan, change: TermChange, facts: Facts) -> date:
    return effective_monday(plan=plan, change=change, season=facts.season, now=facts.now)


def _shown(
    session: Session, holding: Holding, plan: Plan, facts: Facts, views: Collection[DeliveryView]
) -> Change:
    before, after = holding.plan, plan
    monday = min(t.monday for t in {*before.terms} ^ {*after.terms})
    this_week = monday_of(local_day(facts.now))
    weeks = [this_week + n * WEEK for n in range(SHOWN)]
    ahead = [view for view in views if view.week in weeks]
    changed = replace(holding, plan=after)
    old, new = (member_boxes(session, [version], ahead) for version in (holding, changed))
    rows = tuple(
        Row(
            week,
            tuple(box for box in old if box.delivery.week == week),
            tuple(box for box in new if box.delivery.week == week),
        )
        for week in weeks
    )
    moved = (w for w in before.changes if before.change_of(w).to_week != after.change_of(w).to_week)
    return Change(
        before=holding,
        after=changed,
        monday=monday,
        until=withdrawable_until(before, after, monday, facts.season),
        rows=rows,
        aside=tuple(set_aside(before, after, monday)),
        rehomed=tuple(sorted(moved)),
    )


class Answer(StrEnum):
    """What came of it beside a refusal by the rules; its words are in the templates."""

    DONE = "done"
    ALREADY = "already"
    OTHER_DATE = "other_date"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a change of terms: what changed, or why nothing did."""

    answer: Answer | Refusal
    changes: tuple[Change, ...] = ()


def change(
    session: Session,
    account: Account,
    wanted: Mapping[int, TermChange],
    *,
    known: Choice,
    expected: Mapping[int, date],
    by: Account | None = None,
) -> Outcome | None:
    """Change the terms of subscriptions, from the Mondays that the person has seen; None where one is not theirs.

    All or none: where a date differs by now, nothing changes, and the present ones are answered.
    """
    since = monday_of(local_day(clock.now())) - WEEK
    case = hold(
        session, account, wanted, since=since, until=since + HORIZON, tours={known.point.tour_id}, by=by
    )
    if case is None:
        return None
    case = replace(case, holdings=tuple(_knowing(holding, known) for holding in case.holdings))
    changing = [h for h in case.holdings if _differs(h.plan, wanted[h.id])]
    if not changing:
        return Outcome(Answer.ALREADY)
    plans = {}
    for holding in changing:
        plan = _changed(holding.plan, wanted[holding.id], case.facts)
        if isinstance(plan, Refusal):
            return Outcome(plan)
        plans[holding.id] = plan
    views = case.deliveries.values()
    shown = tuple(_shown(session, h, plans[h.id], case.facts, views) for h in changing)
    if any(expected.get(found.id) != found.monday for found in shown):
        return Outcome(Answer.OTHER_DATE, shown)
    decided = decide(session, case, lambda plan, _: plans.get(plan.subscription_id, plan))
    if isinstance(decided, Refusal):
        return Outcome(decided)
    _tell(session, case, "terms_changed", changes=shown)
    return Outcome(Answer.DONE, shown)


def _differs(plan: Plan, change: TermChange) -> bool:
    """Whether the latest terms are otherwise than a change wants them."""
    return change.over(plan.terms[-1]) != plan.terms[-1]


def withdraw(
    session: Session, account: Account, subscription_id: int, monday: date, *, by: Account | None = None
) -> Outcome | None:
    """Take back the terms that begin on a Monday, while they have not begun; None where it is not the account's."""
    since = monday_of(local_day(clock.now())) - WEEK
    case = hold(session, account, [subscription_id], since=since, until=since + HORIZON, by=by)
    if case is None:
        return None
    (holding,) = case.holdings
    if holding.plan.terms[-1].monday != monday:
        return Outcome(Answer.ALREADY)
    back = withdrawal(holding.plan, case.facts.season, case.facts.now)
    if back is None:
        return Outcome(Refusal.PAST_CUTOFF)
    plan = rehomed(apply_change(holding.plan, back, monday), case.facts)
    shown = _shown(session, holding, plan, case.facts, case.deliveries.values())
    decided = decide(session, case, lambda *_: plan)
    if isinstance(decided, Refusal):
        return Outcome(decided)
    _tell(session, case, "terms_withdrawn", changes=(shown,))
    return Outcome(Answer.DONE, (shown,))


def _tell(session: Session, case: Case, name: str, **context: object) -> None:
    rendered = mail.render(name, first_name=case.account.first_name, **context)
    outbox.post(session, to=case.account.email, **rendered.parts, at=case.facts.now)


@dataclass(frozen=True, slots=True)
class Joining:
    """What subscribing to another formula comes to: from which Monday, and the first boxes."""

    holding: Holding
    monday: date
    boxes: tuple[MemberBox, ...]


def preview_joining(session: Session, choice: Choice, now: datetime) -> Joining | Refusal:
    """What another subscription would come to; writes nothing."""
    this_week = monday_of(local_day(now))
    views = of_weeks(session, this_week, this_week + HORIZON, {choice.point.tour_id})
    facts = Facts(Season(view.for_rules for view in views), now, withheld(session))
    return _joining(session, choice, facts, views)


def _joining(
    session: Session, choice: Choice, facts: Facts, views: Collection[DeliveryView]
) -> Joining | Refusal:
    if (choice.point.id, choice.formula.id) in facts.withheld:
        return Refusal.NOT_OFFERED
    this_week = monday_of(local_day(facts.now))
    term = Term(
        this_week, choice.formula.id, choice.quantity, choice.rhythm, choice.point.id, choice.point.tour_id
    )
    monday = _monday(Plan(0, (term,)), TermChange(), facts)
    plan = Plan(0, (replace(term, monday=monday),))
    holding = Holding(plan, {choice.formula.id: choice.formula}, {choice.point.id: choice.point})
    boxes = member_boxes(session, [holding], [v for v in views if v.week < this_week + SHOWN * WEEK])
    return Joining(holding, monday, tuple(boxes[:3]))


TWICE = timedelta(minutes=30)
"""The same formula again within it is the same press of the button."""


def subscribe(
    session: Session, account: Account, choice: Choice, expected: date
) -> Joining | Answer | Refusal:
    """Subscribe to another formula, from the Monday that the person has seen.

    The account is locked: one form sent twice makes one subscription.
    """
    session.scalars(locks.for_update(select(Account.id).where(Account.id == account.id), of=Account)).one()
    now = clock.now()
    if _just_made(session, account, choice, now):
        return Answer.ALREADY
    this_week = monday_of(local_day(now))
    views = of_weeks(session, this_week, this_week + HORIZON, {choice.point.tour_id}, held=True)
    facts = Facts(Season(view.for_rules for view in views), clock.now(), withheld(session))
    joining = _joining(session, choice, facts, views)
    if isinstance(joining, Refusal):
        return joining
    if joining.monday != expected:
        return Answer.OTHER_DATE
    none = replace(joining.holding.plan, terms=())
    case = Case(account, account, (), {view.id: view for view in views}, facts)
    if refusal := refusal_of_places(
        session, case, [(replace(joining.holding, plan=none), joining.holding.plan)]
    ):
        return refusal
    row = Subscription(account_id=account.id, created_at=now)
    session.add(row)
    session.flush()
    terms.write(session, row.id, joining.holding.plan)
    audit.record(session, "subscription.new", ("subscription", row.id), at=now, by=account.id)
    _tell(session, case, "subscription_new", choice=choice, joining=joining)
    return joining


def _just_made(session: Session, account: Account, choice: Choice, now: datetime) -> bool:
    made = session.scalars(
        select(models.Term.formula_id)
        .join(Subscription, Subscription.id == models.Term.subscription_id)
        .where(Subscription.account_id == account.id, Subscription.created_at >= now - TWICE)
    )
    return choice.formula.id in set(made)
