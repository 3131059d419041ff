"""Suspending a range of days, seen before it is confirmed, and ending it early."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.accounts import household
from portal.accounts.models import Account
from portal.boxes.models import Suspension
from portal.boxes.queries import MemberBox, member_box, member_boxes
from portal.catalogue.queries import formula_prices
from portal.deliveries.queries import DeliveryView, of_weeks
from portal.planning.case import Case, Orders
from portal.planning.desk import decide, hold
from portal.planning.queries import LOOK_AHEAD
from portal.rules import changes as rules
from portal.rules import planning
from portal.rules.calendar import monday_of
from portal.rules.changes import Facts, Refusal, SuspensionEffect, is_running
from portal.rules.cutoffs import local_day
from portal.rules.money import Money
from portal.rules.orders import Aboard
from portal.rules.planning import Plan, Season
from portal.rules.pricing import price_on
from portal.subscriptions.models import Subscription
from portal.subscriptions.queries import Holding

MARGIN = timedelta(weeks=1)
"""A delivery that was moved may lie beside its week."""


@dataclass(frozen=True, slots=True)
class Line:
    """What it means for one subscription: boxes that stay away, those it is too late for, the first one back."""

    holding: Holding
    suspended: tuple[MemberBox, ...]
    closed: tuple[MemberBox, ...]
    back: MemberBox | None

    @property
    def name(self) -> str:
        """The formula, as the boxes concerned have it."""
        box = next(iter(self.suspended + self.closed), self.back)
        return box.formula.name if box else next(iter(self.holding.formulas.values())).name


@dataclass(frozen=True, slots=True)
class Month:
    """What an account's boxes of a month cost, before and after; named by its first day."""

    first_day: date
    before: Money
    after: Money


@dataclass(frozen=True, slots=True)
class Preview:
    """What a suspension would come to, or why it cannot be."""

    lines: tuple[Line, ...]
    months: tuple[Month, ...] = ()
    refusal: Refusal | None = None


def preview(
    session: Session,
    holdings: Collection[Holding],
    chosen: Collection[int],
    *,
    first: date,
    last: date,
    now: datetime,
) -> Preview:
    """What suspending the chosen ones of an account's subscriptions would come to; writes nothing.

    `holdings` know their changes, from the first day's month on.
    """
    month = min(first, local_day(now)).replace(day=1)
    tours = {tour_id for holding in holdings for tour_id in holding.plan.tour_ids}
    views = of_weeks(session, monday_of(month) - MARGIN, last + LOOK_AHEAD, tours)
    facts = Facts(Season(view.for_rules for view in views), now)
    affected = [holding for holding in holdings if holding.id in chosen]
    effects = [rules.suspend(holding.plan, first, last, facts) for holding in affected]
    refusal = rules.refusal_to_suspend(effects, first, last, local_day(now))
    if refusal:
        return Preview((), refusal=refusal)
    plans = {holding.id: effect.plan for holding, effect in zip(affected, effects, strict=True)}
    after = [replace(holding, plan=plans.get(holding.id, holding.plan)) for holding in holdings]
    lines = _lines(affected, effects, views)
    return Preview(lines, tuple(_months(session, holdings, after, views, lines)))


def _lines(
    holdings: Iterable[Holding], effects: Iterable[SuspensionEffect], views: Iterable[DeliveryView]
) -> tuple[Line, ...]:
    by_id = {view.id: view for view in views}

    def shown(holding: Holding, box: planning.Box) -> MemberBox:
        return member_box(holding, box, by_id[box.delivery.id])

    return tuple(
        Line(
            holding,
            tuple(shown(holding, box) for box in effect.suspended),
            tuple(shown(holding, box) for box in effect.closed),
            shown(holding, effect.back) if effect.back else None,
        )
        for holding, effect in zip(holdings, effects, strict=True)
    )


def _months(
    session: Session,
    before: Collection[Holding],
    after: Collection[Holding],
    views: Collection[DeliveryView],
    lines: Iterable[Line],
) -> Iterable[Month]:
    """The months in which a box stays away; a box is billed in the month of its actual date."""
    prices = formula_prices(session)

    def costs(holdings: Collection[Holding]) -> dict[date, Money]:
        of_month: dict[date, Money] = {}
        for box in member_boxes(session, holdings, views):
            if not box.skipped:
                month, day = box.delivery.day.replace(day=1), box.delivery.day
                cost = price_on(prices[box.formula.id], day).price * box.quantity
                of_month[month] = of_month.get(month, Money.zero()) + cost
        return of_month

    then, now = costs(before), costs(after)
    for month in sorted({box.delivery.day.replace(day=1) for line in lines for box in line.suspended}):
        yield Month(month, then.get(month, Money.zero()), now.get(month, Money.zero()))


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of it: one line for each subscription that changed, or why nothing did."""

    lines: tuple[Line, ...] = ()
    refusal: Refusal | None = None
    orders: Orders = field(default_factory=Orders, compare=False)


def suspend(
    session: Session,
    account: Account,
    subscription_ids: Collection[int],
    first: date,
    last: date,
    *,
    by: Account | None = None,
    orders: Aboard | None = None,
) -> Outcome | None:
    """Suspend subscriptions from one day to another, both included; None where one is not the account's.

    Those that are suspended for the same days already are left alone.
    """
    if not subscription_ids:
        return Outcome(refusal=Refusal.NOTHING_CHOSEN)
    since = monday_of(first) - MARGIN
    until = last + LOOK_AHEAD
    case = hold(session, account, subscription_ids, since=since, until=until, by=by, orders=orders)
    if case is None:
        return None
    standing = tuple(h for h in case.holdings if _stands(h.plan, first, last))
    anew = tuple(h for h in case.holdings if h not in standing)
    case = replace(case, holdings=anew, others=case.others + standing)
    effects = [rules.suspend(holding.plan, first, last, case.facts) for holding in case.holdings]
    if not effects:
        return Outcome()
    refusal = rules.refusal_to_suspend(effects, first, last, local_day(case.facts.now))
    if refusal:
        return Outcome(refusal=refusal)
    decided = decide(session, case, lambda plan, facts: rules.suspend(plan, first, last, facts).plan)
    if isinstance(decided, Refusal):
        return Outcome(refusal=decided, orders=case.orders)
    lines = _lines(case.holdings, effects, case.deliveries.values())
    _tell(
        session,
        case,
        "deliveries_suspended",
        lines=lines,
        first=first,
        last=last,
        settled=case.orders.settled,
    )
    return Outcome(lines, orders=case.orders)


def _stands(plan: Plan, first: date, last: date) -> bool:
    return any(s.ended_at is None and (s.first_day, s.last_day) == (first, last) for s in plan.suspensions)


def resume(
    session: Session, account: Account, suspension_ids: Collection[int], *, by: Account | None = None
) -> Outcome | None:
    """End suspensions early; None where one is not the account's. What has ended already is left alone.

    The lines tell which boxes come again as `suspended`, and the next box as `back`.
    """
    found = {
        row.id: row
        for row in session.scalars(
            select(Suspension)
            .join(Subscription, Subscription.id == Suspension.subscription_id)
            .where(Suspension.id.in_(suspension_ids), Subscription.account_id == account.id)
        )
    }
    if set(found) != set(suspension_ids):
        return None
    if not found:
        return Outcome(refusal=Refusal.NOTHING_CHOSEN)
    case = hold(
        session,
        account,
        {row.subscription_id for row in found.values()},
        since=monday_of(min(row.first_day for row in found.values())) - MARGIN,
        until=max(row.last_day for row in found.values()) + LOOK_AHEAD,
        by=by,
    )
    assert case is not None, "they are the account's"
    today = local_day(case.facts.now)

    def decision(plan: Plan, facts: Facts) -> Plan:
        kept = tuple(
            rules.ended(s, facts.now) if s.id in found and is_running(s, today) else s
            for s in plan.suspensions
        )
        return replace(plan, suspensions=kept)

    decided = decide(session, case, decision)
    assert not isinstance(decided, Refusal), "ending takes no place and meets no cutoff"
    lines = tuple(_again(session, case, holding, plan) for holding, plan in decided)
    if lines:
        _tell(session, case, "deliveries_resumed", lines=lines)
    return Outcome(lines)


def _again(session: Session, case: Case, holding: Holding, plan: Plan) -> Line:
    """The boxes that come again when a suspension has ended."""
    views = sorted(case.deliveries.values(), key=lambda view: (view.day, view.id))
    before = member_boxes(session, [holding], views)
    after = member_boxes(session, [replace(holding, plan=plan)], views)
    away = {box.week for box in before if box.skipped}
    coming = [box for box in after if not box.skipped]
    today = local_day(case.facts.now)
    return Line(
        holding,
        tuple(box for box in coming if box.week in away),
        (),
        next((box for box in coming if box.delivery.day > today and box.week in away), None),
    )


def _tell(session: Session, case: Case, name: str, **context: object) -> None:
    household.tell(session, case.account, name, at=case.facts.now, by=case.by, **context)


@dataclass(frozen=True, slots=True)
class Running:
    """Suspensions of an account for the same days, with what they take away."""

    ids: tuple[int, ...]
    first_day: date
    last_day: date
    formulas: tuple[str, ...]


def running(holdings: Iterable[Holding], today: date) -> list[Running]:
    """The suspensions that still count, soonest first; those of the same days together."""
    together: dict[tuple[date, date], list[tuple[int, str]]] = {}
    for holding in holdings:
        term = planning.term_in_force(holding.plan.terms, today) or holding.plan.terms[0]
        name = holding.formulas[term.formula_id].name
        for suspension in holding.plan.suspensions:
            if is_running(suspension, today) and suspension.id is not None:
                days = (suspension.first_day, suspension.last_day)
                together.setdefault(days, []).append((suspension.id, name))
    return [
        Running(tuple(number for number, _ in rows), *days, tuple(name for _, name in rows))
        for days, rows in sorted(together.items())
    ]
