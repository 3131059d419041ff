"""Changing a subscription's terms as was seen beforehand, and taking that back."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum

from sqlalchemy.orm import Session

from portal.accounts import household
from portal.accounts.models import Account
from portal.catalogue.queries import formula_prices
from portal.infra import clock
from portal.planning.case import Case, Orders
from portal.planning.desk import decide, hold
from portal.planning.previews import HORIZON, Around, Change, TermView, box_days, changes_of, plans_after
from portal.rules.calendar import WEEK, monday_of
from portal.rules.changes import Refusal
from portal.rules.cutoffs import local_day
from portal.rules.orders import Aboard
from portal.rules.planning import Plan
from portal.rules.terms import (
    taken_back,
)
from portal.subscriptions.queries import Holding


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
    changed = plans_after(case.holdings, subscription_id, wanted, case.facts)
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
    farm = Around(case.facts, case.deliveries.values(), formula_prices(session))
    shown = changes_of(session, changed, farm)
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
