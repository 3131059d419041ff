"""Ending a subscription, seen before it is confirmed, and letting it go on after all."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from sqlalchemy.orm import Session

from portal.accounts import services
from portal.accounts.household import acts_for_farm
from portal.accounts.models import Account
from portal.boxes.queries import MemberBox, member_box, with_changes
from portal.deliveries.queries import DeliveryView, of_weeks
from portal.infra import clock, mail, outbox
from portal.planning.case import Case, Orders
from portal.planning.desk import decide, hold
from portal.planning.previews import HORIZON, term_view
from portal.planning.terms import Answer
from portal.rules import ending as rules
from portal.rules.calendar import WEEK, monday_of
from portal.rules.changes import Facts, Refusal
from portal.rules.cutoffs import local_day
from portal.rules.orders import Aboard
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


@dataclass(frozen=True, slots=True)
class Leave:
    """The end of a subscription as its receipt says it: by days, so that it says the same for ever."""

    what: str
    point: str
    last_day: date
    last: date | None
    """Of the last box."""
    closed: tuple[date, ...]
    fallen: tuple[date, ...]


@dataclass(frozen=True, slots=True)
class Together:
    """What came of ending several subscriptions, by their ids."""

    answer: Answer
    leaves: Mapping[int, Leave] = field(default_factory=dict)
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


def _the_earlier(holding: Holding, wished: date) -> date:
    """What ends already is not prolonged."""
    return min(wished, holding.plan.last_day or wished)


def foresee(session: Session, account_id: int, wished: date, now: datetime) -> dict[int, Leave]:
    """What ending with a day would come to, for each subscription that goes on till then. Writes nothing."""
    today = local_day(now)
    since = monday_of(today) - WEEK
    found = with_changes(session, of_account(session, account_id), since)
    held = [h for h in found if h.plan.last_day is None or h.plan.last_day > today]
    tours = {tour_id for holding in held for tour_id in holding.plan.tour_ids}
    deliveries = of_weeks(session, since, since + HORIZON, tours)
    facts = Facts(Season(delivery.for_rules for delivery in deliveries), now)
    leaves = {}
    for holding in held:
        ending = rules.with_end(holding.plan, _the_earlier(holding, wished), facts)
        if isinstance(ending, rules.Ending):
            leaves[holding.id] = _leave(holding, _shown(holding, ending, deliveries))
    return leaves


def end_together(
    session: Session, account: Account, expected: Mapping[int, date | None], wished: date, *, by: Account
) -> Together | None:
    """End subscriptions at once, by their ids, each on the last day that was seen, if that matters; None where one
    is somebody else's.

    An order that has lost its box is collected alone. Whoever calls tells the person.
    """
    since = monday_of(local_day(clock.now())) - WEEK
    case = hold(session, account, expected, since=since, until=since + HORIZON, by=by, orders=Aboard.ALONE)
    if case is None:
        return None
    endings = {}
    for holding in case.holdings:
        ending = rules.with_end(holding.plan, _the_earlier(holding, wished), case.facts)
        if isinstance(ending, Refusal):
            return Together(Answer.OTHER_DATE)
        endings[holding.id] = ending
    if any(day and endings[number].plan.last_day != day for number, day in expected.items()):
        return Together(Answer.OTHER_DATE)
    leaves = {
        holding.id: _leave(holding, _shown(holding, endings[holding.id], case.deliveries.values()))
        for holding in case.holdings
    }
    decided = decide(session, case, lambda plan, _facts: endings[plan.subscription_id].plan)
    assert not isinstance(decided, Refusal), "ending takes no place, and orders may always be collected alone"
    return Together(Answer.DONE if decided else Answer.ALREADY, leaves, case.orders)


def _leave(holding: Holding, ending: Ending) -> Leave:
    term = term_view(holding, holding.plan.terms[-1])
    return Leave(
        term.label,
        term.point.name,
        ending.last_day,
        ending.last.delivery.day if ending.last else None,
        tuple(box.delivery.day for box in ending.closed),
        tuple(box.delivery.day for box in ending.fallen),
    )


def go_on(session: Session, account: Account, subscription_id: int, *, by: Account) -> Outcome | None:
    """Take the end back, while no delivery after it has closed; `services.Closed` for whoever has left since."""
    services.hold_open(session, account.id)
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
        by_farm=acts_for_farm(case.by, case.account),
        settled=case.orders.settled,
    )
    outbox.post(session, to=case.account.email, **rendered.parts, at=case.facts.now)
    return Outcome(Answer.DONE, ending, case.orders)
