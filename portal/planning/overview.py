"""An account's subscriptions: what they are now, what they have been and will be."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise, takewhile

from sqlalchemy.orm import Session

from portal.boxes.queries import with_changes
from portal.catalogue.queries import formula_prices
from portal.deliveries.queries import of_weeks
from portal.planning.previews import HORIZON, Prices, TermView, box_days, term_view
from portal.planning.suspensions import Running, running
from portal.rules.calendar import WEEK, monday_of
from portal.rules.changes import Facts
from portal.rules.cutoffs import local_day
from portal.rules.money import Money
from portal.rules.planning import Plan, Season, Term
from portal.rules.terms import withdrawable_until
from portal.subscriptions.queries import Holding, of_account, withheld

SEASON = timedelta(days=365)


@dataclass(frozen=True, slots=True)
class ComingTerm:
    """Terms that have not begun: their first day, and until when they can be taken back, if they can."""

    term: TermView
    monday: date
    first: date
    until: datetime | None


@dataclass(frozen=True, slots=True)
class PastTerm:
    """Terms that held from the week of one Monday to that of another, both included."""

    term: TermView
    monday: date
    last_week: date


@dataclass(frozen=True, slots=True)
class Overview:
    """A subscription as its page shows it; `days` are the next ones that bring a box."""

    id: int
    now: TermView
    price: Money
    days: tuple[date, ...]
    suspensions: tuple[Running, ...]
    coming: tuple[ComingTerm, ...]
    past: tuple[PastTerm, ...]
    live: bool
    last_day: date | None
    over: bool
    """It brings no box any more."""
    resumable: bool
    """Over for less than a season: what it was can be chosen again at once."""


def is_live(holding: Holding, today: date) -> bool:
    return holding.plan.last_day is None or holding.plan.last_day >= today


def overview(session: Session, account_id: int, now: datetime) -> list[Overview]:
    """All subscriptions of an account, those that have ended too, in the order in which they were made."""
    today = local_day(now)
    holdings = with_changes(session, of_account(session, account_id), today)
    since = monday_of(today) - WEEK
    tours = {tour_id for holding in holdings for tour_id in holding.plan.tour_ids}
    found = of_weeks(session, since, since + HORIZON, tours)
    facts = Facts(Season(delivery.for_rules for delivery in found), now, withheld(session))
    prices = formula_prices(session)
    return [_overview(holding, facts, prices) for holding in holdings]


def _overview(holding: Holding, facts: Facts, prices: Prices) -> Overview:
    plan, today = holding.plan, local_day(facts.now)
    until = {term: withdrawable_until(plan, term.monday, facts) for term in plan.terms}
    begun = takewhile(lambda term: term.monday <= monday_of(today) and until[term] is None, plan.terms)
    *past, current = tuple(begun) or plan.terms[:1]
    coming = plan.terms[len(past) + 1 :]
    days = box_days(plan, (delivery for delivery in facts.season if delivery.day >= today))
    shown = term_view(holding, current)
    return Overview(
        id=holding.id,
        now=shown,
        price=shown.price(prices, days[0] if days else today),
        days=days,
        suspensions=tuple(running([holding], today)),
        coming=tuple(
            ComingTerm(
                term_view(holding, term),
                term.monday,
                _first_day(plan, term, facts.season),
                until[term],
            )
            for term in coming
        ),
        past=tuple(_past(holding, [*past, current])),
        live=is_live(holding, today),
        last_day=plan.last_day,
        over=plan.last_day is not None and not days,
        resumable=plan.last_day is not None and not days and today <= plan.last_day + SEASON,
    )


def _first_day(plan: Plan, term: Term, season: Season) -> date:
    days = box_days(plan, (delivery for delivery in season if delivery.week >= term.monday))
    return days[0] if days else term.monday


def _past(holding: Holding, begun: list[Term]) -> Iterable[PastTerm]:
    for term, following in pairwise(begun):
        yield PastTerm(term_view(holding, term), term.monday, following.monday - WEEK)
