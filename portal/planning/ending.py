"""Ending a subscription, seen before it is confirmed, and letting it go on after all."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime

from sqlalchemy.orm import Session

from portal.accounts.models import Account
from portal.boxes.queries import MemberBox, member_box, with_changes
from portal.deliveries.queries import DeliveryView, of_weeks
from portal.infra import clock, mail, outbox
from portal.planning.aboard import Orders
from portal.planning.desk import Case, decide, hold
from portal.planning.terms import HORIZON, Answer, term_view
from portal.rules import ending as rules
from portal.rules.calendar import WEEK, monday_of
from portal.rules.changes import Facts, Refusal
from portal.rules.cutoffs import local_day
from portal.rules.planning import Box, Plan, Season
from portal.subscriptions.queries import Holding, of_account


@dataclass(frozen=True, slots=True)
class Ending:
    """What an end comes to: its day, the last box, those that it is too late to stop, those that fall."""

    last_day: date
    last: MemberBox | None
    closed: tuple[MemberBox, ...]
    fallen: tuple[MemberBox, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of it, or why nothing did."""

    answer: Answer | Refusal
    ending: Ending | None = None
    orders: Orders = field(default_factory=Orders, compare=False)


def preview(
    session: Session, account_id: int, subscription_id: int, wished: date, now: datetime
) -> Ending | Refusal | None:
    """What ending with a day would come to; None where it is not the account's. Writes nothing."""
    since = monday_of(local_day(now)) - WEEK
    found = with_changes(session, of_account(session, account_id, subscription_id), since)
    if not found:
        return None
    [holding] = found
    deliveries = of_weeks(session, since, since + HORIZON, holding.plan.tour_ids)
    facts = Facts(Season(delivery.for_rules for delivery in deliveries), now)
    ending = rules.with_end(holding.plan, wished, facts)
    return ending if isinstance(ending, Refusal) else _shown(holding, ending, deliveries)


def _shown(holding: Holding, ending: rules.Ending, deliveries: Iterable[DeliveryView]) -> Ending:
    views = {view.id: view for view in deliveries}

    def shown(box: Box) -> MemberBox:
        return member_box(holding, box, views[box.delivery.id])

    assert ending.plan.last_day
    return Ending(
        ending.plan.last_day,
        shown(ending.last) if ending.last else None,
        tuple(map(shown, ending.closed)),
        tuple(map(shown, ending.fallen)),
    )


def end(
    session: Session, account: Account, subscription_id: int, wished: date, *, expected: date, by: Account
) -> Outcome | None:
    """End a subscription with a day, where that comes to the last day that was seen."""
    since = monday_of(local_day(clock.now())) - WEEK
    case = hold(session, account, [subscription_id], since=since, until=since + HORIZON, by=by)
    if case is None:
        return None
    [holding] = case.holdings
    ending = rules.with_end(holding.plan, wished, case.facts)
    if isinstance(ending, Refusal):
        return Outcome(ending)
    shown = _shown(holding, ending, case.deliveries.values())
    if shown.last_day != expected:
        return Outcome(Answer.OTHER_DATE, shown)
    return _written(session, case, holding, ending.plan, shown)


def go_on(session: Session, account: Account, subscription_id: int, *, by: Account) -> Outcome | None:
    """Take the end back, while no delivery after it has closed."""
    since = monday_of(local_day(clock.now())) - WEEK
    case = hold(session, account, [subscription_id], since=since, until=since + HORIZON, by=by)
    if case is None:
        return None
    [holding] = case.holdings
    plan = rules.without_end(holding.plan, case.facts)
    if isinstance(plan, Refusal):
        return Outcome(plan)
    return _written(session, case, holding, plan, None)


def _written(session: Session, case: Case, holding: Holding, plan: Plan, ending: Ending | None) -> Outcome:
    decided = decide(session, case, lambda _plan, _facts: plan)
    if isinstance(decided, Refusal):
        return Outcome(decided, orders=case.orders)
    if not decided:
        return Outcome(Answer.ALREADY, ending)
    rendered = mail.render(
        "subscription_ended" if ending else "subscription_goes_on",
        first_name=case.account.first_name,
        ending=ending,
        term=term_view(holding, holding.plan.terms[-1]),
        by_farm=case.by is not case.account,
        settled=case.orders.settled,
    )
    outbox.post(session, to=case.account.email, **rendered.parts, at=case.facts.now)
    return Outcome(Answer.DONE, ending, case.orders)
